"""Keep the cards of cases that officials have in their chats, and know which of them no longer show what is true."""

from datetime import datetime, timedelta

from sqlalchemy import Index, UniqueConstraint, func, text, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.card import CARD_PURPOSE
from bot.store.cases import OPEN, CaseEventRow, CaseRow
from bot.store.contacts import ContactRow
from bot.store.outbox import OutboxRow

_STALE = "stale"
_BATCH = 200


class CardRow(SQLModel, table=True):
    """One message in an official's chat that shows a case and is kept true.

    `kind` is what it was sent for (new | reopened | reminder | reply | approval | asked), `percent` the step of a
    reminder. `outbox_id` is the last message queued for it, `provider_id` the provider's id once that is known,
    `digest` what it was last told to show. `ending` says why it shows nothing of the case any more (superseded |
    moved | withdrawn); then, once that has left, `live` is False and it is not touched again.
    """

    __tablename__ = "cards"
    __table_args__ = (
        UniqueConstraint("outbox_id"),
        Index("ix_cards_case", "case_id", "chat_id"),
        Index("ix_cards_chat", "chat_id", "provider_id"),
        Index("ix_cards_stale", "id", sqlite_where=text(_STALE), postgresql_where=text(_STALE)),
    )

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="cases.id")
    account_id: str = Field(foreign_key="accounts.id")
    chat_id: str = Field(foreign_key="contacts.id")
    kind: str
    percent: int = 0
    outbox_id: str
    provider_id: str | None = None
    digest: str = ""
    stale: bool = False
    ending: str = ""
    live: bool = True
    failures: int = 0
    created_at: datetime


async def card(session: AsyncSession, card_id: str) -> CardRow | None:
    """Return one card, locked until this transaction ends, as it stands now."""
    query = select(CardRow).where(CardRow.id == card_id).with_for_update().execution_options(populate_existing=True)
    return (await session.exec(query)).first()


async def read(session: AsyncSession, card_id: str) -> CardRow | None:
    """Return one card without keeping others from it."""
    return await session.get(CardRow, card_id)


async def by_provider_id(session: AsyncSession, chat_id: str, provider_id: str) -> CardRow | None:
    """Return the card that is this message of a chat."""
    query = select(CardRow).where(CardRow.chat_id == chat_id, CardRow.provider_id == provider_id)
    return (await session.exec(query.order_by(col(CardRow.id).desc()))).first()


