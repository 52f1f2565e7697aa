"""Let people look after their own sign-in: password, one-time codes, open sessions, language, and linked chats."""

from typing import Any

from aiohttp import web

from bot.actions import official_links
from bot.actions import staff as actions
from bot.domain.card import LINK_MINUTES
from bot.errors import DecryptionError, ForbiddenError, InvalidInputError, NotFoundError
from bot.passwords import hash_password, new_totp_secret, qr_svg, totp_address, verify_password
from bot.store import staff, units
from handlers.console import chats
from handlers.console.page import Errors, form_of, of, render, runtime_of, see_other, visit_of, writing
from handlers.middlewares import client_address


async def show(request: web.Request) -> web.Response:
    """Show one's own page."""
    return await _page(request, {})


async def _page(request: web.Request, errors: Errors, status: int = 200, **more: Any) -> web.Response:
    runtime, visit = runtime_of(request), visit_of(request)
    async with runtime.database.reading() as session:
        sessions = await staff.live_sessions(session, visit.person.id, runtime.now())
        roles = await staff.roles(session, visit.person.id)
        tree = await units.all_units(session)
        names = {unit.id: unit.name for unit in tree}
        pocket = await chats.shown(session, visit, tree, runtime.now())
    held = [(role.role, names.get(role.unit_id, "")) for role in roles]
    values = {"sessions": sessions, "current": visit.session.id, "roles": held, "errors": errors, "pocket": pocket}
    return render(request, "account", {**values, "made": None, **more}, status)


async def make_link_code(request: web.Request) -> web.Response:
    """Show a code that links one's chat, once; a stolen session must not be enough, so the password is asked for."""
    form, visit, runtime = await form_of(request), visit_of(request), runtime_of(request)
    try:
        await _require_password(request, form.secret("current"), "link")
    except InvalidInputError as error:
        return await _page(request, of(error), 422)
    async with writing(request) as uow:
        code = await official_links.make_code(uow, runtime.box, visit.person)
        made = await chats.made(uow.session, code, LINK_MINUTES)
    return await _page(request, {}, made=made)


async def unlink(request: web.Request) -> web.Response:
    """End every link of one's chats."""
    async with writing(request) as uow:
        await official_links.unlink_person(uow, visit_of(request).person.id)
    return see_other("/me", done="unlinked")


async def make_group_code(request: web.Request) -> web.Response:
    """Show a code that gives a group to a unit, once."""
    form, visit, runtime = await form_of(request), visit_of(request), runtime_of(request)
    unit_id = form.text("unit_id")
    try:
        async with writing(request) as uow:
            code = await official_links.make_group_code(uow, runtime.box, visit.person, visit.grants, unit_id)
            unit = await units.unit(uow.session, unit_id)
            made = await chats.made(uow.session, code, LINK_MINUTES, unit.name if unit else "")
    except (NotFoundError, ForbiddenError):
        return await _page(request, of(InvalidInputError("unit_id", "unknown_unit")), 422)
    return await _page(request, {}, made=made)


async def remove_group(request: web.Request) -> web.Response:
    """Take its groups away from a unit."""
    async with writing(request) as uow:
        await official_links.unlink_group(uow, visit_of(request).grants, request.match_info["id"])
    return see_other("/me", done="group_removed")


async def change_password(request: web.Request) -> web.Response:
    """Change one's password; every other session ends."""
    form, visit = await form_of(request), visit_of(request)
    new = form.secret("password")
    try:
        await _require_password(request, form.secret("current"), "current")
        actions.check_new_password(new)
        if new != form.secret("again"):
            return await _page(request, of(InvalidInputError("again", "not_the_same")), 422)
    except InvalidInputError as error:
        return await _page(request, of(error), 422)
    hashed = await hash_password(new)
    async with writing(request) as uow:
        await actions.set_password(uow, visit.person.id, hashed, keep_session=visit.session.id)
    return see_other("/me", done="password_changed")


async def _require_password(request: web.Request, password: str, field: str) -> None:
    """Ask for the password again where a stolen session must not be enough; wrong guesses slow down here too."""
    runtime, visit = runtime_of(request), visit_of(request)
    address = client_address(request)
    async with runtime.units_of_work() as uow:
        wait = await actions.begin_guess(uow, visit.person.email, address)
    if wait:
        raise InvalidInputError(field, "wait", seconds=wait)
    if not await verify_password(visit.person.password, password):
        raise InvalidInputError(field, "wrong_password")
    async with runtime.units_of_work() as uow:
        await actions.guessed_right(uow, visit.person.email, address)


async def show_totp(request: web.Request) -> web.Response:
    """Show a new seed as QR code; it counts only once a first code was right."""
    return _totp_page(request, new_totp_secret(), {})


def _totp_page(request: web.Request, secret: str, errors: Errors, status: int = 200) -> web.Response:
    address = totp_address(secret, visit_of(request).person.email)
    sealed = runtime_of(request).box.seal(secret).decode()
    values = {"qr": qr_svg(address), "secret": secret, "sealed": sealed, "errors": errors}
    return render(request, "account_totp", values, status)


async def set_totp(request: web.Request) -> web.Response:
    """Switch one-time codes on."""
    form, visit, runtime = await form_of(request), visit_of(request), runtime_of(request)
    try:
        secret = runtime.box.open(form.text("sealed").encode())
    except DecryptionError:
        return await _page(request, of(InvalidInputError("totp", "stale_page")), 422)
    try:
        async with writing(request) as uow:
            await actions.set_totp(uow, visit.person.id, secret, form.text("code"), runtime.box)
    except InvalidInputError as error:
        return _totp_page(request, secret, of(error), 422)
    return see_other("/me", done="totp_on")


async def remove_totp(request: web.Request) -> web.Response:
    """Switch one-time codes off; the password is asked for, since a stolen session must not be able to."""
    form, visit = await form_of(request), visit_of(request)
    try:
        await _require_password(request, form.secret("current"), "totp")
    except InvalidInputError as error:
        return await _page(request, of(error), 422)
    async with writing(request) as uow:
        await actions.remove_totp(uow, visit.person.id)
    return see_other("/me", done="totp_off")


async def end_session(request: web.Request) -> web.Response:
    """End one of one's sessions."""
    visit = visit_of(request)
    async with writing(request) as uow:
        await actions.end_session(uow, visit.person.id, request.match_info["id"])
    return see_other("/me", done="session_ended")


async def set_language(request: web.Request) -> web.Response:
    """Choose the language of the console."""
    form = await form_of(request)
    async with writing(request) as uow:
        await actions.set_language(uow, visit_of(request).person.id, form.text("language"))
    return see_other("/me", done="saved")
