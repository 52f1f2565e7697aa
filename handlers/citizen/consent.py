"""What citizens decide about their data and about announcements, and the phone that they hand over."""

from datetime import datetime, timedelta

from bot.actions import contacts, linking
from bot.domain.conversation import Step
from bot.domain.text import fold
from bot.domain.update import PhoneShared
from handlers.citizen import dossier_details, link
from handlers.citizen.turn import Turn

HERE, EVERYWHERE = "#xoadulieu kenh-nay", "#xoadulieu tat-ca"
"""What the buttons carry that choose the accounts whose data is to be deleted."""
_WORDS = {
    **dict.fromkeys(("kenh nay", "chi kenh nay"), HERE),
    **dict.fromkeys(("ca hai", "ca hai kenh", "tat ca", "tat ca cac kenh"), EVERYWHERE),
}
_CHOOSE_WITHIN = timedelta(minutes=30)


async def stop(turn: Turn) -> None:
    """End all announcements of this account at once, and name the person's other accounts, which go on."""
    await contacts.stop_announcements(turn.uow, turn.contact)
    linked = await linking.others(turn.uow, turn.contact)
    await turn.say("stopped", accounts=[account for row, account in linked if row.stopped_at is None])


async def resume(turn: Turn) -> None:
    """Let announcements come again."""
    await contacts.resume_announcements(turn.uow, turn.contact)
    await turn.say("resumed")


async def delete_data(turn: Turn) -> None:
    """Open the request to delete this person's data; whoever is linked says first for which accounts."""
    linked = await linking.others(turn.uow, turn.contact)
    if not linked:
        await _delete(turn, everywhere=False)
        return
    await turn.say("delete_which", accounts=[account for _, account in linked], here=HERE, everywhere=EVERYWHERE)
    turn.remember(deleting=(turn.uow.now + _CHOOSE_WITHIN).isoformat())


def chooses(turn: Turn) -> bool:
    """Say whether this chooses the accounts whose data is to be deleted: a tap, or the words soon after the asking."""
    if turn.text in {HERE, EVERYWHERE}:
        return True
    until = turn.recall("deleting")
    return until is not None and datetime.fromisoformat(until) > turn.uow.now and fold(turn.text) in _WORDS


async def chosen(turn: Turn) -> None:
    """Open the request for the chosen accounts."""
    await _delete(turn, everywhere=_WORDS.get(fold(turn.text), turn.text) == EVERYWHERE)


async def _delete(turn: Turn, *, everywhere: bool) -> None:
    request = await contacts.request_data(turn.uow, turn.contact, "deletion")
    linked = await linking.others(turn.uow, turn.contact) if everywhere else []
    for row, _ in linked:
        await contacts.request_data(turn.uow, row, "deletion")
    turn.draft = None
    turn.remember(deleting=None)
    turn.goto(Step.IDLE)
    await turn.say("delete_requested", due_at=request.due_at, accounts=[account for _, account in linked])


async def export_data(turn: Turn) -> None:
    """Open the request for a copy of this person's data and tell the date by which it is answered."""
    request = await contacts.request_data(turn.uow, turn.contact, "export")
    await turn.say("export_requested", due_at=request.due_at)


async def phone(turn: Turn, update: PhoneShared) -> None:
    """Keep the phone that was handed over on request, and what it makes one's own.

    Who is known by it elsewhere is asked whether to link.
    """
    kept = await contacts.share_phone(turn.uow, turn.contact, update.phone, update.name, update.address, turn.desk.box)
    await turn.say("phone_kept" if kept else "phone_unreadable")
    if kept:
        await dossier_details.phone_shared(turn)
        await link.offered(turn)
