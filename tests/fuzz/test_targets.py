"""The fuzzer's targets hold for what is recorded, notice what they are for, and are skipped without the fuzzer."""

import sys
from pathlib import Path

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz import targets
from tests.fuzz.targets import TARGETS

ODD = (
    b"",
    b"{}",
    b"[]",
    b'{"event_name":"\\ud800"}',
    b"\xff\x00{",
    b'{"update_id":' + b"9" * 5000 + b"}",
    b"[" * 10_000,
)


@pytest.mark.parametrize("name", TARGETS)
def test_the_recorded_bodies_and_odd_ones_break_no_promise(name: str) -> None:
    target, seeds = TARGETS[name]
    recorded = [path.read_bytes() for path in sorted(seeds.glob("*.json"))]
    assert len(recorded) > 20
    for raw in (*recorded, *ODD):
        target(raw)


def test_a_reader_that_raises_or_says_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("parse_event", "parse_update"):
        monkeypatch.setattr(targets, name, lambda _raw: [])
    for name in ("zalo", "telegram"):
        with pytest.raises(AssertionError):
            TARGETS[name][0](b"{}")
    monkeypatch.setattr(targets, "zalo_event", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        TARGETS["body"][0](b'{"event_name":"x"}')


def test_where_atheris_does_not_install_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["fuzz", "--seconds", "1"])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert command.main() == 0
    assert capfd.readouterr().out == "atheris does not install for this Python or platform: nothing was fuzzed\n"
