"""Rows of an import are written from wherever it stands, in slices of one size over all its pieces."""

import orjson
import pytest

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
        rows = [[next(numbers), "code", 4, AT, "commune", {}, "", "", "", False] for _ in range(size)]
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
