"""Keep the tree of units with their villages, categories and own settings; bring many in from a table."""

import asyncio
import tempfile
from datetime import date
from pathlib import Path

from aiohttp import web

from bot.actions import official_links
from bot.actions import units as actions
from bot.actions.import_units import COLUMNS, UnitImport, import_units
from bot.domain.access import Permission
from bot.domain.case import Level, TimeLimits
from bot.errors import InvalidInputError, NotFoundError
from bot.store import units
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from bot.tables import TableRow, read_table
from handlers.console import chats
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing

_UNIT_FIELDS = ("code", "name", "kind", "parent_id", "valid_from", "valid_to", "aliases")
_SETTINGS = ("approval", "phone", "address", "hours", "privacy_line", "fallback", *actions.LIMITS)
_CATEGORY_FIELDS = ("code", "name", "level", "keywords", *actions.LIMITS)


def date_of(form: Form, field: str) -> date:
    """Return a date from a form; raises InvalidInputError not_a_date."""
    try:
        return date.fromisoformat(form.text(field))
    except ValueError as error:
        raise InvalidInputError(field, "not_a_date") from error


async def show(request: web.Request) -> web.Response:
    """Show the tree."""
    return await _list(request, {}, None)


async def _list(
    request: web.Request, errors: Errors, form: Form | None, status: int = 200, imported: UnitImport | None = None
) -> web.Response:
    visit = visit_of(request)
    async with runtime_of(request).database.reading() as session:
        tree = await units.all_units(session)
    mine = [u for u in tree if visit.grants.over(Permission.ADMIN, u.path)]
    top = min((u.path.count("/") for u in mine), default=0)
    values = {
        "tree": [(u, min(u.path.count("/") - top, 4)) for u in mine],
        "errors": errors,
        "typed": {name: form.text(name) if form else "" for name in _UNIT_FIELDS},
        "imported": imported,
    }
    return render(request, "admin/units", values, status)


async def add(request: web.Request) -> web.Response:
    """Add a unit below one of one's own."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            parent = await _own_parent(request, uow, form.text("parent_id"))
            since = date_of(form, "valid_from")
            row = await actions.add_unit(
                uow, parent, code=form.text("code"), name=form.text("name"), kind=form.text("kind"), valid_from=since
            )
    except InvalidInputError as error:
        return await _list(request, of(error), form, 422)
    return see_other(f"/admin/units/{row.id}", done="added")


async def _own_parent(request: web.Request, uow: UnitOfWork, unit_id: str) -> UnitRow:
    parent = await units.unit(uow.session, unit_id)
    if parent is None or not visit_of(request).grants.over(Permission.ADMIN, parent.path):
        raise InvalidInputError("parent_id", "unknown_unit")
    return parent


async def bring_in(request: web.Request) -> web.Response:
    """Import units from csv or xlsx: good rows go in, bad ones are listed with the reason."""
    form = await form_of(request)
    uploads = form.uploads("file")
    if not uploads:
        return await _list(request, of(InvalidInputError("file", "not_a_known_file")), None, 422)
    try:
        rows = await asyncio.to_thread(_rows, uploads[0])
        async with writing(request) as uow:
            done = await import_units(uow, rows, visit_of(request).grants.paths(Permission.ADMIN))
    except InvalidInputError as error:
        return await _list(request, of(error), None, 422)
    return await _list(request, {}, None, imported=done)


def _rows(upload: web.FileField) -> list[TableRow]:
    with tempfile.NamedTemporaryFile(suffix=Path(upload.filename).suffix) as kept:
        kept.write(upload.file.read())
        kept.flush()
        return read_table(Path(kept.name), COLUMNS)


async def show_one(request: web.Request) -> web.Response:
    """Show one unit."""
    return await _one(request, {}, None)


async def _one(
    request: web.Request, errors: Errors, form: Form | None, status: int = 200, part: str = ""
) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        unit = await own_unit(request, session)
        below = [u for u in await units.below(session, unit.path) if u.valid_to is None]
        areas = await units.areas(session, unit.id)
        categories = await units.categories(session, unit.id)
        parent = await units.unit(session, unit.parent_id) if unit.parent_id else None
        groups = await chats.groups(session, [unit])
    values = {
        "unit": unit,
        "parent": parent,
        "below": below,
        "areas": areas,
        "categories": categories,
        "groups": groups,
        "levels": [level.value for level in Level],
        "limit_names": actions.LIMITS,
        "defaults": TimeLimits(),
        "errors": errors,
        "part": part,
        "typed": {n: form.text(n) for n in (*_SETTINGS, *_UNIT_FIELDS, *_CATEGORY_FIELDS)} if form else {},
    }
    return render(request, "admin/unit", values, status)


async def own_unit(request: web.Request, session: Session, unit_id: str | None = None) -> UnitRow:
    """Return the unit of the address when this administrator looks after it; raises NotFoundError."""
    row = await units.unit(session, unit_id or request.match_info["id"])
    if row is None or not visit_of(request).grants.over(Permission.ADMIN, row.path):
        raise NotFoundError("unit")
    return row


def _back(unit_id: str, done: str, anchor: str = "") -> web.Response:
    response = see_other(f"/admin/units/{unit_id}", done=done)
    if anchor:
        response.headers["Location"] += f"#{anchor}"
    return response


async def change(request: web.Request) -> web.Response:
    """Change what a unit is called and until when it holds."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow.session)
            until = date_of(form, "valid_to") if form.text("valid_to") else None
            name, kind, aliases = form.text("name"), form.text("kind"), form.text("aliases")
            await actions.change_unit(uow, unit.id, name=name, kind=kind, aliases=aliases, valid_to=until)
    except InvalidInputError as error:
        return await _one(request, of(error), form, 422, "unit")
    return _back(unit.id, "saved")


