"""Tell the time and make ids: the only place where either comes from."""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""What people read and what the legal calendar counts in; Viet Nam has had no clock change since 1975."""

Now = Callable[[], datetime]

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def to_local(moment: datetime) -> datetime:
    """Return the same moment on a Vietnamese wall clock."""
    return moment.astimezone(LOCAL_ZONE)


class FollowingClock:
    """Tell the time of the database, on which all processes agree, however wrong the clock of this machine is.

    `offset` is how far the database's clock is ahead of `local`; whoever measures it sets it.
    """

    def __init__(self, local: Now = utc_now) -> None:
        self.local = local
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        """Return the current time in UTC."""
        return self.local() + self.offset


class _Ids:
    """Make ids that never go backwards in one process, however many are made in a millisecond."""

    def __init__(self) -> None:
        self.offset_ms = 0
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        """Return a number greater than every one before."""
        fresh = (time.time_ns() // 1_000_000 + self.offset_ms) << 80 | int.from_bytes(os.urandom(9), "big")
        with self._lock:
            self._last = max(fresh, self._last + 1)
            return self._last


_ids = _Ids()


def new_id() -> str:
    """Make a row id: 26 characters, sortable by the order of making within a process (ULID layout)."""
    return _written(_ids.next())


def correct_ids(offset: timedelta) -> None:
    """Make ids as if this machine's clock were ahead by so much, so that those of several machines sort together."""
    _ids.offset_ms = offset // timedelta(milliseconds=1)


def first_id(moment: datetime) -> str:
    """Return the smallest row id that can be made at a moment: rows made from then on have this one or a greater."""
    return _written(int(moment.timestamp() * 1000) << 80)


def _written(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
