"""Programs that run until they are told to stop: start, wait for an answer over HTTP, notice their end."""

import contextlib
import os
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

READY_LIMIT_SECONDS = 60.0
STOP_LIMIT_SECONDS = 40.0  # the service gives running work 30 s
POLL_SECONDS = 0.05
LAST_LINES = 15
REPOSITORY = Path(__file__).parents[2]


class StartError(Exception):
    """The service or the simulator could not be started or ended; the message is for the person at the terminal."""


class Stopping:
    """Whether somebody asked us to stop. A plain flag: a lock could be held when the signal comes."""

    def __init__(self) -> None:
        self.asked = False

    def wait(self, seconds: float) -> bool:
        """Sleep up to that long and say whether we were asked to stop."""
        deadline = time.monotonic() + seconds
        while not self.asked and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
        return self.asked


@dataclass
class Child:
    """A program that runs until it is told to stop, its output in a log file."""

    name: str
    command: list[str]
    ready_url: str
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches it once and through us."""
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with contextlib.closing(os.fdopen(descriptor, "wb")) as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},  # so that a killed program has left its last lines
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise StartError with its last lines when it has ended."""
        code = self.process.poll()
        if code is not None:
            words = last_lines(self.log.read_text(encoding="utf-8", errors="replace"))
            raise StartError(f"The {self.name} ended with exit code {code}. Its last lines:\n{words}")

    def problem(self) -> str:
        """Return why it is not ready yet, or an empty text when it is."""
        try:
            with urllib.request.urlopen(self.ready_url, timeout=5):
                return ""
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode(errors="replace")
        except OSError as error:
            return str(error)

    def stop(self) -> None:
        """Ask it to stop, and end it when it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def wait_until_ready(children: list[Child], stopping: Stopping) -> None:
    """Return when all children answer or we are told to stop. Raises StartError."""
    deadline = time.monotonic() + READY_LIMIT_SECONDS
    for child in children:
        while (problem := child.problem()) and not stopping.wait(POLL_SECONDS):
            child.check()
            if time.monotonic() > deadline:
                raise StartError(f"The {child.name} is not ready after {READY_LIMIT_SECONDS:.0f} s: {problem}")


def last_lines(text: str) -> str:
    """Return the end of a program's output, indented."""
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines()[-LAST_LINES:])
