"""Keep the keys of other systems: make one, shown once; see when each was used last; take one back."""

from typing import Any

from aiohttp import web

from bot.actions import api_keys as actions
from bot.domain.access import Permission
from bot.errors import InvalidInputError, NotFoundError
from bot.store import api_keys, staff, units
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing
from handlers.console.units import own_unit

HOME = "/admin/api-keys"


async def show(request: web.Request) -> web.Response:
    """Show the keys of one's units."""
    return await _page(request)


async def _page(
    request: web.Request, errors: Errors | None = None, form: Form | None = None, made: str = "", status: int = 200
) -> web.Response:
    visit = visit_of(request)
    async with runtime_of(request).database.reading() as session:
        own = [u for u in await units.all_units(session) if visit.grants.over(Permission.ADMIN, u.path)]
        rows = await api_keys.of_units(session, [unit.id for unit in own])
        makers = await staff.people(session, [row.made_by for row in rows if row.made_by])
    values: dict[str, Any] = {
        "own": own,
        "keys": rows,
        "units": {unit.id: unit for unit in own},
        "makers": makers,
        "most": actions.MAX_NAME,
        "typed": {name: form.text(name) if form else "" for name in ("name", "unit_id")},
        "made": made,
        "errors": errors or {},
    }
    return render(request, "admin/api_keys", values, status)


async def add(request: web.Request) -> web.Response:
    """Make a key and show it, this once."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow.session, form.text("unit_id") or "-")
            _, key = await actions.make(uow, runtime_of(request).box, unit.id, form.text("name"))
    except InvalidInputError as error:
        return await _page(request, of(error), form, status=422)
    return await _page(request, made=key)


async def revoke(request: web.Request) -> web.Response:
    """Refuse a key from now on."""
    async with writing(request) as uow:
        row = await api_keys.key(uow.session, request.match_info["id"])
        if row is None:
            raise NotFoundError("api key")
        await own_unit(request, uow.session, row.unit_id)
        await actions.revoke(uow, row.id)
    return see_other(HOME, done="key_revoked")
