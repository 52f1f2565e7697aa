"""What citizens decide about their data and about announcements, and the phone that they hand over."""

from bot.actions import contacts
from bot.domain.conversation import Step
from bot.domain.update import PhoneShared
from handlers.citizen.turn import Turn


async def announcements(turn: Turn) -> None:
    """Say whether announcements reach this person and how to change that."""
    turn.goto(Step.IDLE)
    await turn.say("announcements", stopped=turn.contact.stopped_at is not None)


async def stop(turn: Turn) -> None:
    """End all announcements at once."""
    await contacts.stop_announcements(turn.uow, turn.contact)
    await turn.say("stopped")


async def resume(turn: Turn) -> None:
    """Let announcements come again."""
    await contacts.resume_announcements(turn.uow, turn.contact)
    await turn.say("resumed")


async def delete_data(turn: Turn) -> None:
    """Open the request to delete this person's data and tell the date by which it is answered."""
    request = await contacts.request_data(turn.uow, turn.contact, "deletion")
    turn.draft = None
    turn.goto(Step.IDLE)
    await turn.say("delete_requested", due_at=request.due_at)


async def export_data(turn: Turn) -> None:
    """Open the request for a copy of this person's data and tell the date by which it is answered."""
    request = await contacts.request_data(turn.uow, turn.contact, "export")
    await turn.say("export_requested", due_at=request.due_at)


async def phone(turn: Turn, update: PhoneShared) -> None:
    """Keep the phone that was handed over on request."""
    kept = await contacts.share_phone(turn.uow, turn.contact, update.phone, update.name, update.address, turn.desk.box)
    await turn.say("phone_kept" if kept else "phone_unreadable")
