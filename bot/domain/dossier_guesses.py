"""Limit how often somebody may ask for codes that no dossier has: ten an hour, then pauses that grow."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

MOST = 10
WITHIN = timedelta(hours=1)
FIRST_PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=24)
FORGIVEN_AFTER = timedelta(hours=24)
"""After so long without a wrong code since the last pause nothing is held against anybody."""


class Guesses(NamedTuple):
    """Wrong codes of one contact since a moment; until when none is answered, None where none has had to wait."""

    since: datetime
    misses: int = 0
    blocked_until: datetime | None = None

    def counts(self, now: datetime) -> bool:
        """Say whether these wrong codes are held against anybody still."""
        if self.blocked_until is not None:
            return now - self.blocked_until < FORGIVEN_AFTER
        return now - self.since < WITHIN


def missed(before: Guesses | None, others: Iterable[Guesses], now: datetime) -> Guesses:
    """Count one more wrong code of a contact; `others` are those of the same person's other contacts."""
    current = before if before is not None and before.counts(now) else Guesses(now)
    misses = current.misses + 1
    total = misses + sum(one.misses for one in others if one.counts(now))
    if total < MOST:
        return current._replace(misses=misses)
    pause = min(FIRST_PAUSE * 2 ** min(total - MOST, MOST), LONGEST_PAUSE)
    return current._replace(misses=misses, blocked_until=now + pause)


def blocked_until(all_of_person: Iterable[Guesses], now: datetime) -> datetime | None:
    """Return until when a person's codes are not looked up, None when they are."""
    ends = [one.blocked_until for one in all_of_person if one.blocked_until is not None and one.blocked_until > now]
    return max(ends, default=None)
