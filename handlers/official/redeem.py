"""Link a chat by the code of the console, and end that by word."""

from bot import render
from bot.actions import contacts, official_links
from bot.actions.messages import say
from bot.actions.official_links import Redeemed
from bot.domain.card import LINK_MINUTES
from bot.domain.update import MessageReceived
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
    Redeemed.FOR_GROUP: "link_for_group",
    Redeemed.FOR_PRIVATE: "link_for_private",
    Redeemed.WAIT: "link_wait",
}


async def redeem(desk: Desk, uow: UnitOfWork, account: AccountRow, update: MessageReceived, code: str) -> None:
    """Try a code and say what became of it."""
    kind = "group" if update.chat else "person"
    chat = await contacts.met(uow, account, update.chat or update.sender, interacts=True, kind=kind)
    outcome = await official_links.redeem(uow, desk.box, account, chat, code)
    values: dict[str, object]
    if outcome is not Redeemed.LINKED:
        template, values = _TOLD[outcome], {"minutes": LINK_MINUTES}
    elif chat.kind == "group":
        group = await links.group(uow.session, chat.id)
        unit = await units.unit(uow.session, group.unit_id) if group else None
        template, values = "link_group_done", {"unit": unit.name if unit else ""}
    else:
        template, values = "link_done", {"name": uow.actor.name}
    await say(uow, account, chat, render.message(f"official/{template}", values), purpose=template)


async def unlink(duty: Duty) -> None:
    """End the official's link at their own word; in a group nothing is ended."""
    if duty.group is not None:
        await duty.say("unlink_in_private")
        return
    await official_links.unlink_person(duty.uow, duty.staff_id)
    await duty.say("unlinked")
