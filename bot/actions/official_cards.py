"""Keep the cards of cases true: sent once for what is new, edited when the case changes, emptied when they must be."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

from bot import render
from bot.actions.case_rights import may_see
from bot.actions.official_audience import Chat, News, audience
from bot.actions.official_card_text import Office, card_text
from bot.actions.official_links import reached
from bot.domain.card import CARD_PURPOSE, GROUP_REFUSES, Kind
from bot.domain.message import Message, fit
from bot.store import accounts, cards, cases, contacts, links
from bot.store.cards import CardRow
from bot.store.cases import CaseRow
from bot.store.desk_messages import WITHDRAWN
from bot.store.links import Linked, UnitGroupRow
from bot.store.messages import MessageRow
from bot.store.outbox import LANES, OutboxRow
from bot.store.unit_of_work import UnitOfWork

__all__ = ["MOST_FAILURES", "REST", "Office", "arrived", "failed", "refresh", "show", "tell", "waits"]

MOST_FAILURES = 3
REST = timedelta(hours=1)
"""So long after a card was given up that never arrived another try begins: what kept it may be over by then."""
_STANDS = frozenset({"queued", "sent", "delivered", "seen"})
"""States of a card's last message in which the chat shows what it says, or is about to."""


async def tell(uow: UnitOfWork, office: Office, case_id: str) -> int:
    """Take in what happened to a case: its cards are behind now, and whom it concerns gets a new one."""
    events = await cards.untold(uow.session, case_id)
    for event in events:
        event.told_at = uow.now
    case = await cases.case(uow.session, case_id)
    if not events or case is None:
        return 0
    await cards.revive(uow.session, case_id=case.id)
    for card in await cards.live_of_case(uow.session, case.id):
        card.stale = True
    await uow.session.flush()
    for chat, news in await audience(uow, case, events):
        await show(uow, office, case, chat, news)
    return 1


async def show(uow: UnitOfWork, office: Office, case: CaseRow, chat: Chat, news: News) -> None:
    """Send a card to a chat; an older one of the same case there gives way, or is changed if it has not left yet."""
    for older in await cards.live_of_case(uow.session, case.id, chat.contact_id):
        last = await cards.last_message(uow.session, older.outbox_id)
        older.stale = True
        if last is not None and last.state == "queued" and not last.attempts and older.provider_id is None:
            older.kind, older.percent = news.kind.value, news.percent
            uow.after_commit("refresh_cards")
            return
        older.ending = "superseded"
    card = CardRow(
        id=uow.new_id(),
        case_id=case.id,
        account_id=chat.account_id,
        chat_id=chat.contact_id,
        kind=news.kind.value,
        percent=news.percent,
        outbox_id="",
        created_at=uow.now,
    )
    message = await card_text(uow, office, case, card.id, news.kind, news.percent, chat.grants)
    await _queue(uow, card, case.unit_id, message)
    uow.session.add(card)
    await uow.session.flush()
    uow.after_commit("refresh_cards")


async def refresh(uow: UnitOfWork, office: Office, card_id: str) -> int:
    """Bring one card up to date; one whose last message is on its way waits for the outcome of that."""
    card = await cards.card(uow.session, card_id)
    if card is None or not card.live or not card.stale:
        return 0
    last = await cards.last_message(uow.session, card.outbox_id)
    if last is None or last.state in {"sending", "unknown"}:
        return 0
    case = await cases.case(uow.session, card.case_id)
    assert case is not None
    message = await _now(uow, office, card, case)
    if last.state == "queued" and last.repeated and card.provider_id is None and not card.ending:
        return 0  # it may have arrived: what is repeated must be the same
    card.stale = False
    if _digest(message) == card.digest and last.state in _STANDS:
        card.live = not card.ending or last.state == "queued"
    elif last.state == "queued":
        await _rewrite(uow, card, last, message)
    elif card.provider_id is not None:
        await _queue(uow, card, case.unit_id, replace(message, edits=card.provider_id))
    elif card.ending or case.state not in cases.OPEN or last.state in _STANDS:
        card.live = False
    else:
        await _queue(uow, card, case.unit_id, message)
    return 1


async def _now(uow: UnitOfWork, office: Office, card: CardRow, case: CaseRow) -> Message:
    """Return what a card should show now; what its reader must not see (any more) is not in it."""
    reader = await links.in_chat(uow.session, card.chat_id)
    group = await links.group(uow.session, card.chat_id)
    card.ending = card.ending or _ending(case, reader, group)
    if card.ending:
        return render.message(f"official/{_ENDINGS[card.ending]}", {"code": case.code})
    grants = reader.grants if reader is not None else None
    return await card_text(uow, office, case, card.id, Kind(card.kind), card.percent, grants)


