"""Import exports of dossiers: each is read by a process of its own while it is compared, and applied slice by slice."""

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any

from bot.actions import dossier_imports as actions
from bot.actions.dossier_columns import reading_of
from bot.actions.dossier_counts import Counted
from bot.actions.dossier_imports import blob_key
from bot.checker import export_process
from bot.checker.export_process import Task
from bot.checker.process import TooHeavyError
from bot.clock import new_id
from bot.domain.dossier_table import Problem
from bot.importer import pieces, process
from bot.importer.pieces import Desk
from bot.importer.process import Importer, LostError
from bot.logs import logger
from bot.runtime import Runtime
from bot.store import dossier_imports, units
from bot.store.dossier_imports import DossierImportRow

_log = logger("dossiers")
_GIVE_WAY_SECONDS = 0.5
_GIVE_TURN_SECONDS = 0.1
"""For so long at most the turn is withheld from an importing process while answers are being made.

The process prepares its next rows meanwhile.
"""
AT_HAND = 2
"""Pieces that are worked on in this process; an import that has more gets a process of its own."""


async def import_dossiers(runtime: Runtime) -> int:
    """Read or apply every import that waits for it; returns how many."""
    done = 0
    while not runtime.stopping.is_set():
        token = new_id()
        async with runtime.units_of_work() as uow:
            row = await actions.take(uow, token)
        if row is None:
            break
        await _one(runtime, row, token)
        done += 1
    return done


async def _one(runtime: Runtime, row: DossierImportRow, token: str) -> None:
    if row.tries > actions.MOST_TRIES:
        await _refuse(runtime, row, token, "too_heavy")
        return
    try:
        await (_read if row.state == "reading" else _apply)(runtime, row, token)
    except LostError:
        _log.warning("the process of an import was lost, it goes on from there", dossier_import=row.id)
        async with runtime.units_of_work() as uow:
            await dossier_imports.let_go(uow.session, row.id, token)


async def _refuse(runtime: Runtime, row: DossierImportRow, token: str, code: str, **details: Any) -> None:
    async with runtime.units_of_work() as uow:
        ended = await actions.refused(uow, row.id, token, [Problem("", code, details).to_json()])
    if ended:
        await _forget(runtime, row)


async def _forget(runtime: Runtime, row: DossierImportRow, *, bad: bool = True) -> None:
    for key in actions.pieces(row, bad=bad):
        await runtime.blobs.delete(key)


class _Hands:
    """Compare and apply the pieces of one import: here, or once there are many in a process of their own."""

    def __init__(self, runtime: Runtime, desk: Desk, stack: AsyncExitStack) -> None:
        self.runtime, self.desk, self._stack = runtime, desk, stack
        self._importer: Importer | None = None

    async def compare(self, number: int) -> Counted:
        """Return what a piece would change."""
        importer = await self._other(number + 1)
        return await (importer.compare(number) if importer else pieces.compare(self.desk, number, self._rest))

    async def take_in(self, many: int, skip: int) -> bool:
        """Take in the rows of the first `many` pieces, without the first `skip` of all these rows.

        False when the import is not ours, or was given back.
        """
        importer = await self._other(many)
        if importer:
            return await importer.take_in(many, skip, self._lend)
        return await pieces.take_in(self.desk, many, skip, self._turn)

    async def _other(self, known: int) -> Importer | None:
        if self._importer is None and known > AT_HAND:
            self._importer = await self._stack.enter_async_context(process.started(self.runtime, self.desk))
        return self._importer

    async def _rest(self) -> None:
        await self.runtime.urgency.give_way(_GIVE_WAY_SECONDS)

    async def _lend(self) -> bool:
        await self.runtime.urgency.give_way(_GIVE_TURN_SECONDS)
        return await self._ours()

    async def _ours(self) -> bool:
        return not self.runtime.stopping.is_set() or await _go_on(self.runtime, self.desk.import_id, self.desk.token)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[bool]:
        await self._rest()
        yield await self._ours()


@contextlib.asynccontextmanager
async def _hands(runtime: Runtime, row: DossierImportRow, token: str, paths: dict[str, str]) -> AsyncIterator[_Hands]:
    within = paths[row.unit_id]
    held = (runtime.database, runtime.units_of_work, runtime.box, runtime.blobs, runtime.now)
    desk = Desk(*held, row.id, token, paths, within, pieces.SLICE)
    async with AsyncExitStack() as stack:
        yield _Hands(runtime, desk, stack)


