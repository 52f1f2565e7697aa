"""Faults that reviews of announcements found, each with what showed it."""

from datetime import timedelta

import pytest
from sqlmodel import select

from bot.actions import announcement_plans, announcement_runs, announcements, marks
from bot.domain.access import Role
from bot.domain.audience import Audience
from bot.domain.schedule import Schedule
from bot.one_by_one import SomeFailedError
from bot.reconcile import reconcile
from bot.runtime import Runtime
from bot.store import broadcasts, plans
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.marks import TopicRow
from bot.store.unit_of_work import Actor
from jobs.plan_announcements import plan_announcements
from jobs.send_broadcasts import send_broadcasts
from tests import commune
from tests.jobs.test_plan_announcements import MORNING, approved, by_way, drafted, person, runs
from tests.jobs.test_send_broadcasts import Provider, people, provider, runtime
from tests.runtime_fixtures import Clock

__all__ = ["provider", "runtime"]


@pytest.fixture
async def writer(runtime: Runtime) -> Actor:
    return await person(runtime, "Cán bộ Văn hoá", Role.BROADCASTER)


@pytest.fixture
async def head(runtime: Runtime) -> Actor:
    return await person(runtime, "Phó Chủ tịch", Role.APPROVER)


def number_of(n: int) -> str:
    return f"{commune.OA[-3:]}{n:023d}"


async def test_a_row_that_cannot_be_made_fails_alone_and_nobody_is_written_to_twice(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 60)
    await approved(runtime, await drafted(runtime, writer, text="Kính gửi {{Tên}}"), head)
    await plan_announcements(runtime)
    async with runtime.units_of_work() as uow:
        row = (await uow.session.exec(select(DeliveryRow).where(DeliveryRow.n == 20))).one()
        row.merged = ["nothing that names a field"]  # type: ignore[assignment] # what could stand there after a fault
    for _ in range(2):
        await send_broadcasts(runtime)
        clock.forward(minutes=5)
    assert await by_way(runtime) == {("chat", "failed", "unreadable"): 1, ("chat", "sent", ""): 59}
    assert set(provider.times.values()) == {1}
    assert len(provider.taken) == 59


async def test_the_books_of_people_whom_no_way_reaches_add_up(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 6)
    async with runtime.units_of_work() as uow:
        for row in (await uow.session.exec(select(ContactRow).limit(2))).all():
            row.last_interaction_at = None
    await approved(runtime, await drafted(runtime, writer), head)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    await plan_announcements(runtime)
    assert len(provider.taken) == 4
    books = await reconcile(runtime.database, [runtime.now().date()], runtime.now())
    assert [d for d in books.differences if d.what.startswith("broadcast")] == []


