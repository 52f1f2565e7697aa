"""Run `loa` with its long waits bent short, its clock wrong or its disk full.

    python -m tests.chaos.bent --lease 4 -- worker --config config.toml

The program is the real one; only constants are changed before it starts, so that what takes a minute in life (a lease
that runs out, a sweeper's next turn) can be seen in seconds.
"""

import argparse
import importlib
import pkgutil
import re
import resource
import sys
from datetime import UTC, datetime, timedelta

import jobs
from bot import __main__ as front_door
from bot import clock, queue, runtime
from bot.channels.zalo import limits
from jobs import settle_deliveries, settle_messages

REAL_LEASE = 60.0
"""Seconds that most leases last; whatever else is written about leases is bent in the same proportion."""
_LEASE = re.compile("_?LEASE_(SECONDS|MARGIN)")


def main() -> int:
    """Bend what the arguments before `--` say, then be `loa`."""
    cut = sys.argv.index("--")
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.bent")
    parser.add_argument("--lease", type=float, help="seconds that a lease lasts")
    parser.add_argument("--sweep", type=int, help="seconds between the turns of sweepers that have under a minute")
    parser.add_argument("--clock", type=float, default=0.0, help="seconds by which this process' clock is wrong")
    parser.add_argument("--largest-file", type=int, help="bytes after which the disk counts as full")
    given = parser.parse_args(sys.argv[1:cut])
    if given.sweep:
        _sweep(given.sweep)
    if given.lease:
        _lease(given.lease)
        _patience(given.lease / REAL_LEASE)
        _minute(given.lease / REAL_LEASE)
    if given.clock:
        _clock(timedelta(seconds=given.clock))
    if given.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.largest_file, given.largest_file))
    sys.argv = ["loa", *sys.argv[cut + 1 :]]
    return front_door.main()


def _sweep(seconds: int) -> None:
    for job in queue.JOBS:
        if job.every and job.every < 60:
            object.__setattr__(job, "every", seconds)


def _lease(seconds: float) -> None:
    bent = set()
    for module in pkgutil.iter_modules(jobs.__path__, "jobs."):
        there = importlib.import_module(module.name)
        for name in filter(_LEASE.fullmatch, vars(there).copy()):
            setattr(there, name, getattr(there, name) * seconds / REAL_LEASE)
            bent.add(module.name)
    assert {"jobs.handle_updates", "jobs.deliver_messages"} <= bent, f"leases are kept elsewhere now: {bent}"


def _patience(part: float) -> None:
    """Shorten how long an unknown outcome waits where nobody can be asked, in the proportion of the leases."""
    for name in ("UNKNOWN_PATIENCE", "UNTOLD_PATIENCE"):
        for module in (settle_messages, settle_deliveries):
            if hasattr(module, name):
                setattr(module, name, getattr(module, name) * part)


def _minute(part: float) -> None:
    """Shorten the window in which Zalo's requests are counted: for so long nothing leaves after Redis was emptied."""
    limits._MINUTE = max(1, round(limits._MINUTE * part))


def _clock(wrong_by: timedelta) -> None:
    def wrong_now() -> datetime:
        return datetime.now(UTC) + wrong_by

    clock.utc_now = wrong_now
    assert runtime.opened.__wrapped__.__defaults__, "the clock comes in as a default"  # type: ignore[attr-defined]
    runtime.opened.__wrapped__.__defaults__ = (wrong_now,)  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
