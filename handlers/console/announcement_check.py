"""Show everything about a draft on one page before it is handed over, with what is wrong and where to put it right."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.actions import announcement_trial
from bot.actions import announcements as actions
from bot.actions.announcement_checks import wrong
from bot.domain.announcement import State
from bot.errors import ConflictError, InvalidInputError
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.announcement_access import WRITE, able, calendar_of, visible
from handlers.console.announcement_preview import example_of
from handlers.console.announcement_steps import STEP_OF, Step, show, step_of
from handlers.console.announcement_summary import summary
from handlers.console.page import Errors, Form, form_of, of, runtime_of, see_other, visit_of, writing


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong, and the step on which it is put right."""

    error: InvalidInputError
    step: str


async def page(request: web.Request) -> web.Response:
    """Show the whole draft."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        at = await step_of(request, session)
        if not isinstance(at, Step):
            return at
        values: dict[str, Any] = {
            **await summary(session, at.row, at.home),
            "problems": await problems_of(request, session, at.row, at.home),
            "chats": await announcement_trial.own_chats(session, visit_of(request).person.id),
            "typed": {name: form.text(name) if form else "" for name in ("to", "phone")},
        }
    return show(request, at, "check", values, errors, status)


async def problems_of(request: web.Request, session: Session, row: AnnouncementRow, home: UnitRow) -> list[Wrong]:
    """Return all that stands against handing an announcement over, each thing once."""
    found = await wrong(session, able, row, await calendar_of(session, home), runtime_of(request).now())
    once = {(error.field, error.code, str(error.details)): error for error in found}
    return [Wrong(error, STEP_OF.get(error.field, "words")) for error in once.values()]


async def submit(request: web.Request) -> web.Response:
    """Hand a draft over for approval; with something wrong it stays a draft and the page says what."""
    form = await form_of(request)
    try:
        # Looked at before the transaction: a long list takes seconds. The version says whether it has changed since.
        async with runtime_of(request).database.reading() as session:
            row, home = await visible(request, session, WRITE)
            _ready(await problems_of(request, session, row, home))
        async with writing(request) as uow:
            await actions.submit(uow, row.id, form.number("version") or 0)
    except InvalidInputError as error:
        return await _page(request, of(error), None, 422)
    except ConflictError:
        return await _page(request, of(InvalidInputError("version", "look_again")), None, 409)
    return see_other(f"/announcements/{row.id}", done="announcement_submitted")


def _ready(problems: list[Wrong]) -> None:
    if problems:
        raise InvalidInputError("submit", "not_ready")


async def _send_trial(request: web.Request, uow: UnitOfWork, row: AnnouncementRow, form: Form) -> None:
    if row.state != State.DRAFT:
        raise ConflictError(f"announcement {row.id} is {row.state}")
    if not row.text.strip():
        raise InvalidInputError("phone", "nothing_to_try")
    if form.text("to") not in {"", "phone"}:
        contact = await announcement_trial.own_chat(uow, form.text("to"))
    else:
        contact = await announcement_trial.by_phone(uow, runtime_of(request).box, row, form.text("phone"))
    await announcement_trial.send(uow, row, contact, await example_of(uow.session, row))


async def try_out(request: web.Request) -> web.Response:
    """Send the draft to a phone of the office, or to one's own linked chat, marked as a trial."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            row, _ = await visible(request, uow.session, WRITE)
            await _send_trial(request, uow, row, form)
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    return see_other(f"/announcements/{row.id}/check", done="trial_sent")
