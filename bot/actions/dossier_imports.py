"""Import an export of dossiers: taken in, read and compared with what is known, confirmed, applied in slices."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.actions import dossiers as core
from bot.actions.case_trail import audit
from bot.actions.dossier_columns import reading_of
from bot.actions.dossier_counts import IDLE, KINDS, Counted, kind_of
from bot.actions.dossiers import News, Prepared, Weighed
from bot.domain.dossier_columns import Column
from bot.domain.text import clean
from bot.errors import InvalidInputError, NotFoundError
from bot.secrets import SecretBox
from bot.store import dossier_imports, procedures, units
from bot.store.database import Session
from bot.store.dossier_imports import DossierImportRow
from bot.store.dossiers import DossierNoteRow
from bot.store.unit_of_work import UnitOfWork

LEASE = timedelta(seconds=60)
"""How long nobody else begins with an import that somebody has in hand."""
MOST_TRIES = 10
"""A file over which so many workers have died is refused: it may be what ends them."""
MANY_NOTICES = 200
"""More notices than these do not leave without somebody having said that they may."""
FOLDER = "dossier-imports/"
"""How the keys begin under which bytes of imports lie."""
MOST_BYTES = 100 * 1024 * 1024
"""The largest file that is taken in."""
_LONGEST_NAME = 100


def blob_key(import_id: str, part: str = "file") -> str:
    """Return where the bytes of an import lie; parts are file, good/<n> and bad/<n>."""
    return f"{FOLDER}{import_id}/{part}"


def pieces(row: DossierImportRow, *, bad: bool = True) -> list[str]:
    """Return where everything lies of an import beside its row; without `bad` all but the bad rows."""
    good = [blob_key(row.id, f"good/{number}") for number in range(row.figures.get("chunks", 0))]
    wrong = [blob_key(row.id, f"bad/{number}") for number in range(row.figures.get("bad_chunks", 0) if bad else 0)]
    return [blob_key(row.id), *good, *wrong]


def topic(import_id: str) -> str:
    """Return the news that open pages of an import wait for."""
    return f"dossier_import:{import_id}"


async def add(
    uow: UnitOfWork, import_id: str, unit_id: str, file_name: str, digest: str, source: str, *, confirmed: bool = False
) -> DossierImportRow:
    """Take in a file whose bytes were stored before; a job reads it.

    `source` is console | command | folder; with `confirmed` it is applied as soon as nothing speaks against it.
    """
    row = DossierImportRow(
        id=import_id,
        unit_id=unit_id,
        file_name=clean(file_name)[:_LONGEST_NAME],
        source=source,
        confirmed=confirmed,
        digest=digest,
        made_by=uow.actor.id if uow.actor.kind == "staff" else None,
        created_at=uow.now,
    )
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, "dossier_import.add", topic(import_id), {"unit": unit_id, "source": source})
    uow.after_commit("import_dossiers")
    return row


async def take(uow: UnitOfWork, token: str) -> DossierImportRow | None:
    """Take the next import in hand that is to be read or applied; None when there is none."""
    return await dossier_imports.lease(uow.session, token, uow.now, uow.now + LEASE)


async def alive(uow: UnitOfWork, import_id: str, token: str) -> bool:
    """Keep an import in hand while it is read; False when it is no longer this worker's."""
    return await dossier_imports.held(uow.session, import_id, token, uow.now + LEASE) is not None


async def refused(
    uow: UnitOfWork, import_id: str, token: str, problems: Sequence[dict[str, Any]], columns: Sequence[str] = ()
) -> bool:
    """Say why a whole file cannot be used; `columns` are its headers, for the office to say what they mean."""
    row = await dossier_imports.held(uow.session, import_id, token, uow.now + LEASE)
    if row is None:
        return False
    row.state, row.problems, row.columns, row.read_at = "refused", list(problems), list(columns), uow.now
    _ended(uow, row)
    return True


def _ended(uow: UnitOfWork, row: DossierImportRow) -> None:
    row.lease = row.leased_until = None
    row.tries = 0
    audit(uow, f"dossier_import.{row.state}", topic(row.id), dict(row.figures))
    uow.announce(topic(row.id))


