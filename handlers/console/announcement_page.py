"""Show one announcement as it stands, and approve it, send it back, take it back, end it, copy it, throw it away."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.actions import announcements as actions
from bot.domain.access import Permission
from bot.domain.announcement import Kind, State
from bot.errors import ConflictError, ForbiddenError, InvalidInputError
from bot.store import announcement_views, announcements, audit, staff
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.announcement_access import APPROVE, WRITE, visible
from handlers.console.announcement_check import problems_of
from handlers.console.announcement_summary import summary
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing

_HISTORY = 100
Deed = Callable[[UnitOfWork, AnnouncementRow, Form], Awaitable[object]]


async def show(request: web.Request) -> web.Response:
    """Show one announcement."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        row, home = await visible(request, session)
        runs = await announcements.runs(session, row.id)
        waits = row.state == State.SUBMITTED
        people = await staff.people(session, _people(row))
        values: dict[str, Any] = {
            **await summary(session, row, home),
            "row": row,
            "home": home,
            "runs": runs,
            "progress": await announcement_views.progress(session, [run.id for run in runs[:10]]),
            "people": {key: person.name for key, person in people.items()},
            "history": await _history(session, row),
            "problems": await problems_of(request, session, row, home) if waits else [],
            "can": _can(request, row, home),
            "emergency": row.kind == Kind.EMERGENCY,
            "typed": {"reason": form.text("reason") if form else ""},
            "shown": _shown(request, row),
            "errors": errors,
        }
    return render(request, "announcements/page", values, status)


def _shown(request: web.Request, row: AnnouncementRow) -> int:
    """Return the version that the open page shows: news must not bring what acts on words that nobody has seen."""
    return Form(request.query).number("shown") or row.version


def _people(row: AnnouncementRow) -> list[str]:
    return [key for key in (row.created_by, row.submitted_by, row.approved_by) if key]


async def _history(session: Session, row: AnnouncementRow) -> list[audit.AuditRow]:
    return await audit.latest(session, _HISTORY, "announcement.", f"announcement:{row.id}")


def _can(request: web.Request, row: AnnouncementRow, home: UnitRow) -> dict[str, bool]:
    """Say what whoever looks may do with an announcement as it stands."""
    visit = visit_of(request)
    writes, approves = (visit.grants.over(permission, home.path) for permission in (WRITE, APPROVE))
    own = actions.had_a_hand(row, visit.person.id)
    return {
        "edit": writes and row.state == State.DRAFT,
        "withdraw": writes and row.state == State.SUBMITTED,
        "approve": approves and row.state == State.SUBMITTED and not own,
        "own": approves and row.state == State.SUBMITTED and own,
        "end": (writes or approves) and row.state == State.APPROVED,
        "copy": writes,
    }


async def _do(
    request: web.Request, permissions: tuple[Permission, ...], deed: Deed, done: str, to: str = ""
) -> web.Response:
    """Do something to the announcement of the address; with something wrong its page comes again and says so."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            row, home = await visible(request, uow.session)
            if not any(visit_of(request).grants.over(permission, home.path) for permission in permissions):
                raise ForbiddenError(f"announcement {row.id}")
            await deed(uow, row, form)
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    except ConflictError:
        return await _page(request, of(InvalidInputError("version", "look_again")), form, 409)
    return see_other(to or f"/announcements/{row.id}", done=done)


def _version(form: Form) -> int:
    return form.number("version") or 0


async def approve(request: web.Request) -> web.Response:
    """Approve an announcement, an emergency only with one more confirmation; what is wrong by now is said first."""
    async with runtime_of(request).database.reading() as session:  # a long list takes seconds: not in the transaction
        seen, home = await visible(request, session)
        wrong = seen.state == State.SUBMITTED and await problems_of(request, session, seen, home)

    async def deed(uow: UnitOfWork, row: AnnouncementRow, form: Form) -> None:
        if wrong:
            raise InvalidInputError("version", "not_ready")
        await actions.approve(uow, row.id, _version(form), confirmed=bool(form.text("confirmed")))

    return await _do(request, (APPROVE,), deed, "announcement_approved")


async def send_back(request: web.Request) -> web.Response:
    """Send an announcement back to whoever wrote it, with a reason."""

    async def deed(uow: UnitOfWork, row: AnnouncementRow, form: Form) -> None:
        await actions.send_back(uow, row.id, _version(form), form.text("reason"))

    return await _do(request, (APPROVE,), deed, "announcement_sent_back")


async def withdraw(request: web.Request) -> web.Response:
    """Take an announcement back that waits for approval."""

    async def deed(uow: UnitOfWork, row: AnnouncementRow, form: Form) -> None:
        await actions.withdraw(uow, row.id, _version(form))

    return await _do(request, (WRITE,), deed, "announcement_withdrawn")


async def end(request: web.Request) -> web.Response:
    """Let no run of an announcement begin any more; who may write it or approve it may end it."""

    async def deed(uow: UnitOfWork, row: AnnouncementRow, form: Form) -> None:
        await actions.end(uow, row.id, _version(form))

    return await _do(request, (WRITE, APPROVE), deed, "announcement_ended")


async def remove(request: web.Request) -> web.Response:
    """Throw a draft away."""

    async def deed(uow: UnitOfWork, row: AnnouncementRow, form: Form) -> None:
        await actions.remove(uow, row.id, _version(form))

    return await _do(request, (WRITE,), deed, "removed", to="/announcements")
