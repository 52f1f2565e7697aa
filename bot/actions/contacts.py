"""What happens to a contact: met, followed, shared a phone, stopped announcements, asked to be forgotten."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.actions import dossier_binding, phone_messages
from bot.actions.case_clock import calendar_of
from bot.actions.case_trail import audit
from bot.domain.deadline import Budget, compute
from bot.domain.privacy import normalise_phone
from bot.domain.reach import BY_PHONE, WINDOW_CLOSED
from bot.domain.text import clean
from bot.secrets import SecretBox
from bot.store import accounts, contacts, delivery_outcomes, inbox, joins, marks, messages, outbox, recipients, units
from bot.store import audit as audit_rows
from bot.store import cases as case_store
from bot.store.accounts import AccountRow
from bot.store.contacts import ConsentRow, ContactRow, ConversationRow, DataRequestRow
from bot.store.unit_of_work import UnitOfWork

PRIVACY_TEXT_VERSION = "2026-11"
"""Version of the privacy line shown in the greeting; consent rows name it."""
BLOCKED = "recipient_blocked"
"""Why a contact is gone who has blocked the account."""
INACTIVE = "recipient_inactive"
"""Why a contact is gone who has not used the provider's app for long."""
OPTED_OUT = "opted_out"
"""Why an announcement was not sent to somebody who has said stop before it could leave."""

_EARLIEST = datetime(2012, 1, 1, tzinfo=UTC)
"""What is said to have happened before this has no believable time."""


async def met(
    uow: UnitOfWork,
    account: AccountRow,
    external_id: str,
    *,
    interacts: bool,
    at: datetime | None = None,
    anonymous: bool = False,
    kind: str = "person",
) -> ContactRow:
    """Return the contact with this id, made on first sight; `interacts` opens the reply window again.

    The window opens `at` the time that the provider tells, if any believable: what has waited for us was no later.
    """
    row = await contacts.by_external_id(uow.session, account.id, external_id)
    if row is None:
        row = ContactRow(
            id=uow.new_id(),
            account_id=account.id,
            external_id=external_id,
            kind=kind,
            anonymous=anonymous,
            created_at=uow.now,
        )
        uow.session.add(row)
        await uow.session.flush()
        uow.after_commit("fetch_profiles")
    if interacts:
        heard = min(at, uow.now) if at is not None and at >= _EARLIEST else uow.now
        row.last_interaction_at = max(row.last_interaction_at or heard, heard)
        row.gone = ""
        row.erased_at = None
    return row


async def refused(uow: UnitOfWork, account: AccountRow, contact_id: str, reason: str, tried_at: datetime) -> None:
    """Note what a refusal for good says of whom it was sent to at a time: gone, or only out of reach of free text.

    What they have done since counts more; what goes to their phone says nothing about the chat.
    """
    if reason in WINDOW_CLOSED:
        hours = uow.capabilities(account).window_hours
        await contacts.close_window(uow.session, contact_id, tried_at, hours)
    elif reason not in BY_PHONE:
        await contacts.set_gone(uow.session, contact_id, reason, tried_at)


async def reached(uow: UnitOfWork, contact_id: str) -> None:
    """Note that something of ours has arrived just now: whoever did not use the provider any more does again."""
    await contacts.come_back(uow.session, contact_id, INACTIVE)


async def conversation_of(uow: UnitOfWork, contact: ContactRow) -> ConversationRow:
    """Return where the conversation stands, made on first sight and locked for this transaction."""
    row = await contacts.conversation(uow.session, contact.id)
    if row is None:
        row = ConversationRow(contact_id=contact.id, updated_at=uow.now)
        uow.session.add(row)
        await uow.session.flush()
    return row


async def consent(
    uow: UnitOfWork, contact: ContactRow, purpose: str, given: bool, text_version: str = PRIVACY_TEXT_VERSION
) -> None:
    """Record a word of consent or its withdrawal for one purpose."""
    uow.session.add(
        ConsentRow(
            id=uow.new_id(),
            contact_id=contact.id,
            purpose=purpose,
            given=given,
            text_version=text_version,
            at=uow.now,
        )
    )


