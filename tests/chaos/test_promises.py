"""The table of promises names code and tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    line.split("|") for line in (ROOT / "docs" / "reliability.md").read_text().splitlines() if line.startswith("| R")
]
PATH = re.compile(r"`([\w/.]+)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1].strip())
def test_a_promise_names_what_keeps_and_what_shows_it(row: list[str]) -> None:
    built, shown = PATH.findall(row[3]), PATH.findall(row[4])
    places = [path for path in built if "/" in path]
    assert places
    assert shown
    for path in [*places, *(f"tests/{path}" for path in shown)]:
        assert (ROOT / path).exists(), path


def test_every_promise_of_the_pipeline_is_listed() -> None:
    assert [row[1].strip() for row in ROWS] == [f"R{number}" for number in range(1, 24)]
