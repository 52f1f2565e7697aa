"""Freeze an audience into deliveries, slice by slice: one statement for the people of an account and a way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql import ColumnElement
from sqlmodel import Field, SQLModel, col
from sqlmodel import select as select_rows
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.announcement import SOMEBODY
from bot.domain.audience import Sender, Way
from bot.store import broadcasts
from bot.store.audience import Rules, doubled, known_twice, may_double
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ADDRESSABLE, GONE
from bot.store.ways import CONTACTS, C, by_way

SLICE = 50_000
"""Contacts in one transaction: a tenth of a second of the one writer's time on SQLite."""
_other = CONTACTS.alias("other")
_FEW = 3
_TAKEN = ("recipient", "address", "merged")
_LINES = Table(
    "frozen_lines", MetaData(), Column("n", Integer, primary_key=True), Column("recipient", String),
    Column("address", String), Column("merged", JSON(none_as_null=True)),
    prefixes=["TEMPORARY"],
)  # fmt: skip
"""Of one connection alone, and empty between two slices; for SQLite only."""
_MAKE_LINES = CreateTable(_LINES, if_not_exists=True)
_COLUMNS = ["broadcast_id", "n", "recipient", "address", "merged", "state", "reason", "failed_at"]


class DoubleRow(SQLModel, table=True):
    """A contact of somebody who was known by more than one when a run began to be frozen: decided then, for good."""

    __tablename__ = "run_doubles"

    run_id: str = Field(primary_key=True)
    contact_id: str = Field(primary_key=True)


@dataclass(slots=True)
class Plan:
    """What is being planned: the senders, the rules, and the broadcasts by account and way.

    `named` says that messages name the contact; `doubles` that some people are known by more than one contact: those
    who are when a run begins are frozen first, all at once, since which contact is the better one changes with every
    word that is written.
    """

    senders: Sequence[Sender]
    rules: Rules
    rows: dict[tuple[str, Way], BroadcastRow] = field(default_factory=dict)
    named: str = ""
    doubles: bool = False


_doubles = DoubleRow.metadata.tables["run_doubles"].c


async def boundary(session: AsyncSession, after: str, size: int = SLICE) -> str | None:
    """Return the last contact of the slice that begins after one; None when it is the last slice."""
    query = select(C.id).where(C.id > after).order_by(C.id).offset(size - 1).limit(1)
    found = (await (await session.connection()).execute(query)).scalar_one_or_none()
    return None if found is None else str(found)


async def freeze_doubles(session: AsyncSession, plan: Plan, now: datetime) -> int:
    """Make the deliveries of everybody who is known by more than one contact, one each; returns how many."""
    run_id = next(iter(plan.rows.values())).run_id
    connection = await session.connection()
    decided = select(literal(run_id), C.id).where(known_twice())
    await connection.execute(insert(DoubleRow).from_select(["run_id", "contact_id"], decided))
    once = [_decided(plan), not_(doubled(plan.senders, plan.rules)), *plan.rules.where()]
    made = 0
    for freeze in (_freeze_reached, _freeze_others):
        for sender in plan.senders:
            made += await freeze(session, plan, sender, [C.account_id == sender.account_id, *once], now)
    return made


async def freeze_slice(session: AsyncSession, plan: Plan, after: str, until: str | None, now: datetime) -> int:
    """Make the deliveries of the contacts after one up to another (None: to the end); returns how many.

    Whoever has been frozen before, by whichever contact, is passed over. Whether anybody is known by more than one is
    asked anew: of indexes, for nothing where nobody has a phone or is linked; each of a million is compared only then.
    """
    plan.doubles = plan.doubles or await may_double(session)
    within = [C.id > after, C.id <= until if until is not None else true(), *plan.rules.where()]
    account, made = await _account(session), 0
    present = await _present(session, plan.senders, within)
    for freeze in (_freeze_reached, _freeze_others):
        for sender in present:
            made += await freeze(session, plan, sender, [account == sender.account_id, *within], now, after)
    return made


def _decided(plan: Plan) -> ColumnElement[bool]:
    """Say that it was decided about a contact when the doubles were frozen."""
    run_id = next(iter(plan.rows.values())).run_id
    mine = select(_doubles.contact_id).where(_doubles.run_id == run_id, _doubles.contact_id == C.id)
    return mine.correlate(CONTACTS).exists()