async def stop_announcements(uow: UnitOfWork, contact: ContactRow) -> None:
    """End all announcements to this person at once, also those that wait to be sent; answers to what they asked go on.

    What is leaving just now still arrives.
    """
    contact.stopped_at = contact.stopped_at or uow.now
    await consent(uow, contact, "announcements", given=False)
    cancelled = await delivery_outcomes.cancel_queued(uow.session, contact.id, OPTED_OUT)
    audit(uow, "contact.stop", f"contact:{contact.id}", {"cancelled": cancelled} if cancelled else None)


async def resume_announcements(uow: UnitOfWork, contact: ContactRow) -> None:
    """Let announcements reach this person again, at their own wish."""
    contact.stopped_at = None
    await consent(uow, contact, "announcements", given=True)
    audit(uow, "contact.resume", f"contact:{contact.id}")


async def share_phone(
    uow: UnitOfWork, contact: ContactRow, phone: str, name: str, address: str, box: SecretBox
) -> bool:
    """Keep the phone that a person handed over, encrypted and searchable by fingerprint; False when it is none."""
    number = normalise_phone(phone)
    if number is None:
        return False
    contact.phone = box.seal(number)
    contact.phone_hash = box.fingerprint(number)
    if address:
        contact.address = box.seal(clean(address)[:500])
    if name and not contact.name:
        contact.name = clean(name)[:100]
    await consent(uow, contact, "phone", given=True)
    audit(uow, "contact.share_phone", f"contact:{contact.id}")
    return True


async def request_data(uow: UnitOfWork, contact: ContactRow, kind: str) -> DataRequestRow:
    """Open a request of a person about their own data; the law gives 2 working days to answer (law 91/2025/QH15)."""
    account = await accounts.account(uow.session, contact.account_id)
    unit = await units.unit(uow.session, account.unit_id) if account else None
    assert unit is not None
    due = compute(uow.now, Budget(2 * 480), await calendar_of(uow, unit), ()).due_at
    row = DataRequestRow(id=uow.new_id(), contact_id=contact.id, kind=kind, created_at=uow.now, due_at=due)
    uow.session.add(row)
    audit(uow, f"contact.request_{kind}", f"contact:{contact.id}")
    uow.announce("data_requests")
    return row


async def erase(uow: UnitOfWork, contact: ContactRow, keep_inbox_id: int) -> None:
    """Erase a person who withdrew from the provider's app: name, phone, words and files go, counts stay."""
    found = await case_store.of_contact(uow.session, contact.id, limit=10_000)
    await case_store.orphan_contact(uow.session, contact.id, "")
    await messages.blank_contact(uow.session, contact.id)
    await outbox.blank_contact(uow.session, contact.id)
    await case_store.blank_words(uow.session, [case.id for case in found], contact.id)
    await audit_rows.blank_actor(uow.session, contact.id)
    await inbox.erase_contact(uow.session, contact.external_id, keep_inbox_id)
    await joins.end(uow.session, contact.id, ("asked", "promised"), "lapsed", uow.now, both=True)
    await joins.end(uow.session, contact.id, ("joined",), "undone", uow.now, both=True)
    await marks.forget(uow.session, contact.id)
    await dossier_binding.forget(uow, contact)
    # Lists of the office name them too: by the phone that they have shared, or by what the provider calls them.
    listed = [f"user:{contact.external_id}", *([f"phone:{contact.phone_hash}"] if contact.phone_hash else [])]
    await delivery_outcomes.erase(uow.session, [contact.id, *listed])
    await recipients.erase(uow.session, [contact.id, *listed])
    if contact.phone_hash:
        for phone_id in await phone_messages.forget(uow, contact.phone_hash):
            await messages.blank_contact(uow.session, phone_id)
            await outbox.blank_contact(uow.session, phone_id)
    contact.person_id = uow.new_id()  # its own id may stand for the others with whom it was linked
    contact.name, contact.phone, contact.phone_hash, contact.address = "", None, None, None
    contact.following, contact.erased_at, contact.gone = False, uow.now, "erased"
    uow.actor = replace(uow.actor, name="")
    row = await request_data(uow, contact, "erasure")
    row.state, row.done_at = "done", uow.now
    uow.after_commit("forget")
    audit(uow, "contact.erase", f"contact:{contact.id}", {"cases": len(found)})
