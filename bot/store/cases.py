"""Keep cases, everything that happened to each, and the answers drafted for them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, and_, func, or_, text, update
from sqlalchemy import case as sql_case
from sqlalchemy import select as sql_select
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store import contacts

OPEN = ("new", "assigned", "in_progress", "waiting_for_citizen", "drafted", "approved", "reopened")
UNTOLD = "told_at IS NULL"
"""What the index of events that no card shows yet holds."""


class CaseRow(SQLModel, table=True):
    """One report with one public code; `version` rises with every change, `path` is the unit's path.

    `opened_at` is when this run began: with the report or with its reopening.
    `pauses` holds [start, end or null] in ISO UTC; `search` the folded text that finds it.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_path_due", "path", "state", "due_at"),
        Index("ix_cases_due", "state", "due_at"),
        Index("ix_cases_updated", "updated_at"),
        Index("ix_cases_contact", "contact_id", "created_at"),
        Index("ix_cases_merged", "merged_into_id"),
    )

    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    account_id: str = Field(foreign_key="accounts.id")
    contact_id: str = Field(foreign_key="contacts.id")
    unit_id: str = Field(foreign_key="units.id")
    path: str
    owner_id: str | None = Field(default=None, foreign_key="staff.id")
    category_id: str = Field(foreign_key="categories.id")
    area_id: str | None = Field(default=None, foreign_key="areas.id")
    kind: str = "report"
    level: str = "normal"
    state: str = "new"
    restricted: bool = False
    text: str
    text_hash: str
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    search: str = ""
    routing: list[str] = Field(default_factory=list, sa_type=JSON)
    complained_unit_id: str | None = None
    created_at: datetime
    opened_at: datetime
    accept_due_at: datetime | None = None
    accepted_at: datetime | None = None
    clock_from: datetime
    budget: int
    pauses: list[list[str | None]] = Field(default_factory=list, sa_type=JSON)
    due_at: datetime | None = None
    first_answered_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    rating: int | None = None
    rating_remark: str = ""
    reopened: int = 0
    escalated: int = 0
    merged_into_id: str | None = None
    version: int = 1
    updated_at: datetime


class CaseEventRow(SQLModel, table=True):
    """One hop or note: who, when, from which state to which, why. `undo_until` while it can be taken back.

    While `told_at` is missing the cards in officials' chats do not show it yet.
    """

    __tablename__ = "case_events"
    __table_args__ = (
        Index("ix_case_events_case", "case_id", "at"),
        Index("ix_case_events_untold", "case_id", "at", sqlite_where=text(UNTOLD), postgresql_where=text(UNTOLD)),
    )

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="cases.id")
    kind: str
    at: datetime
    actor_kind: str
    actor_id: str | None = None
    actor_name: str = ""
    from_state: str | None = None
    to_state: str | None = None
    reason: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    undo_until: datetime | None = None
    undone_at: datetime | None = None
    told_at: datetime | None = None