def _frozen(plan: Plan, sender: Sender, after: str, way: Way, alike: Sequence[Any]) -> ColumnElement[bool]:
    """Say that a person has a row in this run already, or gets one by this statement for a contact that stands before.

    Two contacts may have become one person's since the doubles were frozen. A row that reaches nobody does not keep
    another contact from being reached. `alike` is what a statement asks of each contact, of the other one here.
    """
    rows = DeliveryRow.metadata.tables["deliveries"].c
    every = [row.id for row in plan.rows.values()]
    reaching = [row.id for (_, each), row in plan.rows.items() if each is not Way.NONE]
    other = _other.c
    counted = every if way is Way.NONE else reaching
    theirs = exists(literal(1)).where(rows.recipient == other.id, rows.broadcast_id.in_(counted))
    before = and_(
        other.id > after,
        other.id < C.id,
        other.account_id == sender.account_id,
        *alike,
        *plan.rules.where(other),
    )
    same = or_(
        and_(C.person_id.is_not(None), other.person_id == C.person_id),
        and_(C.phone_hash.is_not(None), other.phone_hash == C.phone_hash),
    )
    found = exists(literal(1)).where(same, other.id != C.id, or_(theirs, before))
    return and_(or_(C.person_id.is_not(None), C.phone_hash.is_not(None)), found)


async def _freeze_reached(
    session: AsyncSession, plan: Plan, sender: Sender, here: Sequence[Any], now: datetime, after: str | None = None
) -> int:
    """Make the deliveries of the contacts of one account that are chosen and reached, way by way.

    With `after`, the slice's beginning, whoever has been frozen before is passed over.
    """
    made = 0
    for way in sender.ways[:-1]:
        fresh = _fresh(plan, sender, after, way, [ADDRESSABLE, by_way(sender, way, _other.c)])
        made += await _freeze(session, plan, sender, way, [*here, *fresh, ADDRESSABLE, by_way(sender, way)], now)
    return made


async def _freeze_others(
    session: AsyncSession, plan: Plan, sender: Sender, here: Sequence[Any], now: datetime, after: str | None = None
) -> int:
    """Make the rows of the contacts of one account that are chosen and that no way reaches, once the others are made.

    With `after`, the slice's beginning, whoever has been frozen before is passed over.
    """
    made = 0
    if sender.windowed:
        fresh = _fresh(plan, sender, after, Way.NONE, [ADDRESSABLE, by_way(sender, Way.NONE, _other.c)])
        closed = [*here, *fresh, ADDRESSABLE, by_way(sender, Way.NONE)]
        made += await _freeze(session, plan, sender, Way.NONE, closed, now, "window_closed")
    gone = [C.account_id == sender.account_id, *here[1:], *_fresh(plan, sender, after, Way.NONE, [GONE]), GONE]
    return made + await _freeze(session, plan, sender, Way.NONE, gone, now, "gone")


def _fresh(plan: Plan, sender: Sender, after: str | None, way: Way, alike: Sequence[Any]) -> list[ColumnElement[bool]]:
    """Return what passes over those about whom it is decided already, in one slice or when doubles were frozen."""
    if not plan.doubles or after is None:
        return []
    return [not_(_decided(plan)), not_(_frozen(plan, sender, after, way, alike))]


async def _present(session: AsyncSession, senders: Sequence[Sender], within: Sequence[Any]) -> list[Sender]:
    """Return the senders with contacts in a slice: of a hundred accounts few are in each, and each costs a look."""
    if len(senders) <= _FEW:
        return list(senders)
    query = select(C.account_id).where(*within[:2]).distinct()
    there = set((await (await session.connection()).execute(query)).scalars())
    return [sender for sender in senders if sender.account_id in there]


