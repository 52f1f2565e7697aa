"""Take in what citizens write, and put what is to leave into the outbox."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot import render
from bot.actions import repetition
from bot.actions.case_trail import note
from bot.domain.message import Lane, Message, fit
from bot.domain.text import clean
from bot.domain.update import AttachmentKind, MessageReceived
from bot.store import cases, messages, outbox
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.messages import AttachmentRow, MessageRow
from bot.store.outbox import LANES, OutboxRow
from bot.store.unit_of_work import UnitOfWork

FETCHED = frozenset(
    {AttachmentKind.IMAGE, AttachmentKind.GIF, AttachmentKind.VIDEO, AttachmentKind.AUDIO, AttachmentKind.FILE}
)
"""Kinds whose bytes are fetched and kept; the others are only described."""
_EARLIER = 20
"""So many earlier wordings of one message are kept; of a message changed more often, the first and the latest."""


async def receive(
    uow: UnitOfWork,
    account: AccountRow,
    contact: ContactRow,
    update: MessageReceived,
    *,
    author: str = "citizen",
    staff_id: str | None = None,
) -> tuple[MessageRow, list[AttachmentRow]]:
    """Store what a citizen sent, or an official (`author` staff), and ask for attachments to be fetched."""
    place = next((a for a in update.attachments if a.latitude is not None), None)
    row = MessageRow(
        id=uow.new_id(),
        account_id=account.id,
        contact_id=contact.id,
        direction="in",
        author=author,
        staff_id=staff_id,
        text=clean(update.text),
        provider_id=update.message_id,
        quotes=update.quotes,
        latitude=place.latitude if place else None,
        longitude=place.longitude if place else None,
        album=update.album,
        edited_at=min(update.occurred_at, uow.now) if update.edited else None,
        occurred_at=min(update.occurred_at, uow.now),
    )
    uow.session.add(row)
    await uow.session.flush()
    attached = [_attachment(uow, row, a) for a in update.attachments]
    uow.session.add_all(attached)
    if any(a.state == "pending" for a in attached):
        uow.after_commit("fetch_attachments")
    uow.announce(f"contact:{contact.id}")
    return row, attached


async def edit(
    uow: UnitOfWork, account: AccountRow, contact: ContactRow, update: MessageReceived
) -> tuple[MessageRow, str]:
    """Take in that a citizen changed the words of a message: the new ones count, the old ones stay on record.

    Returns the message and what it said before. One that was never received is stored as it stands now. A change that
    leaves the words alone (a moving location, a preview) leaves no trace.
    """
    row = await messages.from_contact(uow.session, contact.id, update.message_id)
    if row is None:
        row, _ = await receive(uow, account, contact, update)
        return row, ""
    before, words = row.text, clean(update.text)
    if words == before:
        return row, before
    kept = [*row.earlier, before]
    row.earlier = kept if len(kept) <= _EARLIER else [kept[0], *kept[2:]]
    row.text, row.edited_at = words, min(update.occurred_at, uow.now)
    case = await cases.lock(uow.session, row.case_id) if row.case_id else None
    if case is not None:
        note(uow, case, "citizen_edited", data={"message": row.id}, from_state=case.state)
    uow.announce(f"contact:{contact.id}")
    return row, before


def _attachment(uow: UnitOfWork, row: MessageRow, attachment: Any) -> AttachmentRow:
    fetch = attachment.kind in FETCHED and bool(attachment.url)
    return AttachmentRow(
        id=uow.new_id(),
        message_id=row.id,
        kind=attachment.kind.value,
        url=attachment.url or "",
        name=clean(attachment.name or "")[:200],
        description=clean(attachment.description or "")[:2000],
        size=attachment.size,
        state="pending" if fetch else "described",
        next_attempt_at=uow.now if fetch else None,
    )


async def say(
    uow: UnitOfWork,
    account: AccountRow,
    contact: ContactRow,
    message: Message,
    *,
    purpose: str,
    lane: Lane = Lane.ANSWER,
    case_id: str | None = None,
    author: str = "bot",
    delay: int = 0,
    protected: tuple[str, ...] = (),
    lifetime: timedelta | None = None,
) -> list[str]:
    """Queue a message to a contact, split as the account needs, and return the rows' ids in sending order.

    `delay` in seconds keeps it back, for what can still be taken back; after `lifetime` it is not sent any more.
    What the bot repeats without end is not queued: then nothing is returned.
    """
    parts = fit(message, uow.capabilities(account), protected)
    case = await cases.case(uow.session, case_id) if case_id else None
    lasts_until = uow.now + lifetime if lifetime else None
    rows = [
        OutboxRow(
            id=uow.new_id(),
            account_id=account.id,
            contact_id=contact.id,
            case_id=case_id,
            unit_id=(case.unit_id if case else None) or account.unit_id,
            purpose=purpose,
            lane=LANES[lane.value],
            body=part.to_json(),
            text=part.text,
            next_attempt_at=uow.now + timedelta(seconds=delay),
            expires_at=lasts_until,
            created_at=uow.now,
        )
        for part in parts
    ]
    if author == "bot" and await repetition.repeats(uow, contact, parts[0].text):
        await repetition.stop(uow, rows[0])
        return []
    for row in rows:
        uow.session.add(row)
        uow.session.add(_word(uow, row, author))
    await uow.session.flush()
    uow.after_commit("deliver_messages", float(delay))
    if case_id is not None:
        uow.announce(f"case:{case_id}")
    return [row.id for row in rows]


def _word(uow: UnitOfWork, row: OutboxRow, author: str) -> MessageRow:
    """Return what the conversation shows of a message of ours."""
    return MessageRow(
        id=row.id,
        account_id=row.account_id,
        contact_id=row.contact_id,
        case_id=row.case_id,
        direction="out",
        author=author,
        staff_id=uow.actor.id if uow.actor.kind == "staff" else None,
        text=row.text,
        occurred_at=uow.now,
    )


async def bot_says(
    uow: UnitOfWork,
    account: AccountRow,
    contact: ContactRow,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    case_id: str | None = None,
    lane: Lane = Lane.ANSWER,
    delay: int = 0,
) -> list[str]:
    """Queue one of the bot's own texts: templates/messages/vi/citizen/<template>.txt."""
    message = render.message(f"citizen/{template}", values)
    return await say(uow, account, contact, message, purpose=template, lane=lane, case_id=case_id, delay=delay)


async def take_back(uow: UnitOfWork, row_ids: list[str]) -> bool:
    """Keep messages from leaving; False when one has left already."""
    return await outbox.cancel(uow.session, row_ids, "taken_back")