class AnswerRow(SQLModel, table=True):
    """One answer: `state` is submitted | sent_back | approved | sent | taken_back."""

    __tablename__ = "answers"
    __table_args__ = (Index("ix_answers_case", "case_id", "created_at"),)

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="cases.id")
    text: str
    file_ids: list[str] = Field(default_factory=list, sa_type=JSON)
    state: str = "submitted"
    author_id: str = Field(foreign_key="staff.id")
    approver_id: str | None = Field(default=None, foreign_key="staff.id")
    remark: str = ""
    outbox_ids: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What a list of cases shows: `paths` the units that may be seen, `query` already folded.

    With `worked_by` only what this person has taken on, what nobody has, and below `approved_below` what waits for
    approval.
    """

    paths: tuple[str, ...]
    restricted_paths: tuple[str, ...] = ()
    view: str = "open"
    query: str = ""
    code: str = ""
    owner_id: str | None = None
    unit_path: str = ""
    unit_id: str = ""
    category_id: str = ""
    worked_by: str = ""
    approved_below: tuple[str, ...] = ()
    now: datetime | None = None


async def case(session: AsyncSession, case_id: str) -> CaseRow | None:
    """Return one case."""
    return await session.get(CaseRow, case_id, populate_existing=True)


async def lock(session: AsyncSession, case_id: str) -> CaseRow | None:
    """Return one case, locked until this transaction ends, as it stands now."""
    query = select(CaseRow).where(CaseRow.id == case_id).with_for_update().execution_options(populate_existing=True)
    return (await session.exec(query)).first()


async def cases(session: AsyncSession, case_ids: list[str]) -> list[CaseRow]:
    """Return cases by id, in the order asked for."""
    if not case_ids:
        return []
    found = {c.id: c for c in (await session.exec(select(CaseRow).where(col(CaseRow.id).in_(case_ids)))).all()}
    return [found[i] for i in case_ids if i in found]


async def lock_with_contact(session: AsyncSession, case_id: str) -> CaseRow | None:
    """Lock a case, and what was joined to it, after their senders."""
    return (await lock_together(session, [case_id])).get(case_id)


async def lock_together(session: AsyncSession, case_ids: list[str]) -> dict[str, CaseRow]:
    """Lock cases and what was joined to them after all their senders, by id: so nobody waits in a circle."""
    wanted = or_(col(CaseRow.id).in_(case_ids), col(CaseRow.merged_into_id).in_(case_ids))
    await contacts.lock(session, *(await session.exec(select(CaseRow.contact_id).where(wanted).distinct())).all())
    query = select(CaseRow).where(wanted).order_by(col(CaseRow.id)).with_for_update()
    rows = (await session.exec(query.execution_options(populate_existing=True))).all()
    return {row.id: row for row in rows}


async def by_code(session: AsyncSession, code: str) -> CaseRow | None:
    """Return one case by its public code."""
    return (await session.exec(select(CaseRow).where(CaseRow.code == code))).first()


async def code_taken(session: AsyncSession, code: str) -> bool:
    """Say whether a public code is in use."""
    return (await session.exec(select(CaseRow.id).where(CaseRow.code == code))).first() is not None


async def of_contact(session: AsyncSession, contact_id: str, limit: int = 10) -> list[CaseRow]:
    """Return the cases of a contact, newest first."""
    query = select(CaseRow).where(CaseRow.contact_id == contact_id).order_by(col(CaseRow.created_at).desc())
    return list((await session.exec(query.limit(limit))).all())


async def of_contacts(session: AsyncSession, contact_ids: list[str], limit: int = 10) -> list[CaseRow]:
    """Return the cases of several contacts together, newest first."""
    query = select(CaseRow).where(col(CaseRow.contact_id).in_(contact_ids))
    return list((await session.exec(query.order_by(col(CaseRow.created_at).desc()).limit(limit))).all())


async def waiting_for(session: AsyncSession, contact_id: str) -> list[CaseRow]:
    """Return the cases that wait for this citizen's word, the last asked first."""
    query = select(CaseRow).where(CaseRow.contact_id == contact_id, CaseRow.state == "waiting_for_citizen")
    return list((await session.exec(query.order_by(col(CaseRow.updated_at).desc()))).all())


async def same_report(session: AsyncSession, contact_id: str, text_hash: str, since: datetime) -> CaseRow | None:
    """Return a case of the same person with the same text, made since then."""
    query = select(CaseRow).where(
        CaseRow.contact_id == contact_id, CaseRow.text_hash == text_hash, col(CaseRow.created_at) >= since
    )
    return (await session.exec(query.order_by(col(CaseRow.created_at).desc()))).first()


async def events(session: AsyncSession, case_id: str) -> list[CaseEventRow]:
    """Return everything that happened to a case, oldest first."""
    query = select(CaseEventRow).where(CaseEventRow.case_id == case_id)
    return list((await session.exec(query.order_by(col(CaseEventRow.at), col(CaseEventRow.id)))).all())


async def event(session: AsyncSession, event_id: str) -> CaseEventRow | None:
    """Return one event."""
    return await session.get(CaseEventRow, event_id)


