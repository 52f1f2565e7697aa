"""Officials are warned once a day of dossiers that are about to be late, in the chats from which they work."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import col, select

from bot.actions import contacts, dossier_settings
from bot.actions.dossier_warnings import last_day
from bot.actions.dossiers import News, take_in
from bot.domain.calendar import WorkingCalendar
from bot.domain.dossier import Status
from bot.runtime import Runtime
from bot.store.dossiers import DossierNoteRow, DossierRow
from bot.store.links import StaffLinkRow, UnitGroupRow
from bot.store.outbox import OutboxRow
from bot.store.procedures import ProcedureRow
from jobs.remind_deadlines import remind_deadlines
from tests import commune
from tests.runtime_fixtures import Clock

CODE = "000.00.01.H26-261120-00{:02d}"
TOMORROW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
async def office(runtime: Runtime) -> Runtime:
    """Make a commune whose official, head and group have a chat with its bot."""
    async with runtime.units_of_work() as uow:
        await commune.build(uow, provider="telegram")
        account = await runtime.account_row(uow, "telegram", commune.BOT)
        assert account is not None
        for user, staff_id in enumerate(("official", "head", "stranger"), 7100):
            chat = await contacts.met(uow, account, str(user), interacts=True)
            uow.session.add(
                StaffLinkRow(contact_id=chat.id, account_id=account.id, staff_id=staff_id, linked_at=uow.now)
            )
        group = await contacts.met(uow, account, "-100", interacts=True, kind="group")
        uow.session.add(UnitGroupRow(contact_id=group.id, account_id=account.id, unit_id="economy", linked_at=uow.now))
    return runtime


async def take(office: Runtime, number: int, due_at: datetime, status: int = 4) -> None:
    facts = {"due_at": due_at.isoformat(), "procedure_name": "Đăng ký khai sinh"}
    at = office.now() - timedelta(days=9)
    news = News(CODE.format(number), Status(status), at, "economy", "/commune/economy/", facts, "Nguyễn Văn Mẫu")
    async with office.units_of_work() as uow:
        await take_in(uow, office.box, [news], "import:1")


async def told(office: Runtime) -> list[OutboxRow]:
    async with office.database.reading() as session:
        query = select(OutboxRow).where(OutboxRow.purpose == "dossiers_due").order_by(col(OutboxRow.id))
        return list((await session.exec(query)).all())


async def test_who_works_on_a_units_dossiers_is_told_of_all_that_are_due_by_tomorrow(office: Runtime) -> None:
    await take(office, 1, TOMORROW)
    await take(office, 2, TOMORROW + timedelta(days=1))
    await take(office, 3, TOMORROW - timedelta(days=2))
    await take(office, 4, TOMORROW, 5)
    await take(office, 5, TOMORROW, 9)
    assert await remind_deadlines(office) == 1
    rows = await told(office)
    assert len(rows) == 3, "the official, the head and the group"
    assert CODE.format(1) in rows[0].text
    assert CODE.format(2) not in rows[0].text
    assert "Phòng Kinh tế: 1 hồ sơ" in rows[0].text
    assert "Nguyễn Văn Mẫu" not in rows[0].text
    assert await remind_deadlines(office) == 0


async def test_a_date_that_only_the_law_gives_is_warned_of(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        row = ProcedureRow(id="limit", code="1.000253", name="Đăng ký", field="Cư trú", days=7, updated_at=uow.now)
        uow.session.add(row)
    facts = {"procedure_code": "1.000253"}
    at = datetime(2026, 11, 12, 3, 0, tzinfo=UTC)
    news = News(CODE.format(7), Status.ACCEPTED, at, "economy", "/commune/economy/", facts)
    async with office.units_of_work() as uow:
        await take_in(uow, office.box, [news], "import:1")
    assert await remind_deadlines(office) == 1
    rows = await told(office)
    assert CODE.format(7) in rows[0].text
    async with office.database.reading() as session:
        (note,) = (await session.exec(select(DossierNoteRow))).all()
        (row_,) = (await session.exec(select(DossierRow))).all()
    assert row_.due_at is None
    assert row_.law_due_at is not None
    assert note.data["due_at"] == row_.law_due_at.isoformat()
    assert f"{row_.law_due_at:%d/%m}" in rows[0].text


async def test_a_day_later_only_what_is_new_is_told(office: Runtime, clock: Clock) -> None:
    await take(office, 1, TOMORROW)
    await remind_deadlines(office)
    await take(office, 2, TOMORROW)
    assert await remind_deadlines(office) == 0, "one message a day"
    clock.forward(days=1)
    assert await remind_deadlines(office) == 1
    assert CODE.format(1) not in (await told(office))[-1].text


async def test_nobody_is_called_at_night(office: Runtime, clock: Clock) -> None:
    await take(office, 1, TOMORROW)
    clock.forward(hours=12)
    assert await remind_deadlines(office) == 0
    clock.forward(hours=12)
    assert await remind_deadlines(office) == 1


@pytest.mark.parametrize(("warns", "number"), [("heads", 1), ("nobody", 0)])
async def test_a_unit_says_whom_to_warn(office: Runtime, warns: str, number: int) -> None:
    async with office.units_of_work() as uow:
        await dossier_settings.change(uow, "commune", {"warns": warns, "days": "3"})
    await take(office, 1, TOMORROW + timedelta(days=2))
    await remind_deadlines(office)
    assert len(await told(office)) == number


@pytest.mark.parametrize(("today", "days", "last"), [(23, 1, 24), (27, 1, 30), (26, 2, 30), (28, 1, 30)])
def test_days_of_rest_do_not_count(today: int, days: int, last: int) -> None:
    assert last_day(WorkingCalendar(), date(2026, 11, today), days) == date(2026, 11, last)
