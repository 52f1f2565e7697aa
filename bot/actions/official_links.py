"""Link the chats of officials and the groups of units with the office by codes of the console, and end such links."""

from datetime import timedelta
from enum import StrEnum

from bot.actions.case_trail import audit
from bot.actions.desk_drafts import give_up_of
from bot.domain.access import Grants, Permission
from bot.domain.card import ASKED_PURPOSES, LINK_MINUTES, new_link_code
from bot.errors import ForbiddenError, NotFoundError
from bot.secrets import SecretBox
from bot.store import cards, desk_messages, links, staff, units
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.links import LinkCodeRow, StaffLinkRow, UnitGroupRow
from bot.store.staff import StaffRow
from bot.store.unit_of_work import Actor, UnitOfWork
from bot.store.units import UnitRow

FREE_GUESSES = 5
"""Wrong codes of one sender before waiting begins."""
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=2)
_MOST_DOUBLINGS = 16


class Redeemed(StrEnum):
    """What became of a code that somebody sent."""

    LINKED = "linked"
    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    CUT_OFF = "cut_off"
    NO_RIGHT = "no_right"
    FOR_GROUP = "for_group"
    FOR_PRIVATE = "for_private"
    WAIT = "wait"


async def make_code(uow: UnitOfWork, box: SecretBox, person: StaffRow) -> str:
    """Make the code that links one's own private chat; an earlier one of theirs counts no more."""
    return await _make(uow, box, person, None)


async def make_group_code(uow: UnitOfWork, box: SecretBox, person: StaffRow, grants: Grants, unit_id: str) -> str:
    """Make the code that gives a group to a unit; raises NotFoundError and ForbiddenError."""
    unit = await _own_unit(uow, grants, unit_id, Permission.UNIT_GROUP)
    return await _make(uow, box, person, unit.id)


async def _own_unit(uow: UnitOfWork, grants: Grants, unit_id: str, permission: Permission) -> UnitRow:
    unit = await units.unit(uow.session, unit_id)
    if unit is None:
        raise NotFoundError(f"unit {unit_id}")
    if not grants.over(permission, unit.path):
        raise ForbiddenError(permission)
    return unit


async def _make(uow: UnitOfWork, box: SecretBox, person: StaffRow, unit_id: str | None) -> str:
    await links.void_codes(uow.session, person.id, uow.now, groups=unit_id is not None)
    code = new_link_code()
    row = LinkCodeRow(
        id=box.fingerprint(code),
        staff_id=person.id,
        unit_id=unit_id,
        created_at=uow.now,
        expires_at=uow.now + timedelta(minutes=LINK_MINUTES),
    )
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, "link.code", f"unit:{unit_id}" if unit_id else f"staff:{person.id}")
    return code


async def redeem(uow: UnitOfWork, box: SecretBox, account: AccountRow, chat: ContactRow, code: str) -> Redeemed:
    """Link a chat with what a code stands for; a code works once, and wrong ones make their sender wait.

    A person's code works in a private chat, a unit's in a group; one that was shown in the wrong place counts no more.
    """
    key = f"link:{chat.id}"
    if await _must_wait(uow, key):
        return Redeemed.WAIT
    row = await links.code(uow.session, box.fingerprint(code))
    outcome = _judge(uow, row, chat)
    person = await staff.person(uow.session, row.staff_id) if row is not None else None
    if row is not None and outcome is Redeemed.LINKED:
        outcome = await _still(uow, row, person)
    if row is None or outcome is Redeemed.UNKNOWN:
        await staff.note_attempt(uow.session, [key], uow.now, uow.now - FORGOTTEN_AFTER)
        return outcome
    row.used_at = row.used_at or uow.now
    if outcome is not Redeemed.LINKED:
        return outcome
    assert person is not None
    await staff.forget_attempts(uow.session, [key])
    if row.unit_id is None:
        await _link_person(uow, account, chat, person)
    else:
        await _link_group(uow, account, chat, person, row.unit_id)
    return outcome


async def _must_wait(uow: UnitOfWork, key: str) -> bool:
    for row in await staff.attempts(uow.session, [key]):
        over = row.failures - FREE_GUESSES
        wait = min(timedelta(seconds=2 ** min(over, _MOST_DOUBLINGS)), LONGEST_WAIT) if over >= 0 else timedelta(0)
        if row.last_at > uow.now - FORGOTTEN_AFTER and row.last_at + wait > uow.now:
            return True
    return False


async def _still(uow: UnitOfWork, row: LinkCodeRow, person: StaffRow | None) -> Redeemed:
    """Say whether whoever made a code may still do what it stands for."""
    if person is None or not person.active:
        return Redeemed.CUT_OFF
    if row.unit_id is None:
        return Redeemed.LINKED
    unit = await units.unit(uow.session, row.unit_id)
    grants = await staff.grants(uow.session, person.id)
    may = unit is not None and grants.over(Permission.UNIT_GROUP, unit.path)
    return Redeemed.LINKED if may else Redeemed.NO_RIGHT


def _judge(uow: UnitOfWork, row: LinkCodeRow | None, chat: ContactRow) -> Redeemed:
    if row is None:
        return Redeemed.UNKNOWN
    if row.used_at is not None:
        return Redeemed.USED
    if row.expires_at <= uow.now:
        return Redeemed.EXPIRED
    if (row.unit_id is None) == (chat.kind == "person"):
        return Redeemed.LINKED
    return Redeemed.FOR_GROUP if chat.kind == "person" else Redeemed.FOR_PRIVATE


