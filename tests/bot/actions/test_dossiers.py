"""Whatever is reported of dossiers, in whatever order and how often, ends in the same rows and the same notices."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import delete, select

from bot.actions import dossiers
from bot.actions.dossiers import CHANGED, NEW, ODD, OLDER, SAME, News
from bot.clock import new_id
from bot.domain.dossier import Status
from bot.runtime import Runtime
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierEventRow, DossierRow
from bot.store.procedures import ProcedureRow
from tests.commune import build
from tests.runtime_fixtures import Clock

CODE = "000.00.01.H26-260930-0012"
OTHER = "G09.20-20260609-0092637"


pytestmark = pytest.mark.usefixtures("commune")


@pytest.fixture
async def commune(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        await build(uow)


def news(at: datetime, status: int, code: str = CODE, **told: Any) -> News:
    person = {name: told.pop(name) for name in ("applicant", "phone") if name in told}
    return News(code, Status(status), at, "economy", "/commune/economy/", told, **person)


async def take(runtime: Runtime, *reports: News) -> list[str]:
    async with runtime.units_of_work() as uow:
        return (await dossiers.take_in(uow, runtime.box, reports, "import:test")).kinds


async def one(runtime: Runtime, code: str = CODE) -> DossierRow:
    async with runtime.database.reading() as session:
        return (await session.exec(select(DossierRow).where(DossierRow.code == code))).one()


async def picture(runtime: Runtime) -> list[tuple[Any, ...]]:
    """Return everything about the dossiers that does not depend on when it was reported."""
    async with runtime.database.reading() as session:
        rows = (await session.exec(select(DossierRow).order_by(DossierRow.code))).all()
        notices = (await session.exec(select(DossierNoticeRow))).all()
        events = (await session.exec(select(DossierEventRow))).all()
    found: list[tuple[Any, ...]] = []
    for row in rows:
        phone = runtime.box.open(row.phone) if row.phone else ""
        name = runtime.box.open(row.applicant) if row.applicant else ""
        own = [each for each in notices if each.dossier_id == row.id]
        told = sorted((each.kind, each.facts["due_at"] if each.kind == "late" else "") for each in own)
        happened = sorted((e.at, e.status, str(sorted(e.facts.items()))) for e in events if e.dossier_id == row.id)
        state = (row.code, row.status, row.status_at, row.due_at, row.first_due_at, row.finished_at, row.outcome)
        found.append((*state, row.odd, row.pauses, phone, name, told, happened))
    return found


async def test_a_dossier_is_made_of_its_first_report(runtime: Runtime, clock: Clock) -> None:
    at, due = clock() - timedelta(hours=2), clock() + timedelta(days=5)
    async with runtime.units_of_work() as uow:
        uow.session.add(
            ProcedureRow(id=new_id(), code="1.000253", name="Khai báo tạm trú", field="Cư trú", updated_at=uow.now)
        )
    report = news(
        at, 2, due_at=due, procedure_code="1.000253.000.00.00.H26", applicant="Nguyễn Văn Mẫu", phone="84900000001"
    )
    assert await take(runtime, report) == [NEW]
    row = await one(runtime)
    assert (row.status, row.received_at, row.due_at, row.tail) == (2, at, due, "12")
    assert (row.procedure_code, row.procedure_name, row.field) == ("1.000253", "Khai báo tạm trú", "Cư trú")
    assert row.applicant is not None
    assert runtime.box.open(row.applicant) == "Nguyễn Văn Mẫu"
    assert b"Nguy" not in row.applicant
    assert row.phone_hash == runtime.box.fingerprint("84900000001")
    async with runtime.database.reading() as session:
        (notice,) = (await session.exec(select(DossierNoticeRow))).all()
    assert (notice.kind, notice.round, notice.state) == ("accepted", 1, "due")
    assert notice.facts["due_at"] == due.isoformat()


async def test_what_each_report_is_called(runtime: Runtime, clock: Clock) -> None:
    first = clock() - timedelta(days=3)
    assert await take(runtime, news(first, 2)) == [NEW]
    assert await take(runtime, news(first, 2)) == [SAME]
    assert await take(runtime, news(first + timedelta(days=1), 9), news(first, 2)) == [CHANGED, SAME]
    assert await take(runtime, news(first - timedelta(days=1), 1)) == [OLDER]
    assert await take(runtime, news(first + timedelta(days=2), 4)) == [ODD]
    assert (await one(runtime)).odd == ["9>4"]


async def _prepared(runtime: Runtime, *reports: News) -> dossiers.Prepared:
    async with runtime.database.reading() as session:
        return await dossiers.prepared(session, runtime.box, reports, "import:test", runtime.now())


async def test_what_was_prepared_is_worked_out_anew_once_somebody_else_has_told_of_the_dossier(
    runtime: Runtime, clock: Clock
) -> None:
    first = clock() - timedelta(days=3)
    report = news(first, 2, due_at=clock() + timedelta(days=5))
    before = await _prepared(runtime, report)
    assert before.found.kinds == [NEW]
    assert await take(runtime, news(first + timedelta(days=1), 9)) == [NEW]
    async with runtime.units_of_work() as uow:
        assert (await dossiers.take_in(uow, runtime.box, [report], "import:test", before=before)).kinds == [OLDER]
    assert (await one(runtime)).status == 9
    # Of a dossier that is known nothing is taken over that was worked out before.
    again = await _prepared(runtime, news(first + timedelta(days=2), 10))
    async with runtime.database.reading() as session:
        assert not await again.holds(session)


async def test_what_was_prepared_is_worked_out_anew_once_a_limit_has_changed(runtime: Runtime, clock: Clock) -> None:
    report = news(clock() - timedelta(days=3), 2, procedure_code="1.000253")
    before = await _prepared(runtime, report)
    async with runtime.units_of_work() as uow:
        uow.session.add(ProcedureRow(id=new_id(), code="1.000253", name="Khai báo tạm trú", days=5, updated_at=uow.now))
    async with runtime.units_of_work() as uow:
        await dossiers.take_in(uow, runtime.box, [report], "import:test", before=before)
    row = await one(runtime)
    assert (row.procedure_name, row.law_due_at is not None) == ("Khai báo tạm trú", True)


async def test_a_fact_that_is_not_told_again_stays(runtime: Runtime, clock: Clock) -> None:
    at, due = clock() - timedelta(hours=2), clock() + timedelta(days=5)
    await take(runtime, news(at, 2, due_at=due, applicant="Nguyễn Văn Mẫu", phone="84900000001"))
    assert await take(runtime, news(at, 2, reason="thiếu bản sao")) == [CHANGED]
    row = await one(runtime)
    assert (row.due_at, row.facts["reason"]) == (due, "thiếu bản sao")
    assert row.phone_hash is not None


async def test_history_is_kept_and_nobody_is_told_of_it(runtime: Runtime, clock: Clock) -> None:
    long_ago = clock() - timedelta(days=60)
    await take(runtime, news(long_ago, 2), news(long_ago + timedelta(days=5), 10))
    row = await one(runtime)
    assert (row.status, row.returned_at) == (10, long_ago + timedelta(days=5))
    async with runtime.database.reading() as session:
        assert (await session.exec(select(DossierNoticeRow))).all() == []


async def test_a_status_of_long_ago_that_is_reported_anew_is_not_told(runtime: Runtime, clock: Clock) -> None:
    await take(runtime, news(clock() - timedelta(days=90), 10))
    assert await take(runtime, news(clock() - timedelta(hours=1), 10)) == [CHANGED]
    async with runtime.database.reading() as session:
        assert (await session.exec(select(DossierNoticeRow))).all() == []


Step = tuple[str, int, int, int | None, str | None, str | None]
_steps = st.lists(
    st.tuples(
        st.sampled_from([CODE, OTHER]),
        st.integers(0, 150),
        st.integers(1, 10),
        st.none() | st.integers(100, 400),
        st.none() | st.sampled_from(["84900000001", "84900000002"]),
        st.none() | st.sampled_from(["Nguyễn Văn Mẫu", "Trần Thị Thử"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda step: step[:3],
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_steps, st.randoms(use_true_random=False))
async def test_any_order_and_repetition_ends_the_same(
    runtime: Runtime,
    steps: Sequence[Step],
    chance: random.Random,
) -> None:
    start = runtime.now() - timedelta(hours=160)
    reports = [
        news(
            start + timedelta(hours=hours),
            status,
            code,
            **({"due_at": start + timedelta(hours=due)} if due is not None else {}),
            **({"phone": phone} if phone else {}),
            **({"applicant": name} if name else {}),
        )
        for code, hours, status, due, phone, name in steps
    ]
    seen = []
    for order in (reports, chance.sample(reports, len(reports)) + chance.sample(reports, len(reports) // 2)):
        async with runtime.units_of_work() as uow:
            for table in (DossierNoticeRow, DossierEventRow, DossierRow):
                await uow.session.exec(delete(table))
        waiting = list(order)
        while waiting:
            size = chance.randint(1, len(waiting))
            await take(runtime, *waiting[:size])
            del waiting[:size]
        seen.append(await picture(runtime))
    assert seen[0] == seen[1]


async def test_what_is_weighed_is_what_is_taken_in(runtime: Runtime, clock: Clock) -> None:
    start = datetime(2026, 9, 1, tzinfo=UTC)
    await take(runtime, news(start, 2))
    reports = [news(start, 2), news(start + timedelta(days=1), 4), news(clock(), 9, OTHER)]
    async with runtime.database.reading() as session:
        preview = await dossiers.weighed(session, runtime.box, reports, runtime.now())
    assert (await picture(runtime))[0][1] == 2, "nothing was changed by looking"
    assert await take(runtime, *reports) == preview.kinds
    async with runtime.database.reading() as session:
        assert len((await session.exec(select(DossierNoticeRow))).all()) == preview.to_tell == 1


async def test_a_date_put_off_twice_to_the_same_day_is_weighed_as_the_one_notice_that_it_is(
    runtime: Runtime, clock: Clock
) -> None:
    at = clock() - timedelta(hours=10)
    days = [at + timedelta(days=each) for each in (5, 9, 5, 9)]
    reports = [news(at + timedelta(hours=hours), 4, due_at=due) for hours, due in enumerate(days)]
    async with runtime.units_of_work() as uow:
        found = await dossiers.take_in(uow, runtime.box, reports, "import:test")
    async with runtime.database.reading() as session:
        assert len((await session.exec(select(DossierNoticeRow))).all()) == found.to_tell == 1
