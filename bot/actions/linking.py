"""Link the contacts of one person at several accounts, and undo it; never without that person's word in both chats.

An equal phone only lets us ask. A phone can be typed into a form, shared by a family, or given to somebody else by the
operator, so it proves nothing: who says yes in one chat gets digits, and has to type them in the other.
"""

import hmac
from dataclasses import dataclass
from enum import Enum

from bot.actions.case_trail import audit
from bot.actions.contacts import consent
from bot.actions.messages import bot_says
from bot.domain.linking import ANSWER_WITHIN, CODE_HOLDS, CODE_TRIES, new_code
from bot.secrets import SecretBox
from bot.store import accounts, contacts, joins
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.joins import JoinRow
from bot.store.unit_of_work import UnitOfWork

PURPOSE = "linking"
TEXT_VERSION = "2026-11"
"""Version of the question whether to link (templates link_offer and link_code); consent rows name it."""


class Redeemed(Enum):
    """What typing the digits of a promise led to."""

    LINKED = "linked"
    WRONG = "wrong"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Promise:
    """The digits to be typed at the other account."""

    code: str
    account: AccountRow


async def others(uow: UnitOfWork, contact: ContactRow) -> list[tuple[ContactRow, AccountRow]]:
    """Return the other contacts of the same person, each with its account."""
    found = []
    for row in (await contacts.same_person(uow.session, contact))[1:]:
        account = await accounts.account(uow.session, row.account_id)
        assert account is not None
        found.append((row, account))
    return found


async def offer(uow: UnitOfWork, contact: ContactRow) -> AccountRow | None:
    """Note that this contact is asked whether to link, and return the account where the same phone is known.

    None when there is no such account. An older question is not waited for any more.
    """
    if contact.phone_hash is None or contact.anonymous:
        return None
    found = await contacts.with_phone(uow.session, contact)
    if not found:
        return None
    await joins.end(uow.session, contact.id, ("asked", "promised"), "lapsed", uow.now)
    row = JoinRow(
        id=uow.new_id(),
        contact_id=contact.id,
        other_id=found[0].id,
        created_at=uow.now,
        until=uow.now + ANSWER_WITHIN,
    )
    uow.session.add(row)
    await uow.session.flush()
    return await accounts.account(uow.session, found[0].account_id)


async def refuse(uow: UnitOfWork, contact: ContactRow) -> bool:
    """Keep the two apart; False when nothing was asked. Nothing is asked again before a phone is shared again."""
    row = await joins.asked(uow.session, contact.id, uow.now)
    if row is None:
        return False
    row.state, row.decided_at = "refused", uow.now
    await consent(uow, contact, PURPOSE, given=False, text_version=TEXT_VERSION)
    audit(uow, "contact.link_refused", f"contact:{contact.id}")
    return True


async def promise(uow: UnitOfWork, contact: ContactRow, box: SecretBox) -> Promise | None:
    """Take the yes, and return the digits to be typed in the other chat; None when nothing was asked or holds."""
    row = await joins.asked(uow.session, contact.id, uow.now)
    other = await contacts.contact(uow.session, row.other_id) if row else None
    account = await accounts.account(uow.session, other.account_id) if other else None
    if row is None or other is None or account is None or not _may_be_one(contact, other):
        return None
    code = new_code()
    row.state, row.code, row.until = "promised", box.fingerprint(f"{row.id}:{code}"), uow.now + CODE_HOLDS
    await consent(uow, contact, PURPOSE, given=True, text_version=TEXT_VERSION)
    return Promise(code, account)


def _may_be_one(one: ContactRow, other: ContactRow) -> bool:
    phone = one.phone_hash is not None and one.phone_hash == other.phone_hash
    return phone and other.erased_at is None and one.erased_at is None and one.person != other.person


async def redeem(uow: UnitOfWork, contact: ContactRow, code: str, box: SecretBox) -> Redeemed:
    """Link this contact with the one that promised these digits; both are told by whoever calls, and by us there."""
    waiting = await joins.promised_to(uow.session, contact.id, uow.now)
    if not waiting:
        return Redeemed.NOTHING
    right = next((r for r in waiting if hmac.compare_digest(r.code, box.fingerprint(f"{r.id}:{code}"))), None)
    if right is None:
        for row in waiting:
            row.tries += 1
            row.state = "lapsed" if row.tries >= CODE_TRIES else row.state
        return Redeemed.WRONG
    return Redeemed.LINKED if await _link(uow, contact, right) else Redeemed.NOTHING


async def _link(uow: UnitOfWork, contact: ContactRow, row: JoinRow) -> bool:
    await contacts.lock(uow.session, contact.id, row.contact_id)
    promised = await contacts.refreshed(uow.session, row.contact_id)
    if promised is None or not _may_be_one(promised, contact):
        row.state, row.decided_at, row.code = "lapsed", uow.now, ""
        return False
    await contacts.join(uow.session, promised.person, contact.person)
    await uow.session.refresh(promised)
    row.state, row.decided_at, row.code = "joined", uow.now, ""
    await consent(uow, contact, PURPOSE, given=True, text_version=TEXT_VERSION)
    audit(uow, "contact.link", f"contact:{contact.id}", {"with": promised.id})
    mine = await accounts.account(uow.session, contact.account_id)
    theirs = await accounts.account(uow.session, promised.account_id)
    assert mine is not None
    assert theirs is not None
    await bot_says(uow, theirs, promised, "linked", {"account": mine})
    return True


async def undo(uow: UnitOfWork, contact: ContactRow) -> bool:
    """Take this contact out of the person that it is linked with; False when it is not. The others stay linked."""
    await joins.end(uow.session, contact.id, ("asked", "promised"), "lapsed", uow.now, both=True)
    if len(await contacts.same_person(uow.session, contact)) == 1:
        return False
    leave(uow, contact)
    await joins.end(uow.session, contact.id, ("joined",), "undone", uow.now, both=True)
    await consent(uow, contact, PURPOSE, given=False, text_version=TEXT_VERSION)
    audit(uow, "contact.unlink", f"contact:{contact.id}")
    return True


def leave(uow: UnitOfWork, contact: ContactRow) -> None:
    """Make a contact a person of its own again, under an id that nobody else has: its own may be the others'."""
    contact.person_id = uow.new_id()
