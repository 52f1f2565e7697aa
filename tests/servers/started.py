"""Start processes of the service by forking: what asks tests/servers/starter.py, and is used like asyncio's Process."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping

from tests.servers import run


class Started:
    """A process of the service."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ending = asyncio.create_task(self._end(reader, writer))

    async def _end(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        try:
            self.returncode = int(await reader.readline() or -signal.SIGKILL)  # the starter kills what it leaves behind
        finally:
            writer.close()
        return self.returncode

    async def wait(self) -> int:
        """Wait until it has ended; returns its exit code, or minus the signal that ended it."""
        return await asyncio.shield(self._ending)

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens once it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


async def start(
    program: str, *arguments: str, output: int, errors: int, environment: Mapping[str, str] | None = None
) -> Started:
    """Start `python -m PROGRAM ARGUMENTS`, `bot` or `tests.chaos.bent`; `output` and `errors` are open files.

    It does not outlive the loop that starts it.
    """
    place = await asyncio.to_thread(_starter)
    order = {"program": program, "arguments": arguments, "environment": dict(os.environ | (environment or {}))}
    line = socket.socket(socket.AF_UNIX)
    line.connect(place)
    socket.send_fds(line, [json.dumps(order).encode() + b"\n"], [output, errors])
    try:
        reader, writer = await asyncio.open_unix_connection(sock=line)
    except BaseException:
        line.close()
        raise
    try:
        return Started(int(await reader.readline()), reader, writer)
    except BaseException:
        writer.close()
        raise


def _starter() -> str:
    """Return where the run's starter listens, started by the first worker that asks."""
    place = run.directory() / "starter.sock"

    def begin() -> str:
        command = [sys.executable, "-m", "tests.servers.starter", str(place)]
        run.start_server("starter", lambda _port: command, lambda _port: place.exists())
        return str(place)

    return run.once("starter", begin)
