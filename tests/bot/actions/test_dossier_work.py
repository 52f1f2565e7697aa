"""What officials do to a dossier: a date that only the law gave is put off like an appointed one."""

from datetime import UTC, date, datetime, timedelta

from sqlmodel import select

from bot.actions import dossier_work
from bot.domain.dossier import Status
from bot.runtime import Runtime
from bot.store.dossier_notices import DossierNoticeRow
from tests import commune
from tests.handlers.console.dossiers import code_of, news, procedure, taken

AT = datetime(2026, 11, 16, 3, 0, tzinfo=UTC)


async def test_an_apology_for_a_date_that_only_the_law_gave_is_told_with_both_dates(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    await procedure(runtime, 5)
    wanted = {"reason": "Thiếu CCCD", "papers": "Bản sao CCCD"}
    await taken(runtime, [news(1, Status.ACCEPTED, AT), news(1, Status.SUPPLEMENT, AT + timedelta(hours=2), **wanted)])
    row = (await taken(runtime, [news(1, Status.PROCESSING, AT + timedelta(hours=5))]))[code_of(1)]
    old = row.law_due_at
    assert row.due_at is None
    assert old is not None
    async with runtime.units_of_work() as uow:
        await dossier_work.apologise(uow, runtime.box, row, "Chờ xác minh", date(2026, 12, 4))
    async with runtime.database.reading() as session:
        query = select(DossierNoticeRow).where(DossierNoticeRow.kind == "late")
        (late,) = (await session.exec(query)).all()
    assert (late.facts["old_due_at"], late.facts["reason"]) == (old.isoformat(), "Chờ xác minh")
    assert late.facts["due_at"].startswith("2026-12-04")
    assert "papers" not in late.facts
    row = (await taken(runtime, [news(1, Status.READY, datetime(2026, 12, 3, 3, tzinfo=UTC))]))[code_of(1)]
    assert row.outcome == "late", "the office had put it off itself"