async def looked_through(
    uow: UnitOfWork, import_id: str, token: str, told: Mapping[str, Any], counted: Counted, pieces: Mapping[str, int]
) -> str:
    """Keep what a file would change; return the state it is in then, "" when it is no longer this worker's.

    `told` is what the reader has said of it (columns, mapping, done, remarks, units, statuses, procedures). What
    changes nothing is at its end; what was confirmed before is applied unless something asks for a person.
    """
    row = await dossier_imports.held(uow.session, import_id, token, uow.now + LEASE)
    if row is None or row.state != "reading":
        return ""
    row.columns, row.mapping = list(told["columns"]), dict(told["mapping"])
    row.figures = {**told["done"], **counted.figures(), **pieces}
    row.sample = [*counted.some(), *({"kind": "remark", **remark} for remark in told["remarks"])]
    row.warnings = await _warnings(uow.session, row, told, counted)
    row.read_at = uow.now
    changes = sum(counted.kinds[kind] for kind in KINDS if kind not in IDLE)
    if not changes:
        row.state, row.applied_at = "applied", uow.now
        row.figures = row.figures | Counted(counted.kinds).figures("done_")
    elif row.confirmed and not asks(row):
        row.state = "applying"
        row.figures = row.figures | Counted().figures("done_")
    else:
        row.state, row.confirmed = "ready", False
    _ended(uow, row)
    if row.state == "applying":
        uow.after_commit("import_dossiers")
    return row.state


async def unchanged(uow: UnitOfWork, import_id: str, token: str) -> bool:
    """End the import of a file that has been applied before and read as it would be now: it changes nothing."""
    row = await dossier_imports.held(uow.session, import_id, token, uow.now + LEASE)
    unit = await units.unit(uow.session, row.unit_id) if row is not None else None
    before = await dossier_imports.same_before(uow.session, row) if row is not None else None
    if row is None or unit is None or before is None or before.applied_at is None:
        return False
    if any(warning["code"] in {"unknown_units", "foreign"} for warning in before.warnings):  # they may be ours by now
        return False
    said = (await reading_of(uow.session, unit)).changed_at
    if said is not None and before.read_at is not None and said > before.read_at:
        return False
    rows, bad, doubled = (before.figures.get(name, 0) for name in ("rows", "bad", "doubled"))
    row.columns, row.mapping = before.columns, before.mapping
    row.figures = {
        "rows": rows,
        "bad": bad,
        "doubled": doubled,
        **Counted(Counter(same=rows - bad - doubled)).figures(),
    }
    row.figures = row.figures | Counted(Counter(same=rows - bad - doubled)).figures("done_")
    row.warnings = [_warning("same_file", {"at": before.applied_at.isoformat(), "import": before.id})]
    row.sample = [each for each in before.sample if each["kind"] == "remark"]
    row.state, row.read_at, row.applied_at = "applied", uow.now, uow.now
    _ended(uow, row)
    return True


def asks(row: DossierImportRow) -> bool:
    """Say whether something of an import asks for a person's word before it is applied."""
    return any(warning["asks"] for warning in row.warnings)


async def _warnings(
    session: Session, row: DossierImportRow, told: Mapping[str, Any], counted: Counted
) -> list[dict[str, Any]]:
    short = {code: core.short_code(code) for code, _ in told["procedures"]}
    known = await procedures.by_codes(session, set(short.values()))
    unknown = [[code, count] for code, count in told["procedures"] if short[code] not in known]
    foreign = [each["code"] for each in counted.some() if each["kind"] == core.FOREIGN]
    possible: tuple[tuple[bool, str, bool, dict[str, Any]], ...] = (
        (bool(told["units"]), "unknown_units", True, {"units": told["units"]}),
        (row.figures["told"] > MANY_NOTICES, "many_notices", True, {"number": row.figures["told"]}),
        (bool(told["statuses"]), "unknown_statuses", False, {"statuses": told["statuses"]}),
        (bool(unknown), "unknown_procedures", False, {"procedures": unknown}),
        (bool(foreign), "foreign", False, {"number": counted.kinds[core.FOREIGN], "codes": foreign}),
        (
            Column.UPDATED not in row.mapping.values(),
            "no_update_column",
            counted.placed > 0,
            {"number": counted.placed},
        ),
    )
    return [_warning(code, details, asks=asking) for here, code, asking, details in possible if here]


