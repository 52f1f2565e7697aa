"""What a provider tells of our own messages: delivered, seen, echoed, rated by template."""

from datetime import timedelta

from bot.actions import broadcast_news, contacts, live, outgoing
from bot.actions.case_trail import audit, note
from bot.domain.audience import Way
from bot.domain.broadcast import tracked
from bot.domain.text import clean
from bot.domain.update import AttachmentKind, Echo, Rated, Receipt, ReceiptKind
from bot.errors import TooEarlyError
from bot.store import cases, inbox, messages, outbox
from bot.store import contacts as contact_rows
from bot.store.accounts import AccountRow
from bot.store.messages import AttachmentRow, MessageRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import Actor, UnitOfWork

_SENDING = timedelta(seconds=30)
"""A message of which a receipt speaks before we know its id is still on its way out for at most so long."""
_ECHO_WINDOW = timedelta(minutes=30)
"""An echo can only be of a message that was tried within this time."""


async def receipt(uow: UnitOfWork, account: AccountRow, update: Receipt, inbox_id: int) -> None:
    """Move messages on to delivered or seen; never back."""
    if await _tracked(uow, account, update):
        return
    await _settled_by_phone(uow, account, update)
    for provider_id in update.message_ids:
        row = await outbox.by_provider_id(uow.session, account.id, provider_id)
        if row is None and await _of_broadcast(uow, account, update, provider_id, inbox_id):
            continue
        row = row or await outbox.by_provider_id(uow.session, account.id, provider_id)  # written while we looked
        if row is None or row.state not in {"sent", "delivered", "unknown", "sending"}:
            continue
        await contacts.reached(uow, row.contact_id)
        if update.kind is ReceiptKind.SEEN:
            row.state, row.seen_at = "seen", uow.now
            row.delivered_at = row.delivered_at or uow.now
        else:
            row.state, row.delivered_at = "delivered", uow.now
        if row.case_id is not None:
            uow.announce(f"case:{row.case_id}")


async def _tracked(uow: UnitOfWork, account: AccountRow, update: Receipt) -> bool:
    """Say whether a receipt names a delivery of a broadcast by the tracking id that we gave it, which then moves on.

    The phone channel's receipts name no user: this is how its deliveries are found, and those in doubt settled.
    """
    tracking = tracked(update.tracking_id or "")
    if tracking is None:
        return False
    provider_id = update.message_ids[0] if update.message_ids else ""
    seen = update.kind is ReceiptKind.SEEN
    return await broadcast_news.told(uow, "", provider_id, seen=seen, tracking=(account.id, *tracking))


async def _settled_by_phone(uow: UnitOfWork, account: AccountRow, update: Receipt) -> None:
    """Note that a template to a phone has left, if its receipt is the first that is heard of that."""
    if not update.tracking_id or not update.message_ids:
        return
    row = await outbox.row(uow.session, update.tracking_id)
    if row is None or row.account_id != account.id or row.way != Way.TEMPLATE_PHONE:
        return
    if row.state in {"sending", "unknown"}:
        await outgoing.settle(uow, row, update.message_ids[0])
    elif row.provider_id is None:
        await outgoing.late(uow, row, update.message_ids[0])
    await uow.session.flush()


async def _of_broadcast(uow: UnitOfWork, account: AccountRow, update: Receipt, provider_id: str, inbox_id: int) -> bool:
    """Say whether a receipt was for a delivery of a broadcast, which then moves on.

    Raises TooEarlyError while something is on its way to this person: the receipt may be for that. One that has waited
    as long as anything can be on its way is of a message that is not ours.
    """
    contact = await contact_rows.by_external_id(uow.session, account.id, update.sender)
    if contact is None:
        return False
    seen = update.kind is ReceiptKind.SEEN
    if await broadcast_news.told(uow, contact.id, provider_id, seen=seen):
        if contact.gone == contacts.INACTIVE:
            contact.gone = ""
        return True
    if await _on_its_way(uow, contact.id) and not await _waited_enough(uow, inbox_id):
        raise TooEarlyError(provider_id)
    return await broadcast_news.told(uow, contact.id, provider_id, seen=seen)  # written while we looked


async def _on_its_way(uow: UnitOfWork, contact_id: str) -> bool:
    since = uow.now - _SENDING
    if await outbox.in_doubt_for(uow.session, contact_id, since):
        return True
    return await broadcast_news.being_sent(uow, contact_id, since)


