"""Sign in and out: password, then a one-time code where the person uses one; wrong guesses slow down."""

import hmac
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from aiohttp import web

from bot.actions import staff as actions
from bot.errors import InvalidInputError
from bot.passwords import new_token, verify_password
from bot.runtime import Runtime
from bot.store import staff
from bot.store.staff import StaffRow
from bot.store.unit_of_work import Actor
from handlers.console.page import Form, form_of, of, render, runtime_of, see_other, visit_of, writing
from handlers.middlewares import client_address, cookie_name, safe_next

_TICKET_MINUTES = 5


async def show(request: web.Request) -> web.Response:
    """Show the sign-in page."""
    return render(request, "sign_in", {"next": safe_next(request.query.get("next", "/")), "email": ""})


async def submit(request: web.Request) -> web.StreamResponse:
    """Check e-mail and password; signs in, or asks for the one-time code."""
    _require_own_page(request)
    runtime, form = runtime_of(request), await form_of(request)
    email, target = form.text("email").lower()[:200], safe_next(form.text("next"))
    address = client_address(request)
    async with runtime.units_of_work() as uow:
        wait = await actions.begin_guess(uow, email, address)
    if wait:
        return _again(request, form, InvalidInputError("email", "wait", seconds=wait), 429)
    async with runtime.database.reading() as session:
        person = await staff.by_email(session, email)
    right = await verify_password(person.password if person else None, form.secret("password"))
    if not right or person is None or not person.active:
        async with runtime.units_of_work() as uow:
            await actions.guessed_wrong(uow, email, address, person, "inactive" if right else "password")
        return _again(request, form, InvalidInputError("email", "wrong_password"), 422)
    if person.totp is not None:
        return _ask_code(request, _ticket(runtime, person.id), target)
    return await _let_in(request, person, target)


async def submit_code(request: web.Request) -> web.StreamResponse:
    """Check the one-time code that follows the password."""
    _require_own_page(request)
    runtime, form = runtime_of(request), await form_of(request)
    target, ticket = safe_next(form.text("next")), form.text("ticket")
    staff_id = _from_ticket(runtime, ticket)
    address = client_address(request)
    async with runtime.database.reading() as session:
        person = await staff.person(session, staff_id) if staff_id else None
    if person is None or not person.active:
        return _again(request, form, InvalidInputError("email", "sign_in_expired"), 422)
    async with runtime.units_of_work() as uow:
        wait = await actions.begin_guess(uow, person.email, address)
    if wait:
        return _ask_code(request, ticket, target, InvalidInputError("code", "wait", seconds=wait), 429)
    async with runtime.units_of_work() as uow:
        right = await actions.use_totp(uow, person.id, form.text("code"), runtime.box)
        if not right:
            await actions.guessed_wrong(uow, person.email, address, person, "code")
    if not right:
        return _ask_code(request, ticket, target, InvalidInputError("code", "wrong_code"), 422)
    return await _let_in(request, person, target)


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End this sign-in."""
    visit = visit_of(request)
    async with writing(request) as uow:
        await actions.sign_out(uow, visit.person.id, visit.session.id)
    response = see_other("/login", done="signed_out")
    response.del_cookie(cookie_name(runtime_of(request).settings.server.public_url), path="/")
    return response


def _again(request: web.Request, form: Form, error: InvalidInputError, status: int) -> web.Response:
    values = {"next": safe_next(form.text("next")), "email": form.text("email"), "errors": of(error)}
    return render(request, "sign_in", values, status)


def _ask_code(
    request: web.Request, ticket: str, target: str, error: InvalidInputError | None = None, status: int = 200
) -> web.Response:
    values = {"ticket": ticket, "next": target, "errors": of(error) if error else {}}
    return render(request, "sign_in_code", values, status)


async def _let_in(request: web.Request, person: StaffRow, target: str) -> web.Response:
    runtime = runtime_of(request)
    token, csrf = new_token(), new_token()
    settings = runtime.settings
    async with runtime.units_of_work(Actor("staff", person.id, person.name)) as uow:
        await actions.open_session(
            uow,
            person,
            token,
            csrf,
            client_address(request),
            request.headers.get("User-Agent", ""),
            settings.security.session_hours,
        )
    response = see_other(target)
    response.set_cookie(
        cookie_name(settings.server.public_url),
        token,
        max_age=settings.security.session_hours * 3600,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=settings.server.public_url.startswith("https://"),
    )
    return response


def _ticket(runtime: Runtime, staff_id: str) -> str:
    until = int((runtime.now() + timedelta(minutes=_TICKET_MINUTES)).timestamp())
    claim = f"{staff_id}.{until}"
    return f"{claim}.{runtime.box.sign(f'sign-in:{claim}')}"


def _from_ticket(runtime: Runtime, ticket: str) -> str | None:
    claim, _, signature = ticket.rpartition(".")
    staff_id, _, until = claim.partition(".")
    expected = runtime.box.sign(f"sign-in:{claim}")
    if not hmac.compare_digest(expected.encode(), signature.encode()) or not until.isdigit():
        return None
    return staff_id if datetime.fromtimestamp(int(until), runtime.now().tzinfo) > runtime.now() else None


def _require_own_page(request: web.Request) -> None:
    """Refuse a sign-in that another site's page has sent: there is no session yet whose token could prove it."""
    origin = request.headers.get("Origin")
    known = {request.host, urlsplit(runtime_of(request).settings.server.public_url).netloc}
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or (origin and urlsplit(origin).netloc not in known):
        raise web.HTTPForbidden
