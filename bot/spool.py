"""Keep webhooks on the disk while the database refuses: synced, in order of arrival, one file for all that wait.

Each process writes into a folder of its own inside the spool's and holds a lock on it as long as it lives. What a
process left behind when it ended is adopted by the next one that looks; nobody drains the files of the living.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from bot.clock import new_id
from bot.errors import ConfigError
from bot.logs import logger
from bot.store.arrivals import Arrival

_log = logger("intake")
_KEPT = "*.json*"


class Spool:
    """The spool's folder, and the part of it that is this process' own; every method touches the disk and blocks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mine: dict[Path, int] = {}
        self._own: Path | None = None
        self._folders = threading.Lock()
        """Held by whichever thread makes, takes over, leaves or lets go of folders: one that still clears away while
        another closes must not leave a folder a second time, nor take one over afterwards."""
        self._closed = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f".probe-{new_id()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise ConfigError([f"[security] spool: {folder} is not writable: {error.strerror}"]) from error

    def write(self, arrivals: Sequence[Arrival]) -> None:
        """Keep arrivals; returns when they are on the disk, raises OSError when they cannot be."""
        path = (self._own or self._open(new_id())) / f"{new_id()}-{len(arrivals)}.jsonl"
        _write_synced(path, arrivals)

    def set_aside(self, arrivals: Sequence[Arrival]) -> bool:
        """Keep what no database can hold, for a person to look at; it is never drained. False when it lies there."""
        names = json.dumps([(arrival.provider, arrival.account, arrival.key) for arrival in arrivals])
        path = self.folder / f"{hashlib.sha256(names.encode()).hexdigest()[:26]}-{len(arrivals)}.broken"
        if path.exists():
            return False
        _write_synced(path, arrivals)
        return True

    def files(self) -> list[Path]:
        """Return what is kept, by all processes, in order of arrival."""
        return sorted((*self.folder.glob(_KEPT), *self.folder.glob(f"*/{_KEPT}")), key=lambda path: path.name)

    def waiting(self) -> int:
        """Return how many webhooks are kept, by all processes."""
        return sum(self.number(path) for path in self.files())

    def number(self, path: Path) -> int:
        """Return how many webhooks a file holds, as its name says."""
        number = path.stem.rpartition("-")[2]
        return int(number) if path.suffix == ".jsonl" and number.isdecimal() else 1

    def mine(self) -> list[Path]:
        """Return what this process may drain, in order of arrival: its own, what it adopted, and loose files."""
        places = (self.folder, *self._mine)
        return sorted((path for place in places for path in place.glob(_KEPT)), key=lambda path: path.name)

    def adopt(self) -> None:
        """Take over what ended processes left."""
        with self._folders:
            for place in () if self._closed else self.folder.iterdir():
                if place.is_dir() and place not in self._mine:
                    with contextlib.suppress(BlockingIOError):
                        self._mine[place] = _locked(place)
                        self._leave(place)  # at once if it is empty, or was removed by another heir in this moment
                        if place in self._mine:
                            _log.info("the spool of an ended process is taken over", folder=place.name)

    def read(self, path: Path) -> list[Arrival]:
        """Return the arrivals of one file; lines that cannot be read are set aside beside it."""
        arrivals, broken = [], []
        for line in path.read_bytes().splitlines(keepends=True):
            try:
                arrivals.append(_from_json(line))
            except (ValueError, KeyError, TypeError):
                broken.append(line)
        if broken:
            aside = self.folder / path.with_suffix(".broken").name
            aside.write_bytes(b"".join(broken))
            _log.error("lines of the spool cannot be read and are set aside", file=aside.name, number=len(broken))
        return arrivals

    def remove(self, paths: Iterable[Path]) -> None:
        """Forget files that are stored now, and folders whose process has ended once they are empty."""
        for path in paths:
            path.unlink(missing_ok=True)
        with self._folders:
            for place in [place for place in self._mine if place != self._own]:
                self._leave(place)

    def close(self) -> None:
        """Let go of this process' folders; what lies in them waits for the next process."""
        with self._folders:
            self._own, self._closed = None, True
            for place in list(self._mine):
                self._leave(place)
            while self._mine:
                os.close(self._mine.popitem()[1])

    def _open(self, name: str) -> Path:
        place = self.folder / name
        lock = _locked(place)  # before the folder exists, so that nobody finds it without an owner
        place.mkdir()
        with self._folders:
            self._own, self._mine[place] = place, lock
        _sync_folder(self.folder)
        return place

    def _leave(self, place: Path) -> None:
        for part in place.glob("*.part"):
            part.unlink()  # never acknowledged: its process ended while it wrote
        try:
            place.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return  # something is kept in it
        _lock_path(place).unlink(missing_ok=True)
        os.close(self._mine.pop(place))


def _lock_path(place: Path) -> Path:
    return place.with_name(f".{place.name}.lock")


def _locked(place: Path) -> int:
    """Hold a folder as long as the descriptor stays open; raises BlockingIOError when another process does."""
    lock = os.open(_lock_path(place), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise
    return lock


def _write_synced(path: Path, arrivals: Sequence[Arrival]) -> None:
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:
            file.write(b"".join(_to_json(arrival) for arrival in arrivals))
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _to_json(arrival: Arrival) -> bytes:
    data = arrival._asdict()
    data["raw"] = b64encode(arrival.raw).decode()
    data["occurred_at"], data["received_at"] = arrival.occurred_at.isoformat(), arrival.received_at.isoformat()
    return json.dumps(data).encode() + b"\n"


def _from_json(line: bytes) -> Arrival:
    data = json.loads(line)
    data["raw"] = b64decode(data["raw"])
    data["occurred_at"] = datetime.fromisoformat(data["occurred_at"])
    data["received_at"] = datetime.fromisoformat(data["received_at"])
    return Arrival(**data)
