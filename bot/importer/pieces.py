"""Compare pieces of an export with what is known, and take them in, some rows at a time so that nobody waits."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass

from bot.actions import dossier_imports as actions
from bot.actions import dossiers as core
from bot.actions.dossier_counts import Counted
from bot.actions.dossier_imports import blob_key
from bot.actions.dossiers import News, Prepared
from bot.blobs import Blobs
from bot.checker import export_process
from bot.checker.export_process import Row
from bot.clock import Now
from bot.domain.dossier import Status
from bot.secrets import SecretBox
from bot.store.database import Database
from bot.store.unit_of_work import UnitsOfWork
from bot.urgency import in_turns

SLICE, LARGE = 250, 750
"""Rows of one transaction here, and in a process of its own: nobody waits for an answer longer than one of them takes.

What is asked for each is asked a third as often with three times as many; more would be felt by those who write.
"""

Numbered = Sequence[tuple[int, News]]
Turn = Callable[[], AbstractAsyncContextManager[bool]]
"""Wait until some rows may be written; gives False where nothing more is to be."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What one import is worked on with.

    `token` is the lease by which it is ours. `paths` are those of all units by id, `within` that of the import's own;
    `at_once` are the rows of one transaction.
    """

    database: Database
    units_of_work: UnitsOfWork
    box: SecretBox
    blobs: Blobs
    now: Now
    import_id: str
    token: str
    paths: dict[str, str]
    within: str
    at_once: int = LARGE


async def compare(desk: Desk, number: int, rest: Callable[[], Awaitable[None]]) -> Counted:
    """Return what a piece would change, changing nothing; `rest` is awaited again and again."""
    found = Counted()
    rows = await _rows(desk, number)
    for start in range(0, len(rows), desk.at_once):
        await rest()
        some = await _news(desk, rows[start : start + desk.at_once])
        async with desk.database.reading() as session:
            news = [each for _, each in some]
            found.add(some, await core.weighed(session, desk.box, news, desk.now(), desk.within))
    return found


async def take_in(desk: Desk, many: int, skip: int, turn: Turn, between: Callable[[], object] | None = None) -> bool:
    """Take in the rows of the first `many` pieces, without the first `skip` of all these rows.

    False when it had to stop early: the import is no longer ours, or `turn` said no. What rows change is worked out
    while those before them are being written; `between` is called after each piece has been read.
    """
    async with aclosing(_slices(desk, many, skip, between)) as slices, aclosing(_ahead(desk, slices)) as made:
        async for some, before in made:
            async with turn() as ours:
                if not ours:
                    return False
                async with desk.units_of_work() as uow:
                    if not await actions.apply(uow, desk.box, desk.import_id, desk.token, some, before):
                        return False
    return True


async def _slices(
    desk: Desk, many: int, skip: int, between: Callable[[], object] | None
) -> AsyncGenerator[Sequence[Row]]:
    left: list[Row] = []
    for number in range(many):
        rows = await _rows(desk, number)
        left += rows[skip:]
        skip = max(skip - len(rows), 0)
        del rows
        while len(left) >= desk.at_once:
            some, left = left[: desk.at_once], left[desk.at_once :]
            yield some
        if between is not None:
            between()
    if left:
        yield left


async def _ahead(desk: Desk, slices: AsyncGenerator[Sequence[Row]]) -> AsyncGenerator[tuple[Numbered, Prepared]]:
    async def following() -> tuple[Numbered, Prepared] | None:
        rows = await anext(slices, None)
        return None if rows is None else await _prepared(desk, rows)

    task = asyncio.create_task(following())
    try:
        while (made := await task) is not None:
            task = asyncio.create_task(following())
            yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _prepared(desk: Desk, rows: Sequence[Row]) -> tuple[Numbered, Prepared]:
    some = await _news(desk, rows, seal=True)
    async with desk.database.reading() as session:
        news = [each for _, each in some]
        source = actions.source_of(desk.import_id)
        return some, await core.prepared(session, desk.box, news, source, desk.now(), desk.within)


async def _rows(desk: Desk, number: int) -> list[Row]:
    piece = await desk.blobs.get(blob_key(desk.import_id, f"good/{number}"))
    return await asyncio.to_thread(export_process.rows_of, piece, desk.box)


async def _news(desk: Desk, rows: Sequence[Row], *, seal: bool = False) -> list[tuple[int, News]]:
    """Return rows as reports, each with its number; with `seal` ready to be kept."""
    found = []
    async for row in in_turns(rows):
        hidden = core.sealed(desk.box, row.applicant, row.phone) if seal else None
        who = (row.applicant, row.phone, row.digest, hidden)
        path = desk.paths.get(row.unit_id, "")
        news = News(row.code, Status(row.status), row.at, row.unit_id, path, row.facts, *who, row.derived)
        found.append((row.number, news))
    return found