async def _freeze(
    session: AsyncSession, plan: Plan, sender: Sender, way: Way, chosen: Sequence[Any], now: datetime, reason: str = ""
) -> int:
    row = plan.rows[sender.account_id, way]
    nobody = way is Way.NONE
    lines: Any = select(
        C.id.label("recipient"),
        (await _phone(session) if way is Way.TEMPLATE_PHONE else C.external_id).label("address"),
        (await _named(session, plan.named)).label("merged"),
    ).select_from(CONTACTS)
    lines = lines.where(*chosen)
    number: Any = func.row_number().over(order_by=C.id)
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        if not await _counted_off(connection, lines.order_by(C.id)):
            return 0
        lines, number = select(*[_LINES.c[name] for name in _TAKEN]), _LINES.c.n
    # Columns in the order of _COLUMNS: the broadcast and the number before what a line holds, the state after it.
    recipient, address, merged = lines.selected_columns
    statement = lines.with_only_columns(
        literal(row.id),
        literal(row.total) + number,
        recipient,
        address,
        merged,
        literal("failed" if nobody else "queued"),
        literal(reason),
        literal(now if nobody else None, DeliveryRow.__table__.c.failed_at.type),  # type: ignore[attr-defined] # a table
    )
    result = await connection.execute(insert(DeliveryRow).from_select(_COLUMNS, statement, include_defaults=True))
    if connection.dialect.name == "sqlite":
        await connection.execute(delete(_LINES))
    row.total += int(result.rowcount)
    return int(result.rowcount)


async def _counted_off(connection: AsyncConnection, lines: Any) -> int:
    """Lay lines aside in their order, numbered from 1; returns how many.

    SQLite numbers the rows of a table for nothing; numbers by a window function take a third of the time of a freeze.
    """
    await connection.execute(_MAKE_LINES)
    return int((await connection.execute(insert(_LINES).from_select(list(_TAKEN), lines))).rowcount)


async def _account(session: AsyncSession) -> ColumnElement[str]:
    """Return the account's column; SQLite may not look it up: for each slice it would go through all its contacts."""
    return C.account_id if (await session.connection()).dialect.name == "postgresql" else literal_column("+account_id")


async def _phone(session: AsyncSession) -> ColumnElement[str]:
    """Return the sealed phone as text, as the sender opens it."""
    if (await session.connection()).dialect.name == "postgresql":
        return func.encode(C.phone, "hex")
    return func.lower(func.hex(C.phone))


async def _named(session: AsyncSession, name: str) -> ColumnElement[Any]:
    if not name:
        return cast(null(), JSON)
    called = func.coalesce(func.nullif(C.name, ""), SOMEBODY)
    if (await session.connection()).dialect.name == "postgresql":
        return func.json_build_object(cast(literal(name), String), called)
    return type_coerce(func.json_object(name, called), JSON)


async def broadcasts_of(session: AsyncSession, run_id: str) -> list[BroadcastRow]:
    """Return the broadcasts of a run."""
    query = select_rows(BroadcastRow).where(BroadcastRow.run_id == run_id).order_by(col(BroadcastRow.id))
    return list((await session.exec(query)).all())


async def reasons(session: AsyncSession, rows: Sequence[BroadcastRow]) -> dict[str, int]:
    """Return how many people no way reaches, by reason."""
    numbers = [row.id for row in rows if row.way == Way.NONE and row.total]
    if not numbers:
        return {}
    query = select_rows(DeliveryRow.reason, func.count()).where(col(DeliveryRow.broadcast_id).in_(numbers))
    return {reason: int(n) for reason, n in (await session.exec(query.group_by(DeliveryRow.reason))).all()}


async def close(session: AsyncSession, rows: Sequence[BroadcastRow], now: datetime) -> None:
    """Divide what was planned into ranges, so that it can be sent once it is let go; what is empty goes."""
    for run_id in {row.run_id for row in rows}:
        await session.exec(delete(DoubleRow).where(col(DoubleRow.run_id) == run_id))
    for row in rows:
        if row.total == 0:
            await session.delete(row)
        elif row.way == Way.NONE:
            row.state, row.started_at, row.finished_at = "finished", now, now
        else:
            await broadcasts.cut(session, row)
            row.state = "waiting"
    await session.flush()
    await broadcasts.describe(session)


async def release(session: AsyncSession, run_id: str, now: datetime, paused_reason: str = "") -> int:
    """Let the broadcasts of a run begin, or with a reason rest until a person lets them; returns how many."""
    statement = update(BroadcastRow).where(col(BroadcastRow.run_id) == run_id, col(BroadcastRow.state) == "waiting")
    state = "paused" if paused_reason else "running"
    values = {"state": state, "paused_reason": paused_reason, "started_at": now, "progress_at": now}
    return int((await session.exec(statement.values(**values))).rowcount)