async def test_a_run_that_cannot_be_planned_keeps_no_other_from_its_turn(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = MORNING
    await people(runtime, 3)
    await approved(runtime, await drafted(runtime, writer, text="hỏng"), head)
    await approved(runtime, await drafted(runtime, writer, text="lành"), head)
    whole = announcement_plans.plan_slice

    async def broken(uow: object, run: RunRow) -> bool:
        row = await uow.session.get(AnnouncementRow, run.announcement_id)  # type: ignore[attr-defined] # a unit of work
        if row.text == "hỏng":
            raise KeyError("account")
        return await whole(uow, run)  # type: ignore[arg-type] # likewise

    monkeypatch.setattr(announcement_plans, "plan_slice", broken)
    with pytest.raises(SomeFailedError):
        await plan_announcements(runtime)
    with pytest.raises(SomeFailedError):
        await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert {text for _, text in provider.taken} == {"Thông báo\nlành"}


@pytest.mark.usefixtures("provider")
async def test_an_account_connected_while_a_run_is_planned_belongs_to_the_next_one(
    runtime: Runtime, clock: Clock, writer: Actor, head: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.jobs.test_send_broadcasts import account

    clock.now = MORNING
    monkeypatch.setattr(plans.boundary, "__defaults__", (2,))
    await people(runtime, 6)
    row = await approved(runtime, await drafted(runtime, writer), head)
    async with runtime.units_of_work() as uow:
        await announcement_runs.schedule_next(uow, await announcements.load(uow, row.id))
    async with runtime.units_of_work() as uow:
        run = (await uow.session.exec(select(RunRow))).one()
        assert not await announcement_plans.plan_slice(uow, run)
    await account(runtime, "2222333344445555888")
    await people(runtime, 4, "2222333344445555888")
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert await by_way(runtime) == {("chat", "sent", ""): 6}


async def test_what_is_being_planned_can_be_ended(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = MORNING
    monkeypatch.setattr(plans.boundary, "__defaults__", (2,))
    await people(runtime, 6)
    row = await approved(runtime, await drafted(runtime, writer), head)
    async with runtime.units_of_work() as uow:
        await announcement_runs.schedule_next(uow, await announcements.load(uow, row.id))
    async with runtime.units_of_work() as uow:
        await announcement_plans.plan_slice(uow, (await uow.session.exec(select(RunRow))).one())
    async with runtime.units_of_work(head) as uow:
        await announcements.end(uow, row.id, row.version)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    await plan_announcements(runtime)
    assert provider.taken == []
    assert {run.state for run in await runs(runtime)} == {"ended"}
    assert {state for _, state, _ in await by_way(runtime)} == {"cancelled"}


async def test_what_is_resumed_at_night_waits_for_the_morning(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 3)
    await approved(runtime, await drafted(runtime, writer), head)
    await plan_announcements(runtime)
    [run] = await runs(runtime)
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.pause(uow, run.id)
    clock.forward(hours=14)
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.resume(uow, run.id)
    await send_broadcasts(runtime)
    assert provider.taken == []
    clock.forward(hours=8)
    await send_broadcasts(runtime)
    assert len(provider.taken) == 3


async def test_a_run_put_off_by_the_night_takes_no_turn_of_the_next_and_is_not_late(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 3)
    row = await approved(runtime, await drafted(runtime, writer, schedule=Schedule("once", at=MORNING)), head)
    async with runtime.units_of_work() as uow:
        (await announcements.load(uow, row.id)).schedule = Schedule("once", at=MORNING + timedelta(hours=13)).to_json()
    await plan_announcements(runtime)
    clock.forward(hours=13, minutes=1)  # 22:01
    await plan_announcements(runtime)
    [run] = await runs(runtime)
    assert run.state == "waiting"
    clock.forward(hours=8)
    assert await plan_announcements(runtime) == 1
    await send_broadcasts(runtime)
    assert len(provider.taken) == 3


async def test_whoever_has_no_name_yet_is_addressed_politely(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 2)
    async with runtime.units_of_work() as uow:
        row = await uow.session.get(ContactRow, number_of(0))
        assert row is not None
        row.name = ""
    await approved(runtime, await drafted(runtime, writer, text="Kính gửi {{Tên}}"), head)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert sorted(text for _, text in provider.taken) == ["Thông báo\nKính gửi Công dân", "Thông báo\nKính gửi Ông/Bà"]


@pytest.mark.usefixtures("provider")
async def test_who_takes_back_consent_or_a_topic_after_the_freeze_is_not_written_to(
    runtime: Runtime, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 4)
    async with runtime.units_of_work() as uow:
        uow.session.add(TopicRow(id="topic", unit_id="commune", name="OCOP", default_on=False, advert=True))
        await uow.session.flush()
        for n in range(4):
            contact = await uow.session.get(ContactRow, number_of(n))
            assert contact is not None
            await marks.agree(uow, contact)
    await approved(runtime, await drafted(runtime, writer, kind="advert", topic="topic"), head)
    await plan_announcements(runtime)
    async with runtime.units_of_work() as uow:
        one, other = [await uow.session.get(ContactRow, number_of(n)) for n in (0, 1)]
        assert one is not None
        assert other is not None
        await marks.withdraw(uow, one)
        await marks.choose_topic(uow, other, "topic", on=False)
    await send_broadcasts(runtime)
    assert await by_way(runtime) == {("chat", "sent", ""): 2, ("chat", "cancelled", "opted_out"): 2}


async def test_a_unit_without_an_account_does_not_write_to_everybody_of_the_unit_above(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 3)
    async with runtime.units_of_work(writer) as uow:
        row = await announcements.create(uow, "economy")
        row.text = "Thông báo của phòng"
    row = await announcement_of(runtime, writer, row.id, Audience())
    await approved(runtime, row, head)
    await plan_announcements(runtime)
    [run] = await runs(runtime)
    assert (run.state, run.reason) == ("ended", "nobody")
    assert provider.taken == []


async def announcement_of(runtime: Runtime, writer: Actor, number: str, audience: Audience) -> AnnouncementRow:
    async with runtime.units_of_work(writer) as uow:
        row = await announcements.load(uow, number)
        row = await announcements.choose(uow, row.id, row.version, audience)
        return await announcements.submit(uow, row.id, row.version)


@pytest.mark.usefixtures("provider")
async def test_an_emergency_finds_a_place_beside_what_is_under_way(runtime: Runtime) -> None:
    from bot.store import deliveries

    await people(runtime, 3)
    async with runtime.units_of_work() as uow:
        to = (await uow.session.exec(select(ContactRow.account_id).limit(1))).one()
        for urgent in (False, True):
            row = BroadcastRow(
                account_id=to, unit_id="commune", state="running", urgent=urgent, message={"text": "x"}, total=1,
                created_at=uow.now,
            )  # fmt: skip
            uow.session.add(row)
            await uow.session.flush()
            assert row.id is not None
            uow.session.add(DeliveryRow(broadcast_id=row.id, n=1, recipient=f"r{urgent}", address="a"))
            await broadcasts.cut(uow.session, row)
    async with runtime.database.connection() as connection:
        chunk = await deliveries.lease(connection, "t", runtime.now(), 60, {to}, set())
        assert chunk is not None
        assert chunk.urgent
        assert await deliveries.lease(connection, "u", runtime.now(), 60, {to}, {to}) is None
