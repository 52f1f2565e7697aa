"""Keep procedures: brought in from a file without losing what the office has edited, edited, matched with dossiers."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bot.actions.case_trail import audit
from bot.actions.procedure_file import Read, column
from bot.domain.procedure import Procedure
from bot.domain.text import fold
from bot.errors import NotFoundError
from bot.store import dossier_writing, procedures
from bot.store.dossiers import DossierRow
from bot.store.procedures import ProcedureRow
from bot.store.unit_of_work import UnitOfWork

EDITED = ("name", "field", "days", "fee", "fee_words", "online", "online_url")
"""What the office may know better than a catalogue."""
TABLE = "table"
"""Who edited what a table of the office told; another such table may change it, a catalogue may not."""
MATCHED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which procedures of a file are wanted: fields and level as people write them, with or without accents."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    level: str = ""


class Kept(NamedTuple):
    """A row that the office has edited: by column what stands there, and what the file says instead."""

    number: int
    code: str
    differences: Mapping[str, tuple[Any, Any]]


@dataclass(slots=True)
class ProcedureImport:
    """What an import did: counts, the codes that are new or changed, what was kept as the office has it, bad lines."""

    same: int = 0
    left_out: int = 0
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    problems: list[Read] = field(default_factory=list)
    unknown_fields: list[str] = field(default_factory=list)


async def bring_in(
    uow: UnitOfWork, lines: Sequence[Read], chosen: Chosen | None = None, *, dry: bool = False
) -> ProcedureImport:
    """Bring procedures in; only what is new or changed is written, and with `dry` nothing at all.

    What the office has edited stays, and what the file says instead is told; all else of such a row is brought in.
    """
    chosen = chosen or Chosen()
    done = ProcedureImport(problems=[read for read in lines if read.procedure is None])
    told = {fold(read.procedure.field) for read in lines if read.procedure}
    done.unknown_fields = [name for name in (*chosen.only, *chosen.without) if fold(name) not in told]
    wanted = [read for read in lines if read.procedure is not None and _wanted(read.procedure, chosen)]
    done.left_out = len(lines) - len(done.problems) - len(wanted)
    known = await procedures.by_codes(uow.session, [read.procedure.code for read in wanted if read.procedure])
    for read in wanted:
        assert read.procedure is not None
        _one(uow, known.get(read.procedure.code), read, read.procedure, done, dry=dry)
    if not dry and (done.added or done.changed):
        data = {"added": len(done.added), "changed": len(done.changed), "kept": len(done.kept)}
        audit(uow, "procedure.import", "procedures", {**data, "bad": len(done.problems)})
        uow.after_commit("match_procedures")
        uow.after_commit("date_dossiers")
    return done


def _wanted(procedure: Procedure, chosen: Chosen) -> bool:
    name = fold(procedure.field)
    if name in map(fold, chosen.without) or (chosen.only and name not in map(fold, chosen.only)):
        return False
    level = fold(chosen.level).removeprefix("cap ")
    return not level or not procedure.level or f"cap {level}" in fold(procedure.level)


def _one(
    uow: UnitOfWork, row: ProcedureRow | None, read: Read, procedure: Procedure, done: ProcedureImport, *, dry: bool
) -> None:
    values = _values(read, procedure)
    digest = _digest(values)
    if row is None:
        done.added.append(procedure.code)
        if not dry:
            made = ProcedureRow(id=uow.new_id(), updated_at=uow.now, **{**values, "code": procedure.code})
            made.edited_by = TABLE if read.columns is not None else None
            _write(uow, made, {} if read.columns is not None else {"digest": digest})
            uow.session.add(made)
        return
    own = row.edited_by is not None and not (read.columns is not None and row.edited_by == TABLE)
    differing = {name: (getattr(row, name), value) for name, value in values.items() if getattr(row, name) != value}
    kept = {name: pair for name, pair in differing.items() if own and name in EDITED}
    new = {name: pair[1] for name, pair in differing.items() if name not in kept}
    if row.fee is not None and "fee" not in kept:
        kept.pop("fee_words", None)  # in whatever words, it is the same amount
    if kept:
        done.kept.append(Kept(read.number, procedure.code, kept))
    if new:
        done.changed.append(procedure.code)
    elif not kept:
        done.same += 1
    if dry or not new:
        return
    if read.columns is None:
        new["digest"] = digest
    elif not own:
        new["edited_by"] = TABLE
    _write(uow, row, new)


def _values(read: Read, procedure: Procedure) -> dict[str, Any]:
    """Return what a line tells by column of ProcedureRow; the suffix is kept where a file does not tell it."""
    told = {name: value for name, value in procedure._asdict().items() if name != "code"}
    if read.columns is not None:
        told = {name: value for name, value in told.items() if name in read.columns}
        told |= {"full_code": procedure.full_code}
    if not procedure.full_code:
        del told["full_code"]
    return told


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:32]


def _write(uow: UnitOfWork, row: ProcedureRow, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.search = fold(f"{row.code} {row.full_code} {row.name} {row.field}")
    row.updated_at = uow.now


async def procedure_of(uow: UnitOfWork, procedure_id: str) -> ProcedureRow:
    """Return one procedure; raises NotFoundError."""
    row = await procedures.procedure(uow.session, procedure_id)
    if row is None:
        raise NotFoundError(f"procedure {procedure_id}")
    return row


async def save(
    uow: UnitOfWork, procedure_id: str, typed: Mapping[str, str], *, active: bool, untouched: Collection[str] = ()
) -> ProcedureRow:
    """Write what the office knows better: `typed` has name, field, days, fee, online and url as they were typed.

    What is `untouched` or means what stands there is not marked as edited. Raises NotFoundError, or InvalidInputError
    with the field.
    """
    row = await procedure_of(uow, procedure_id)
    values: dict[str, Any] = {"active": active}
    for name in ("name", "field", "days", "fee", "online", "url"):
        if name not in untouched:
            values |= column(name, typed[name])
    new = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not new:
        return row
    audit(uow, "procedure.save", f"procedure:{row.id}", {"code": row.code, **{n: str(v) for n, v in new.items()}})
    if new.keys() & set(EDITED):
        new["edited_by"] = uow.actor.id or uow.actor.kind
    _write(uow, row, new)
    if "field" in new:
        uow.after_commit("match_procedures")
    if "days" in new:
        uow.after_commit("date_dossiers")
    return row


async def follow_catalogue(uow: UnitOfWork, procedure_id: str) -> ProcedureRow:
    """Let the next import of a catalogue write over what the office has edited."""
    row = await procedure_of(uow, procedure_id)
    if row.edited_by is not None:
        row.edited_by = None
        audit(uow, "procedure.follow", f"procedure:{row.id}", {"code": row.code})
    return row


async def match_some(uow: UnitOfWork) -> int:
    """Give some dossiers the procedure that they name; returns how many, 0 when all is done."""
    await dossier_writing.one_writer(uow.session)
    found = await procedures.unmatched(uow.session, MATCHED_AT_ONCE)
    names = ("id", "procedure_id", "procedure_name", "field")
    await dossier_writing.change(uow.session, DossierRow, [dict(zip(names, each, strict=True)) for each in found])
    return len(found)


async def move(uow: UnitOfWork, ids: Sequence[str]) -> int:
    """Give dossiers whose procedure has moved to another field that field; returns how many had not got it."""
    await dossier_writing.one_writer(uow.session)
    moved = await procedures.moved(uow.session, ids)
    await dossier_writing.change(uow.session, DossierRow, [{"id": row_id, "field": name} for row_id, name in moved])
    return len(moved)


def chosen_of(only: Collection[str], without: Collection[str], level: str) -> Chosen:
    """Return what is wanted of a file, empty words left out."""
    return Chosen(tuple(filter(None, only)), tuple(filter(None, without)), level.strip())
