"""Look at dossiers: who guesses their codes, which news of them is stuck, and which templates tell nobody of them."""

from datetime import datetime, timedelta

from bot.health.line import Light, Line
from bot.store import dossier_guesses, dossier_notices
from bot.store.database import Session

_STUCK = timedelta(minutes=10)
_DAY = timedelta(days=1)
_TEMPLATE = "template_"
"""What reasons begin with that a person can mend: the template, or what fills it."""


async def guess_lines(session: Session, now: datetime) -> list[Line]:
    """Look at the accounts with people who have to wait after too many codes that no dossier has."""
    return [
        Line("dossier_guesses", Light.WARN, account.id, {"name": account.name, "number": number, "until": until})
        for account, number, until in await dossier_guesses.blocked(session, now)
    ]


async def notice_lines(session: Session, now: datetime) -> list[Line]:
    """Look at news that should have been told, and at what reached nobody in a day because of its template."""
    number, since = await dossier_notices.overdue(session, now)
    age = now - since if since is not None else timedelta(0)
    light = Light.WARN if age > _STUCK else Light.OK
    lines = [Line("dossier_notices", light, values={"number": number, "age": age.total_seconds()})] if number else []
    found = await dossier_notices.unreached(session, now - _DAY)
    return lines + [
        Line("dossier_unreached", Light.WARN, reason, {"number": number, "reason": reason})
        for reason, number in found
        if reason.startswith(_TEMPLATE)
    ]
