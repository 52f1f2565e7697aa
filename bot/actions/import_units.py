"""Import units from a table: a code is not a key, names get aliases, parents may stand anywhere in the file."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bot.actions.case_trail import audit
from bot.domain.text import clean
from bot.store import units
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from bot.tables import TableRow

COLUMNS = {"code", "name", "kind", "parent", "valid_from"}
_DATES = ("%Y-%m-%d", "%d/%m/%Y")


@dataclass(frozen=True, slots=True, order=True)
class RowProblem:
    """Why one row was left out: its number in the file, a word for templates, and what stood there."""

    number: int
    code: str
    value: str = ""


@dataclass(slots=True)
class UnitImport:
    """What an import did: how many rows were new, changed or as before, and which rows were bad and why."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[RowProblem] = field(default_factory=list)


async def import_units(uow: UnitOfWork, rows: list[TableRow], within: tuple[str, ...] | None = None) -> UnitImport:
    """Bring rows `code,name,kind,parent,valid_from[,valid_to,aliases,successors]` in; good rows go in, bad are listed.

    The same code with another validity date is another unit (10126 was Bích Hòa and is now Bình Minh). Importing the
    same file again changes nothing. Several aliases or successors are separated by `;`. With `within`
    only units below these paths are touched.
    """
    done = UnitImport()
    waiting = list(rows)
    while waiting:
        later = [row for row in waiting if not await _one(uow, row, done, within)]
        if len(later) == len(waiting):
            done.problems += [RowProblem(row.number, "unknown_parent", row.cells["parent"]) for row in later]
            break
        waiting = later
    done.problems.sort()
    audit(uow, "unit.import", "units", {"added": done.added, "changed": done.changed, "bad": len(done.problems)})
    return done


async def _one(uow: UnitOfWork, row: TableRow, done: UnitImport, within: tuple[str, ...] | None) -> bool:
    """Take one row in; False when its parent is not there yet."""
    cells = row.cells
    code, name = clean(cells["code"]), clean(cells["name"])
    since = _date(cells["valid_from"])
    until = _date(cells.get("valid_to", ""))
    problem = _problem(code, name, cells, since, until)
    if problem or since is None:
        done.problems.append(RowProblem(row.number, *(problem or ("bad_valid_from", ""))))
        return True
    parent = None
    if cells["parent"]:
        parent = _valid_at(await units.units_by_code(uow.session, clean(cells["parent"])), since)
        if parent is None:
            return False
    values: dict[str, Any] = {
        "name": name,
        "kind": clean(cells["kind"]),
        "valid_to": until,
        "aliases": _several(cells.get("aliases", "")),
        "successors": _several(cells.get("successors", "")),
    }
    known = next((u for u in await units.units_by_code(uow.session, code) if u.valid_from == since), None)
    path = known.path if known else parent.path if parent else "/"
    if within is not None and not any(path.startswith(allowed) for allowed in within):
        done.problems.append(RowProblem(row.number, "outside", code))
    elif known is None:
        await _add(uow, code, since, parent, values)
        done.added += 1
    elif any(getattr(known, key) != value for key, value in values.items()):
        for key, value in values.items():
            setattr(known, key, value)
        done.changed += 1
    else:
        done.unchanged += 1
    return True


async def _add(uow: UnitOfWork, code: str, since: date, parent: UnitRow | None, values: dict[str, Any]) -> None:
    unit_id = uow.new_id()
    path = f"{parent.path if parent else '/'}{unit_id}/"
    parent_id = parent.id if parent else None
    uow.session.add(UnitRow(id=unit_id, code=code, parent_id=parent_id, path=path, valid_from=since, **values))
    await uow.session.flush()


def _problem(
    code: str, name: str, cells: dict[str, str], since: date | None, until: date | None
) -> tuple[str, str] | None:
    checks = (
        (not code, "empty_code", ""),
        (not name, "empty_name", ""),
        (since is None, "bad_valid_from", cells["valid_from"]),
        (bool(cells.get("valid_to")) and until is None, "bad_valid_to", cells.get("valid_to", "")),
        (bool(since and until and until < since), "dates_reversed", ""),
        (bool(cells["parent"]) and clean(cells["parent"]) == code, "own_parent", ""),
    )
    return next(((why, value) for wrong, why, value in checks if wrong), None)


def _date(text: str) -> date | None:
    for form in _DATES:
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a calendar date, no moment
        except ValueError:
            continue
    return None


def _valid_at(found: list[UnitRow], day: date) -> UnitRow | None:
    valid = [u for u in found if u.valid_from <= day and (u.valid_to is None or u.valid_to >= day)]
    return next(iter(valid or found), None)


def _several(text: str) -> list[str]:
    return [clean(part) for part in text.split(";") if part.strip()]
