"""Send an announcement to one chat of the office itself to try it, marked as a trial, before anybody approves it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.actions.announcement_senders import accounts_of, free_text
from bot.actions.case_trail import audit
from bot.actions.marks import tag_word
from bot.actions.messages import say
from bot.domain.broadcast import personal
from bot.domain.message import Message
from bot.domain.privacy import normalise_phone
from bot.errors import InvalidInputError
from bot.render import words
from bot.secrets import SecretBox
from bot.store import accounts, announcement_views, contacts, links
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow
from bot.store.contacts import ContactRow
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork

PURPOSE = "announcement_trial"
OWN_TAGS = frozenset({tag_word("thử"), tag_word("cán bộ")})
"""By these the office marks phones as its own."""


async def by_phone(uow: UnitOfWork, box: SecretBox, row: AnnouncementRow, phone: str) -> ContactRow:
    """Return the contact of the announcement's accounts with a phone that the office has marked as its own.

    A trial goes out without a second person, so that it reaches nobody else. Raises InvalidInputError for "phone":
    not_a_phone, or trial_refused, which does not say whether anybody is known by the number.
    """
    number = normalise_phone(phone)
    if number is None:
        raise InvalidInputError("phone", "not_a_phone")
    owners = [account.id for account in await accounts_of(uow.session, row)]
    found = await announcement_views.with_phone(uow.session, owners, box.fingerprint(number), OWN_TAGS)
    if found is None:
        raise _refused()
    return found


async def own_chats(session: Session, staff_id: str) -> list[tuple[AccountRow, ContactRow]]:
    """Return the Telegram chats that are linked with somebody of the office, the last linked first."""
    mine = await links.of_staff(session, staff_id)
    return [(account, contact) for _, account, contact in mine if account.provider == "telegram"]


async def own_chat(uow: UnitOfWork, contact_id: str) -> ContactRow:
    """Return a Telegram chat that is linked with whoever acts; raises InvalidInputError for any other."""
    mine = await own_chats(uow.session, uow.actor.id or "")
    if contact_id not in {contact.id for _, contact in mine}:
        raise _refused()
    found = await contacts.contact(uow.session, contact_id)
    assert found is not None
    return found


async def send(uow: UnitOfWork, row: AnnouncementRow, contact: ContactRow, merged: Mapping[str, Any]) -> list[str]:
    """Queue an announcement for one contact before everything else; returns the ids in the outbox.

    Raises InvalidInputError for "phone": trial_refused, whatever stands against it.
    """
    account = await accounts.account(uow.session, contact.account_id)
    assert account is not None
    hours = uow.capabilities(account).window_hours
    heard = contact.last_interaction_at
    closed = bool(hours) and (heard is None or heard <= uow.now - timedelta(hours=hours))
    if contact.stopped_at is not None or contact.gone or closed:
        raise _refused()
    message = marked(personal(await free_text(uow.session, row), merged))
    sent = await say(uow, account, contact, message, purpose=PURPOSE, author="staff")
    audit(uow, "announcement.trial", f"announcement:{row.id}", {"account": account.id, "contact": contact.id})
    return sent


def _refused() -> InvalidInputError:
    """Refuse in one sentence whatever the reason: a trial is no way to find out who is known."""
    return InvalidInputError("phone", "trial_refused")


def marked(message: Message) -> Message:
    """Say in front that this is only a trial."""
    mark = words("official/trial_mark")
    if message.title:
        return replace(message, title=f"{mark} {message.title}")
    return replace(message, text=f"{mark} {message.text}")
