"""Run the programs of a peer on the server's core, in a session of their own that ends with the run."""

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.harness import Options, UnavailableError
from tests.bench.service import Service, cores
from tests.servers import redis_server, run

APPS = Path(__file__).with_name("apps")
STOP_SECONDS = 20
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class PeerProgram(Service):
    """A running peer; its children belong to it."""

    def cpu_seconds(self) -> float:
        """Return the processor time of the process and of every child that still lives."""
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                values = stat.read_text().rpartition(")")[2].split()
                if int(values[3]) == self.process.pid:  # of the session that it leads
                    total += int(values[11]) + int(values[12])
        return total / _TICKS

    async def stop(self) -> None:
        """End it politely, at last by force with all its children."""
        if self.process.returncode is None:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()


@contextlib.asynccontextmanager
async def running(
    command: Sequence[str], settings: Mapping[str, str], folder: Path, port: int = 0
) -> AsyncIterator[PeerProgram]:
    """Run a peer's program among its scripts until the block ends; its log is kept in `folder`.

    `port` is where it has been told to listen.
    """
    log = folder / "peer.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=APPS, env=_environment(settings), stdout=output, stderr=output, start_new_session=True
        )
    _pin(process.pid)
    program = PeerProgram(process, port, log, "")
    try:
        yield program
    finally:
        await program.stop()


async def output_of(command: Sequence[str], settings: Mapping[str, str], folder: Path, seconds: float) -> bytes:
    """Run a peer's program to its end, at most for so long, and return what it printed; raises UnavailableError."""
    log = folder / "peer.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=APPS,
            env=_environment(settings),
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    _pin(process.pid)
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError as error:
        raise UnavailableError(f"{command[1:]} took more than {seconds} s\n{log.read_text()[-2000:]}") from error
    finally:
        await PeerProgram(process, 0, log, "").stop()
    if process.returncode:
        raise UnavailableError(f"{command[1:]} ended with {process.returncode}\n{log.read_text()[-2000:]}")
    return printed


def new_folder(options: Options) -> Path:
    """Return a folder of one run's own."""
    folder = options.folder / f"peer-{secrets.token_hex(4)}"
    folder.mkdir()
    return folder


def empty_redis() -> str:
    """Return the address of an empty database of the run's Redis."""
    server, number = redis_server.running(), redis_server.DATABASES - 1
    server.flush(number)
    return server.url(number)


def free_port() -> int:
    """Return a port that nobody listens on."""
    return run.free_port()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Keep the peer from everything of this process's environment but where programs and home are."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **settings}


def _pin(pid: int) -> None:
    """Keep a process on the server's core; what it starts stays there too."""
    core, _ = cores()
    if core is not None:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(pid, {core})
