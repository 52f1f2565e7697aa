"""Say how the exports of a unit are read: its own names of columns and statuses, and whose unit codes are whose."""

from aiohttp import web

from bot.actions import dossier_columns as actions
from bot.domain.dossier import Status
from bot.domain.dossier_columns import Column, meaning
from bot.domain.text import fold
from bot.errors import InvalidInputError, NotFoundError
from bot.store import dossier_imports
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.console.dossier_imports import HOME, own_units
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, writing

_EMPTY_LINES = 3
_MOST_LINES = 300


async def show(request: web.Request) -> web.Response:
    """Show what is saved; of a file that was not understood its own columns, statuses and unit codes are offered."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        mine = await own_units(request, session)
        unit = _chosen(mine, form.text("unit_id") if form else request.query.get("unit", ""))
        lines = _typed(form) if form else await _lines(session, unit, request.query.get("import", ""))
    values = {
        "unit": unit,
        "units": [each for each in mine if each.valid_to is None],
        "lines": lines,
        "empty": _EMPTY_LINES,
        "columns": [column.value for column in Column if column is not Column.IGNORED],
        "statuses": [int(each) for each in Status],
        "errors": errors,
        "back": form.text("import") if form else request.query.get("import", ""),
    }
    return render(request, "dossiers/columns", values, status)


def _chosen(mine: list[UnitRow], unit_id: str) -> UnitRow:
    unit = next((each for each in mine if each.id == unit_id), None) or (mine[0] if mine and not unit_id else None)
    if unit is None:
        raise NotFoundError("unit")
    return unit


Lines = dict[str, list[tuple[str, str]]]


async def _lines(session: Session, unit: UnitRow, import_id: str) -> Lines:
    """Return what is saved, words and what they mean, and what a file has that nobody has named yet."""
    saved = (await dossier_imports.columns(session, [unit.id])).get(unit.id)
    found: Lines = {"headers": [], "statuses": [], "units": []}
    if saved is not None:
        found["headers"] = sorted(saved.headers.items())
        found["statuses"] = sorted((words, str(code)) for words, code in saved.statuses.items())
        found["units"] = sorted(saved.units.items())
    row = await dossier_imports.one(session, import_id) if import_id else None
    if row is None or row.unit_id != unit.id:
        return found
    known = {name for name, _ in found["headers"]}
    for name in row.columns:
        if fold(name) not in known:
            found["headers"].append((name, meaning(name, {})[1].value))
    for warning in row.warnings:
        if warning["code"] == "unknown_statuses":
            found["statuses"] += [(words, "") for words, _ in warning["details"]["statuses"]]
        elif warning["code"] == "unknown_units":
            found["units"] += [(code, "") for code, _ in warning["details"]["units"]]
    return found


def _typed(form: Form) -> Lines:
    return {
        part: list(zip(form.texts(f"{part}_words"), form.texts(f"{part}_mean"), strict=False))[:_MOST_LINES]
        for part in ("headers", "statuses", "units")
    }


async def save(request: web.Request) -> web.Response:
    """Keep what was typed; lines without words or without a meaning are left out, but a column may mean nothing."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            unit = _chosen(await own_units(request, uow.session), form.text("unit_id"))
            lines = _typed(form)
            headers = {words: "" if mean == "ignored" else mean for words, mean in lines["headers"] if words and mean}
            statuses = {words: _status(mean) for words, mean in lines["statuses"] if words and mean}
            unit_ids = {words: mean for words, mean in lines["units"] if words and mean}
            mine = {each.id for each in await own_units(request, uow.session)}
            if not set(unit_ids.values()) <= mine:
                raise InvalidInputError("units", "unknown_unit")  # noqa: TRY301 - said like the rest
            await actions.save_columns(uow, unit.id, headers, statuses, unit_ids)
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    if form.text("import"):
        return see_other(HOME, unit=unit.id, done="columns_saved")
    return see_other("/dossiers/columns", unit=unit.id, done="saved")


def _status(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 0  # noqa: PLR2004 - 1 to 10
