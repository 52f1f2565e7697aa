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


_RANDOM_BYTES, _AHEAD = 9, 64


class _Ids:
    """Make ids that never go backwards in one process, however many are made in a millisecond."""

    def __init__(self) -> None:
        self.offset_ms = 0
        self._last = 0
        self._lock = threading.Lock()
        self._random, self._used = b"", 0
        if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
            os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Use no random bits that another process has too."""
        self._lock = threading.Lock()
        self._random, self._used = b"", 0

    def next(self) -> int:
        """Return a number greater than every one before."""
        now = (time.time_ns() // 1_000_000 + self.offset_ms) << 80
        with self._lock:
            self._used += _RANDOM_BYTES
            if self._used >= len(self._random):  # asking the system for each takes longer than all the rest
                self._random, self._used = os.urandom(_RANDOM_BYTES * _AHEAD), 0
            bits = int.from_bytes(self._random[self._used : self._used + _RANDOM_BYTES], "big")
            self._last = max(now | bits, self._last + 1)
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
