"""Have an import compared and applied by a process that is started for it, which writes only when it is let."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from bot.actions.dossier_counts import Counted
from bot.checker.bounds import THRIFTY
from bot.clock import utc_now
from bot.errors import LoaError
from bot.importer.pieces import Desk
from bot.runtime import Runtime

_ROOT = Path(__file__).resolve().parents[2]
_LONGEST_ANSWER = 1024 * 1024
_ENDING_SECONDS = 5.0
_ANSWER_SECONDS = 300.0
_WRITING_SECONDS = 30.0
"""How long the process may have the turn of whoever writes to SQLite; longer, and it hangs."""


class LostError(LoaError):
    """The process has died; what it has written stands, and the import goes on from there."""

    code = "import_lost"


class Importer:
    """Speak with the process. One thing is asked at a time."""

    def __init__(self, runtime: Runtime, process: asyncio.subprocess.Process) -> None:
        self._runtime, self._process = runtime, process

    async def compare(self, number: int) -> Counted:
        """Return what a piece would change; raises LostError."""
        self._say(compare=number)
        return Counted.from_json((await self._answer())["counted"])

    async def take_in(self, many: int, skip: int, go_on: Callable[[], Awaitable[bool]]) -> bool:
        """Have the rows of the first `many` pieces written, without the first `skip` of all these rows.

        `go_on` says before each slice whether it may be written. False when it may not, or the import is no longer
        ours. Raises LostError.
        """
        self._say(take_in=many, skip=skip)
        while "taken" not in (told := await self._answer()):
            if not await go_on():
                self._say(go=False)
                continue
            async with self._turn() as seconds:
                self._say(go=True)
                written = (await self._answer(seconds))["written"]
            for job, delay in written["jobs"]:
                await self._runtime.queue.wake(job, delay)
            for topic in written["topics"]:
                await self._runtime.queue.announce(topic)
        taken: bool = told["taken"]
        return taken

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[float]:
        """Hold the right to write to SQLite for the process, so that nobody polls for the lock of the file.

        Gives for how many seconds the process may have it.
        """
        if not self._runtime.database.is_sqlite:
            yield _ANSWER_SECONDS
            return
        async with self._runtime.database.turn:
            try:
                yield _WRITING_SECONDS
            except BaseException:
                _kill(self._process)  # it may have a transaction open, and the turn is another's now
                raise

    def _say(self, **what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(what) + b"\n")

    async def _answer(self, seconds: float = _ANSWER_SECONDS) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            await _ended(self._process)  # before anybody else writes: it may have a transaction open
            raise LostError
        told: dict[str, Any] = orjson.loads(line)
        if "gone" in told:
            raise FileNotFoundError(told["gone"])
        return told


@contextlib.asynccontextmanager
async def started(runtime: Runtime, desk: Desk) -> AsyncIterator[Importer]:
    """Start the process, and end it when left: what it is just writing then is undone, or stands as a whole."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.importer", cwd=_ROOT, limit=_LONGEST_ANSWER,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env={**os.environ, **THRIFTY},
    )  # fmt: skip
    assert process.stdin is not None
    try:
        process.stdin.write(orjson.dumps(task(runtime, desk)) + b"\n")
        yield Importer(runtime, process)
    finally:
        process.stdin.close()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _ENDING_SECONDS)
        finally:
            await _ended(process)


def task(runtime: Runtime, desk: Desk) -> dict[str, Any]:
    """Return what the process is told at its beginning: it runs in another folder, and its clock is to be ours."""
    settings = runtime.settings
    return {
        "database": located(settings.database.url), "files": settings.files.url,
        "secret": settings.security.secret_key, "log": asdict(settings.log),
        "ahead": (runtime.now() - utc_now()).total_seconds(),
        "import_id": desk.import_id, "token": desk.token, "paths": desk.paths, "within": desk.within,
    }  # fmt: skip


def located(url: str) -> str:
    """Return the address of a database as it is understood in any folder."""
    scheme, slashes, path = url.partition(":///")
    return f"{scheme}{slashes}{Path(path).resolve()}" if scheme == "sqlite" and slashes else url


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End a process by force unless it has ended by itself."""
    _kill(process)
    await process.wait()
