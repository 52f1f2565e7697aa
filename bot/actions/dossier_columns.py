"""Say how a unit's exports of dossiers are read: its words for columns and statuses, and whose codes are whose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.actions.case_trail import audit
from bot.domain.dossier import Status
from bot.domain.dossier_cells import unit_key
from bot.domain.dossier_columns import Column
from bot.domain.text import clean, fold
from bot.errors import InvalidInputError
from bot.store import dossier_imports, units
from bot.store.database import Session
from bot.store.dossier_imports import DossierColumnsRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow


@dataclass(slots=True)
class Reading:
    """How files of a unit are read: the office's words, units by code and folded name, and what paths they have."""

    headers: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    changed_at: datetime | None = None


async def reading_of(session: Session, unit: UnitRow) -> Reading:
    """Return how files of a unit are to be read; what a unit has not said is as the units above have.

    A code that a unit above has given to a unit outside this branch stays: its rows are foreign, and nobody else's.
    """
    said = await dossier_imports.columns(session, [part for part in unit.path.split("/") if part])
    found = Reading()
    for part in unit.path.split("/"):
        if row := said.get(part):
            found.headers |= row.headers
            found.statuses |= row.statuses
            found.units |= row.units | {unit_key(name): each for name, each in row.units.items()}
            found.changed_at = max(filter(None, (found.changed_at, row.changed_at)))
    known: dict[str, str] = {}
    for below in await units.below(session, unit.path):
        for key in (below.code, unit_key(below.name), *(unit_key(alias) for alias in below.aliases)):
            if key:
                known.setdefault(key, below.id)
    found.units = known | found.units
    return found


async def save_columns(
    uow: UnitOfWork, unit_id: str, headers: Mapping[str, str], statuses: Mapping[str, int], unit_ids: Mapping[str, str]
) -> None:
    """Keep how a unit's exports are to be read: headers and statuses by their words, units by code or name.

    Raises InvalidInputError unknown_column | unknown_status | unknown_unit.
    """
    known = set(Column)
    if any(column not in known for column in headers.values()):
        raise InvalidInputError("headers", "unknown_column")
    if any(code not in set(Status) for code in statuses.values()):
        raise InvalidInputError("statuses", "unknown_status")
    for each in set(unit_ids.values()):
        if await units.unit(uow.session, each) is None:
            raise InvalidInputError("units", "unknown_unit")
    row = (await dossier_imports.columns(uow.session, [unit_id])).get(unit_id)
    row = row or DossierColumnsRow(unit_id=unit_id, changed_at=uow.now)
    row.headers = {fold(words): column for words, column in headers.items() if fold(words)}
    row.statuses = {fold(words): code for words, code in statuses.items() if fold(words)}
    row.units = {clean(code): each for code, each in unit_ids.items() if clean(code)}
    row.changed_by, row.changed_at = uow.actor.id, uow.now
    uow.session.add(row)
    audit(uow, "dossier_columns.save", f"unit:{unit_id}")
