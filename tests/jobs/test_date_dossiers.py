"""The dates of dossiers: kept when they are taken in, and right again after a limit or a calendar has changed."""

from datetime import UTC, date, datetime

import pytest

from bot.actions import calendars
from bot.domain.dossier import Status
from bot.runtime import Runtime
from bot.store import dossiers
from bot.store.dossiers import DossierRow
from jobs.date_dossiers import date_dossiers
from tests import commune
from tests.handlers.console.dossiers import code_of, news, procedure, taken

AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)  # Wednesday, 10:00 in Viet Nam


@pytest.fixture
async def office(runtime: Runtime) -> Runtime:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    return runtime


async def rows(runtime: Runtime) -> dict[int, DossierRow]:
    async with runtime.database.reading() as session:
        found = await dossiers.by_codes(session, {code_of(number) for number in (1, 2, 3)})
    return {int(code[-4:]): row for code, row in found.items()}


async def test_dates_follow_limits_and_calendars(office: Runtime) -> None:
    await procedure(office, 3)
    reports = [
        news(1, Status.ACCEPTED, AT),
        news(2, Status.ACCEPTED, AT, due_at=datetime(2026, 12, 4, 10, tzinfo=UTC)),
        news(2, Status.SUPPLEMENT, datetime(2026, 11, 25, 9, tzinfo=UTC)),
        news(3, Status.ACCEPTED, AT),
        news(3, Status.READY, datetime(2026, 11, 25, 9, tzinfo=UTC)),
    ]
    await taken(office, reports)
    found = await rows(office)
    assert found[1].law_due_at == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert found[1].late_at == datetime(2026, 11, 30, 17, tzinfo=UTC)
    assert (found[2].law_due_at, found[2].late_at) == (None, None)
    assert found[3].law_due_at == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert await date_dossiers(office) == 0
    await procedure(office, 5)
    assert await date_dossiers(office) == 1
    async with office.units_of_work() as uow:
        await calendars.set_day(uow, "commune", date(2026, 11, 27), "Nghỉ bù", works=False)
    assert await date_dossiers(office) == 1
    assert await date_dossiers(office) == 0
    found = await rows(office)
    assert found[1].law_due_at == datetime(2026, 12, 3, 10, tzinfo=UTC)
    assert found[3].law_due_at == datetime(2026, 11, 30, 10, tzinfo=UTC), "what is finished stays as it was"
    await taken(office, [news(2, Status.PROCESSING, datetime(2026, 11, 26, 9, tzinfo=UTC))])
    found = await rows(office)
    # Five days from the 26th on without the 27th, and one more for the pause.
    assert found[2].law_due_at == datetime(2026, 12, 4, 10, tzinfo=UTC)
    assert found[2].late_at == datetime(2026, 12, 4, 17, tzinfo=UTC)


async def test_a_date_told_before_a_pause_gives_way_to_the_laws_until_another_is_told(office: Runtime) -> None:
    await procedure(office, 3)
    told = datetime(2026, 11, 30, 10, tzinfo=UTC)
    await taken(
        office,
        [
            news(1, Status.ACCEPTED, AT, due_at=told),
            news(1, Status.SUPPLEMENT, datetime(2026, 11, 26, 2, tzinfo=UTC)),
            news(1, Status.PROCESSING, datetime(2026, 12, 1, 2, tzinfo=UTC), due_at=told),
        ],
    )
    found = (await rows(office))[1]
    law = datetime(2026, 12, 3, 10, tzinfo=UTC)
    assert (found.due_at, found.law_due_at, found.late_at) == (told, law, datetime(2026, 12, 3, 17, tzinfo=UTC))
    assert await date_dossiers(office) == 0, "worked out anew it is the same"
    await taken(office, [news(1, Status.READY, datetime(2026, 12, 2, 2, tzinfo=UTC))])
    assert (await rows(office))[1].outcome == "early"
    await taken(office, [news(2, Status.ACCEPTED, AT), news(2, Status.READY, datetime(2026, 12, 2, 2, tzinfo=UTC))])
    assert (await rows(office))[2].outcome == "late", "without an appointed date the law's counts"
    put_off = datetime(2026, 12, 10, 10, tzinfo=UTC)
    await taken(
        office,
        [
            news(3, Status.ACCEPTED, AT, due_at=told),
            news(3, Status.PROCESSING, datetime(2026, 11, 27, 2, tzinfo=UTC), due_at=put_off),
        ],
    )
    assert (await rows(office))[3].late_at == datetime(2026, 12, 10, 17, tzinfo=UTC), "the light follows the promise"
    await taken(office, [news(3, Status.READY, datetime(2026, 12, 2, 2, tzinfo=UTC))])
    assert (await rows(office))[3].outcome == "late", "and the office is late nevertheless"
