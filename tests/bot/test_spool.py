"""The spool keeps webhooks on the disk: synced, in order, each process its own, and nothing of the dead is lost."""

import contextlib
import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot import spool as module
from bot.errors import ConfigError
from bot.spool import Spool
from tests.bot.store.test_inbox import arrival


def keys(spool: Spool) -> list[str]:
    return [a.key for path in spool.mine() for a in spool.read(path)]


def test_what_was_written_is_read_in_order_and_whole(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    batch = [arrival(f"k{n}", raw=bytes([n]), contact="người 🙂\ud800") for n in range(3)]
    spool.write(batch)
    spool.write([arrival("last", known=False)])
    first, second = spool.mine()
    assert spool.read(first) == batch
    assert spool.read(second) == [arrival("last", known=False)]
    assert spool.waiting() == 4


def test_a_folder_that_cannot_be_written_refuses_the_start(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ConfigError, match="spool"):
        Spool(blocked / "spool")


def test_nothing_is_left_in_the_folder_by_a_process_that_never_needed_it(tmp_path: Path) -> None:
    Spool(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_the_living_do_not_drain_each_other_and_the_dead_are_adopted(tmp_path: Path) -> None:
    one, two = Spool(tmp_path), Spool(tmp_path)
    one.write([arrival("one")])
    two.write([arrival("two")])
    two.adopt()
    assert keys(two) == ["two"]
    assert one.waiting() == two.waiting() == 2
    one.close()
    two.adopt()
    assert keys(two) == ["one", "two"], "in order of arrival"
    two.remove(two.mine())
    assert [path.is_dir() for path in tmp_path.iterdir() if not path.name.startswith(".")] == [True], "its own stays"


def test_only_one_adopts(tmp_path: Path) -> None:
    dead = Spool(tmp_path)
    dead.write([arrival("a")])
    dead.close()
    heirs = [Spool(tmp_path), Spool(tmp_path)]
    for heir in heirs:
        heir.adopt()
    assert sorted(keys(heir) for heir in heirs) == [[], ["a"]]


def test_what_a_killed_process_was_still_writing_is_no_webhook(tmp_path: Path) -> None:
    dead = Spool(tmp_path)
    dead.write([arrival("a")])
    [path] = dead.mine()
    path.with_name("01-1.part").write_text("{")
    dead.close()
    heir = Spool(tmp_path)
    heir.adopt()
    assert keys(heir) == ["a"]
    heir.remove(heir.mine())
    assert [path.name for path in tmp_path.rglob("*")] == []


def test_a_line_that_cannot_be_read_is_set_aside_and_the_others_stay(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write([arrival("a"), arrival("b")])
    [path] = spool.mine()
    good, other = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(good + b'{"half":\n' + other)
    assert keys(spool) == ["a", "b"]
    [broken] = tmp_path.glob("*.broken")
    assert broken.read_bytes() == b'{"half":\n'


def test_a_loose_file_that_a_person_put_back_is_drained(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write([arrival("a")])
    [path] = spool.mine()
    path.rename(tmp_path / "again.jsonl")
    assert keys(spool) == ["a"]


def test_when_the_disk_is_full_nothing_half_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)

    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            spool.write([arrival("a")])
    assert keys(spool) == []
    spool.write([arrival("b")])
    assert keys(spool) == ["b"]
    assert list(tmp_path.rglob("*.part")) == []


def test_clearing_away_after_ended_processes_leaves_a_folder_that_is_just_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    synced = module._sync_folder

    def meanwhile(folder: Path) -> None:
        spool.remove([])  # as the thread does that drains
        synced(folder)

    with monkeypatch.context() as other_thread:
        other_thread.setattr(module, "_sync_folder", meanwhile)
        spool.write([arrival("a")])
    assert keys(spool) == ["a"]


def test_a_thread_that_still_clears_away_while_another_closes_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault found under load: a stopped intake closes its spool while the last look at it still runs in a thread."""
    dead = Spool(tmp_path)
    dead.write([arrival("left")])
    dead.close()
    heir, inside, go_on = Spool(tmp_path), threading.Event(), threading.Event()
    heir.adopt()
    real = module._lock_path

    def slow(place: Path) -> Path:
        if not inside.is_set():
            inside.set()
            assert go_on.wait(20)
        return real(place)

    monkeypatch.setattr(module, "_lock_path", slow)
    with ThreadPoolExecutor(2) as pool:
        removing = pool.submit(heir.remove, heir.mine())
        assert inside.wait(20)
        closing = pool.submit(heir.close)
        with contextlib.suppress(TimeoutError):
            closing.result(0.2)  # it waits, or it is done: either way the other goes on only now
        go_on.set()
        removing.result(20)
        closing.result(20)
    other = Spool(tmp_path)
    other.write([arrival("of another")])
    other.close()
    heir.adopt()
    assert heir.mine() == [], "who has closed takes nothing over any more"