async def undoable(session: AsyncSession, case_id: str, now: datetime) -> CaseEventRow | None:
    """Return the last event of a case that can still be taken back."""
    query = select(CaseEventRow).where(
        CaseEventRow.case_id == case_id, col(CaseEventRow.undo_until) > now, col(CaseEventRow.undone_at).is_(None)
    )
    return (await session.exec(query.order_by(col(CaseEventRow.at).desc(), col(CaseEventRow.id).desc()))).first()


async def answers(session: AsyncSession, case_id: str) -> list[AnswerRow]:
    """Return the answers of a case, oldest first."""
    query = select(AnswerRow).where(AnswerRow.case_id == case_id)
    return list((await session.exec(query.order_by(col(AnswerRow.created_at), col(AnswerRow.id)))).all())


async def answer(session: AsyncSession, answer_id: str) -> AnswerRow | None:
    """Return one answer."""
    return await session.get(AnswerRow, answer_id)


async def search(session: AsyncSession, wanted: CaseFilter, limit: int = 50, offset: int = 0) -> list[CaseRow]:
    """Return cases by what is due first; finished ones, and all together, by what happened last."""
    query = select(CaseRow).where(*_conditions(wanted))
    if wanted.view in {"done", "all"}:
        ordered = query.order_by(col(CaseRow.updated_at).desc(), col(CaseRow.id))
    else:
        ordered = query.order_by(col(CaseRow.due_at).is_(None), col(CaseRow.due_at), col(CaseRow.id))
    return list((await session.exec(ordered.limit(limit).offset(offset))).all())


async def count(session: AsyncSession, wanted: CaseFilter) -> int:
    """Return how many cases fit."""
    return int((await session.exec(select(func.count()).select_from(CaseRow).where(*_conditions(wanted)))).one())


async def open_counts(session: AsyncSession, wanted: CaseFilter, mine: str, now: datetime) -> dict[str, int]:
    """Return how many open cases there are by view: open, mine, approve, waiting, overdue."""
    state = col(CaseRow.state)
    counted = {
        "mine": col(CaseRow.owner_id) == mine,
        "approve": state == "drafted",
        "waiting": state == "waiting_for_citizen",
        "overdue": col(CaseRow.due_at) < now,
    }
    sums = [func.sum(sql_case((condition, 1), else_=0)) for condition in counted.values()]
    query = sql_select(func.count(), *sums).select_from(CaseRow).where(*_conditions(replace(wanted, view="open")))
    row = (await (await session.connection()).execute(query)).one()
    return dict(zip(("open", *counted), (int(number or 0) for number in row), strict=True))


def _conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    plain = [col(CaseRow.path).startswith(p, autoescape=True) for p in wanted.paths]
    hidden = [col(CaseRow.path).startswith(p, autoescape=True) for p in wanted.restricted_paths]
    seen: ColumnElement[bool] = (~col(CaseRow.restricted)) & or_(False, *plain)
    if hidden:
        seen = seen | (col(CaseRow.restricted) & or_(*hidden))
    conditions: list[ColumnElement[bool]] = [seen, *_view(wanted)]
    if wanted.code:
        conditions.append(col(CaseRow.code) == wanted.code)
    elif wanted.query:
        conditions.extend(_has_word(word) for word in wanted.query.split())
    if wanted.owner_id:
        conditions.append(col(CaseRow.owner_id) == wanted.owner_id)
    if wanted.worked_by:
        conditions.append(_worked_by(wanted))
    if wanted.unit_path:
        conditions.append(col(CaseRow.path).startswith(wanted.unit_path, autoescape=True))
    if wanted.unit_id:
        conditions.append(col(CaseRow.unit_id) == wanted.unit_id)
    if wanted.category_id:
        conditions.append(col(CaseRow.category_id) == wanted.category_id)
    return conditions


