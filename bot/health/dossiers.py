"""Look at who guesses the codes of dossiers: how many of each account have to wait because of it."""

from datetime import datetime

from bot.health.line import Light, Line
from bot.store import dossier_guesses
from bot.store.database import Session


async def guess_lines(session: Session, now: datetime) -> list[Line]:
    """Look at the accounts with people who have to wait after too many codes that no dossier has."""
    return [
        Line("dossier_guesses", Light.WARN, account.id, {"name": account.name, "number": number, "until": until})
        for account, number, until in await dossier_guesses.blocked(session, now)
    ]
