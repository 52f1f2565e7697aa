"""Keep the routing rules of a unit in order, and show what would happen to a text."""

from typing import Any

from aiohttp import web

from bot.actions import rules as actions
from bot.domain.access import Permission
from bot.errors import InvalidInputError, NotFoundError
from bot.store import accounts, units
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing
from handlers.console.units import own_unit

_FIELDS = ("category_id", "area_id", "words", "kind", "target_unit_id", "note")
_LONGEST_TRIAL = 2000


async def show(request: web.Request) -> web.Response:
    """Show the rules of a unit."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        homes = await _homes(request, session)
        wanted = (form.text("unit_id") if form else "") or request.query.get("unit", "")
        home = next((u for u in homes if u.id == wanted), homes[0] if homes else None)
        values: dict[str, Any] = {"homes": homes, "home": home, "errors": errors, "trial": None, "text": ""}
        if home is not None:
            values |= await _rules_of(session, home)
    values["typed"] = {name: form.text(name) if form else "" for name in _FIELDS}
    values["rule_id"] = form.text("rule_id") if form else ""
    return render(request, "admin/rules", values, status)


async def _homes(request: web.Request, session: Session) -> list[UnitRow]:
    """Return one's own units that have accounts first, for these are the ones whose rules are used."""
    visit = visit_of(request)
    owners = {row.unit_id for row in await accounts.all_accounts(session)}
    mine = [u for u in await units.all_units(session) if visit.grants.over(Permission.ADMIN, u.path)]
    return sorted(mine, key=lambda u: (u.id not in owners, u.path))


async def _rules_of(session: Session, home: UnitRow) -> dict[str, object]:
    below = [u for u in await units.below(session, home.path) if u.valid_to is None]
    return {
        "rules": await units.routing_rules(session, home.id),
        "categories": await units.categories(session, home.id),
        "areas": await units.areas(session, home.id),
        "targets": below,
        "unit_names": {u.id: u.name for u in below},
        "fallback": str(home.settings.get("fallback") or home.id),
        "kinds": actions.KINDS,
    }


async def save(request: web.Request) -> web.Response:
    """Add a rule or change one."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            home = await own_unit(request, uow.session, form.text("unit_id") or "-")
            given = {name: form.text(name) for name in _FIELDS}
            await actions.save_rule(uow, home.id, form.text("rule_id") or None, given)
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    return see_other("/admin/rules", unit=home.id, done="saved")


async def move(request: web.Request) -> web.Response:
    """Move a rule up or down."""
    form = await form_of(request)
    async with writing(request) as uow:
        row = await actions.rule_of(uow, request.match_info["id"])
        await own_unit(request, uow.session, row.unit_id)
        await actions.move_rule(uow, row.id, up=form.text("direction") == "up")
    return see_other("/admin/rules", unit=row.unit_id)


async def remove(request: web.Request) -> web.Response:
    """Remove a rule."""
    async with writing(request) as uow:
        row = await actions.rule_of(uow, request.match_info["id"])
        unit_id = row.unit_id
        await own_unit(request, uow.session, unit_id)
        await actions.remove_rule(uow, row.id)
    return see_other("/admin/rules", unit=unit_id, done="removed")


async def try_text(request: web.Request) -> web.Response:
    """Say what would happen to a text; nothing is stored."""
    text = request.query.get("text", "")[:_LONGEST_TRIAL].strip()
    async with runtime_of(request).database.reading() as session:
        home = await own_unit(request, session, request.query.get("unit") or "-")
        known = await _rules_of(session, home)
        rules = await units.routing_rules(session, home.id)
        categories = await units.categories(session, home.id)
        areas = await units.areas(session, home.id)
    if not text:
        raise NotFoundError("text")
    trial = actions.try_text(home, rules, categories, areas, text, request.query.get("category", ""))
    return render(request, "admin/rules_trial", {**known, "trial": trial, "home": home})
