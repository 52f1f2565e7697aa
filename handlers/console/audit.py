"""Show who did what, and who looked at personal data."""

from aiohttp import web

from bot.store import audit
from handlers.console.page import page_number, render, runtime_of

_SHOWN = 100
KINDS = (
    *("case", "contact", "staff", "account", "unit", "category", "area", "rule", "calendar"),
    *("update", "message", "file"),
)


async def show(request: web.Request) -> web.Response:
    """Show the latest deeds, of one kind or about one subject where the address says so."""
    kind = request.query.get("kind", "")
    kind = kind if kind in KINDS else ""
    subject, page = request.query.get("subject", "")[:100], page_number(request)
    async with runtime_of(request).database.reading() as session:
        rows = await audit.latest(session, _SHOWN + 1, f"{kind}." if kind else "", subject, (page - 1) * _SHOWN)
    values = {
        "rows": rows[:_SHOWN],
        "page": page,
        "more": len(rows) > _SHOWN,
        "kinds": KINDS,
        "kind": kind,
        "subject": subject,
    }
    return render(request, "admin/audit", values)
