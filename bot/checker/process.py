"""Have lists read, checked and written by a process that is started for it, bounded, and ended in any case."""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from bot.errors import LoaError
from bot.sheets.lines import Limits
from bot.store.recipients import Line

_ROOT = Path(__file__).resolve().parents[2]
_LONGEST_ANSWER = 8 * 1024 * 1024
_READ = 64 * 1024
AT_ONCE = 2
"""How many workbooks one process has written at a time; lists are checked one after another by their job."""
_semaphores: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _turns() -> asyncio.Semaphore:
    return _semaphores.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))


class TooHeavyError(LoaError):
    """The process used more memory or time than it may, or died; `code` is the word for templates."""

    code = "too_heavy"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one process may use: memory in MiB, processor seconds, seconds until its next answer; what it may read."""

    megabytes: int = 768
    cpu_seconds: int = 60
    seconds: float = 120.0
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Found:
    """What a list turned out to be: its fields and key, or why it is refused; `left_out` says what is not kept."""

    fields: list[str]
    key_column: str
    key_kind: str
    refused: list[dict[str, Any]]
    left_out: list[dict[str, Any]] = field(default_factory=list)


async def check(
    data: bytes, secret: str, wanted: str = "", kind: str = "", bounds: Bounds | None = None
) -> AsyncGenerator[list[Line] | Found, None]:
    """Give the lines of a file, checked, some hundreds at a time, and at the end what it turned out to be.

    Raises TooHeavyError when the process does not come to an end.
    """
    bounds = bounds or Bounds()
    task = {"verb": "check", "wanted": wanted, "kind": kind, "limits": asdict(bounds.limits)}
    async with _started(task, secret, bounds) as process:
        while line := await _answer(process, data, bounds.seconds):
            data = b""
            told = orjson.loads(line)
            if "lines" in told:
                yield [_line(*row) for row in told["lines"]]
            elif "refused" in told:
                yield Found([], "", "", told["refused"])
                return
            else:
                about = told["columns"]
                yield Found(about["fields"], about["key_column"], about["key_kind"], [], about["left_out"])
                return
        raise TooHeavyError


async def write(
    rows: AsyncIterator[Any], title: str, secret: str, language: str, bounds: Bounds | None = None
) -> bytes:
    """Return an xlsx of these rows: lists of texts, or bad lines as {"cells", "problems"}. Raises TooHeavyError.

    Whoever asks while as many are being written as may be waits: each takes memory and a part of the processor.
    """
    bounds = bounds or Bounds()
    task = {"verb": "write", "title": title, "language": language}
    async with _turns(), _started(task, secret, bounds) as process, _patience(bounds.seconds):
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(ConnectionError):  # it has died: what it answers says so
            async for row in rows:
                process.stdin.write(orjson.dumps(row) + b"\n")
                await process.stdin.drain()
        process.stdin.close()
        found = bytearray()
        while chunk := await process.stdout.read(_READ):
            found += chunk
        if await process.wait() or not found:
            raise TooHeavyError
        return bytes(found)


def _line(n: int, recipient: str, address: str, merged: str | None, problems: str | None, cells: str | None) -> Line:
    return Line(n, recipient, address, merged, problems, cells.encode() if cells else None)


@contextlib.asynccontextmanager
async def _started(task: dict[str, Any], secret: str, bounds: Bounds) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the process and give it its task; it is killed when nobody wants to know any more."""
    # What it puts aside while it writes holds personal data: it goes with the process, however that ends.
    folder = tempfile.mkdtemp(prefix="loa-")
    try:
        async with _running(task, secret, bounds, folder) as process:
            yield process
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def _running(
    task: dict[str, Any], secret: str, bounds: Bounds, folder: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.checker", cwd=_ROOT, limit=_LONGEST_ANSWER, env={**os.environ, "TMPDIR": folder},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    try:
        first = {**task, "secret": secret, "megabytes": bounds.megabytes, "seconds": bounds.cpu_seconds}
        process.stdin.write(orjson.dumps(first) + b"\n")
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise TooHeavyError from error


async def _answer(process: asyncio.subprocess.Process, data: bytes, seconds: float) -> bytes:
    """Give the process what it still has to read, and return its next line, b"" at the end."""
    assert process.stdin is not None
    assert process.stdout is not None
    async with _patience(seconds):
        if data:
            with contextlib.suppress(ConnectionError):  # it has died: what it answers says so
                process.stdin.write(data)
                await process.stdin.drain()
            process.stdin.close()
        return await process.stdout.readline()
