"""Keep every message until its end is known, hand it out once and in order, and record each outcome."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ColumnElement, Index, Integer, and_, exists, func, literal, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.accounts import AccountRow
from bot.store.contacts import PHONE, ContactRow

LANES = {"answer": 0, "notice": 1, "broadcast": 2}
OPEN = ("queued", "sending", "unknown")


class OutboxRow(SQLModel, table=True):
    """One message on its way out; `state` as in bot.domain.delivery, `lane` 0 answer, 1 notice, 2 broadcast.

    `unit_id` is on whose behalf it is sent, so that one unit's many messages do not hold up another's few.
    `repeated` counts repeats after an unknown outcome: one at most for what a person waits for. `way` is chat, or
    template_user | template_phone for a provider's template (bot.domain.audience.Way); by phone the row's id comes
    back with the receipts.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "state", "account_id", "lane", "unit_id", "next_attempt_at"),
        Index("ix_outbox_contact", "contact_id", "id"),
        Index("ix_outbox_provider", "account_id", "provider_id"),
    )

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="accounts.id")
    contact_id: str = Field(foreign_key="contacts.id")
    case_id: str | None = Field(default=None, foreign_key="cases.id")
    unit_id: str = ""
    purpose: str
    way: str = "chat"
    lane: int = Field(sa_type=Integer)
    body: dict[str, Any] = Field(sa_type=JSON)
    text: str = ""
    state: str = "queued"
    attempts: int = 0
    repeated: int = 0
    next_attempt_at: datetime | None = None
    expires_at: datetime | None = None
    lease: str | None = None
    leased_until: datetime | None = None
    reason: str = ""
    detail: str = ""
    provider_id: str | None = None
    quota_type: str | None = None
    created_at: datetime
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    seen_at: datetime | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What waits on behalf of one unit in one lane of one account: how many messages are due."""

    account_id: str
    lane: int
    unit_id: str
    number: int


async def waiting(session: AsyncSession, now: datetime) -> list[Share]:
    """Return what is due by account, lane and unit, the most urgent lane first; accounts that are stopped left out."""
    query = (
        select(OutboxRow.account_id, OutboxRow.lane, OutboxRow.unit_id, func.count())
        .join(AccountRow, col(AccountRow.id) == col(OutboxRow.account_id))
        .where(col(OutboxRow.state) == "queued", col(OutboxRow.next_attempt_at) <= now, AccountRow.state == "active")
        .group_by(col(OutboxRow.account_id), col(OutboxRow.lane), col(OutboxRow.unit_id))
    )
    shares = [Share(account, lane, unit, int(n)) for account, lane, unit, n in (await session.exec(query)).all()]
    return sorted(shares, key=lambda share: share.lane)


async def claim(
    session: AsyncSession, lease: str, now: datetime, seconds: float, limit: int, share: Share | None = None
) -> list[OutboxRow]:
    """Lease due messages, most urgent lane first, one per contact at a time so that order is kept.

    With `share` only those of one unit in one lane of one account. The rows are marked `sending` here, before any
    byte leaves, so that a crash leaves at most these in doubt. A message that waits for long (quota, undo) does not
    hold up later ones to the same person, nor one of a less urgent lane a more urgent one.
    """
    query = (
        select(OutboxRow.id)
        .join(AccountRow, col(AccountRow.id) == col(OutboxRow.account_id))
        .where(
            col(OutboxRow.state) == "queued",
            col(OutboxRow.next_attempt_at) <= now,
            or_(col(OutboxRow.expires_at).is_(None), col(OutboxRow.expires_at) > now),
            col(AccountRow.state) == "active",
            ~_must_wait(now),
        )
        .order_by(col(OutboxRow.lane), col(OutboxRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=OutboxRow)
    )
    if share is not None:
        query = query.where(
            OutboxRow.account_id == share.account_id,
            OutboxRow.lane == share.lane,
            OutboxRow.unit_id == share.unit_id,
        )
    ids = list((await session.exec(query)).all())
    if not ids:
        return []
    await session.exec(
        update(OutboxRow)
        .where(col(OutboxRow.id).in_(ids))
        .values(
            state="sending",
            lease=lease,
            leased_until=now + timedelta(seconds=seconds),
            sending_at=now,
            attempts=OutboxRow.attempts + 1,
        )
        .execution_options(synchronize_session=False)
    )
    rows = await session.exec(
        select(OutboxRow).where(col(OutboxRow.id).in_(ids)).order_by(col(OutboxRow.lane), col(OutboxRow.id))
    )
    return list(rows.all())


def _must_wait(now: datetime) -> ColumnElement[bool]:
    """Say whether an earlier message to the same person is on its way, or due, or soon to be tried again."""
    earlier = aliased(OutboxRow)
    tried_soon = and_(col(earlier.attempts) > 0, col(earlier.next_attempt_at) < now + timedelta(minutes=5))
    return exists(literal(1)).where(
        col(earlier.contact_id) == col(OutboxRow.contact_id),
        col(earlier.id) < col(OutboxRow.id),
        col(earlier.lane) <= col(OutboxRow.lane),
        or_(
            col(earlier.state).in_(("sending", "unknown")),
            and_(col(earlier.state) == "queued", or_(col(earlier.next_attempt_at) <= now, tried_soon)),
        ),
    )


async def record(session: AsyncSession, row_id: str, lease: str, **values: object) -> bool:
    """Write the outcome of a try; False when the lease has been lost or the outcome is known already."""
    statement = update(OutboxRow).where(
        col(OutboxRow.id) == row_id, col(OutboxRow.lease) == lease, col(OutboxRow.state) == "sending"
    )
    result = await session.exec(statement.values(lease=None, leased_until=None, **values))
    return bool(result.rowcount)


async def record_late(session: AsyncSession, row_id: str, sending_at: datetime, **values: object) -> bool:
    """Write that the try of `sending_at` succeeded though its lease was lost; False when it is settled already."""
    statement = update(OutboxRow).where(
        col(OutboxRow.id) == row_id,
        col(OutboxRow.sending_at) == sending_at,
        col(OutboxRow.state).in_(("sending", "unknown")),
    )
    return bool((await session.exec(statement.values(lease=None, leased_until=None, **values))).rowcount)


async def doubt_expired(session: AsyncSession, now: datetime | None) -> int:
    """Call unknown what was being sent when its lease ran out; None means every one (a lone process just started)."""
    statement = update(OutboxRow).where(col(OutboxRow.state) == "sending")
    if now is not None:
        statement = statement.where(col(OutboxRow.leased_until) < now)
    result = await session.exec(statement.values(state="unknown", lease=None, leased_until=None, reason="interrupted"))
    return int(result.rowcount)


async def unknown(session: AsyncSession, limit: int = 50) -> list[OutboxRow]:
    """Return messages of unknown outcome, as many of each account as of the others; those chosen oldest first.

    Where not all find room it is left to chance which of an account's do, so that none that stays in doubt keeps
    another from its turn for ever.
    """
    turn = func.row_number().over(partition_by=col(OutboxRow.account_id), order_by=func.random())
    query = select(OutboxRow).where(OutboxRow.state == "unknown").order_by(turn, func.random()).limit(limit)
    return sorted((await session.exec(query)).all(), key=lambda one: one.id)


async def settle_unknown(session: AsyncSession, row: OutboxRow, **values: object) -> bool:
    """Write what was found out of the try that `row` tells of; False when it is settled, or another try was begun."""
    statement = update(OutboxRow).where(
        col(OutboxRow.id) == row.id,
        col(OutboxRow.state) == "unknown",
        col(OutboxRow.repeated) == row.repeated,
        col(OutboxRow.sending_at) == row.sending_at,
    )
    return bool((await session.exec(statement.values(**values))).rowcount)


async def repeat_unknown(session: AsyncSession, row: OutboxRow, now: datetime) -> bool:
    """Queue a message once more whose try had an unknown outcome; False as for `settle_unknown`."""
    return await settle_unknown(session, row, state="queued", next_attempt_at=now, repeated=OutboxRow.repeated + 1)


async def row(session: AsyncSession, row_id: str) -> OutboxRow | None:
    """Return one message as it stands now."""
    return await session.get(OutboxRow, row_id, populate_existing=True)


async def rows(session: AsyncSession, row_ids: list[str]) -> dict[str, OutboxRow]:
    """Return messages by id."""
    if not row_ids:
        return {}
    found = (await session.exec(select(OutboxRow).where(col(OutboxRow.id).in_(row_ids)))).all()
    return {r.id: r for r in found}


async def by_provider_id(session: AsyncSession, account_id: str, provider_id: str) -> OutboxRow | None:
    """Return a message by the provider's id."""
    query = select(OutboxRow).where(OutboxRow.account_id == account_id, OutboxRow.provider_id == provider_id)
    return (await session.exec(query)).first()


