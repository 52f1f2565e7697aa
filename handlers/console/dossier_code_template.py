"""Choose by which template digits are sent to a dossier's phone, so that its owner can say in the chat who they are."""

from typing import Any

from aiohttp import web

from bot.actions.dossier_code_template import SETTING, choices, choose
from bot.errors import InvalidInputError, NotFoundError
from bot.store import units
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.console.dossier_settings import ADMIN_HOME, HOME, may_set
from handlers.console.page import Errors, form_of, of, render, runtime_of, see_other, visit_of, writing

PATH, ADMIN_PATH = f"{HOME}/code", f"{ADMIN_HOME}/code"
_AUTOMATIC, _NONE = "auto", "none"


async def show(request: web.Request) -> web.Response:
    """Show which template a unit has chosen, and which can carry digits at all; who has no unit to set is sent back."""
    grants = visit_of(request).grants
    async with runtime_of(request).database.reading() as session:
        if not any(may_set(grants, unit.path) for unit in await units.all_units(session)):
            return see_other(_base(request))
    return await _page(request, {}, request.query.get("unit", ""))


def _base(request: web.Request) -> str:
    """Return the page of settings that this one belongs to: heads and administrators have one each."""
    return ADMIN_HOME if request.path.startswith(ADMIN_HOME) else HOME


async def _home(request: web.Request, session: Session, unit_id: str) -> UnitRow:
    """Return the chosen unit, the topmost where none is; raises NotFoundError for one that is not theirs to set."""
    grants = visit_of(request).grants
    mine = [unit for unit in await units.all_units(session) if may_set(grants, unit.path)]
    home = next((unit for unit in mine if unit_id in {"", unit.id}), None)
    if home is None:
        raise NotFoundError("unit")
    return home


async def _page(request: web.Request, errors: Errors, unit_id: str, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        home = await _home(request, session, unit_id)
        offered = await choices(session, await units.above(session, home))
    chosen = home.settings.get(SETTING)
    values: dict[str, Any] = {
        "base": _base(request),
        "home": home,
        "offered": offered,
        "chosen": _AUTOMATIC if chosen is None else chosen or _NONE,
        "errors": errors,
    }
    return render(request, "dossiers/code_template", values, status)


async def save(request: web.Request) -> web.Response:
    """Save which template a unit has chosen."""
    form = await form_of(request)
    wanted = form.text("template")
    try:
        async with writing(request) as uow:
            home = await _home(request, uow.session, form.text("unit_id"))
            await choose(uow, home.id, {_AUTOMATIC: None, _NONE: ""}.get(wanted, wanted))
    except InvalidInputError as error:
        return await _page(request, of(error), form.text("unit_id"), 422)
    return see_other(_base(request), unit=home.id, done="saved")
