"""Rows of an import are written from wherever it stands, in slices of one size over all its pieces."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest

from bot.actions import dossier_imports as actions
from bot.actions.dossier_imports import blob_key
from bot.importer import pieces
from bot.importer.pieces import Desk
from bot.runtime import Runtime

AT = "2026-11-20T02:00:00+00:00"


@pytest.fixture
async def desk(runtime: Runtime) -> Desk:
    """Give an import of nine rows in pieces of three, two and four, written two at a time."""
    numbers = iter(range(9))
    for piece, size in enumerate((3, 2, 4)):
        rows = [[n := next(numbers), f"H26-{n}", 4, AT, "commune", {}, "", "", "", False] for _ in range(size)]
        await runtime.blobs.put(blob_key("it", f"good/{piece}"), runtime.box.seal(orjson.dumps(rows).decode()))
    held = (runtime.database, runtime.units_of_work, runtime.box, runtime.blobs, runtime.now)
    return Desk(*held, "it", "token", {}, "/", at_once=2)


async def test_slices_are_even_and_go_on_where_it_was_left(desk: Desk) -> None:
    for done in range(11):
        found = [[row.number for row in some] async for some in pieces._slices(desk, 3, done, None)]
        assert [number for some in found for number in some] == list(range(done, 9))
        assert all(len(some) == desk.at_once for some in found[:-1])


async def test_between_two_pieces_there_is_time_for_something(desk: Desk) -> None:
    done: list[int] = []
    slices = pieces._slices(desk, 3, 0, lambda: done.append(len(done)))
    firsts = [(some[0].number, len(done)) async for some in slices]
    assert firsts == [(0, 0), (2, 1), (4, 2), (6, 2), (8, 3)]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Give the numbers of the rows of each slice that was written."""
    found: list[list[int]] = []

    async def apply(_uow: Any, _box: Any, _id: str, _token: str, rows: Sequence[tuple[int, Any]], _before: Any) -> bool:
        found.append([number for number, _ in rows])
        return True

    monkeypatch.setattr(actions, "apply", apply)
    return found


def turns(number: int) -> pieces.Turn:
    """Give so many turns, and then none."""
    left = iter([True] * number)

    @contextlib.asynccontextmanager
    async def turn() -> AsyncIterator[bool]:
        yield next(left, False)

    return turn


async def test_it_goes_on_in_a_later_piece(desk: Desk, written: list[list[int]]) -> None:
    assert await pieces.take_in(desk, 3, 4, turns(9))
    assert written == [[4, 5], [6, 7], [8]]


async def test_what_is_worked_out_ahead_is_let_go_when_nothing_more_is_to_be_written(
    desk: Desk, written: list[list[int]]
) -> None:
    before = asyncio.all_tasks()
    assert not await pieces.take_in(desk, 3, 0, turns(2))
    assert written == [[0, 1], [2, 3]]
    assert asyncio.all_tasks() == before


async def test_what_stood_before_a_piece_that_is_gone_is_written(desk: Desk, written: list[list[int]]) -> None:
    await desk.blobs.delete(blob_key("it", "good/2"))
    before = asyncio.all_tasks()
    with pytest.raises(FileNotFoundError):
        await pieces.take_in(desk, 3, 0, turns(9))
    assert written == [[0, 1], [2, 3]]
    assert asyncio.all_tasks() == before
