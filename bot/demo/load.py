"""Fill an empty database with the demo commune, its forty reports, everyday procedures and dossiers."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from bot.actions.procedure_file import read_procedures
from bot.actions.procedures import bring_in
from bot.demo import choices, commune, dossiers, photos
from bot.demo.data import DATA, CommuneData, Report, Step, read_commune, read_reports
from bot.demo.days import Days
from bot.demo.holidays import holidays_around
from bot.demo.stage import Stage
from bot.demo.steps import act, open_report
from bot.passwords import hash_password, verify_password
from bot.runtime import Runtime
from bot.store import accounts, staff, units
from bot.store.unit_of_work import UnitOfWork

PASSWORD = "loa-demo-2026"  # noqa: S105 (printed for whoever tries the demo, and for nothing else)
_FOUNDED = "30 08:00"


@dataclass(frozen=True, slots=True)
class SignIn:
    """How one demo person signs in; `role` in words."""

    email: str
    password: str
    role: str


@dataclass(frozen=True, slots=True)
class Demo:
    """The sign-ins that work; `created` is False when the database was filled already."""

    people: tuple[SignIn, ...]
    created: bool


async def load(runtime: Runtime) -> Demo:
    """Fill the database unless it has units, in one transaction: all of the demo or nothing of it.

    Returns the sign-ins. In a database that was filled before these are the demo people, if any, whose password is
    still the demo's.
    """
    data = read_commune()
    async with runtime.database.reading() as session:
        filled = bool(await units.all_units(session))
    if filled:
        return Demo(await _still_there(runtime, data), created=False)
    reports = read_reports()
    listed = read_procedures(DATA / "procedures.csv")
    wanted = [name for r in reports for name in (*r.photos, *(p for s in r.steps for p in s.photos))]
    now = runtime.now()
    stored, password_hash, holidays = await asyncio.gather(
        photos.store(runtime.blobs, wanted),
        hash_password(PASSWORD),
        asyncio.to_thread(holidays_around, now, data.day_worked),
    )
    days = Days(now, holidays.calendar())
    async with runtime.units_of_work(now=now) as uow:
        founded = UnitOfWork(uow.session, days.moment(_FOUNDED), uow.actor, uow.capabilities)
        rows = await commune.enter(founded, data, holidays, password_hash, runtime.box, now)
        stage = Stage(uow, rows, days, stored, runtime.settings.conversation, runtime.box, data.contact)
        await _act_all(stage, reports)
        await choices.choose(stage, data.choices)
        await bring_in(founded, listed)
        await dossiers.report(stage)
    await runtime.refresh_accounts()
    return Demo(tuple(_sign_in(data)), created=True)


async def _act_all(stage: Stage, reports: list[Report]) -> None:
    """Act everything in the order in which it happened, across all reports."""
    scenes: list[tuple[datetime, Report, Step | None]] = []
    for report in reports:
        opened = stage.days.moment(report.at) if report.at else stage.days.ago(report.ago)
        scenes.append((opened, report, None))
        scenes += [(stage.days.moment(step.at), report, step) for step in report.steps]
    heard: dict[str, datetime] = {}
    for moment, report, step in sorted(scenes, key=lambda scene: scene[0]):
        if step is None:
            await open_report(stage, report, moment)
        else:
            await act(stage, report, step, moment)
        if step is None or step.by == "citizen":
            heard[stage.commune.accounts[report.account].id] = moment
    await stage.deliver_rest()
    await accounts.touch(stage.root.session, heard)


def _sign_in(data: CommuneData) -> list[SignIn]:
    return [SignIn(commune.email_of(person), PASSWORD, person.name) for person in data.people]


async def _still_there(runtime: Runtime, data: CommuneData) -> tuple[SignIn, ...]:
    async with runtime.database.reading() as session:
        hashes = {row.email: row.password for row in await staff.all_staff(session) if row.active}
    known = [person for person in _sign_in(data) if person.email in hashes]
    valid = {stored: await verify_password(stored, PASSWORD) for stored in {hashes[p.email] for p in known}}
    return tuple(person for person in known if valid[hashes[person.email]])
