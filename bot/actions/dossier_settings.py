"""What a unit decides of its notices about dossiers: kinds, templates, account for fees, desk, days of warning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.actions.case_trail import audit
from bot.actions.units import unit_of
from bot.domain.broadcast import fields_of
from bot.domain.dossier import Kind
from bot.domain.dossier_notice import BANK as ACCOUNT
from bot.domain.dossier_notice import bank_of, told_kinds
from bot.domain.message import Message
from bot.domain.text import clean
from bot.domain.vietqr import is_account, is_bin
from bot.errors import InvalidInputError
from bot.store import units
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow

NOTICES, TEMPLATES, BANK, DESK, DAYS, WARNS = (
    "dossier_notices", "dossier_templates", "dossier_bank", "dossier_desk", "dossier_days_before", "dossier_warns",
)  # fmt: skip
"""The keys in a unit's settings."""
DAYS_BEFORE, MOST_DAYS = 1, 10
OFFICIALS, HEADS, NOBODY = "officials", "heads", "nobody"
"""Whom a unit warns of dossiers that are about to be late."""
_WARNS = (OFFICIALS, HEADS, NOBODY)
_MOST = 300
_MOST_NAME = 50


@dataclass(frozen=True, slots=True)
class Choices:
    """What holds for a unit: its own choice or that of the nearest unit above; `own` names what it has chosen itself.

    `templates` is by kind and account what announcements keep of a template: template_id and parameters. `bank` is
    bin, account and name, {} for none; `desk` where and when results are fetched.
    """

    kinds: frozenset[Kind]
    templates: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    bank: Mapping[str, str] = field(default_factory=dict)
    desk: str = ""
    days_before: int = DAYS_BEFORE
    warns: str = OFFICIALS
    own: frozenset[str] = frozenset()


def choices_of(chain: Sequence[UnitRow]) -> Choices:
    """Read what holds for the first of the units, which are given the nearest first."""

    def nearest(name: str) -> Any:
        return next((unit.settings[name] for unit in chain if name in unit.settings), None)

    templates, days = nearest(TEMPLATES), nearest(DAYS)
    return Choices(
        told_kinds(nearest(NOTICES)),
        templates if isinstance(templates, dict) else {},
        bank_of(nearest(BANK)),
        str(nearest(DESK) or _office(chain)),
        days if isinstance(days, int) else DAYS_BEFORE,
        str(nearest(WARNS) or OFFICIALS),
        frozenset(chain[0].settings) if chain else frozenset(),
    )


def _office(chain: Sequence[UnitRow]) -> str:
    """Return address and hours of the nearest unit that has any, where nobody has named the desk."""
    for unit in chain:
        known = [str(unit.settings[name]) for name in ("address", "hours") if unit.settings.get(name)]
        if known:
            return ", ".join(known)
    return ""


async def chain_of(session: Session, unit_id: str) -> list[UnitRow]:
    """Return a unit and all above it, the nearest first; [] for one that is not there."""
    unit = await units.unit(session, unit_id)
    return await units.above(session, unit) if unit is not None else []


async def change(uow: UnitOfWork, unit_id: str, given: Mapping[str, Any]) -> UnitRow:
    """Change what a unit decides itself; what is not given, or None, is left to the unit above.

    `given` may hold kinds (words of Kind), bin, account, name, label, desk, days and warns. Raises InvalidInputError
    for bin, account, name, label, desk, days, warns: not_a_bank, not_an_account, empty, not_a_number, too_long.
    """
    row = await unit_of(uow, unit_id)
    mine = {NOTICES, BANK, DESK, DAYS, WARNS}
    kept = {name: value for name, value in row.settings.items() if name not in mine}
    if given.get("kinds") is not None:
        kept[NOTICES] = [kind.value for kind in Kind if kind.value in given["kinds"]]
    if bank := _bank(given):
        kept[BANK] = bank
    desk = clean(str(given.get("desk") or ""))
    if len(desk) > _MOST:
        raise InvalidInputError("desk", "too_long", most=_MOST)
    if desk:
        kept[DESK] = desk
    if days := str(given.get("days") or "").strip():
        if not (days.isascii() and days.isdigit() and 1 <= int(days) <= MOST_DAYS):
            raise InvalidInputError("days", "not_a_number")
        kept[DAYS] = int(days)
    if given.get("warns") in _WARNS:
        kept[WARNS] = given["warns"]
    row.settings = kept
    audit(uow, "unit.dossier_settings", f"unit:{unit_id}", {"settings": sorted(mine & set(kept))})
    return row


async def choose_templates(
    uow: UnitOfWork, unit_id: str, kind: Kind, given: Mapping[str, Mapping[str, Any]]
) -> UnitRow:
    """Choose by account the template that tells of a kind (template_id and parameters); of all kinds from now on.

    A unit that had chosen none of its own begins with those of the unit above.
    """
    row = await unit_of(uow, unit_id)
    chosen = {**choices_of(await chain_of(uow.session, unit_id)).templates}
    chosen[kind.value] = dict(given)
    row.settings = {**row.settings, TEMPLATES: {name: dict(each) for name, each in chosen.items() if each}}
    audit(uow, "unit.dossier_settings", f"unit:{unit_id}", {"settings": [TEMPLATES], "kind": kind.value})
    return row


def fields_in(value: str) -> list[str]:
    """Return the fields that a parameter names as `{{field}}`."""
    return sorted(fields_of(Message(text=value)))


def _bank(given: Mapping[str, Any]) -> dict[str, str]:
    found = {name: clean(str(given.get(name) or "")) for name in ACCOUNT}
    if not any(found.values()):
        return {}
    found["account"] = "".join(c for c in found["account"] if c not in " .-")
    if not is_bin(found["bin"]):
        raise InvalidInputError("bin", "not_a_bank")
    if not is_account(found["account"]):
        raise InvalidInputError("account", "not_an_account")
    if not found["name"]:
        raise InvalidInputError("name", "empty")
    for name in ("name", "label"):
        if len(found[name]) > _MOST_NAME:
            raise InvalidInputError(name, "too_long", most=_MOST_NAME)
    return found