def _worked_by(wanted: CaseFilter) -> ColumnElement[bool]:
    approved = [col(CaseRow.path).startswith(p, autoescape=True) for p in wanted.approved_below]
    mine = or_(col(CaseRow.owner_id) == wanted.worked_by, col(CaseRow.owner_id).is_(None))
    return or_(mine, and_(col(CaseRow.state) == "drafted", or_(False, *approved)))


def _has_word(beginning: str) -> ColumnElement[bool]:
    """Match a word of the folded text by its beginning: `ga` finds `gà` and `gạch`, not the middle of `ngày`."""
    searched = col(CaseRow.search)
    return or_(searched.startswith(beginning, autoescape=True), searched.contains(f" {beginning}", autoescape=True))


def _view(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    state = col(CaseRow.state)
    match wanted.view:
        case "open":
            return [state.in_(OPEN)]
        case "approve":
            return [state == "drafted"]
        case "waiting":
            return [state == "waiting_for_citizen"]
        case "overdue":
            return [state.in_(OPEN), col(CaseRow.due_at) < wanted.now]
        case "done":
            return [state.not_in(OPEN)]
        case _:
            return []


async def due_closing(session: AsyncSession, answered_before: datetime, limit: int = 200) -> list[str]:
    """Return answered cases that nobody has rated since then."""
    query = select(CaseRow.id).where(CaseRow.state == "answered", col(CaseRow.answered_at) < answered_before)
    return list((await session.exec(query.limit(limit))).all())


async def approved_of(session: AsyncSession, outbox_id: str, case_id: str) -> AnswerRow | None:
    """Return the approved answer that a message carries, or None."""
    query = select(AnswerRow).where(AnswerRow.case_id == case_id, AnswerRow.state == "approved")
    for found in (await session.exec(query)).all():
        if outbox_id in found.outbox_ids:
            return found
    return None


async def approved_before(session: AsyncSession, before: datetime, limit: int = 200) -> Sequence[AnswerRow]:
    """Return answers that were approved before then and are still on their way."""
    query = select(AnswerRow).where(AnswerRow.state == "approved", col(AnswerRow.decided_at) < before).limit(limit)
    return (await session.exec(query)).all()


async def open_of_units(session: AsyncSession, path: str) -> list[str]:
    """Return the ids of the open cases of a unit and everything below it."""
    query = select(CaseRow.id).where(col(CaseRow.path).startswith(path, autoescape=True), col(CaseRow.state).in_(OPEN))
    return list((await session.exec(query)).all())


async def orphan_contact(session: AsyncSession, contact_id: str, text: str) -> int:
    """Blank what a person wrote in their cases, keeping the counts; returns how many cases."""
    statement = update(CaseRow).where(col(CaseRow.contact_id) == contact_id)
    return int((await session.exec(statement.values(text=text, place="", search="", rating_remark=""))).rowcount)


async def merged_into(session: AsyncSession, case_id: str) -> list[CaseRow]:
    """Return the cases that were joined to this one."""
    return list((await session.exec(select(CaseRow).where(CaseRow.merged_into_id == case_id))).all())


async def running(session: AsyncSession) -> list[str]:
    """Return the open cases whose clock runs: those that may have to climb the escalation ladder."""
    query = select(CaseRow.id).where(col(CaseRow.state).in_(OPEN), col(CaseRow.due_at).is_not(None))
    return list((await session.exec(query)).all())


async def changed_since(session: AsyncSession, since: datetime, case_id: str = "") -> bool:
    """Say whether a case, or any case where none is named, has changed after then."""
    query = select(CaseRow.id).where(col(CaseRow.updated_at) > since)
    if case_id:
        query = query.where(CaseRow.id == case_id)
    return (await session.exec(query.limit(1))).first() is not None


async def blank_words(session: AsyncSession, case_ids: list[str], actor_id: str) -> None:
    """Blank what a person said in the history of their cases, and their name; the hops stay."""
    mine = update(CaseEventRow).where(col(CaseEventRow.case_id).in_(case_ids), col(CaseEventRow.actor_id) == actor_id)
    await session.exec(mine.values(actor_name="", reason=""))
