"""Link a chat by the code of the console, and end that by word."""

from bot import render
from bot.actions import contacts, official_links
from bot.actions.messages import say
from bot.actions.official_links import Redeemed
from bot.domain.card import LINK_MINUTES
from bot.store import links, units
from bot.store.accounts import AccountRow
from bot.store.unit_of_work import UnitOfWork
from handlers.citizen.turn import Desk
from handlers.official.duty import Duty

_TOLD = {
    Redeemed.UNKNOWN: "link_unknown",
    Redeemed.USED: "link_used",
    Redeemed.EXPIRED: "link_expired",
    Redeemed.CUT_OFF: "link_cut_off",
    Redeemed.NO_RIGHT: "link_no_right",
    Redeemed.FOR_GROUP: "link_for_group",
    Redeemed.FOR_PRIVATE: "link_for_private",
    Redeemed.WAIT: "link_wait",
}


async def redeem(desk: Desk, uow: UnitOfWork, account: AccountRow, code: str, *, chat: str, sender: str = "") -> None:
    """Try a code that was sent in a group, or with no chat by a person, and say what became of it."""
    where = await contacts.met(uow, account, chat or sender, interacts=True, kind="group" if chat else "person")
    outcome = await official_links.redeem(uow, desk.box, account, where, code)
    values: dict[str, object]
    if outcome is not Redeemed.LINKED:
        template, values = _TOLD[outcome], {"minutes": LINK_MINUTES}
    elif where.kind == "group":
        group = await links.group(uow.session, where.id)
        unit = await units.unit(uow.session, group.unit_id) if group else None
        template, values = "link_group_done", {"unit": unit.name if unit else ""}
    else:
        template, values = "link_done", {"name": uow.actor.name}
    await say(uow, account, where, render.message(f"official/{template}", values), purpose=template)


async def unlink(duty: Duty) -> None:
    """End the official's link at their own word; in a group nothing is ended."""
    if duty.group is not None:
        await duty.say("unlink_in_private")
        return
    await official_links.unlink_person(duty.uow, duty.staff_id)
    await duty.say("unlinked")
