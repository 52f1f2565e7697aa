"""Lead through composing an announcement: one decision a page, what was typed is kept when something is wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.actions.announcement_senders import accounts_of
from bot.domain.announcement import State
from bot.errors import ConflictError, InvalidInputError
from bot.store import provider_templates
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.announcement_access import WRITE, visible
from handlers.console.announcement_summary import summary
from handlers.console.page import Errors, Form, of, render, see_other, writing

STEPS = ("words", "audience", "ways", "schedule", "check")
STEP_OF = {
    **dict.fromkeys(("title", "text", "button_label", "button_url", "picture", "topic_id"), "words"),
    **dict.fromkeys(("audience", "list"), "audience"),
    **dict.fromkeys(("template", "ways"), "ways"),
    **dict.fromkeys(("kind", "at", "time", "weekdays", "day", "skip", "until", "times"), "schedule"),
}
"""Where what is wrong with an announcement is put right, by the field that it is said of."""

Deed = Callable[[UnitOfWork, AnnouncementRow, UnitRow], Awaitable[object]]
Again = Callable[[Errors, int], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Step:
    """An announcement on one of its steps, as it stands; `saved` is all that is saved, where something was to be."""

    row: AnnouncementRow
    home: UnitRow
    names: tuple[str, ...]
    saved: dict[str, Any] | None = None

    @property
    def locked(self) -> bool:
        """Whether it is no draft any more: what was typed is shown, and cannot be saved."""
        return self.row.state != State.DRAFT


async def steps_of(session: Session, row: AnnouncementRow) -> tuple[str, ...]:
    """Return the steps of an announcement: without the ways where no account has a template to choose."""
    owners = [account.id for account in await accounts_of(session, row)]
    has_templates = bool(await provider_templates.of_accounts(session, owners))
    return tuple(step for step in STEPS if step != "ways" or has_templates or row.templates)


async def step_of(request: web.Request, session: Session) -> Step | web.Response:
    """Return the draft of the address; one that is no draft any more can only be looked at.

    Where something was to be changed, it comes with what is saved by now, draft or not. Raises NotFoundError.
    """
    row, home = await visible(request, session, WRITE)
    looking = request.method == "GET"
    if looking and row.state != State.DRAFT:
        return see_other(f"/announcements/{row.id}")
    return Step(row, home, await steps_of(session, row), None if looking else await summary(session, row, home))


def show(
    request: web.Request, at: Step, step: str, values: dict[str, Any], errors: Errors, status: int = 200
) -> web.Response:
    """Answer with the page of one step; of what is no draft any more with what was typed, to be copied."""
    if at.locked:
        errors, status = of(InvalidInputError("version", "no_draft", state=at.row.state)), 409
    shared = {
        "row": at.row,
        "home": at.home,
        "steps": at.names,
        "step": step,
        "errors": errors,
        "locked": at.locked,
        "saved": at.saved if "version" in errors and step != "check" else None,
        "then": "check" if request.query.get("back") == "check" else "",
    }
    return render(request, f"announcements/{step}", {**shared, **values}, status)


async def save(request: web.Request, step: str, form: Form, deed: Deed, again: Again) -> web.Response:
    """Save one step and go on to the next; with something wrong the page comes again, as it was typed."""
    try:
        async with writing(request) as uow:
            row, home = await visible(request, uow.session, WRITE)
            await deed(uow, row, home)
            await uow.session.flush()
            names = await steps_of(uow.session, row)
    except InvalidInputError as error:
        return await again(of(error), 422)
    except ConflictError:
        return await again(of(InvalidInputError("version", "changed_meanwhile")), 409)
    following = names[min(names.index(step) + 1, len(names) - 1)] if step in names else "check"
    return see_other(f"/announcements/{row.id}/{'check' if form.text('then') == 'check' else following}")
