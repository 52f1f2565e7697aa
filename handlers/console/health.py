"""Show what is stuck and what to do about it, and let a person try things again."""

import json
from datetime import timedelta

from aiohttp import web

from bot.actions import repair
from bot.errors import NotFoundError
from bot.health.line import HealthReport, Light, Line
from bot.health.report import report
from bot.health.work import FAILURES_SHOWN
from bot.queue import JOBS
from bot.store import cases, contacts, inbox, outbox_figures
from handlers.console.case_access import may_see
from handlers.console.page import form_of, render, runtime_of, see_other, visit_of, writing

_SHOWN = 20
_LONGEST_ID = 18
_ORDER = {Light.BAD: 0, Light.WARN: 1, Light.OK: 2}


async def show(request: web.Request) -> web.Response:
    """Show one line for each thing, what needs a person first."""
    runtime = runtime_of(request)
    found = await report(runtime)
    try:
        async with runtime.database.reading() as session:
            parked = await inbox.parked(session, _SHOWN)
            failed = await outbox_figures.failed(session, _SHOWN, runtime.now() - FAILURES_SHOWN)
            about = await cases.cases(session, list({row.case_id for row in failed if row.case_id}))
            seen = {case.id for case in about if may_see(visit_of(request), case)}
            people = await contacts.contacts(session, list({row.contact_id for row in failed if row.case_id in seen}))
    except Exception:  # noqa: BLE001 - a database that is down is a line of this page, not a failure of it
        parked, failed, people, seen = [], [], {}, set()
    values = {
        "report": found,
        "groups": _groups(found),
        "parked": parked,
        "failed": failed,
        "people": people,
        "seen": seen,
        "jobs": {job.name: job for job in JOBS},
        "failure_days": FAILURES_SHOWN // timedelta(days=1),
    }
    return render(request, "health", values)


_WORK = (
    "inbox", "lane", "doubt", "parked", "spool", "aside", "conversations", "attachments", "failures",
    "dossier_notices", "dossier_unreached", "books",
)  # fmt: skip


def _groups(found: HealthReport) -> list[tuple[str, list[Line]]]:
    kinds = (
        ("work", _WORK),
        ("broadcasts", ("broadcast", "template", "ranges", "broadcast_doubt")),
        ("webhooks", ("refused", "unknown_account")),
        ("accounts", ("account", "receipts", "follower_import", "dossier_guesses")),
        ("machine", ("database", "queue", "disk", "clock", "processes", "vanished")),
        ("jobs", ("job",)),
    )
    groups: list[tuple[str, list[Line]]] = []
    for name, keys in kinds:
        lines = sorted(found.of(*keys), key=lambda line: _ORDER[line.light])
        groups.append((name, lines))
    return sorted(groups, key=lambda group: min((_ORDER[line.light] for line in group[1]), default=2))


async def show_update(request: web.Request) -> web.Response:
    """Show one parked update as it came, to an administrator only."""
    async with writing(request) as uow:
        row = await inbox.update_row(uow.session, _update_id(request))
        if row is None or row.state != "parked":
            raise NotFoundError("update")
        repair.looked_at_update(uow, row)
    return render(request, "health_update", {"update": row, "raw": _pretty(row.raw)})


def _update_id(request: web.Request) -> int:
    text = request.match_info["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        raise NotFoundError("update")
    return int(text)


def _pretty(raw: bytes) -> str:
    try:
        return json.dumps(json.loads(raw), ensure_ascii=False, indent=2)
    except ValueError:
        return raw.decode("utf-8", "backslashreplace")


async def retry_update(request: web.Request) -> web.Response:
    """Give a parked update another round of tries."""
    async with writing(request) as uow:
        if not await repair.retry_update(uow, _update_id(request)):
            raise NotFoundError("update")
    return see_other("/health", done="retried")


async def retry_message(request: web.Request) -> web.Response:
    """Queue a failed message once more."""
    async with writing(request) as uow:
        if not await repair.retry_message(uow, request.match_info["id"]):
            raise NotFoundError("message")
    return see_other("/health", done="retried")


async def retry_reason(request: web.Request) -> web.Response:
    """Queue every message once more that failed for one reason."""
    form = await form_of(request)
    async with writing(request) as uow:
        await repair.retry_reason(uow, form.text("reason"), uow.now - FAILURES_SHOWN)
    return see_other("/health", done="retried")
