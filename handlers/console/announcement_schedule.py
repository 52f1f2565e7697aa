"""Choose when an announcement leaves, and see the next five times before it is saved."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from aiohttp import web

from bot.actions import announcements as actions
from bot.actions.announcement_checks import schedule_problems
from bot.clock import LOCAL_ZONE, to_local
from bot.domain.quiet import QUIET, opens_at
from bot.domain.schedule import KINDS, SKIPS, Schedule, local_time, problems, upcoming
from bot.errors import InvalidInputError
from bot.store.announcements import AnnouncementRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.announcement_access import WRITE, calendar_of, tried, visible
from handlers.console.announcement_steps import Step, save, show, step_of
from handlers.console.page import Errors, Form, form_of, render, runtime_of

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Run:
    """One time at which it would leave, and the moment until which quiet hours put it off."""

    at: datetime
    opens: datetime


async def page(request: web.Request) -> web.Response:
    """Show the schedule."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        at = await step_of(request, session)
        if not isinstance(at, Step):
            return at
    values: dict[str, Any] = {
        "typed": typed_of(form) if form else as_typed(Schedule.from_json(at.row.schedule)),
        "kinds": KINDS,
        "skips": SKIPS,
        "quiet": QUIET.get(at.row.kind),
    }
    return show(request, at, "schedule", values, errors, status)


def as_typed(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule as its fields are filled in."""
    local = to_local(schedule.at) if schedule.at else None
    return {
        "kind": schedule.kind,
        "date": local.strftime("%Y-%m-%d") if local else "",
        "clock": local.strftime("%H:%M") if local else "08:00",
        "time": schedule.time,
        "weekdays": [str(day) for day in schedule.weekdays],
        "day": str(schedule.day or 1),
        "skip": schedule.skip,
        "until": schedule.until.isoformat() if schedule.until else "",
        "times": str(schedule.times or ""),
    }


def typed_of(form: Form) -> dict[str, Any]:
    """Return what was typed, as it was typed."""
    names = ("kind", "date", "clock", "time", "day", "skip", "until", "times")
    return {**{name: form.text(name) for name in names}, "weekdays": form.texts("weekdays")}


def given(form: Form) -> Schedule:
    """Read a schedule from what was typed; raises InvalidInputError for a date or a number that is none."""
    kind = form.text("kind")
    moment = None
    if kind == "once" and form.text("date"):
        clock = local_time(form.text("clock"))
        if clock is None:
            raise InvalidInputError("at", "not_a_time")
        try:
            moment = datetime.combine(_date(form.text("date"), "at"), clock, LOCAL_ZONE).astimezone(UTC)
        except OverflowError as error:  # the first day of all days has no day before it
            raise InvalidInputError("at", "not_a_date") from error
    series = kind not in {"now", "once"}
    if series and form.text("times") and form.number("times") is None:
        raise InvalidInputError("times", "not_a_number")
    return Schedule(
        kind=kind,
        at=moment,
        time=form.text("time") or "08:00",
        weekdays=tuple(sorted({int(day) for day in form.texts("weekdays") if day in set("0123456")})),
        day=(form.number("day") or 0) if kind == "monthly" else 0,
        skip=form.text("skip") if kind in {"weekly", "monthly"} else "",
        until=_date(form.text("until"), "until") if series and form.text("until") else None,
        times=(form.number("times") or 0) if series else 0,
    )


def _date(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(field, "not_a_date") from error


async def submit(request: web.Request) -> web.Response:
    """Save when it leaves; a time in the past or in quiet hours is refused."""
    form = await form_of(request)
    now = runtime_of(request).now()

    async def again(errors: Errors, status: int) -> web.Response:
        return await _page(request, errors, form, status)

    try:
        schedule = given(form)
    except InvalidInputError as error:
        return await again({error.field: error}, 422)
    async with runtime_of(request).database.reading() as session:
        row, home = await visible(request, session, WRITE)
        wrong = schedule_problems(tried(row, schedule=schedule.to_json()), await calendar_of(session, home), now)
    if wrong:
        return await again({error.field: error for error in reversed(wrong)}, 422)

    async def deed(uow: UnitOfWork, row: AnnouncementRow, _: UnitRow) -> None:
        await actions.set_schedule(uow, row.id, form.number("version") or 0, schedule)

    return await save(request, "schedule", form, deed, again)


async def dates(request: web.Request) -> web.Response:
    """Answer with the next times at which it would leave, or with what is wrong."""
    form = await form_of(request)
    now = runtime_of(request).now()
    async with runtime_of(request).database.reading() as session:
        row, home = await visible(request, session, WRITE)
        calendar = await calendar_of(session, home)
    try:
        schedule = given(form)
    except InvalidInputError as error:
        return render(request, "announcements/dates", {"wrong_ones": [error], "runs": []})
    wrong = problems(schedule, now)
    if wrong:
        return render(request, "announcements/dates", {"wrong_ones": wrong, "runs": []})
    single = {"now": now, "once": schedule.at}.get(schedule.kind)
    moments = [single] if single else upcoming(schedule, now, calendar, SHOWN)
    runs = [Run(moment, opens_at(row.kind, moment)) for moment in moments]
    values = {"wrong_ones": [], "runs": runs, "kind": schedule.kind, "row": row}
    return render(request, "announcements/dates", values)
