"""Have an export of dossiers read by a process that is started for it, and open what it has sealed."""

import asyncio
import contextlib
import errno
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bot.checker.bounds import NO_ROOM, THRIFTY
from bot.checker.process import TooHeavyError
from bot.secrets import SecretBox

_ROOT = Path(__file__).resolve().parents[2]
_LONGEST_ANSWER = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Task:
    """How an export is to be read: the office's own words for columns and statuses, units by code or folded name.

    `unit_id` is whose a row is that names no unit, or one that nobody knows; after `now` nothing can have happened.
    """

    unit_id: str
    now: datetime
    headers: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    megabytes: int = 1024
    cpu_seconds: int = 600
    seconds: float = 120.0


class Row(NamedTuple):
    """One good row as the process has read it, ready to be compared with what is known."""

    number: int
    code: str
    status: int
    at: datetime
    unit_id: str
    facts: dict[str, Any]
    applicant: str
    phone: str
    digest: str
    derived: bool = False


async def read(source: AsyncIterator[bytes], secret: str, task: Task) -> AsyncGenerator[dict[str, Any]]:
    """Give what the process says of an export: columns, chunks of good and bad rows (sealed), the end; or a refusal.

    Raises TooHeavyError when it does not come to an end.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.checker.exports", cwd=_ROOT, limit=_LONGEST_ANSWER, env={**os.environ, **THRIFTY},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        await _give(process.stdin, source, secret, task)
        while line := await _line(process.stdout, task.seconds):
            told: dict[str, Any] = orjson.loads(line)
            yield told
            if "done" in told or "refused" in told:
                return
        if await process.wait() == NO_ROOM:
            raise OSError(errno.ENOSPC, "no room to put an export aside")
        raise TooHeavyError
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def _give(to: asyncio.StreamWriter, source: AsyncIterator[bytes], secret: str, task: Task) -> None:
    first = {
        "secret": secret, "unit_id": task.unit_id, "now": task.now.isoformat(),
        "headers": task.headers, "statuses": task.statuses, "units": task.units,
        "megabytes": task.megabytes, "seconds": task.cpu_seconds,
    }  # fmt: skip
    with contextlib.suppress(ConnectionError):  # it has died: what it answers says so
        to.write(orjson.dumps(first) + b"\n")
        async for piece in source:
            to.write(piece)
            await to.drain()
    to.close()


async def _line(answers: asyncio.StreamReader, seconds: float) -> bytes:
    try:
        async with asyncio.timeout(seconds):
            return await answers.readline()
    except (TimeoutError, ValueError) as error:  # it stands still, or says more than anybody keeps
        raise TooHeavyError from error


def rows_of(sealed: bytes, box: SecretBox) -> list[Row]:
    """Return the good rows of a chunk."""
    return [Row(n, c, s, datetime.fromisoformat(at), *rest) for n, c, s, at, *rest in orjson.loads(box.open(sealed))]


def bad_rows_of(sealed: bytes, box: SecretBox) -> list[tuple[int, dict[str, str], list[dict[str, Any]]]]:
    """Return the bad rows of a chunk: number, cells by column, and what is wrong with each."""
    return [(number, cells, problems) for number, cells, problems in orjson.loads(box.open(sealed))]


def without(sealed: bytes, box: SecretBox, dropped: frozenset[int]) -> bytes:
    """Return a chunk of good rows without those of some numbers."""
    rows = [row for row in orjson.loads(box.open(sealed)) if row[0] not in dropped]
    return box.seal(orjson.dumps(rows).decode())