@dataclass(slots=True)
class _Look:
    """What has been read of one file so far: where its pieces lie, and what each would change."""

    hands: _Hands
    firsts: list[int] = field(default_factory=list)
    counts: list[Counted] = field(default_factory=list)
    bad: int = 0
    told: dict[str, Any] = field(default_factory=dict)

    async def take(self, answer: dict[str, Any]) -> None:
        """Keep what the process has said."""
        blobs, import_id = self.hands.desk.blobs, self.hands.desk.import_id
        if "good" in answer:
            number = len(self.firsts)
            await blobs.put(blob_key(import_id, f"good/{number}"), answer["good"].encode())
            self.firsts.append(answer["numbers"][0])
            self.counts.append(await self.hands.compare(number))
        elif "bad" in answer:
            await blobs.put(blob_key(import_id, f"bad/{self.bad}"), answer["bad"].encode())
            self.bad += 1
        else:
            self.told |= answer

    async def close(self) -> Counted | None:
        """Leave out what turned out to be told twice; return what the file would change, None when it is not ours."""
        dropped = frozenset(self.told["dropped"])
        desk = self.hands.desk
        for chunk in sorted({bisect_right(self.firsts, number) - 1 for number in dropped} - {-1}):
            if not await _go_on(self.hands.runtime, desk.import_id, desk.token):
                return None
            key = blob_key(desk.import_id, f"good/{chunk}")
            sealed = await desk.blobs.get(key)
            await desk.blobs.put(key, await asyncio.to_thread(export_process.without, sealed, desk.box, dropped))
            self.counts[chunk] = await self.hands.compare(chunk)
        total = Counted()
        for count in self.counts:
            total += count
        return total

    @property
    def pieces(self) -> dict[str, int]:
        """How many pieces lie in bot.blobs."""
        return {"chunks": len(self.firsts), "bad_chunks": self.bad}


async def _paths(runtime: Runtime, row: DossierImportRow) -> tuple[dict[str, str], Task]:
    """Return the paths of all units, and how the file is to be read."""
    async with runtime.database.reading() as session:
        unit = await units.unit(session, row.unit_id)
        assert unit is not None
        said = await reading_of(session, unit)
        paths = {each.id: each.path for each in await units.all_units(session)}
    return paths, Task(row.unit_id, runtime.now(), said.headers, said.statuses, said.units)


async def _read(runtime: Runtime, row: DossierImportRow, token: str) -> None:
    """Read a file and compare it with what is known, changing nothing."""
    async with runtime.units_of_work() as uow:
        done = await actions.unchanged(uow, row.id, token)
    if done:
        await runtime.blobs.delete(blob_key(row.id))
        return
    paths, task = await _paths(runtime, row)
    source = runtime.blobs.stream(blob_key(row.id))
    try:
        async with (
            _hands(runtime, row, token, paths) as hands,
            aclosing(export_process.read(source, runtime.settings.security.secret_key, task)) as answers,
        ):
            look = _Look(hands)
            async for answer in answers:
                if not await _go_on(runtime, row.id, token):
                    return
                await look.take(answer)
            await _looked(runtime, row, token, look)
    except FileNotFoundError:
        await _refuse(runtime, row, token, "file_gone")
    except TooHeavyError:
        _log.warning("export too heavy to read", dossier_import=row.id)
        await _refuse(runtime, row, token, "too_heavy")


async def _go_on(runtime: Runtime, import_id: str, token: str) -> bool:
    """Keep an import in hand; False when it is no longer ours, or is given back since this process is about to end."""
    if runtime.stopping.is_set():
        async with runtime.units_of_work() as uow:
            await dossier_imports.give_back(uow.session, import_id, token)
        return False
    async with runtime.units_of_work() as uow:
        return await actions.alive(uow, import_id, token)


async def _looked(runtime: Runtime, row: DossierImportRow, token: str, look: _Look) -> None:
    row.figures = look.pieces
    if "refused" in look.told:
        async with runtime.units_of_work() as uow:
            ended = await actions.refused(uow, row.id, token, look.told["refused"], look.told.get("columns", ()))
        if ended:
            await _forget(runtime, row)
        return
    counted = await look.close()
    if counted is None:
        return
    async with runtime.units_of_work() as uow:
        state = await actions.looked_through(uow, row.id, token, look.told, counted, look.pieces)
    if state == "applied":
        await _forget(runtime, row, bad=False)
    elif state:
        await runtime.blobs.delete(blob_key(row.id))


async def _apply(runtime: Runtime, row: DossierImportRow, token: str) -> None:
    """Apply an import from where it stands."""
    paths, _ = await _paths(runtime, row)
    try:
        async with _hands(runtime, row, token, paths) as hands:
            if not await hands.take_in(row.figures.get("chunks", 0), row.position):
                return
    except FileNotFoundError:
        await _refuse(runtime, row, token, "file_gone")
        return
    async with runtime.units_of_work() as uow:
        ended = await actions.applied(uow, row.id, token)
    if ended:
        await _forget(runtime, row, bad=False)
