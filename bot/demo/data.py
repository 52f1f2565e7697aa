"""Read the demo data from the TOML files beside this module into plain values."""

import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing done to a report: when, by whom, what, and whatever that needs."""

    at: str
    by: str
    does: str
    text: str = ""
    photos: tuple[str, ...] = ()
    rating: int = 0
    level: str = ""
    unit: str = ""
    into: str = ""
    agency: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a citizen wrote and everything that followed; `at` or `ago` (minutes) says when."""

    key: str
    category: str
    sender: int
    text: str
    at: str = ""
    ago: int = 0
    account: str = "state"
    kind: str = "report"
    area: str = ""
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    photos: tuple[str, ...] = ()
    complained: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitData:
    """One unit; `fallback` the key of the unit that gets what no rule routes."""

    key: str
    code: str
    name: str
    kind: str
    valid_from: date
    parent: str = ""
    fallback: str = ""
    aliases: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaData:
    """One village."""

    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryData:
    """One category."""

    code: str
    name: str
    level: str = "normal"
    restricted: bool = False
    field_work: bool = False
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleData:
    """One routing rule; category and unit by their keys."""

    unit: str
    category: str = ""
    kind: str = ""
    words: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonData:
    """One person of the office; `roles` are (role, key of the unit)."""

    key: str
    name: str
    roles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountData:
    """One account of the simulator, with the secrets that it knows; `refresh_token` is "" where tokens do not age."""

    key: str
    external_id: str
    name: str
    webhook_key: str
    access_token: str
    provider: str = "zalo"
    kind: str = ""
    refresh_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicData:
    """One topic of announcements."""

    name: str
    default_on: bool = True
    advert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicesData:
    """What the citizen of a number has chosen by themselves, and the villages and tags set by staff."""

    sender: int
    areas: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    adverts: bool = False
    stopped: bool = False
    noted_areas: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommuneData:
    """Everything in commune.toml; `contact` names citizens by number, `day_worked` a weekend day worked instead."""

    contact: str
    day_worked: str
    units: tuple[UnitData, ...]
    areas: tuple[AreaData, ...]
    categories: tuple[CategoryData, ...]
    rules: tuple[RuleData, ...]
    people: tuple[PersonData, ...]
    accounts: tuple[AccountData, ...]
    topics: tuple[TopicData, ...]
    choices: tuple[ChoicesData, ...]


def read_commune() -> CommuneData:
    """Read the commune."""
    document = _read(DATA / "commune.toml")
    people = [{**p, "roles": tuple((r["role"], r["unit"]) for r in p["roles"])} for p in document["person"]]
    return CommuneData(
        contact=document["contact"],
        day_worked=document["day_worked"],
        units=tuple(UnitData(**_frozen(entry)) for entry in document["unit"]),
        areas=tuple(AreaData(**_frozen(entry)) for entry in document["area"]),
        categories=tuple(CategoryData(**_frozen(entry)) for entry in document["category"]),
        rules=tuple(RuleData(**_frozen(entry)) for entry in document["rule"]),
        people=tuple(PersonData(**_frozen(entry)) for entry in people),
        accounts=tuple(AccountData(**entry) for entry in document["account"]),
        topics=tuple(TopicData(**_frozen(entry)) for entry in document["topic"]),
        choices=tuple(ChoicesData(**_frozen(entry)) for entry in document["choices"]),
    )


def read_reports() -> list[Report]:
    """Read the reports of every category."""
    return [
        _report(path.stem, entry) for path in sorted((DATA / "cases").glob("*.toml")) for entry in _read(path)["case"]
    ]


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _report(category: str, entry: dict[str, Any]) -> Report:
    fields = {**entry, "category": category, "sender": entry["from"], "text": entry["text"].strip()}
    del fields["from"]
    fields["steps"] = tuple(Step(**_frozen(step)) for step in entry.get("steps", ()))
    return Report(**_frozen(fields))


def _frozen(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
