"""Keep quiet hours: when announcements may leave, and how those that are like advertising are marked."""

import re
from datetime import UTC, datetime, time, timedelta

from bot.clock import LOCAL_ZONE, to_local

QUIET: dict[str, tuple[time, time] | None] = {
    "notice": (time(6), time(22)),
    "advert": (time(7), time(22)),
    "emergency": None,
}
"""From when until when messages of a kind may leave, in Vietnamese time; None is always.

Advertising keeps to 07:00-22:00 by the product's rule (product.md, Announcements); Zalo lets a phone ring from 06:00 to
21:59 (contract §3.5), and what arrives outside of that is read by nobody or refused with -234 or -133.
"""

LABEL = "[QC]"
_LABELS = re.compile(r"^(?:\s*\[\s*QC\s*\]\s*)+", re.IGNORECASE)


def opens_at(kind: str, moment: datetime) -> datetime:
    """Return `moment` itself when a message of this kind may leave then, else the next moment when it may, in UTC.

    A kind that is not known keeps the hours of an advert, the shortest.
    """
    hours = QUIET.get(kind, QUIET["advert"])
    if hours is None:
        return moment
    start, end = hours
    local = to_local(moment)
    if start <= local.time() < end:
        return moment
    day = local.date() + timedelta(days=local.time() >= end)
    return datetime.combine(day, start, LOCAL_ZONE).astimezone(UTC)


def labelled(kind: str, text: str) -> str:
    """Return a title or a text as people get it: what is like advertising says so in front, once; blank stays blank."""
    if kind != "advert" or not text.strip():
        return text
    return f"{LABEL} {_LABELS.sub('', text).strip()}".rstrip()
