"""Keep staff: who works here, with which roles over which units; cut somebody off at once."""

from dataclasses import dataclass

from aiohttp import web

from bot.actions import staff as actions
from bot.domain.access import Permission, Role
from bot.errors import InvalidInputError, NotFoundError
from bot.passwords import hash_password
from bot.store import staff, units
from bot.store.database import Session
from bot.store.staff import StaffRoleRow, StaffRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing
from handlers.keys import Visit


@dataclass(frozen=True, slots=True)
class Member:
    """One person with what they hold."""

    person: StaffRow
    roles: tuple[tuple[StaffRoleRow, UnitRow], ...]


async def show(request: web.Request) -> web.Response:
    """Show everybody whom this administrator looks after."""
    return await _list(request, {}, None)


async def _list(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    visit = visit_of(request)
    async with runtime_of(request).database.reading() as session:
        tree = await units.all_units(session)
        members = await _members(session, tree)
    values = {
        "members": [m for m in members if _manages(visit, m)],
        "units": _own_units(visit, tree),
        "roles": [role.value for role in Role],
        "errors": errors,
        "typed": {name: form.text(name) if form else "" for name in ("email", "name", "role", "unit_id")},
    }
    return render(request, "admin/staff", values, status)


async def _members(session: Session, tree: list[UnitRow]) -> list[Member]:
    by_id = {unit.id: unit for unit in tree}
    held: dict[str, list[tuple[StaffRoleRow, UnitRow]]] = {}
    for role in await staff.all_roles(session):
        held.setdefault(role.staff_id, []).append((role, by_id[role.unit_id]))
    return [Member(person, tuple(held.get(person.id, ()))) for person in await staff.all_staff(session)]


def _manages(visit: Visit, member: Member) -> bool:
    """Say whether all that somebody holds lies within the administrator's units."""
    return all(visit.grants.over(Permission.ADMIN, unit.path) for _, unit in member.roles)


def _own_units(visit: Visit, tree: list[UnitRow]) -> list[UnitRow]:
    return [u for u in tree if visit.grants.over(Permission.ADMIN, u.path) and u.valid_to is None]


async def add(request: web.Request) -> web.Response:
    """Add a person with a first role and a first password."""
    form = await form_of(request)
    try:
        actions.check_email(form.text("email"))
        actions.check_new_password(form.secret("password"))
        hashed = await hash_password(form.secret("password"))
        async with writing(request) as uow:
            await _require_unit(request, uow, form.text("unit_id"))
            row = await actions.add_staff(
                uow, form.text("email"), form.text("name"), hashed, form.text("role"), form.text("unit_id")
            )
    except InvalidInputError as error:
        return await _list(request, of(error), form, 422)
    return see_other(f"/admin/staff/{row.id}", done="added")


async def _require_unit(request: web.Request, uow: UnitOfWork, unit_id: str) -> None:
    unit = await units.unit(uow.session, unit_id)
    if unit is None or not visit_of(request).grants.over(Permission.ADMIN, unit.path):
        raise InvalidInputError("unit_id", "unknown_unit")


async def show_one(request: web.Request) -> web.Response:
    """Show one person."""
    return await _one(request, {})


async def _one(request: web.Request, errors: Errors, status: int = 200) -> web.Response:
    runtime, visit = runtime_of(request), visit_of(request)
    async with runtime.database.reading() as session:
        tree = await units.all_units(session)
        member = await _managed(request, session, tree)
        sessions = await staff.live_sessions(session, member.person.id, runtime.now())
    values = {
        "member": member,
        "units": _own_units(visit, tree),
        "roles": [role.value for role in Role],
        "sessions": sessions,
        "errors": errors,
    }
    return render(request, "admin/staff_member", values, status)


async def _managed(request: web.Request, session: Session, tree: list[UnitRow]) -> Member:
    wanted = request.match_info["id"]
    member = next((m for m in await _members(session, tree) if m.person.id == wanted), None)
    if member is None or not _manages(visit_of(request), member):
        raise NotFoundError("staff")
    return member


async def _guard(request: web.Request, uow: UnitOfWork) -> str:
    """Return the person of the address, once it is certain that this administrator looks after them."""
    member = await _managed(request, uow.session, await units.all_units(uow.session))
    return member.person.id


async def grant(request: web.Request) -> web.Response:
    """Give a role."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            staff_id = await _guard(request, uow)
            await _require_unit(request, uow, form.text("unit_id"))
            await actions.grant_role(uow, staff_id, form.text("role"), form.text("unit_id"))
    except InvalidInputError as error:
        return await _one(request, of(error), 422)
    return see_other(request.path.removesuffix("/roles"), done="saved")


async def take(request: web.Request) -> web.Response:
    """Take a role away."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            staff_id = await _guard(request, uow)
            await actions.take_role(uow, staff_id, form.text("role"), form.text("unit_id"))
    except InvalidInputError as error:
        return await _one(request, of(error), 422)
    return see_other(request.path.removesuffix("/roles/take"), done="removed")


async def deactivate(request: web.Request) -> web.Response:
    """Cut somebody off: no sign-in any more, every session ends now."""
    try:
        async with writing(request) as uow:
            await actions.deactivate(uow, await _guard(request, uow))
    except InvalidInputError as error:
        return await _one(request, of(error), 422)
    return see_other(request.path.removesuffix("/deactivate"), done="deactivated")


async def activate(request: web.Request) -> web.Response:
    """Let somebody sign in again."""
    async with writing(request) as uow:
        await actions.activate(uow, await _guard(request, uow))
    return see_other(request.path.removesuffix("/activate"), done="activated")


async def reset_password(request: web.Request) -> web.Response:
    """Set a new password for somebody who lost theirs; one-time codes are switched off with it."""
    form = await form_of(request)
    try:
        actions.check_new_password(form.secret("password"))
    except InvalidInputError as error:
        return await _one(request, of(error), 422)
    hashed = await hash_password(form.secret("password"))
    async with writing(request) as uow:
        await actions.set_password(uow, await _guard(request, uow), hashed, reset=True)
    return see_other(request.path.removesuffix("/password"), done="password_reset")
