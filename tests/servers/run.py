"""One pytest run: its temporary folder, the lock that says it is alive, and starting servers once for all workers."""

import contextlib
import fcntl
import functools
import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

FOLDER_VARIABLE = "LOA_TEST_RUN"
MEMORY = Path("/dev/shm")
MEMORY_NEEDED_BYTES = 1 << 30
KEEPER = Path(__file__).with_name("keeper.py")
START_LIMIT_SECONDS = 30.0
STOP_LIMIT_SECONDS = 15.0
POLL_SECONDS = 0.02
START_ATTEMPTS = 3
LOWEST_PORT, HIGHEST_PORT, FEWEST_PORTS = 15_000, 65_000, 1_000
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")

_alive: list[IO[str]] = []


class ServerStartError(RuntimeError):
    """A test server ended or was not ready in time; carries the end of its log."""


def begin() -> None:
    """Open a run: workers started from this process find its folder in the environment."""
    folder = Path(tempfile.mkdtemp(prefix="loa-tests-"))
    folder.chmod(0o711)  # a server under another user must pass through, not read
    alive = (folder / "alive").open("w")
    fcntl.flock(alive, fcntl.LOCK_EX)
    _alive.append(alive)
    os.environ[FOLDER_VARIABLE] = str(folder)


def end() -> None:
    """Stop the run's servers, wait until they are gone and remove the folder."""
    if not _alive:
        return
    folder = directory()
    _alive.pop().close()
    _poll(lambda: not any(folder.glob("*.pid")), STOP_LIMIT_SECONDS)
    for leftover in (folder, MEMORY / folder.name):
        shutil.rmtree(leftover, ignore_errors=True)
    del os.environ[FOLDER_VARIABLE]


def directory() -> Path:
    """Return the folder of the current run."""
    return Path(os.environ[FOLDER_VARIABLE])


def data_directory(name: str) -> Path:
    """Return a new folder for a server's data, in memory where there is room: copying a database then takes 15 ms."""
    folder = (in_memory() or directory()) / name
    folder.mkdir()
    return folder


def in_memory() -> Path | None:
    """Return the run's folder in memory, where nothing waits for a disk; None where there is no room for one."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(MEMORY).free > MEMORY_NEEDED_BYTES:
            folder = MEMORY / directory().name
            folder.mkdir(mode=0o711, exist_ok=True)
            return folder
    return None


@contextlib.contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Let one worker at a time pass."""
    with (directory() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def once(name: str, make: Callable[[], str]) -> str:
    """Return what `make` gave the first worker that asked under this name."""
    with exclusive(name):
        answer = directory() / f"{name}.made"
        if not answer.exists():
            made = make()
            answer.touch(mode=0o600)  # it may hold a password
            answer.write_text(made)
        return answer.read_text()


def start_server(
    name: str,
    command: Callable[[int], list[str]],
    ready: Callable[[int], bool],
    user_id: int | None = None,
) -> int:
    """Start a server on a free loopback port, wait until `ready(port)`, and return the port.

    Another program may take the port between choosing and listening, so an early end is tried again.
    Raises ServerStartError.
    """
    pid_file, log_file = directory() / f"{name}.pid", directory() / f"{name}.log"
    for _ in range(START_ATTEMPTS):
        port = free_port()
        pid_file.touch()  # the keeper removes it when the server ends
        arguments = [directory() / "alive", pid_file, "" if user_id is None else user_id, *command(port)]
        _spawn([str(argument) for argument in arguments], log_file)
        if _is_up(pid_file, functools.partial(ready, port)):
            return port
    raise ServerStartError(f"{name} did not start. Its log ends with:\n{_tail(log_file)}")


def _is_up(pid_file: Path, ready: Callable[[], bool]) -> bool:
    """Wait until the server is ready, and say whether it is; False as soon as it has ended."""
    _poll(lambda: ready() or not pid_file.exists(), START_LIMIT_SECONDS)
    return pid_file.exists() and ready()


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on, and that nobody else of this run is given.

    It is none of those that the system gives to connections going out: a server that is killed and started again
    would now and then find one of them in its place.
    """
    with exclusive("ports"):
        said, ports = directory() / "ports.next", server_ports()
        number = int((said.exists() and said.read_text()) or secrets.randbelow(len(ports)))
        for tried in range(number, number + len(ports)):
            port = ports[tried % len(ports)]
            if _is_free(port):
                said.write_text(str(tried + 1))
                return port
    raise ServerStartError("no port is free")


def outgoing_ports() -> range:
    """Return the ports that the system gives to connections going out; where it does not say, Linux' usual ones."""
    first, last = (int(word) for word in OUTGOING.read_text().split()) if OUTGOING.exists() else (32_768, 60_999)
    return range(first, last + 1)


def server_ports() -> range:
    """Return where servers of the tests listen: below or above the outgoing ports, anywhere where there is no room."""
    taken = outgoing_ports()
    below, above = range(LOWEST_PORT, min(taken.start, HIGHEST_PORT)), range(taken.stop, HIGHEST_PORT)
    return next((ports for ports in (below, above) if len(ports) >= FEWEST_PORTS), range(LOWEST_PORT, HIGHEST_PORT))


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: what has just closed is no harm
        probe.bind(("127.0.0.1", port))
        return True
    return False


def _spawn(arguments: list[str], log_file: Path) -> None:
    """Start the keeper in a session of its own, so that Ctrl-C reaches the tests and not the servers."""
    log_file.touch()
    flags = os.O_WRONLY | os.O_APPEND
    actions = [(os.POSIX_SPAWN_OPEN, 1, str(log_file), flags, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)]
    command = [sys.executable, str(KEEPER), *arguments]
    os.posix_spawn(sys.executable, command, os.environ, file_actions=actions, setsid=True)


def _poll(condition: Callable[[], bool], limit_seconds: float) -> bool:
    deadline = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _tail(log_file: Path, lines: int = 15) -> str:
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-lines:])