async def in_doubt_for(session: AsyncSession, contact_id: str, since: datetime) -> list[OutboxRow]:
    """Return messages to a contact whose outcome is not known, tried since then, oldest first."""
    query = (
        select(OutboxRow)
        .where(
            OutboxRow.contact_id == contact_id,
            col(OutboxRow.state).in_(("sending", "unknown")),
            col(OutboxRow.sending_at) >= since,
        )
        .order_by(col(OutboxRow.id))
    )
    return list((await session.exec(query)).all())


async def given_up_for(session: AsyncSession, contact_id: str, since: datetime) -> list[OutboxRow]:
    """Return messages to a contact that were given up or repeated because nobody knew whether they had arrived."""
    given_up = and_(col(OutboxRow.state) == "failed", col(OutboxRow.reason) == "outcome_unknown")
    query = (
        select(OutboxRow)
        .where(
            OutboxRow.contact_id == contact_id,
            col(OutboxRow.sending_at) >= since,
            or_(given_up, col(OutboxRow.repeated) > 0),
        )
        .order_by(col(OutboxRow.id))
    )
    return list((await session.exec(query)).all())


async def cancel(session: AsyncSession, row_ids: list[str], reason: str) -> bool:
    """Cancel messages that have not left; False, and none cancelled, when one of them has."""
    query = select(OutboxRow).where(col(OutboxRow.id).in_(row_ids)).with_for_update()
    found = list((await session.exec(query)).all())
    if not found or any(r.state != "queued" or r.attempts for r in found):
        return False
    for r in found:
        r.state, r.reason = "cancelled", reason
    return True


