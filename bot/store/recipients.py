"""Keep lists of recipients that staff upload: one row a line of the file, personal data encrypted."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, Index, and_, delete, exists, literal, or_, text, update
from sqlalchemy import select as select_columns
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierPersonRow, DossierRow

LINES = 1000
"""Lines that are written, read or deleted in one transaction."""


class RecipientListRow(SQLModel, table=True):
    """One uploaded list; `state` is checking | ready | refused | removing.

    `columns` are the merge fields in the order of the file; `key_column` names the column that says who it is, and
    `key_kind` what stands there: phone | user_id | dossier. `problems` holds what is wrong with the columns, of a list
    that is ready which of them are not kept;
    `good`, `bad` and `warned` count rows. Whoever checks it, or takes its lines away, holds `lease`; `tries` counts
    how many have begun.
    """

    __tablename__ = "recipient_lists"
    __table_args__ = (Index("ix_recipient_lists_unit", "unit_id", "created_at"),)

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    name: str
    file_name: str
    state: str = "checking"
    columns: list[str] = Field(default_factory=list, sa_type=JSON)
    key_column: str = ""
    key_kind: str = ""
    problems: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    good: int = 0
    bad: int = 0
    warned: int = 0
    made_by: str = Field(foreign_key="staff.id")
    created_at: datetime
    checked_at: datetime | None = None
    lease: str | None = None
    leased_until: datetime | None = None
    tries: int = 0


class ListedRow(SQLModel, table=True):
    """One line of a list; `n` is its number as the reader of the file counts it.

    `recipient` is `phone:` and the fingerprint of a phone, `user:` and the provider's user id, or a contact's id where
    the line's dossier is bound to it; "" for a bad line and for one that repeats an earlier one. `address` is the phone
    encrypted, as hexadecimal text, or the user id; beside a contact's id the dossier's, which may name a phone, too.
    `merged` are the values of the merge fields. `problems` are what is said of it: column, code, severity and details.
    `cells` keeps the whole line of a bad row, encrypted, for the file of bad rows.
    """

    __tablename__ = "listed"
    __table_args__ = (Index("ix_listed_recipient", "list_id", "recipient"),)

    list_id: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    recipient: str = ""
    address: str = ""
    merged: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    problems: list[dict[str, Any]] | None = Field(default=None, sa_type=JSON)
    cells: bytes | None = None


_EXCERPT = 60
_OPEN = ("checking", "removing")
_ADD_SQLITE = (
    "INSERT INTO listed (list_id, n, recipient, address, merged, problems, cells) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_ADD_POSTGRES = text(
    "INSERT INTO listed (list_id, n, recipient, address, merged, problems, cells) "
    "SELECT :list_id, n, recipient, address, CAST(merged AS JSON), CAST(problems AS JSON), cells "
    "FROM unnest(CAST(:n AS INTEGER[]), CAST(:recipient AS TEXT[]), CAST(:address AS TEXT[]), CAST(:merged AS TEXT[]), "
    "CAST(:problems AS TEXT[]), CAST(:cells AS BYTEA[])) AS line(n, recipient, address, merged, problems, cells)"
)


class Line(NamedTuple):
    """One checked line as it is written: `merged` and `problems` are JSON texts, or None; `cells` encrypted."""

    n: int
    recipient: str
    address: str
    merged: str | None = None
    problems: str | None = None
    cells: bytes | None = None


async def seen(session: AsyncSession, list_id: str) -> RecipientListRow | None:
    """Return one list as it stands; none that is being removed."""
    row = await session.get(RecipientListRow, list_id)
    return None if row is None or row.state == "removing" else row


async def locked(session: AsyncSession, list_id: str) -> RecipientListRow | None:
    """Return one list, locked until this transaction ends."""
    query = select(RecipientListRow).where(RecipientListRow.id == list_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def lists(
    session: AsyncSession, unit_ids: Collection[str], limit: int = 100, offset: int = 0
) -> list[RecipientListRow]:
    """Return the lists of these units, the last one first."""
    query = select(RecipientListRow).where(
        col(RecipientListRow.unit_id).in_(unit_ids), RecipientListRow.state != "removing"
    )
    ordered = query.order_by(col(RecipientListRow.created_at).desc(), col(RecipientListRow.id))
    return list((await session.exec(ordered.limit(limit).offset(offset))).all())


async def uses(session: AsyncSession, list_id: str = "") -> list[tuple[str, str]]:
    """Return which lists, or whether one, are still to be read for announcements: the list, and what it is called.

    An announcement that was approved may have ended while the last run of it is being planned.
    """
    row, listed = AnnouncementRow, col(AnnouncementRow.audience)["list_id"].as_string()
    planned = exists(literal(1)).where(col(RunRow.announcement_id) == col(row.id), col(RunRow.state) == "planning")
    open_ = and_(col(row.state) != "ended", col(row.ended_at).is_(None))
    here = listed == list_id if list_id else listed != ""
    query = select(listed, row.title, row.text).where(here, or_(open_, planned)).order_by(col(row.created_at))
    return [(used, title or text[:_EXCERPT]) for used, title, text in (await session.exec(query)).all()]


async def old(session: AsyncSession, before: datetime) -> list[str]:
    """Return the lists that were uploaded, and used last, before a moment and that no announcement is to read any more.

    A list is used whenever an announcement for its people is written, frozen or ends.
    """
    query = select(RecipientListRow.id).where(
        col(RecipientListRow.state).in_(("ready", "refused")), RecipientListRow.created_at < before
    )
    used = {list_id for list_id, _ in await uses(session)}
    row, listed = AnnouncementRow, col(AnnouncementRow.audience)["list_id"].as_string()
    ran = exists(literal(1)).where(col(RunRow.announcement_id) == col(row.id), col(RunRow.created_at) >= before)
    lately = or_(col(row.updated_at) >= before, col(row.ended_at) >= before, ran)
    used |= set((await session.exec(select(listed).where(listed != "", lately))).all())
    return [each for each in (await session.exec(query)).all() if each not in used]


async def without_bytes(session: AsyncSession, list_ids: Collection[str]) -> set[str]:
    """Return which of these are no lists whose bytes are still to be read: unknown, or checked already."""
    query = select(RecipientListRow.id).where(
        col(RecipientListRow.id).in_(list_ids), col(RecipientListRow.state).in_(_OPEN)
    )
    return set(list_ids) - set((await session.exec(query)).all())


async def lease(session: AsyncSession, token: str, now: datetime, until: datetime) -> RecipientListRow | None:
    """Lease the oldest list that is to be checked or removed and that nobody has in hand; None when there is none."""
    free = or_(col(RecipientListRow.lease).is_(None), col(RecipientListRow.leased_until) < now)
    query = select(RecipientListRow).where(col(RecipientListRow.state).in_(_OPEN), free)
    query = query.order_by(col(RecipientListRow.created_at)).limit(1).with_for_update(skip_locked=True)
    row = (await session.exec(query.execution_options(populate_existing=True))).first()
    if row is not None:
        row.lease, row.leased_until, row.tries = token, until, row.tries + 1
    return row


async def held(session: AsyncSession, list_id: str, token: str, until: datetime) -> RecipientListRow | None:
    """Return a list, locked, its lease kept until then; None when another has it or it is no longer to be checked."""
    row = await locked(session, list_id)
    if row is None or row.lease != token or row.state not in _OPEN:
        return None
    row.leased_until = until
    return row


async def give_back(session: AsyncSession, list_id: str, token: str) -> None:
    """Let go of a list that was not brought to its end, so that another takes it at once; the try does not count."""
    mine = and_(col(RecipientListRow.id) == list_id, col(RecipientListRow.lease) == token)
    values = {"lease": None, "leased_until": None, "tries": RecipientListRow.tries - 1}
    await session.exec(update(RecipientListRow).where(mine).values(**values))


async def add_lines(session: AsyncSession, list_id: str, lines: Sequence[Line]) -> None:
    """Keep lines, many in one statement: a hundred thousand of them pass through here while people wait for answers."""
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(_ADD_SQLITE, [(list_id, *line) for line in lines])
        return
    columns = dict(zip(Line._fields, map(list, zip(*lines, strict=True)), strict=True))
    await connection.execute(_ADD_POSTGRES, {"list_id": list_id, **columns})


async def owners(session: AsyncSession, codes: Collection[str], path: str) -> dict[str, tuple[str, str]]:
    """Return by code who the dossiers of a unit, and of those below it, are: recipient and address as a line has them.

    The contact bound last counts; where it has the phone that the dossier names, or nobody is bound, that phone does.
    Both are "" for a dossier of nobody that can be written to; codes that no dossier has are left out.
    """
    dossier, bound, contact = DossierRow, DossierPersonRow, ContactRow
    query = (
        select_columns(
            col(dossier.code),
            col(dossier.phone_hash),
            col(dossier.phone),
            col(dossier.id),
            col(contact.id),
            col(contact.phone_hash),
        )
        .select_from(dossier)
        .join(bound, col(bound.dossier_id) == col(dossier.id), isouter=True)
        .join(contact, and_(col(contact.id) == col(bound.contact_id), col(contact.erased_at).is_(None)), isouter=True)
        .where(col(dossier.code).in_(codes), col(dossier.path).startswith(path, autoescape=True))
        .order_by(col(bound.at), col(contact.id))
    )
    found: dict[str, tuple[str, str]] = {}
    rows = (await (await session.connection()).execute(query)).all()
    for code, fingerprint, phone, dossier_id, contact_id, own in rows:
        by_phone = (f"phone:{fingerprint}", phone.hex()) if fingerprint and phone else ("", "")
        if contact_id is None:
            found.setdefault(code, by_phone)
        else:
            found[code] = by_phone if fingerprint and own == fingerprint else (contact_id, dossier_id)
    return found


async def forget_lines(session: AsyncSession, list_id: str) -> int:
    """Delete some lines of a list; returns how many, 0 when none is left."""
    some = select(ListedRow.n).where(ListedRow.list_id == list_id).order_by(col(ListedRow.n)).limit(LINES)
    gone = delete(ListedRow).where(col(ListedRow.list_id) == list_id, col(ListedRow.n).in_(some))
    return int((await session.exec(gone)).rowcount)


async def erase(session: AsyncSession, recipients: Sequence[str]) -> None:
    """Delete the lines of one person, known by these names, from all lists."""
    # By list, since the index begins with it: a list of a hundred thousand lines is not read through.
    every = select(RecipientListRow.id)
    mine = delete(ListedRow).where(col(ListedRow.list_id).in_(every), col(ListedRow.recipient).in_(recipients))
    gone = await session.exec(mine.returning(col(ListedRow.list_id)).execution_options(synchronize_session=False))
    for list_id, lines in sorted(Counter(str(row[0]) for row in gone.all()).items()):
        here = update(RecipientListRow).where(col(RecipientListRow.id) == list_id)
        await session.exec(here.values(good=RecipientListRow.good - lines))


async def bad_lines(session: AsyncSession, list_id: str, after: int = 0, limit: int = LINES) -> list[ListedRow]:
    """Return bad lines in their order, from the one after a number on."""
    query = select(ListedRow).where(
        ListedRow.list_id == list_id,
        ListedRow.recipient == "",  # bad lines have none: the index knows them
        col(ListedRow.cells).is_not(None),
        col(ListedRow.n) > after,
    )
    return list((await session.exec(query.order_by(col(ListedRow.n)).limit(limit))).all())


async def warned_lines(session: AsyncSession, list_id: str, limit: int) -> list[ListedRow]:
    """Return the first lines that are good, or repeat another, and of which something is to be said."""
    query = select(ListedRow).where(
        ListedRow.list_id == list_id, col(ListedRow.problems).is_not(None), col(ListedRow.cells).is_(None)
    )
    return list((await session.exec(query.order_by(col(ListedRow.n)).limit(limit))).all())
