"""Stand before every page: time it, let in who may, refuse forged forms, and turn errors into words."""

import hmac
import time
from datetime import timedelta
from functools import partial
from urllib.parse import quote, urlsplit

from aiohttp import web
from multidict import CIMultiDict

from bot import metrics, translations
from bot.domain.access import Permission
from bot.errors import ConflictError, ForbiddenError, InvalidInputError, LoaError, NotFoundError
from bot.logs import logger
from bot.passwords import token_id
from bot.store import staff
from handlers.api import problem
from handlers.console.page import form_of, is_htmx, render
from handlers.keys import FORM, ROUTES, RUNTIME, VISIT, Handler, Route, Visit

_log = logger("web")
SECURITY_HEADERS = web.AppKey("security_headers", CIMultiDict[str])
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_TOUCH_EVERY = timedelta(minutes=1)
_STATUSES = {NotFoundError: 404, ForbiddenError: 403, ConflictError: 409, InvalidInputError: 422}
_MEGABYTE = 1024 * 1024
_FORM_SLACK = 64 * 1024
_PATIENCE = 64 * _MEGABYTE
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def cookie_name(public_url: str) -> str:
    """Return the session cookie's name; over https the prefix keeps other hosts and paths from setting it."""
    return "__Host-loa" if public_url.startswith("https://") else "loa"


def client_address(request: web.Request) -> str:
    """Return who asks: the peer, or what our own proxies say of it."""
    trusted = request.app[RUNTIME].settings.server.trusted_proxies
    address = request.remote or ""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    while address in trusted and hops:
        address = hops.pop()
    return address[:64]


def safe_next(target: str) -> str:
    """Return an address inside this console; anything that could lead elsewhere becomes the first page."""
    parts = urlsplit(target)
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    plain = target.isprintable() and not parts.scheme and not parts.netloc
    return target if inside and plain and not target.startswith("/login") else "/"


def security_headers(public_url: str) -> CIMultiDict[str]:
    """Return what every answer carries; over https also that there is no way back to http."""
    headers = CIMultiDict(
        {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
    )
    if public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Tell browsers to run nothing but our own files, and to keep no page that shows personal data."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.update(request.app[SECURITY_HEADERS])
    if headers.get("Content-Type", "").startswith("text/html"):
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Vary", "HX-Request")


@web.middleware
async def doorway(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let machines straight to their handler; people come past the clock, the words for errors, and the gate.

    What other systems call (handlers/api) asks for its key itself, and hears of errors in its own way.
    """
    if request.path.startswith(problem.PREFIX):
        return await timing(request, partial(problem.guarded, handler=handler))
    route = request.app[ROUTES].get(request.match_info.route)
    if route is not None and route.machine:
        return await handler(request)
    return await timing(request, partial(errors, handler=partial(gate, handler=handler)))


async def timing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Measure the server time of each page, by its pattern."""
    route = request.app[ROUTES].get(request.match_info.route)
    begun = time.perf_counter()
    try:
        return await handler(request)
    finally:
        if route is not None and route.path != "/events":
            metrics.page_seconds.labels(f"{route.method} {route.path}").observe(time.perf_counter() - begun)


async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with a page in words; what nobody expected is logged."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code or not _is_console(request):
            raise
        return _problem(request, error.status)
    except LoaError as error:
        status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 500)
        return _problem(request, status, error if isinstance(error, InvalidInputError) else None)
    except Exception:  # the last line of defence: a page in words, the rest in the log
        if not _is_console(request):
            raise
        _log.exception("page failed", page=request.path)
        return _problem(request, 500)


def _is_console(request: web.Request) -> bool:
    return not request.path.startswith(("/webhooks/", "/healthz", "/readyz", "/metrics", "/zalo_verifier", "/static/"))


def _problem(request: web.Request, status: int, error: InvalidInputError | None = None) -> web.Response:
    return render(request, "problem", {"status": status, "error": error}, status)


async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through to its page when whoever asks may, as the table of routes says."""
    translations.use(translations.SOURCE_LANGUAGE)
    route = request.app[ROUTES].get(request.match_info.route)
    if route is None or route.permission is Permission.PUBLIC:
        return await handler(request)
    if "\x00" in request.path or any("\x00" in value for value in request.query.values()):
        raise web.HTTPNotFound  # PostgreSQL knows no such text, so nothing can be found by it
    if route.uploads:
        slack = _PATIENCE if route.patient else _FORM_SLACK
        most = max(request.app[RUNTIME].settings.files.max_file_mb, route.megabytes) * _MEGABYTE + slack
        request = request.clone(client_max_size=most)
    visit = await _visit(request, route)
    if visit is None:
        return _to_sign_in(request)
    request[VISIT] = visit
    translations.use(visit.person.language)
    if not visit.grants.anywhere(route.permission):
        raise web.HTTPForbidden
    try:
        if request.method not in _SAFE_METHODS and not await _is_own_form(request, visit):
            return _problem(request, 403, InvalidInputError("csrf", "stale_page"))
        return await handler(request)
    finally:
        _close_uploads(request)


async def _visit(request: web.Request, route: Route) -> Visit | None:
    runtime = request.app[RUNTIME]
    token = request.cookies.get(cookie_name(runtime.settings.server.public_url))
    if not token:
        return None
    now = runtime.now()
    async with runtime.database.reading() as session:
        found = await staff.live_session(session, token_id(token), now)
        if found is None:
            return None
        row, person = found
        if now - row.last_seen_at > timedelta(minutes=runtime.settings.security.idle_minutes):
            return None
        grants = await staff.grants(session, person.id)
    # A page that renews itself is no sign of a person in front of it.
    by_itself = route.path == "/events" or request.headers.get("X-Live") == "1"
    if now - row.last_seen_at > _TOUCH_EVERY and not by_itself:
        async with runtime.units_of_work() as uow:
            await staff.touch_session(uow.session, row.id, now)
    return Visit(row, person, grants)


def _to_sign_in(request: web.Request) -> web.Response:
    if is_htmx(request):
        parts = urlsplit(request.headers.get("HX-Current-URL", "/"))
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        return web.Response(status=401, headers={"HX-Redirect": f"/login?next={quote(safe_next(target))}"})
    if request.path == "/events":
        return web.Response(status=401)
    target = request.path_qs if request.method in _SAFE_METHODS else "/"
    where = "/login" if target == "/" else f"/login?next={quote(safe_next(target))}"
    return web.Response(status=303, headers={"Location": where})


def _close_uploads(request: web.Request) -> None:
    form = request.get(FORM)
    for value in form.values() if form is not None else ():
        if isinstance(value, web.FileField):
            value.file.close()


async def _is_own_form(request: web.Request, visit: Visit) -> bool:
    given = request.headers.get("X-CSRF-Token")
    if given is None:
        given = (await form_of(request)).secret("csrf")
    return hmac.compare_digest(given.encode(), visit.session.csrf.encode())