async def by_message(session: AsyncSession, outbox_id: str) -> CardRow | None:
    """Return the card whose last message this is, locked until this transaction ends."""
    query = select(CardRow).where(CardRow.outbox_id == outbox_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def live_of_case(session: AsyncSession, case_id: str, chat_id: str = "") -> list[CardRow]:
    """Return the cards of a case that are kept true (of one chat), locked until this transaction ends."""
    query = select(CardRow).where(CardRow.case_id == case_id, col(CardRow.live), CardRow.ending == "")
    if chat_id:
        query = query.where(CardRow.chat_id == chat_id)
    query = query.order_by(col(CardRow.id)).with_for_update()
    return list((await session.exec(query.execution_options(populate_existing=True))).all())


async def stale(session: AsyncSession, limit: int = _BATCH) -> list[str]:
    """Return cards that wait for a change, whose last message is not on its way at this moment."""
    query = (
        select(CardRow.id)
        .join(OutboxRow, col(OutboxRow.id) == col(CardRow.outbox_id))
        .where(col(CardRow.stale), col(CardRow.live), col(OutboxRow.state).not_in(("sending", "unknown")))
        .order_by(col(CardRow.id))
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def last_message(session: AsyncSession, outbox_id: str) -> OutboxRow | None:
    """Return the last message of a card, locked; None while somebody is writing its outcome at this moment."""
    query = select(OutboxRow).where(OutboxRow.id == outbox_id).with_for_update(skip_locked=True)
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def arrived(session: AsyncSession, outbox_id: str, provider_id: str) -> bool:
    """Note as what a card's message reached its chat; True when it is to be changed again.

    One that had been let go meanwhile may show anything: it is looked at anew.
    """
    behind = col(CardRow.stale) | ~col(CardRow.live)
    statement = (
        update(CardRow)
        .where(col(CardRow.outbox_id) == outbox_id)
        .values(provider_id=provider_id, failures=0, stale=behind, live=(col(CardRow.ending) == "") | behind)
        .returning(col(CardRow.stale))
        .execution_options(synchronize_session=False)
    )
    return bool((await session.exec(statement)).scalars().first())


async def failed(session: AsyncSession, outbox_id: str, most: int) -> bool:
    """Note that a card's message was given up; True when it is to be tried once more at once."""
    again = col(CardRow.provider_id).is_not(None) & (col(CardRow.failures) + 1 < most)
    statement = (
        update(CardRow)
        .where(col(CardRow.outbox_id) == outbox_id)
        .values(failures=CardRow.failures + 1, live=again, stale=again, digest="")
        .returning(col(CardRow.live))
        .execution_options(synchronize_session=False)
    )
    return bool((await session.exec(statement)).scalars().first())


async def rested(session: AsyncSession, since: datetime, before: datetime, most: int) -> list[str]:
    """Return cards that never arrived and were given up in that time, less than so often: what kept them may be over.

    One that may have arrived is not among them, since it would be there twice.
    """
    query = (
        select(CardRow.id)
        .join(OutboxRow, col(OutboxRow.id) == col(CardRow.outbox_id))
        .join(ContactRow, col(ContactRow.id) == col(CardRow.chat_id))
        .where(
            OutboxRow.state == "failed",
            OutboxRow.purpose == CARD_PURPOSE,
            OutboxRow.reason != "outcome_unknown",
            col(OutboxRow.failed_at) >= since,
            col(OutboxRow.failed_at) <= before,
            ~col(CardRow.live),
            CardRow.ending == "",
            col(CardRow.provider_id).is_(None),
            CardRow.failures < most,
            ContactRow.gone == "",
        )
    )
    return list((await session.exec(query.limit(_BATCH))).all())


async def wake(session: AsyncSession, card_ids: list[str]) -> None:
    """Have cards that were let go brought up to date."""
    statement = update(CardRow).where(col(CardRow.id).in_(card_ids)).values(live=True, stale=True)
    await session.exec(statement.execution_options(synchronize_session=False))


async def revive(session: AsyncSession, *, case_id: str = "", chat_id: str = "") -> int:
    """Keep cards true again that were let go: of one case, or of one chat those that miss something.

    Where nobody can be written to they stay let go. Returns how many are to be looked at.
    """
    query = (
        select(CardRow.id)
        .join(OutboxRow, col(OutboxRow.id) == col(CardRow.outbox_id))
        .join(CaseRow, col(CaseRow.id) == col(CardRow.case_id))
        .join(ContactRow, col(ContactRow.id) == col(CardRow.chat_id))
        .where(~col(CardRow.live), CardRow.ending == "", ContactRow.gone == "")
    )
    if case_id:
        query = query.where(CardRow.case_id == case_id)
    if chat_id:
        missed = col(OutboxRow.state).in_(("failed", "cancelled")) | (
            col(CaseRow.updated_at) >= col(OutboxRow.created_at)
        )
        query = query.where(CardRow.chat_id == chat_id, col(CaseRow.state).in_(OPEN) | missed)
    statement = update(CardRow).where(col(CardRow.id).in_(query)).values(live=True, stale=True, failures=0)
    return int((await session.exec(statement.execution_options(synchronize_session=False))).rowcount)


async def doubt_chat(session: AsyncSession, chat_id: str) -> int:
    """Have every card of a chat looked at again: who reads there, or what they may see, has changed."""
    statement = update(CardRow).where(col(CardRow.chat_id) == chat_id, col(CardRow.live), col(CardRow.ending) == "")
    return int((await session.exec(statement.values(stale=True))).rowcount)


async def drop_chat(session: AsyncSession, chat_id: str) -> None:
    """Let go of the cards of a chat in which nothing of ours can be changed any more."""
    statement = update(CardRow).where(col(CardRow.chat_id) == chat_id, col(CardRow.live))
    await session.exec(statement.values(live=False, stale=False))


async def untold_cases(session: AsyncSession, before: datetime, limit: int = 100) -> list[str]:
    """Return cases to which something happened, before then, that no card shows yet; the longest waiting first."""
    query = (
        select(CaseEventRow.case_id)
        .where(col(CaseEventRow.told_at).is_(None))
        .group_by(col(CaseEventRow.case_id))
        .having(func.min(CaseEventRow.at) <= before)
        .order_by(func.min(CaseEventRow.at))
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def untold(session: AsyncSession, case_id: str) -> list[CaseEventRow]:
    """Return what happened to a case that no card shows yet, oldest first, for this transaction alone."""
    query = select(CaseEventRow).where(CaseEventRow.case_id == case_id, col(CaseEventRow.told_at).is_(None))
    query = query.order_by(col(CaseEventRow.at), col(CaseEventRow.id)).with_for_update(skip_locked=True)
    return list((await session.exec(query)).all())


async def told_all(session: AsyncSession, at: datetime) -> int:
    """Take everything that happened as told: nobody of the office works from a chat."""
    statement = update(CaseEventRow).where(col(CaseEventRow.told_at).is_(None)).values(told_at=at)
    return int((await session.exec(statement.execution_options(synchronize_session=False))).rowcount)


async def next_untold(session: AsyncSession, gather: timedelta) -> datetime | None:
    """Return when the next untold event has waited long enough for others to join it."""
    query = select(func.min(CaseEventRow.at)).where(col(CaseEventRow.told_at).is_(None))
    first: datetime | None = (await session.exec(query)).one()
    return None if first is None else first + gather
