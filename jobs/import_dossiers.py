"""Import exports of dossiers: each is read by a process of its own while it is compared, and applied slice by slice."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from bot.actions import dossier_imports as actions
from bot.actions import dossiers as core
from bot.actions.dossier_columns import reading_of
from bot.actions.dossier_imports import Counted, blob_key
from bot.actions.dossiers import News
from bot.checker import export_process
from bot.checker.export_process import Row, Task
from bot.checker.process import TooHeavyError
from bot.clock import new_id
from bot.domain.dossier import Status
from bot.domain.dossier_table import Problem
from bot.logs import logger
from bot.runtime import Runtime
from bot.secrets import SecretBox
from bot.store import dossier_imports, units
from bot.store.dossier_imports import DossierImportRow

_log = logger("dossiers")
_GIVE_WAY_SECONDS = 0.5
SLICE = 250
"""Rows of one transaction: whoever waits for an answer does not wait longer than one of them takes."""

Numbered = Sequence[tuple[int, News]]


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
    elif row.state == "reading":
        await _read(runtime, row, token)
    else:
        await _apply(runtime, row, token)


async def _refuse(runtime: Runtime, row: DossierImportRow, token: str, code: str, **details: Any) -> None:
    async with runtime.units_of_work() as uow:
        ended = await actions.refused(uow, row.id, token, [Problem("", code, details).to_json()])
    if ended:
        await _forget(runtime, row)


async def _forget(runtime: Runtime, row: DossierImportRow, *, bad: bool = True) -> None:
    for key in actions.pieces(row, bad=bad):
        await runtime.blobs.delete(key)


@dataclass(slots=True)
class _Look:
    """What has been read of one file so far: where its pieces lie, and what each would change."""

    runtime: Runtime
    row: DossierImportRow
    paths: dict[str, str]
    within: str
    firsts: list[int] = field(default_factory=list)
    counts: list[Counted] = field(default_factory=list)
    bad: int = 0
    told: dict[str, Any] = field(default_factory=dict)

    async def take(self, answer: dict[str, Any]) -> None:
        """Keep what the process has said."""
        blobs = self.runtime.blobs
        if "good" in answer:
            await blobs.put(blob_key(self.row.id, f"good/{len(self.firsts)}"), answer["good"].encode())
            self.firsts.append(answer["numbers"][0])
            self.counts.append(await self._weigh(answer["good"].encode()))
        elif "bad" in answer:
            await blobs.put(blob_key(self.row.id, f"bad/{self.bad}"), answer["bad"].encode())
            self.bad += 1
        else:
            self.told |= answer

    async def _weigh(self, piece: bytes) -> Counted:
        found = Counted()
        rows = await asyncio.to_thread(_news, piece, self.runtime.box, self.paths)
        for start in range(0, len(rows), SLICE):
            some = rows[start : start + SLICE]
            await self.runtime.urgency.give_way(_GIVE_WAY_SECONDS)
            async with self.runtime.database.reading() as session:
                news = [each for _, each in some]
                now = self.runtime.now()
                found.add(some, await core.weighed(session, self.runtime.box, news, now, self.within))
        return found

    async def close(self, token: str) -> Counted | None:
        """Leave out what turned out to be told twice; return what the file would change, None when it is not ours."""
        dropped = frozenset(self.told["dropped"])
        blobs = self.runtime.blobs
        for chunk in sorted({bisect_right(self.firsts, number) - 1 for number in dropped} - {-1}):
            if not await _go_on(self.runtime, self.row, token):
                return None
            key = blob_key(self.row.id, f"good/{chunk}")
            sealed = await blobs.get(key)
            kept = await asyncio.to_thread(export_process.without, sealed, self.runtime.box, dropped)
            await blobs.put(key, kept)
            self.counts[chunk] = await self._weigh(kept)
        total = Counted()
        for count in self.counts:
            total += count
        return total

    @property
    def pieces(self) -> dict[str, int]:
        """How many pieces lie in bot.blobs."""
        return {"chunks": len(self.firsts), "bad_chunks": self.bad}


def _news(piece: bytes, box: SecretBox, paths: dict[str, str], *, seal: bool = False) -> list[tuple[int, News]]:
    """Return a piece as reports, each with the number of its row; with `seal` ready to be kept."""

    def made(row: Row) -> News:
        path, status = paths.get(row.unit_id, ""), Status(row.status)
        hidden = core.sealed(box, row.applicant, row.phone) if seal else None
        who = (row.applicant, row.phone, row.digest, hidden)
        return News(row.code, status, row.at, row.unit_id, path, row.facts, *who, row.derived)

    return [(row.number, made(row)) for row in export_process.rows_of(piece, box)]


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
    look = _Look(runtime, row, paths, paths[row.unit_id])
    source = runtime.blobs.stream(blob_key(row.id))
    try:
        async with aclosing(export_process.read(source, runtime.settings.security.secret_key, task)) as answers:
            async for answer in answers:
                if not await _go_on(runtime, row, token):
                    return
                await look.take(answer)
    except FileNotFoundError:
        await _refuse(runtime, row, token, "file_gone")
    except TooHeavyError:
        _log.warning("export too heavy to read", dossier_import=row.id)
        await _refuse(runtime, row, token, "too_heavy")
    else:
        await _looked(runtime, row, token, look)


async def _go_on(runtime: Runtime, row: DossierImportRow, token: str) -> bool:
    """Keep an import in hand; False when it is no longer ours, or is given back since this process is about to end."""
    if runtime.stopping.is_set():
        async with runtime.units_of_work() as uow:
            await dossier_imports.give_back(uow.session, row.id, token)
        return False
    async with runtime.units_of_work() as uow:
        return await actions.alive(uow, row.id, token)


async def _looked(runtime: Runtime, row: DossierImportRow, token: str, look: _Look) -> None:
    row.figures = look.pieces
    if "refused" in look.told:
        async with runtime.units_of_work() as uow:
            ended = await actions.refused(uow, row.id, token, look.told["refused"], look.told.get("columns", ()))
        if ended:
            await _forget(runtime, row)
        return
    counted = await look.close(token)
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
    begin = 0
    try:
        async with aclosing(_pieces(runtime, row, paths)) as pieces:
            async for rows in pieces:
                left = rows[max(row.position - begin, 0) :]
                if left and not await _applied(runtime, row, token, left):
                    return
                begin += len(rows)
    except FileNotFoundError:
        await _refuse(runtime, row, token, "file_gone")
        return
    async with runtime.units_of_work() as uow:
        ended = await actions.applied(uow, row.id, token)
    if ended:
        await _forget(runtime, row, bad=False)


async def _pieces(runtime: Runtime, row: DossierImportRow, paths: dict[str, str]) -> AsyncGenerator[Numbered]:
    """Give the pieces of an import, each made ready while the one before it is being written."""

    async def ready(number: int) -> Numbered:
        piece = await runtime.blobs.get(blob_key(row.id, f"good/{number}"))
        return await asyncio.to_thread(_news, piece, runtime.box, paths, seal=True)

    ahead: list[asyncio.Task[Numbered]] = []
    try:
        for number in range(row.figures.get("chunks", 0)):
            ahead = ahead or [asyncio.create_task(ready(number))]
            rows = await ahead.pop()
            if number + 1 < row.figures["chunks"]:
                ahead.append(asyncio.create_task(ready(number + 1)))
            yield rows
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)


async def _applied(runtime: Runtime, row: DossierImportRow, token: str, rows: Numbered) -> bool:
    """Apply the rows of a piece; False when the import is no longer ours, or was given back."""
    for start in range(0, len(rows), SLICE):
        await runtime.urgency.give_way(_GIVE_WAY_SECONDS)
        if runtime.stopping.is_set() and not await _go_on(runtime, row, token):
            return False
        async with runtime.units_of_work() as uow:
            if not await actions.apply(uow, runtime.box, row.id, token, rows[start : start + SLICE]):
                return False
    return True