async def _link_person(uow: UnitOfWork, account: AccountRow, chat: ContactRow, person: StaffRow) -> None:
    """Let a person work from a chat; whoever worked from it before, and their chat before, are cut off."""
    uow.actor = Actor("staff", person.id, person.name, account.provider)
    before = await links.link(uow.session, chat.id)
    if before is not None and before.staff_id == person.id:
        before.linked_at = uow.now  # linked once more: nothing ends, and what waits to leave still leaves
    else:
        if before is not None:
            await _end(uow, before.staff_id, contact_id=chat.id)
        await _end(uow, person.id, account_id=account.id)
        uow.session.add(StaffLinkRow(contact_id=chat.id, account_id=account.id, staff_id=person.id, linked_at=uow.now))
    await uow.session.flush()
    audit(uow, "link.person", f"staff:{person.id}", {"account": account.name})
    await reached(uow, chat)


async def _link_group(uow: UnitOfWork, account: AccountRow, chat: ContactRow, person: StaffRow, unit_id: str) -> None:
    """Give a group to a unit; the group that the unit had, and the unit that had the group, lose it."""
    uow.actor = Actor("staff", person.id, person.name, account.provider)
    lost = await links.unlink_groups(uow.session, contact_id=chat.id)
    lost += await links.unlink_groups(uow.session, unit_id=unit_id, account_id=account.id)
    for row in lost:
        if (row.contact_id, row.unit_id) != (chat.id, unit_id):
            audit(uow, "link.group_ended", f"unit:{row.unit_id}", {"account": account.name})
            await _empty(uow, row.contact_id)
    row = UnitGroupRow(
        contact_id=chat.id, account_id=account.id, unit_id=unit_id, linked_by=person.id, linked_at=uow.now
    )
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, "link.group", f"unit:{unit_id}", {"account": account.name, "group": chat.name})
    await reached(uow, chat)


async def _look_again(uow: UnitOfWork, chat_id: str) -> None:
    """Have what stands in a chat edited to what its readers may see now."""
    if await cards.doubt_chat(uow.session, chat_id):
        uow.after_commit("refresh_cards")


async def _empty(uow: UnitOfWork, chat_id: str) -> None:
    """Have what stands in a chat emptied, and let nothing of the desk that still waits enter it."""
    if await desk_messages.end_chat(uow.session, chat_id):
        uow.after_commit("refresh_cards")


async def reached(uow: UnitOfWork, chat: ContactRow) -> None:
    """Note that a chat can be written to: its cards are kept true again, those too that were let go meanwhile."""
    chat.gone = ""
    await uow.session.flush()
    if await cards.revive(uow.session, chat_id=chat.id):
        uow.after_commit("refresh_cards")
    await _look_again(uow, chat.id)


async def _end(uow: UnitOfWork, staff_id: str, *, account_id: str = "", contact_id: str = "") -> int:
    ended = await links.unlink(uow.session, staff_id=staff_id, account_id=account_id, contact_id=contact_id)
    for chat_id in ended:
        audit(uow, "link.person_ended", f"staff:{staff_id}")
        await _empty(uow, chat_id)
    if ended:
        await give_up_of(uow, staff_id=staff_id)
    return len(ended)


async def unlink_person(uow: UnitOfWork, staff_id: str) -> int:
    """End every link of a person at once, with what they had begun and the codes they had not used."""
    await links.void_codes(uow.session, staff_id, uow.now)
    return await _end(uow, staff_id)


async def unlink_group(
    uow: UnitOfWork, grants: Grants, unit_id: str, permission: Permission = Permission.UNIT_GROUP
) -> int:
    """Take a unit's groups away from it; raises NotFoundError and ForbiddenError.

    Administrators may too, although they cannot give any: who gives a group decides who reads the unit's cards.
    """
    unit = await _own_unit(uow, grants, unit_id, permission)
    return await _end_groups(uow, await links.unlink_groups(uow.session, unit_id=unit.id))


async def _end_groups(uow: UnitOfWork, rows: list[UnitGroupRow]) -> int:
    for row in rows:
        audit(uow, "link.group_ended", f"unit:{row.unit_id}")
        await give_up_of(uow, chat_id=row.contact_id)
        await _empty(uow, row.contact_id)
    return len(rows)


async def left_group(uow: UnitOfWork, chat: ContactRow) -> None:
    """Note that the bot is in a group no more: it belongs to no unit, and nothing there can be changed."""
    chat.gone = "left"
    await _end_groups(uow, await links.unlink_groups(uow.session, contact_id=chat.id))
    await cards.drop_chat(uow.session, chat.id)


async def look_again(uow: UnitOfWork, staff_id: str, *, lost: bool = False) -> None:
    """Have a person's cards looked at again: what they may see has changed.

    With `lost` it is less: what they asked for before, and that has not left, does not leave any more.
    """
    for link, _, _ in await links.of_staff(uow.session, staff_id):
        if lost:
            await desk_messages.cancel_waiting(uow.session, link.contact_id, ASKED_PURPOSES)
        await _look_again(uow, link.contact_id)