def _warning(code: str, details: dict[str, Any], *, asks: bool = False) -> dict[str, Any]:
    return {"code": code, "asks": asks, "details": details}


async def confirm(uow: UnitOfWork, import_id: str, *, nonetheless: bool = False) -> None:
    """Have an import applied, with `nonetheless` whatever asks for a person's word.

    Raises NotFoundError, InvalidInputError import_not_ready and confirm_nonetheless.
    """
    row = await dossier_imports.locked(uow.session, import_id)
    if row is None:
        raise NotFoundError(import_id)
    if row.state != "ready":
        raise InvalidInputError("import", "import_not_ready")
    if asks(row) and not nonetheless:
        raise InvalidInputError("nonetheless", "confirm_nonetheless")
    row.state, row.confirmed = "applying", True
    row.figures = row.figures | Counted().figures("done_")
    audit(uow, "dossier_import.confirm", topic(import_id), {"nonetheless": nonetheless})
    uow.announce(topic(import_id))
    uow.after_commit("import_dossiers")


async def cancel(uow: UnitOfWork, import_id: str) -> DossierImportRow:
    """Let go of an import, whatever of it has been applied stays; its pieces are for the caller to delete.

    Raises NotFoundError, and InvalidInputError import_not_ready for one that is at its end.
    """
    row = await dossier_imports.locked(uow.session, import_id)
    if row is None:
        raise NotFoundError(import_id)
    if row.state not in {"reading", "ready", "applying"}:
        raise InvalidInputError("import", "import_not_ready")
    row.state = "cancelled"
    _ended(uow, row)
    return row


def source_of(import_id: str) -> str:
    """Return as whose report rows of an import are kept."""
    return f"import:{import_id}"


async def apply(
    uow: UnitOfWork,
    box: SecretBox,
    import_id: str,
    token: str,
    rows: Sequence[tuple[int, News]],
    before: Prepared | None = None,
) -> bool:
    """Take in some rows; how far an import has come is kept in the same transaction. False when another has it.

    `before` is what these rows changed when somebody looked a moment ago.
    """
    row = await dossier_imports.held(uow.session, import_id, token, uow.now + LEASE)
    if row is None or row.state != "applying":
        return False
    unit = await units.unit(uow.session, row.unit_id)
    assert unit is not None
    news = [each for _, each in rows]
    found = await core.take_in(uow, box, news, source_of(import_id), unit.path, before)
    counted = Counted()
    counted.add(rows, found)
    figures = Counter(row.figures) + Counter(counted.figures("done_"))
    row.figures = {name: figures.get(name, 0) for name in {*row.figures, *figures}}
    row.position += len(rows)
    row.tries = 1  # whoever has come further may try again
    _flag(uow, rows, found, import_id)
    uow.announce(topic(import_id))
    return True


def _flag(uow: UnitOfWork, rows: Sequence[tuple[int, News]], found: Weighed, import_id: str) -> None:
    """Leave a note on every dossier that an export has corrected backwards, or moved as nobody expects."""
    by_code = {change.code: change for change in found.changes}
    for (number, news), kind in zip(rows, found.kinds, strict=True):
        change = by_code.get(news.code)
        if kind not in {core.OLDER, core.ODD} or change is None or change.row is None:
            continue
        uow.session.add(
            DossierNoteRow(
                id=uow.new_id(),
                dossier_id=change.row.id,
                kind="corrected",
                at=uow.now,
                actor_kind=uow.actor.kind,
                actor_id=uow.actor.id,
                actor_name=uow.actor.name,
                data={"import": import_id, "row": number, "kind": kind_of(kind), "status": int(news.status)},
            )
        )


async def applied(uow: UnitOfWork, import_id: str, token: str) -> bool:
    """Say that all rows of an import have been applied; False when another has it."""
    row = await dossier_imports.held(uow.session, import_id, token, uow.now + LEASE)
    if row is None or row.state != "applying":
        return False
    row.state, row.applied_at = "applied", uow.now
    _ended(uow, row)
    return True
