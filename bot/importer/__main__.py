"""The process that compares and applies an import: `python -m bot.importer`; it ends with whoever started it.

On its first line of input stands what it is for, on each further one what is to be done: {"compare": n}, the piece
of that number, or {"take_in": n, "skip": k}, the first n pieces without their first k rows. Before it writes it asks
for its turn, {"turn": true}, and says afterwards, {"written": …}, which jobs are to be started and which pages told.
"""

import asyncio
import contextlib
import gc
import signal
import sys
import traceback
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from bot import clock, logs
from bot.blobs import Blobs
from bot.config import LogSettings
from bot.domain.message import Capabilities
from bot.importer import pieces
from bot.importer.pieces import Desk
from bot.secrets import SecretBox
from bot.store import staff  # noqa: F401 - imports name who made them
from bot.store.accounts import AccountRow
from bot.store.database import Database
from bot.store.unit_of_work import UnitsOfWork

_LONGEST_LINE = 32 * 1024 * 1024
"""The first line names every unit that there is."""
_HANDOVER_SECONDS = 0.0001
"""After which a thread that works lets another go on: SQLite's wants to after each statement, and had to wait long."""
_YOUNG = 500_000
"""Objects that are made before the collector looks at them: more than a piece makes, after each of which it is told."""


class _Wakes:
    """Gather which jobs are to be started and which pages told: whoever started this process does it."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, float]] = []
        self.topics: list[str] = []

    async def wake(self, job: str, delay: float = 0.0) -> None:
        """Have a job started."""
        self.jobs.append((job, delay))

    async def announce(self, topic: str) -> None:
        """Have pages told."""
        self.topics.append(topic)

    def taken(self) -> dict[str, Any]:
        """Return all of it, once."""
        found = {"jobs": self.jobs, "topics": self.topics}
        self.jobs, self.topics = [], []
        return found


class _EndedError(Exception):
    """Whoever started this process is gone."""


class _Talk:
    """Speak with whoever started this process, a line at a time."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        self._lines = lines

    async def next(self) -> dict[str, Any]:
        """Return what is said next; raises _EndedError at the end."""
        line = await self._lines.readline()
        if not line.endswith(b"\n"):
            raise _EndedError
        told: dict[str, Any] = orjson.loads(line)
        return told

    def say(self, **what: Any) -> None:
        """Say something; it is one line, short enough to be written at once."""
        sys.stdout.buffer.write(orjson.dumps(what) + b"\n")
        sys.stdout.buffer.flush()


class _Turns:
    """Ask for the turn to write, and tidy up whenever others have it."""

    def __init__(self, talk: _Talk, wakes: _Wakes, database: Database) -> None:
        self._talk, self._wakes, self._database = talk, wakes, database
        self._checkpoint: asyncio.Task[None] | None = None
        self._untidy = False

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Wait for the turn; gives False where nothing more is to be written."""
        await self.tidied()
        self._talk.say(turn=True)
        if not (await self._talk.next())["go"]:
            yield False
            return
        yield True
        self._talk.say(written=self._wakes.taken())
        self._checkpoint = asyncio.create_task(self._database.checkpoint())
        if self._untidy:
            self._untidy = False
            gc.collect()

    def piece_read(self) -> None:
        """Remember that a piece has been read: much of the one before it is let go by now."""
        self._untidy = True

    async def tidied(self) -> None:
        """Wait until what was written has been brought into its file."""
        if self._checkpoint is not None:
            checkpoint, self._checkpoint = self._checkpoint, None
            await checkpoint


def _no_account(account: AccountRow) -> Capabilities:
    raise LookupError(account.id)  # nothing here writes to anybody


async def _work() -> None:
    talk = _Talk(await _input())
    task = await talk.next()
    logs.configure(LogSettings(**task["log"]))
    ahead, wakes = timedelta(seconds=task["ahead"]), _Wakes()
    clock.correct_ids(ahead)
    database = Database(task["database"], pool_size=2, bulk=True)

    def now() -> datetime:
        return clock.utc_now() + ahead

    async def rest() -> None:
        await asyncio.sleep(0)

    turns = _Turns(talk, wakes, database)
    work = UnitsOfWork(database, now, wakes, _no_account)
    box, blobs = SecretBox(task["secret"].encode()), Blobs(task["files"])
    desk = Desk(database, work, box, blobs, now, task["import_id"], task["token"], task["paths"], task["within"])
    try:
        while True:
            asked = await talk.next()
            try:
                if "compare" in asked:
                    talk.say(counted=(await pieces.compare(desk, asked["compare"], rest)).to_json())
                else:
                    talk.say(
                        taken=await pieces.take_in(desk, asked["take_in"], asked["skip"], turns.turn, turns.piece_read)
                    )
            except FileNotFoundError:
                talk.say(gone=desk.import_id)
            gc.collect()  # between two questions there is little to look through
    finally:
        await turns.tidied()
        await database.close()


async def _input() -> asyncio.StreamReader:
    lines = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    return lines


def main() -> int:
    """Work until nobody asks any more; return 1 after an error, which is logged without what it was about."""
    for number in (signal.SIGTERM, signal.SIGINT):  # it is for the service to say when this ends
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(_YOUNG)
    sys.setswitchinterval(_HANDOVER_SECONDS)
    try:
        asyncio.run(_work())
    except (_EndedError, BrokenPipeError):
        pass
    except Exception as error:  # noqa: BLE001 - the end of this process: nobody else would say what it was
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        logs.logger("dossiers").error("an import's process has failed", error=type(error).__name__, place=place)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
