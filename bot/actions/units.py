"""Change the tree: units with what they decide themselves, their villages and their categories."""

from datetime import date
from typing import Any

from bot.actions.case_trail import audit
from bot.domain.case import Level
from bot.domain.text import clean
from bot.errors import InvalidInputError, NotFoundError
from bot.store import units
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import AreaRow, CategoryRow, UnitRow

LIMITS = ("accept", "urgent", "normal", "complex")
_TEXTS = ("phone", "address", "hours", "privacy_line")
_MOST_MINUTES = 480 * 366
MAX_CODE_BYTES = 40
"""Of the code of a category, which travels in buttons; letters with accents take two or three."""


def words_of(text: str, field: str, most: int = 200) -> str:
    """Return cleaned words; raises InvalidInputError when there are none or too many."""
    words = clean(text)
    if not words:
        raise InvalidInputError(field, "empty")
    if len(words) > most:
        raise InvalidInputError(field, "too_long", most=most)
    return words


def several(text: str) -> list[str]:
    """Return the parts of a text that are separated by `;`, commas or lines."""
    parts = text.replace("\n", ";").replace(",", ";").split(";")
    return list(dict.fromkeys(clean(part) for part in parts if clean(part)))


async def unit_of(uow: UnitOfWork, unit_id: str) -> UnitRow:
    """Return a unit; raises NotFoundError."""
    row = await units.unit(uow.session, unit_id)
    if row is None:
        raise NotFoundError(f"unit {unit_id}")
    return row


async def add_unit(
    uow: UnitOfWork, parent: UnitRow | None, *, code: str, name: str, kind: str, valid_from: date
) -> UnitRow:
    """Add a unit below another; the same code may come back with another validity date, for it is no key."""
    code, name, kind = words_of(code, "code", 40), words_of(name, "name"), words_of(kind, "kind", 40)
    if any(known.valid_from == valid_from for known in await units.units_by_code(uow.session, code)):
        raise InvalidInputError("code", "taken")
    unit_id = uow.new_id()
    row = UnitRow(
        id=unit_id,
        code=code,
        name=name,
        kind=kind,
        parent_id=parent.id if parent else None,
        path=f"{parent.path if parent else '/'}{unit_id}/",
        valid_from=valid_from,
    )
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, "unit.add", f"unit:{unit_id}", {"code": code, "name": name})
    return row


async def change_unit(
    uow: UnitOfWork, unit_id: str, *, name: str, kind: str, aliases: str, valid_to: date | None
) -> UnitRow:
    """Change what a unit is called and until when it holds."""
    row = await unit_of(uow, unit_id)
    if valid_to is not None and valid_to < row.valid_from:
        raise InvalidInputError("valid_to", "dates_reversed")
    row.name, row.kind = words_of(name, "name"), words_of(kind, "kind", 40)
    row.aliases, row.valid_to = several(aliases), valid_to
    audit(uow, "unit.change", f"unit:{unit_id}", {"name": row.name})
    return row


async def change_settings(uow: UnitOfWork, unit_id: str, given: dict[str, str]) -> UnitRow:
    """Change what a unit decides itself; an empty field leaves it to the unit above.

    `given` may hold approval (yes | no), phone, address, hours, privacy_line, fallback (unit id) and the limits
    accept, urgent, normal and complex in working minutes.
    """
    row = await unit_of(uow, unit_id)
    kept: dict[str, Any] = {
        key: value for key, value in row.settings.items() if key not in {*_TEXTS, "approval", "fallback", "limits"}
    }
    kept |= {name: given[name][:500] for name in _TEXTS if given.get(name)}
    if given.get("approval") in {"yes", "no"}:
        kept["approval"] = given["approval"] == "yes"
    if given.get("fallback"):
        target = await units.unit(uow.session, given["fallback"])
        if target is None or not target.path.startswith(row.path):
            raise InvalidInputError("fallback", "unknown_unit")
        kept["fallback"] = target.id
    limits = limits_of(given)
    if limits:
        kept["limits"] = limits
    row.settings = kept
    audit(uow, "unit.settings", f"unit:{unit_id}", {"settings": sorted(kept)})
    return row


def limits_of(given: dict[str, str]) -> dict[str, int]:
    """Return the time limits among form fields, in working minutes; raises InvalidInputError not_a_number."""
    found = {}
    for name in LIMITS:
        text = given.get(name, "").strip()
        if not text:
            continue
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_MINUTES):
            raise InvalidInputError(name, "not_a_number")
        found[name] = int(text)
    return found


async def add_area(uow: UnitOfWork, unit_id: str, name: str, aliases: str) -> AreaRow:
    """Add a village or residential group to a unit."""
    await unit_of(uow, unit_id)
    known = await units.areas(uow.session, unit_id)
    position = 1 + max((area.position for area in known), default=0)
    row = AreaRow(
        id=uow.new_id(), unit_id=unit_id, name=words_of(name, "area"), aliases=several(aliases), position=position
    )
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, "area.add", f"unit:{unit_id}", {"name": row.name})
    return row


async def area_of(uow: UnitOfWork, area_id: str) -> AreaRow:
    """Return an area; raises NotFoundError."""
    row = await units.area(uow.session, area_id)
    if row is None:
        raise NotFoundError(f"area {area_id}")
    return row


async def change_area(uow: UnitOfWork, area_id: str, name: str, aliases: str) -> AreaRow:
    """Change what an area is called, now or formerly."""
    row = await area_of(uow, area_id)
    row.name, row.aliases = words_of(name, "area"), several(aliases)
    audit(uow, "area.change", f"unit:{row.unit_id}", {"name": row.name})
    return row


async def save_category(
    uow: UnitOfWork, unit_id: str, category_id: str | None, given: dict[str, str], *, restricted: bool, field_work: bool
) -> CategoryRow:
    """Add a category or change one; `given` holds name, code, level, keywords and time limits in working minutes."""
    await unit_of(uow, unit_id)
    name = words_of(given.get("name", ""), "name", 100)
    code = words_of(given.get("code", ""), "code", MAX_CODE_BYTES)
    if len(code.encode()) > MAX_CODE_BYTES:
        raise InvalidInputError("code", "too_long", most=MAX_CODE_BYTES)
    if given.get("level") not in {level.value for level in Level}:
        raise InvalidInputError("level", "unknown_level")
    limits = limits_of(given)
    known = await units.categories(uow.session, unit_id)
    if any(row.code == code and row.id != category_id for row in known):
        raise InvalidInputError("code", "taken")
    row = next((row for row in known if row.id == category_id), None)
    if category_id and row is None:
        raise NotFoundError(f"category {category_id}")
    if row is None:
        position = 1 + max((row.position for row in known), default=0)
        row = CategoryRow(id=uow.new_id(), unit_id=unit_id, code=code, name=name, position=position)
        uow.session.add(row)
    row.code, row.name, row.level, row.limits = code, name, given["level"], limits
    row.keywords, row.restricted, row.field_work = several(given.get("keywords", "")), restricted, field_work
    await uow.session.flush()
    audit(uow, "category.save", f"unit:{unit_id}", {"code": code, "name": name})
    return row
