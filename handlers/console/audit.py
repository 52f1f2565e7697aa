"""Show who did what, and who looked at personal data."""

from aiohttp import web

from bot.domain.access import Permission
from bot.store import audit
from bot.store.audit import CaseScope
from handlers.console.page import page_number, render, runtime_of, visit_of
from handlers.keys import Visit

_SHOWN = 100
_SLASHES_OF_ROOT = 2
KINDS = (
    *("case", "contact", "staff", "account", "unit", "category", "area", "rule", "topic", "template", "calendar"),
    *("update", "message", "file", "link", "announcement", "saved_text", "recipient_list", "procedure", "dossier"),
)


async def show(request: web.Request) -> web.Response:
    """Show the latest deeds, of one kind or about one subject where the address says so."""
    kind = request.query.get("kind", "")
    kind = kind if kind in KINDS else ""
    subject, page = request.query.get("subject", "")[:100], page_number(request)
    async with runtime_of(request).database.reading() as session:
        action, offset = f"{kind}." if kind else "", (page - 1) * _SHOWN
        rows = await audit.latest(session, _SHOWN + 1, action, subject, offset, _scope(visit_of(request)))
    values = {
        "rows": rows[:_SHOWN],
        "page": page,
        "more": len(rows) > _SHOWN,
        "kinds": KINDS,
        "kind": kind,
        "subject": subject,
    }
    return render(request, "admin/audit", values)


def _scope(visit: Visit) -> CaseScope:
    """Return which cases this person may read about.

    Whoever watches over a whole tree reads that something was done about conduct too, though not who sent the report.
    """
    paths = visit.grants.paths(Permission.AUDIT_READ)
    roots = tuple(path for path in paths if path.count("/") == _SLASHES_OF_ROOT)
    return CaseScope(paths, (*roots, *visit.grants.paths(Permission.CASE_RESTRICTED)))
