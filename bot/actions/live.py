"""Keep the bot silent while a person of the office talks with a citizen."""

from datetime import timedelta

from bot.store.contacts import ContactRow
from bot.store.unit_of_work import UnitOfWork


def begin_live(uow: UnitOfWork, contact: ContactRow, minutes: int, case_id: str | None) -> None:
    """Silence the bot: a person wrote to the citizen; until the case is answered or the minutes have passed."""
    contact.human_until = uow.now + timedelta(minutes=minutes)
    contact.human_case_id = case_id


def is_live(uow: UnitOfWork, contact: ContactRow) -> bool:
    """Say whether a person of the office is talking with this citizen."""
    return contact.human_until is not None and contact.human_until > uow.now