async def requeue(session: AsyncSession, row_id: str, now: datetime) -> bool:
    """Queue a failed message once more, at a person's wish."""
    statement = update(OutboxRow).where(col(OutboxRow.id) == row_id, col(OutboxRow.state) == "failed")
    values = {"state": "queued", "attempts": 0, "next_attempt_at": now, "reason": "", "failed_at": None}
    return bool((await session.exec(statement.values(**values))).rowcount)


async def requeue_reason(session: AsyncSession, reason: str, since: datetime, now: datetime) -> int:
    """Queue all messages that failed for a reason since then once more, at a person's wish; returns how many."""
    statement = update(OutboxRow).where(
        col(OutboxRow.state) == "failed", col(OutboxRow.reason) == reason, col(OutboxRow.failed_at) >= since
    )
    values = {"state": "queued", "attempts": 0, "next_attempt_at": now, "reason": "", "failed_at": None}
    return int((await session.exec(statement.values(**values))).rowcount)


async def wake_account(session: AsyncSession, account_id: str, now: datetime) -> int:
    """Make everything that waits for an account due now: it works again."""
    statement = update(OutboxRow).where(
        col(OutboxRow.account_id) == account_id, col(OutboxRow.state) == "queued", col(OutboxRow.attempts) > 0
    )
    return int((await session.exec(statement.values(next_attempt_at=now))).rowcount)


async def next_due(session: AsyncSession) -> datetime | None:
    """Return when the next waiting message is due."""
    query = select(func.min(OutboxRow.next_attempt_at)).where(col(OutboxRow.state) == "queued")
    return (await session.exec(query)).one()


async def failed_for(session: AsyncSession, contact_id: str, reason: str, text: str, since: datetime) -> bool:
    """Say whether a message of this text to a contact has failed for a reason since then."""
    query = select(OutboxRow.id).where(
        OutboxRow.contact_id == contact_id,
        OutboxRow.reason == reason,
        OutboxRow.text == text,
        col(OutboxRow.failed_at) >= since,
    )
    return (await session.exec(query)).first() is not None


async def blank_contact(session: AsyncSession, contact_id: str) -> None:
    """Blank every message to a contact, and cancel what has not left."""
    mine = update(OutboxRow).where(col(OutboxRow.contact_id) == contact_id)
    await session.exec(mine.where(col(OutboxRow.state) == "queued").values(state="cancelled", reason="erased"))
    await session.exec(mine.values(text="", body={}, detail=""))


async def expire(session: AsyncSession, now: datetime) -> int:
    """Let go of messages whose purpose has passed before they could leave; returns how many."""
    statement = update(OutboxRow).where(col(OutboxRow.state) == "queued", col(OutboxRow.expires_at) < now)
    return int((await session.exec(statement.values(state="expired", reason="too_old"))).rowcount)


async def forget_phones(session: AsyncSession, before: datetime, now: datetime) -> int:
    """Forget phones that were only written to by template, and not since then; returns how many."""
    lately = exists(literal(1)).where(
        col(OutboxRow.contact_id) == col(ContactRow.id), col(OutboxRow.created_at) >= before
    )
    statement = update(ContactRow).where(
        col(ContactRow.kind) == PHONE, col(ContactRow.phone).is_not(None), col(ContactRow.created_at) < before, ~lately
    )
    values = {"external_id": literal("erased:") + col(ContactRow.id), "phone": None, "gone": "erased", "erased_at": now}
    result = await session.exec(statement.values(**values).execution_options(synchronize_session=False))
    return int(result.rowcount)
