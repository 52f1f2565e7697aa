"""Give out what became of a run: every recipient as a workbook, and what people wrote because of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from bot import render as templates
from bot.actions import announcement_results as actions
from bot.clock import to_local
from bot.domain.access import Permission
from bot.domain.areas import village_column
from bot.domain.privacy import initials
from bot.runtime import Runtime
from bot.secrets import SecretBox
from bot.sheets.streaming import Streaming
from bot.store import cases, replies, result_rows, results
from bot.store.broadcasts import BroadcastRow
from bot.store.cases import CaseRow
from bot.store.replies import Reply
from bot.store.result_rows import Told
from bot.store.results import Seen
from handlers.console.announcement_runs import address
from handlers.console.announcement_unreached import listed_home, name_of, phone_of
from handlers.console.case_access import may_see
from handlers.console.media import disposition
from handlers.console.page import render, runtime_of, send_error, visit_of, writing
from handlers.console.run_progress import seen_run
from handlers.recent import RECENT

_READ = Permission.ANNOUNCEMENT_READ
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORDS = "console/announcements/run_words.html"
_TIMES = ("sent_at", "delivered_at", "seen_at", "failed_at")
_COLUMNS = ("name", "phone", "village", "account", "way", "state", "reason", *_TIMES)
_AT_ONCE = 500
_GIVE_WAY_SECONDS = 1.0
_KEPT_SECONDS = 30.0
_SHOWN = 100
_LOOKED_AT = 1000
"""Of more answers than so many only the newest are looked at for the list; all are counted."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What rows are put into words with: names of accounts and villages by id, and the macros that know the words."""

    box: SecretBox
    words: Any
    accounts: dict[str, str]
    areas: dict[str, str]

    def say(self, macro: str, *values: str) -> str:
        """Return plain words of a macro in the language of whoever asks."""
        return str(getattr(self.words, macro)(*values)).strip()

    def line(self, row: Told, area_id: str) -> list[str]:
        """Return one recipient as the cells of a row."""
        return [
            name_of(row),
            phone_of(self.box, row),
            self.areas.get(area_id, "") or listed_home(row, village_column(list(row.merged or {}))),
            self.accounts.get(row.account_id, ""),
            self.say("way_name", row.way),
            self.say("state_name", row.state),
            send_error(row.reason) if row.reason else "",
            *(_moment(getattr(row, name)) for name in _TIMES),
        ]


def _moment(at: datetime | None) -> str:
    return to_local(at).strftime("%d/%m/%Y %H:%M:%S") if at else ""


async def table(request: web.Request) -> web.StreamResponse:
    """Give out every recipient with state, reason, times and village; phones masked.

    Rows are read in pages, each in a transaction of its own, and leave as they are read: neither memory nor the
    database feels whether there are a hundred or a million, or how slowly somebody takes them. Each page is put into
    words beside the loop, and what a person waits for goes first.
    """
    runtime, found = runtime_of(request), await seen_run(request, _READ)
    async with runtime.database.reading() as session:
        pairs = await results.broadcasts_of(session, [found.run.id])
    async with writing(request) as uow:
        actions.taken_away(uow, found.run, sum(row.total for row, _ in pairs))
    module = templates.environment().get_template(_WORDS).make_module()
    written = _Written(runtime.box, module, {account.id: account.name for _, account in pairs}, {})
    book = Streaming(written.say("sheet_name"), [written.say("column_name", name) for name in _COLUMNS])
    response = web.StreamResponse(headers=_headers(found))
    await response.prepare(request)
    try:
        async for page, homes in _pages(runtime, [row for row, _ in pairs], written):
            await response.write(await asyncio.to_thread(_put, book, written, page, homes))
            await runtime.urgency.give_way(_GIVE_WAY_SECONDS)
        await response.write(await asyncio.to_thread(book.close))
        await response.write_eof()
    except ConnectionError:
        return response  # whoever asked has gone away
    except Exception:
        if request.transport is not None:
            request.transport.abort()  # half a workbook must not look like a whole one
        raise
    finally:
        book.abandon()
    return response


def _headers(found: Seen) -> dict[str, str]:
    name = f"{found.announcement.title or found.announcement.id} {found.run.number}.xlsx"
    how = disposition("attachment", name)
    return {"Content-Type": _XLSX, "Content-Disposition": how, "Cache-Control": "no-store"}


def _put(book: Streaming, written: _Written, page: Sequence[Told], homes: dict[str, str]) -> bytes:
    return book.add([written.line(row, homes.get(row.recipient, "")) for row in page])


async def _pages(
    runtime: Runtime, rows: Sequence[BroadcastRow], written: _Written
) -> AsyncIterator[tuple[list[Told], dict[str, str]]]:
    """Read page after page of all broadcasts, with the village of each contact; new villages are named on the way."""
    for row in rows:
        assert row.id is not None
        after = 0
        while after < row.total:
            async with runtime.database.reading() as session:
                page = await result_rows.page(session, row.id, after, _AT_ONCE)
                homes = await result_rows.villages(session, [each.recipient for each in page])
                new = sorted(set(homes.values()) - set(written.areas))
                written.areas.update({area.id: area.name for area in await results.areas(session, new)} if new else {})
            if not page:
                break
            yield page, homes
            after = page[-1].n


async def answers(request: web.Request) -> web.Response:
    """Show what people wrote because of the run, with the cases it became, as far as one may see them."""
    runtime, found = runtime_of(request), await seen_run(request, _READ)
    numbers = await _numbers(runtime, found)
    begun = found.run.started_at

    async def ask() -> list[Reply]:
        if begun is None or not numbers:
            return []
        async with runtime.database.reading() as session:
            return await replies.replies(session, numbers, begun)

    came = await request.app[RECENT].get(f"replies {found.run.id}", _KEPT_SECONDS, ask)
    newest = came[:_LOOKED_AT]
    async with runtime.database.reading() as session:
        about = await cases.cases(session, sorted({each.case_id for each in newest if each.case_id}))
    seen = {case.id: case for case in about if may_see(visit_of(request), case)}
    may_read = visit_of(request).grants.over(Permission.CASE_READ, found.unit.path)
    listed = [each for each in newest if _may_list(each, seen, may_read=may_read)]
    values = {
        "run": found.run,
        "announcement": found.announcement,
        "unit": found.unit,
        "address": address(found),
        "number": len(came),
        "people": len({each.contact_id for each in came}),
        "quoted": sum(each.quoted for each in came),
        "became": len({each.case_id for each in came if each.case_id}),
        "hours": replies.HOURS,
        "listed": [(each, initials(each.name), seen.get(each.case_id or "")) for each in listed[:_SHOWN]],
        "more": max(len(listed) - _SHOWN, 0) + len(came) - len(newest),
        "hidden": len(newest) - len(listed),
    }
    return render(request, "announcements/run_answers", values)


def _may_list(reply: Reply, seen: dict[str, CaseRow], *, may_read: bool) -> bool:
    """Say whether somebody may see a message: what became a case as the case, other words where they read cases."""
    return reply.case_id in seen if reply.case_id else may_read


async def _numbers(runtime: Runtime, found: Seen) -> list[int]:
    async with runtime.database.reading() as session:
        pairs = await results.broadcasts_of(session, [found.run.id])
    return [row.id for row, _ in pairs if row.id is not None]
