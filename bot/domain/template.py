"""Check what fills the parameters of a provider's template, before the provider refuses it for one row of thousands."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bot.domain.broadcast import fill
from bot.domain.text import clean

ENABLED = "ENABLE"
"""The status in which a template may be sent; in any other it is refused to everybody."""

DISABLED_REASON = "template_disabled"
"""Why a broadcast rests whose template may not be sent any more."""

LONGEST = {
    "CUSTOMER_NAME": 30,
    "PHONE": 15,
    "ADDRESS": 200,
    "CODE": 30,
    "LABEL": 30,
    "STATUS": 30,
    "CONTACT": 50,
    "TITLE": 5,
    "PRODUCT": 200,
    "AMOUNT": 20,
    "DATE": 20,
    "OTP": 10,
    "URL": 200,
    "MONEY": 12,
    "TRANSFER_NOTE": 90,
}
"""How many characters a kind of parameter takes where the provider does not say so for the one at hand."""

_NUMBERS = frozenset({"NUMBER", "MONEY"})
_NUMBER = re.compile(r"-?\d{1,3}(?:[.,\s]?\d{3})*(?:[.,]\d{1,2})?")
_DATE = re.compile(r"(?:\d{1,2}:\d{2}(?::\d{2})? )?(\d{1,2})/(\d{1,2})/\d{4}")
_PHONE = re.compile(r"\+?\d{8,14}")
_LINK = re.compile(r"https?://\S+")
_DAYS, _MONTHS = range(1, 32), range(1, 13)


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a template leaves open; lengths in characters of NFC, 0 for no limit, `type` in the provider's words."""

    name: str
    type: str = ""
    required: bool = True
    shortest: int = 0
    longest: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what the template's row keeps of it."""
        return {
            "name": self.name,
            "type": self.type,
            "required": self.required,
            "shortest": self.shortest,
            "longest": self.longest,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Parameter":
        """Read what `to_json` wrote."""
        return cls(
            str(data.get("name", "")),
            str(data.get("type", "")),
            bool(data.get("required", True)),
            int(data.get("shortest") or 0),
            int(data.get("longest") or 0),
        )


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """A template as its provider describes it; prices in đồng, None where it may not be sent that way or is not told.

    `by_user` and `by_phone` say by which way it may be sent; `development` that it may only go to the account's own
    administrators, who are testing.
    """

    template_id: str
    name: str = ""
    status: str = ""
    quality: str = ""
    tag: str = ""
    parameters: tuple[Parameter, ...] = ()
    text: str = ""
    by_user: bool = False
    by_phone: bool = True
    development: bool = False
    price_user: int | None = None
    price_phone: int | None = None
    timeout_seconds: int | None = None


class Problem(NamedTuple):
    """What is wrong with a parameter: `code` names the sentence, `details` fill it."""

    parameter: str
    code: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filled:
    """One recipient's values by parameter, and what is wrong with them."""

    values: dict[str, str]
    problems: list[Problem] = field(default_factory=list)


def parameters_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Parameter, ...]:
    """Read the parameters that a template's row keeps."""
    return tuple(Parameter.from_json(row) for row in rows)


def filled(parameters: Iterable[Parameter], given: Mapping[str, str], merged: Mapping[str, Any] | None) -> Filled:
    """Fill what an announcement gives for each parameter with one recipient's merge values, and check it.

    Nothing is cut: what is too long is a problem that names the parameter, and it is for a person to say what to leave
    out.
    """
    values = {name: clean(fill(value, merged or {})) for name, value in given.items()}
    return Filled(values, check(parameters, values))


def check(parameters: Iterable[Parameter], values: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with the values of a template's parameters, in the template's order; [] when all is well.

    Codes: missing_parameter, unknown_parameter, value_too_short, value_too_long (least or most, and length),
    not_a_number, not_a_date, not_a_phone, not_a_link. Lengths are counted in characters of NFC.
    """
    known = list(parameters)
    problems = [problem for one in known for problem in _of_one(one, values.get(one.name, ""))]
    names = {one.name for one in known}
    return problems + [Problem(name, "unknown_parameter", {}) for name in values if name not in names]


def check_names(parameters: Iterable[Parameter], given: Mapping[str, str]) -> list[Problem]:
    """Return which parameters have been given nothing although they need it, or do not exist: before any recipient."""
    known = list(parameters)
    names = {one.name for one in known}
    missing = [one.name for one in known if one.required and not given.get(one.name, "").strip()]
    return [
        *(Problem(name, "missing_parameter", {}) for name in missing),
        *(Problem(name, "unknown_parameter", {}) for name in given if name not in names),
    ]


def can_be(parameters: Mapping[str, str], text: str) -> bool:
    """Say whether words that a person was shown can be a template so filled: every value stands in them.

    What the provider puts around the values is not known here. A template without any is never taken for one.
    """
    values = [value for value in map(clean, parameters.values()) if value]
    shown = clean(text)
    return bool(values) and all(value in shown for value in values)


def longest_of(parameter: Parameter) -> int:
    """Return how many characters a parameter takes; 0 where nobody says."""
    return parameter.longest or LONGEST.get(_kind(parameter), 0)


def _kind(parameter: Parameter) -> str:
    return parameter.type.strip().upper().replace(" ", "_").replace("-", "_")


def _of_one(parameter: Parameter, value: str) -> list[Problem]:
    value = unicodedata.normalize("NFC", value).strip()
    if not value:
        return [Problem(parameter.name, "missing_parameter", {})] if parameter.required else []
    length, most = len(value), longest_of(parameter)
    if most and length > most:
        return [Problem(parameter.name, "value_too_long", {"most": most, "length": length})]
    if length < parameter.shortest:
        return [Problem(parameter.name, "value_too_short", {"least": parameter.shortest, "length": length})]
    code = _odd(_kind(parameter), value)
    return [Problem(parameter.name, code, {})] if code else []


def _odd(kind: str, value: str) -> str:
    """Return the code for a value that does not have its kind's form; "" when it has, and for kinds of plain text."""
    if kind in _NUMBERS and not _NUMBER.fullmatch(value):
        return "not_a_number"
    if kind == "DATE" and not _is_date(value):
        return "not_a_date"
    if kind == "PHONE" and not _PHONE.fullmatch(re.sub(r"[\s.()-]", "", value)):
        return "not_a_phone"
    return "not_a_link" if kind == "URL" and not _LINK.fullmatch(value) else ""


def _is_date(value: str) -> bool:
    found = _DATE.fullmatch(value)
    return found is not None and int(found[1]) in _DAYS and int(found[2]) in _MONTHS
