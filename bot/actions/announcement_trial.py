"""Send an announcement to one chat to try it, marked as a trial, before it goes to anybody else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.actions.announcement_senders import accounts_of, free_text
from bot.actions.case_trail import audit
from bot.actions.messages import say
from bot.domain.broadcast import personal
from bot.domain.message import Message
from bot.domain.privacy import normalise_phone
from bot.errors import InvalidInputError
from bot.secrets import SecretBox
from bot.store import accounts, announcement_views, contacts, links
from bot.store.announcements import AnnouncementRow
from bot.store.contacts import ContactRow
from bot.store.unit_of_work import UnitOfWork

MARK = "[Gửi thử] "
PURPOSE = "announcement_trial"


async def by_phone(uow: UnitOfWork, box: SecretBox, row: AnnouncementRow, phone: str) -> ContactRow:
    """Return the contact of the announcement's accounts with a phone.

    Raises InvalidInputError for "phone": not_a_phone, or no_such_contact where nobody with it has ever written.
    """
    number = normalise_phone(phone)
    if number is None:
        raise InvalidInputError("phone", "not_a_phone")
    owners = [account.id for account in await accounts_of(uow.session, row)]
    found = await announcement_views.with_phone(uow.session, owners, box.fingerprint(number))
    if found is None:
        raise InvalidInputError("phone", "no_such_contact")
    return found


async def own_chat(uow: UnitOfWork, contact_id: str) -> ContactRow:
    """Return a chat that is linked with whoever acts; raises InvalidInputError for any other."""
    mine = await links.of_staff(uow.session, uow.actor.id or "")
    if contact_id not in {contact.id for _, _, contact in mine}:
        raise InvalidInputError("phone", "no_such_contact")
    found = await contacts.contact(uow.session, contact_id)
    assert found is not None
    return found


async def send(uow: UnitOfWork, row: AnnouncementRow, contact: ContactRow, merged: Mapping[str, Any]) -> list[str]:
    """Queue an announcement for one contact before everything else; returns the ids in the outbox.

    Raises InvalidInputError for "phone": stopped for whoever wants no announcements, gone, window_closed.
    """
    account = await accounts.account(uow.session, contact.account_id)
    assert account is not None
    hours = uow.capabilities(account).window_hours
    heard = contact.last_interaction_at
    if contact.stopped_at is not None:
        raise InvalidInputError("phone", "trial_stopped")
    if contact.gone:
        raise InvalidInputError("phone", "trial_gone")
    if hours and (heard is None or heard <= uow.now - timedelta(hours=hours)):
        raise InvalidInputError("phone", "trial_window_closed")
    message = marked(personal(await free_text(uow.session, row), merged))
    sent = await say(uow, account, contact, message, purpose=PURPOSE, author="staff")
    audit(uow, "announcement.trial", f"announcement:{row.id}", {"account": account.id, "contact": contact.id})
    return sent


def marked(message: Message) -> Message:
    """Say in front that this is only a trial."""
    if message.title:
        return replace(message, title=f"{MARK}{message.title}")
    return replace(message, text=f"{MARK}{message.text}")