async def _waited_enough(uow: UnitOfWork, inbox_id: int) -> bool:
    received = await inbox.received_at(uow.session, inbox_id)
    return received is not None and uow.now - received >= _SENDING


async def echo(uow: UnitOfWork, account: AccountRow, update: Echo, live_minutes: int) -> None:
    """Recognise our own message by its id or, when its outcome is in doubt, by recipient and text.

    What a person typed in the provider's own tool is recorded in the conversation, and the bot falls silent.
    """
    if not update.sender or await outbox.by_provider_id(uow.session, account.id, update.message_id) is not None:
        return
    if await messages.by_provider_id(uow.session, account.id, update.message_id) is not None:
        return
    contact = await contacts.met(uow, account, update.sender, interacts=False)
    if await broadcast_news.is_ours(uow, contact.id, update.message_id):
        return
    if update.staff_id is None:
        if await _ours(uow, account, contact.id, update):
            return
    else:
        found = await cases.of_contact(uow.session, contact.id, limit=5)
        about = next((c for c in found if c.state in cases.OPEN and not c.restricted), None)
        live.begin_live(uow, contact, live_minutes, about.id if about else None)
    await _record_foreign(uow, account, contact.id, update)


async def _ours(uow: UnitOfWork, account: AccountRow, contact_id: str, update: Echo) -> bool:
    """Say whether an echo is of a message of ours whose outcome was in doubt or given up, which is then settled."""
    since = uow.now - _ECHO_WINDOW
    if await broadcast_news.echoed(uow, account, contact_id, update.text, update.message_id, since, _template(update)):
        return True
    in_doubt = [row for row in await outbox.in_doubt_for(uow.session, contact_id, since) if _same(row, update)]
    written = await outbox.by_provider_id(uow.session, account.id, update.message_id)
    if written is not None or await broadcast_news.is_ours(uow, contact_id, update.message_id):
        # Whoever sent it has noted that while we looked, and may by now be sending the same words once more.
        return True
    if in_doubt:
        await outgoing.settle(uow, in_doubt[0], update.message_id)
        return True
    for row in await outbox.given_up_for(uow.session, contact_id, since):
        if _same(row, update):
            await outgoing.late(uow, row, update.message_id)
            return True
    return False


def _template(update: Echo) -> str:
    """Return the words of a provider's template that an echo shows; "" for any other message."""
    shown = (each.description for each in update.attachments if each.kind is AttachmentKind.TEMPLATE)
    return next((words for words in shown if words), "")


def _same(row: OutboxRow, update: Echo) -> bool:
    if clean(row.text) != clean(update.text):
        return False
    wants_media = row.body.get("media") is not None
    return bool(row.text) or wants_media == bool(update.attachments)


async def _record_foreign(uow: UnitOfWork, account: AccountRow, contact_id: str, update: Echo) -> None:
    """Record what somebody wrote in the provider's own tool, or another application by the same account."""
    found = await cases.of_contact(uow.session, contact_id, limit=5)
    case = next((c for c in found if c.state in cases.OPEN and not c.restricted), None)
    row = MessageRow(
        id=uow.new_id(),
        account_id=account.id,
        contact_id=contact_id,
        case_id=case.id if case else None,
        direction="out",
        author="oa_tool",
        text=clean(update.text),
        provider_id=update.message_id,
        occurred_at=min(update.occurred_at, uow.now),
    )
    uow.session.add(row)
    await uow.session.flush()
    for attachment in update.attachments:
        uow.session.add(
            AttachmentRow(
                id=uow.new_id(),
                message_id=row.id,
                case_id=row.case_id,
                kind=attachment.kind.value,
                url=attachment.url or "",
                name=clean(attachment.name or "")[:200],
                state="described",
            )
        )
    uow.actor = Actor("oa_tool", update.staff_id)
    audit(uow, "message.oa_tool", f"contact:{contact_id}")
    if case is not None:
        note(uow, case, "oa_tool_wrote", from_state=case.state)


async def template_rating(uow: UnitOfWork, account: AccountRow, update: Rated) -> None:
    """Keep a rating given through a provider's template on the case that the message belonged to."""
    row = await outbox.by_provider_id(uow.session, account.id, update.message_id)
    if row is None or row.case_id is None:
        return
    case = await cases.case(uow.session, row.case_id)
    if case is not None:
        case.rating = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}.get(update.rate)
        case.rating_remark = clean(update.note)[:1000]
        note(uow, case, "rated", data={"rating": case.rating, "template": True}, from_state=case.state)
