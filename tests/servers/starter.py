"""A process that has brought in all that the service needs, and forks whenever a test wants a process of the service.

    python -m tests.servers.starter SOCKET

Bringing it in takes a start two seconds of a core, and five where there is a bot; a fork takes none of it. What a fork
runs is the program's own `main`, with arguments, environment and output of its own, and it ends like any interpreter.
Whoever asks keeps a line open (tests/servers/started.py): on it the number of the process is told, and at last its exit
code; when the line closes before, the process is killed, so that none outlives the test that started it.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.servers import cheap_passwords, read_once

_ROOMS = ("bot.cli", "bot.channels", "handlers", "jobs")
_LARGEST_ORDER = 1 << 20
_OUTPUTS = (1, 2)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Order:
    """What a process shall be; how tests/servers/started.py writes it, in JSON."""

    program: str
    arguments: list[str]
    environment: dict[str, str]


def main() -> None:
    """Take orders until interrupted."""
    place = Path(sys.argv[1])
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place))
    listener.listen(64)  # who asks before everything is there waits for it
    _bring_in()
    order = Starter(listener).serve()
    if order is not None:
        sys.exit(_run(order))


def _bring_in() -> None:
    """Import what the service's processes do, and see to it that they can share it."""
    for room in _ROOMS:
        for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(module.name)
    for name in ("bot.__main__", "tests.chaos.bent", "aiogram", "uvloop"):
        with contextlib.suppress(ImportError):  # there is no uvloop on every system
            importlib.import_module(name)
    read_once.install()
    cheap_passwords.install()
    assert threading.active_count() == 1, "a fork has one thread only: no module may start others when imported"
    gc.collect()
    gc.freeze()


def _die_with_parent() -> None:
    """Be killed when the starter is, where the system can do that: nobody else would end this process."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Starter:
    """All processes that run now, each with the line of whoever asked for it."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._lines: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._ended, self._wake = socket.socketpair()

    def serve(self) -> Order | None:
        """Fork for each order; returns None in this process once interrupted, and in each fork its order."""
        for end in (self._ended, self._wake):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, _heard)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ended, selectors.EVENT_READ)
        try:
            while True:
                for key, _ in self._selector.select():
                    if key.fileobj is self._listener:
                        if (order := self._take()) is not None:
                            return order
                    elif key.fileobj is self._ended:
                        self._reap()
                    else:
                        self._abandoned(key.data)
        except KeyboardInterrupt:
            for pid in self._lines:
                os.kill(pid, signal.SIGKILL)
            return None

    def _take(self) -> Order | None:
        """Read one order with its files and fork; returns the order in the fork only."""
        line, _ = self._listener.accept()
        told, files, _, _ = socket.recv_fds(line, _LARGEST_ORDER, len(_OUTPUTS))
        while not told.endswith(b"\n") and (more := line.recv(_LARGEST_ORDER)):
            told += more
        if not told.endswith(b"\n"):  # who asked is gone
            for file in files:
                os.close(file)
            line.close()
            return None
        pid = os.fork()
        if not pid:
            line.close()
            _die_with_parent()
            self._forget_all()
            for number, file in zip(_OUTPUTS, files, strict=True):
                os.dup2(file, number)
        for file in files:
            os.close(file)
        if not pid:
            return Order(**json.loads(told))
        with contextlib.suppress(OSError):  # who asked may be gone already; the closed line says so at once
            line.sendall(b"%d\n" % pid)
        self._lines[pid] = line
        self._selector.register(line, selectors.EVENT_READ, pid)
        return None

    def _forget_all(self) -> None:
        """Be a process that has just begun: no lines, no signal handlers."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for end in (self._listener, self._ended, self._wake, *self._lines.values()):
            end.close()
        self._lines.clear()

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._ended.recv(4096):
                pass
        for pid in list(self._lines):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._tell(pid, os.waitstatus_to_exitcode(status))

    def _tell(self, pid: int, code: int) -> None:
        line = self._lines.pop(pid)
        with contextlib.suppress(KeyError):  # nobody listens any more
            self._selector.unregister(line)
        with contextlib.suppress(OSError):
            line.sendall(b"%d\n" % code)
        line.close()

    def _abandoned(self, pid: int) -> None:
        """Kill a process nobody asks for any more; it is reaped like any other."""
        if pid not in self._lines:
            return  # it has just ended by itself
        self._selector.unregister(self._lines[pid])
        os.kill(pid, signal.SIGKILL)


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the wake-up is enough."""


def _run(order: Order) -> int:
    """Be `python -m PROGRAM ARGUMENTS` in the order's environment; returns the exit code."""
    os.environ.clear()
    os.environ.update(order.environment)
    sys.argv = [order.program, *order.arguments]
    name = f"{order.program}.__main__" if order.program == "bot" else order.program
    return int(importlib.import_module(name).main())


if __name__ == "__main__":
    main()