def _ending(case: CaseRow, reader: Linked | None, group: UnitGroupRow | None) -> str:
    """Say why a chat must not be shown a case (any more), or "" when it may."""
    if reader is not None:
        return "" if may_see(reader.grants, case) else "moved"
    if group is None or case.restricted:
        return "withdrawn"
    return "" if group.unit_id == case.unit_id else "moved"


_ENDINGS = {"superseded": "card_superseded", "moved": "card_moved", "withdrawn": "card_withdrawn"}


async def _rewrite(uow: UnitOfWork, card: CardRow, last: OutboxRow, message: Message) -> None:
    """Change a message that has not arrived yet; a card that ended before it left is not sent at all."""
    if card.ending and card.provider_id is None:
        last.state, last.reason, card.live = "cancelled", WITHDRAWN, False
        return
    part = await _fitted(uow, card, replace(message, edits=Message.from_json(last.body).edits))
    last.body, last.text, card.digest = part.to_json(), part.text, _digest(message)
    uow.after_commit("deliver_messages")
    said = await uow.session.get(MessageRow, last.id)
    if said is not None:
        said.text = part.text


async def _queue(uow: UnitOfWork, card: CardRow, unit_id: str, message: Message) -> None:
    """Queue a card or an edit of it. It belongs to no case in the outbox: no citizen waits for it."""
    part = await _fitted(uow, card, message)
    row = OutboxRow(
        id=uow.new_id(),
        account_id=card.account_id,
        contact_id=card.chat_id,
        unit_id=unit_id,
        purpose=CARD_PURPOSE,
        lane=LANES["notice"],
        body=part.to_json(),
        text=part.text,
        next_attempt_at=uow.now,
        created_at=uow.now,
    )
    uow.session.add(row)
    uow.session.add(_word(uow, row))
    card.outbox_id, card.digest = row.id, _digest(message)
    uow.after_commit("deliver_messages")


def _word(uow: UnitOfWork, row: OutboxRow) -> MessageRow:
    """Return what the books of the chat hold of it: every message of ours stands in both."""
    return MessageRow(
        id=row.id,
        account_id=row.account_id,
        contact_id=row.contact_id,
        direction="out",
        author="bot",
        text=row.text,
        occurred_at=uow.now,
    )


async def _fitted(uow: UnitOfWork, card: CardRow, message: Message) -> Message:
    account = await accounts.account(uow.session, card.account_id)
    assert account is not None
    return fit(message, uow.capabilities(account))[0]


def _digest(message: Message) -> str:
    body = json.dumps(replace(message, edits=None).to_json(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


async def arrived(uow: UnitOfWork, row: OutboxRow) -> None:
    """Note that a card or its edit has reached the chat; what changed meanwhile follows."""
    if row.provider_id is not None and await cards.arrived(uow.session, row.id, row.provider_id):
        uow.after_commit("refresh_cards")
    chat = await contacts.contact(uow.session, row.contact_id)
    if chat is not None and chat.gone == GROUP_REFUSES:
        await reached(uow, chat)


async def failed(uow: UnitOfWork, row: OutboxRow, *, gone: bool) -> None:
    """Note that a card or its edit was given up: an edit is tried again a few times, unless nobody is there."""
    if gone:
        await cards.drop_chat(uow.session, row.contact_id)
    elif await cards.failed(uow.session, row.id, MOST_FAILURES):
        uow.after_commit("refresh_cards")


async def waits(uow: UnitOfWork, row: OutboxRow) -> None:
    """Keep what is for the desk from being tried once more in a chat that must not be told any more.

    Whoever left while it was being sent the first time would have it by the second.
    """
    reader = await links.in_chat(uow.session, row.contact_id)
    group = await links.group(uow.session, row.contact_id)
    if row.purpose != CARD_PURPOSE:
        if reader is None and group is None:
            row.state, row.reason = "cancelled", WITHDRAWN
        return
    card = await cards.by_message(uow.session, row.id)
    case = await cases.case(uow.session, card.case_id) if card is not None else None
    if card is None or case is None:
        return
    shows = not card.ending or card.stale or card.provider_id is None
    card.ending = card.ending or _ending(case, reader, group)
    if card.ending and shows:
        row.state, row.reason = "cancelled", WITHDRAWN
        card.live = card.stale = card.provider_id is not None
        uow.after_commit("refresh_cards")