async def change_settings(request: web.Request) -> web.Response:
    """Change what a unit decides itself."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow.session)
            await actions.change_settings(uow, unit.id, {name: form.text(name) for name in _SETTINGS})
    except InvalidInputError as error:
        return await _one(request, of(error), form, 422, "settings")
    return _back(unit.id, "saved")


async def remove_groups(request: web.Request) -> web.Response:
    """Take its group chats away from a unit."""
    async with writing(request) as uow:
        unit = await own_unit(request, uow.session)
        await official_links.unlink_group(uow, visit_of(request).grants, unit.id, Permission.ADMIN)
    return _back(unit.id, "group_removed")


async def add_area(request: web.Request) -> web.Response:
    """Add a village."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow.session)
            await actions.add_area(uow, unit.id, form.text("name"), form.text("aliases"))
    except InvalidInputError as error:
        return await _one(request, of(error), form, 422, "areas")
    return _back(unit.id, "added", "areas")


async def change_area(request: web.Request) -> web.Response:
    """Rename a village or change its other names."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            row = await actions.area_of(uow, request.match_info["id"])
            await own_unit(request, uow.session, row.unit_id)
            await actions.change_area(uow, row.id, form.text("name"), form.text("aliases"))
    except InvalidInputError as error:
        raise InvalidInputError("area", error.code, **error.details) from error
    return _back(row.unit_id, "saved", "areas")


async def save_category(request: web.Request) -> web.Response:
    """Add a category, or change the one that the form names."""
    form = await form_of(request)
    given = {name: form.text(name) for name in _CATEGORY_FIELDS}
    category_id = form.text("category_id") or None
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow.session)
            await _save(uow, unit, category_id, given, form)
    except InvalidInputError as error:
        return await _one(request, of(error), form, 422, f"category-{category_id or 'new'}")
    return _back(unit.id, "saved", "categories")


async def _save(uow: UnitOfWork, unit: UnitRow, category_id: str | None, given: dict[str, str], form: Form) -> None:
    restricted, field_work = bool(form.text("restricted")), bool(form.text("field_work"))
    await actions.save_category(uow, unit.id, category_id, given, restricted=restricted, field_work=field_work)
