"""What lets a run rest: the end of an allowance, a stopped account, the night, a template; and how each goes on."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from bot.actions import announcement_runs
from bot.domain.schedule import Schedule
from bot.runtime import Runtime
from bot.store import accounts, broadcasts
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow
from bot.store.broadcasts import BroadcastRow
from bot.store.marks import MarkRow
from bot.store.unit_of_work import Actor
from jobs.plan_announcements import plan_announcements
from jobs.send_broadcasts import send_broadcasts
from tests import commune
from tests.fakes.scripted_server import Answer
from tests.jobs.test_plan_announcements import MORNING, approved, by_way, drafted, head, runs, writer
from tests.jobs.test_send_broadcasts import Judge, Provider, account, people, provider, refusal, runtime, states
from tests.runtime_fixtures import Clock

__all__ = ["head", "provider", "runtime", "writer"]

OTHER = "2222333344445555888"


async def begun(
    runtime: Runtime, writer: Actor, head: Actor, *, kind: str = "notice", schedule: Schedule | None = None
) -> str:
    await approved(runtime, await drafted(runtime, writer, kind=kind, schedule=schedule), head)
    await plan_announcements(runtime)
    [run] = await runs(runtime)
    return run.id


async def work(runtime: Runtime) -> None:
    """Let the periodic jobs have their turn."""
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    await plan_announcements(runtime)


def allowance(provider: Provider, most: int) -> Judge:
    """Take so many messages in all, and then none for want of an allowance."""
    return lambda _user, _text: refusal(-211) if len(provider.taken) >= most else None


async def rows(runtime: Runtime) -> list[BroadcastRow]:
    async with runtime.database.reading() as session:
        query = select(BroadcastRow).where(col(BroadcastRow.way) != "none").order_by(col(BroadcastRow.id))
        return list((await session.exec(query)).all())


async def test_a_used_up_day_lets_a_run_rest_with_the_reason_and_the_next_morning_brings_the_rest(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 60)
    await begun(runtime, writer, head)
    for day in range(1, 4):
        provider.judge = allowance(provider, day * 25)
        await work(runtime)
        [row] = await rows(runtime)
        if day == 3:
            break
        assert len(provider.taken) == day * 25
        assert (row.state, row.paused_reason) == ("paused", "feature_quota_used")
        assert row.resume_at is not None
        wait = row.resume_at - clock.now
        assert timedelta(hours=20) < wait < timedelta(hours=25), "the next morning"
        clock.now = row.resume_at - timedelta(minutes=1)
        await work(runtime)
        assert len(provider.taken) == day * 25, "not a minute sooner"
        clock.forward(minutes=2)
    assert await by_way(runtime) == {("chat", "sent", ""): 60}
    assert set(provider.times.values()) == {1}
    assert [run.state for run in await runs(runtime)] == ["ended"]


async def test_whoever_has_bought_more_lets_it_go_on_at_once(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 20)
    provider.judge = allowance(provider, 5)
    run_id = await begun(runtime, writer, head)
    await work(runtime)
    provider.judge = lambda _user, _text: None
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.resume(uow, run_id)
    await work(runtime)
    assert await by_way(runtime) == {("chat", "sent", ""): 20}
    assert set(provider.times.values()) == {1}


async def test_a_stopped_account_holds_up_its_own_part_only_and_fails_nobody(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    stopped = await people(runtime, 30)
    await account(runtime, OTHER)
    await people(runtime, 20, OTHER)
    await begun(runtime, writer, head)
    mine = commune.OA[-3:]
    provider.judge = lambda user, _text: Answer({"x": 1}, status=404) if user.startswith(mine) else None
    await work(runtime)
    assert await states(runtime) == {"sent": 20, "queued": 30}
    async with runtime.database.reading() as session:
        row = await session.get(AccountRow, stopped.id)
        assert row is not None
        assert (row.state, row.stopped_reason) == ("stopped", "api_not_found")
    clock.forward(minutes=30)
    await work(runtime)
    assert len(provider.taken) == 20
    provider.judge = lambda _user, _text: None
    async with runtime.units_of_work() as uow:
        again = await uow.session.get(AccountRow, stopped.id)
        assert again is not None
        accounts.let_in(again, uow.now)
    clock.forward(minutes=10)
    await work(runtime)
    assert await by_way(runtime) == {("chat", "sent", ""): 50}
    assert set(provider.times.values()) == {1}
    assert [run.state for run in await runs(runtime)] == ["ended"]


async def test_what_somebody_lets_go_on_at_night_still_waits_for_the_morning(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING + timedelta(hours=12, minutes=30)  # 21:30
    await people(runtime, 10)
    run_id = await begun(runtime, writer, head)
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.pause(uow, run_id)
    clock.forward(hours=1)
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.resume(uow, run_id)
    await send_broadcasts(runtime)
    [row] = await rows(runtime)
    assert provider.taken == []
    assert (row.state, row.paused_reason) == ("paused", "quiet_hours")
    clock.forward(hours=8)
    await work(runtime)
    assert len(provider.taken) == 10


async def test_advertising_that_rested_for_its_allowance_goes_on_at_seven_and_not_at_six(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 10)
    async with runtime.units_of_work() as uow:
        for n in range(10):
            who = f"{commune.OA[-3:]}{n:023d}"
            uow.session.add(MarkRow(kind="purpose", value="advert", contact_id=who, at=uow.now))
    provider.judge = lambda _user, _text: refusal(-211)
    await begun(runtime, writer, head, kind="advert")
    await work(runtime)
    provider.judge = lambda _user, _text: None
    clock.now = MORNING + timedelta(days=1) - timedelta(hours=2, minutes=30)  # 06:30
    await send_broadcasts(runtime)
    assert provider.taken == []
    clock.forward(minutes=31)
    await work(runtime)
    assert len(provider.taken) == 10


async def test_what_rests_before_its_time_has_come_is_not_let_go_early(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 4)
    run_id = await begun(runtime, writer, head, schedule=Schedule("once", at=MORNING + timedelta(hours=3)))
    [row] = await rows(runtime)
    async with runtime.units_of_work() as uow:
        it = await broadcasts.broadcast(uow.session, row.id or 0)
        assert it is not None
        assert it.state == "waiting"
        it.state, it.paused_reason = "paused", "template_disabled"
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.resume(uow, run_id)
    await work(runtime)
    assert provider.taken == []
    clock.forward(hours=3)
    await work(runtime)
    assert len(provider.taken) == 4


@pytest.mark.parametrize("paused", [True, False])
async def test_a_run_that_is_stopped_while_it_rests_is_over(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor, paused: bool
) -> None:
    clock.now = MORNING
    await people(runtime, 10)
    provider.judge = allowance(provider, 4)
    run_id = await begun(runtime, writer, head)
    if paused:
        await work(runtime)
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.stop(uow, run_id)
    clock.forward(days=2)
    await work(runtime)
    sent = len(provider.taken)
    assert sent == (4 if paused else 0)
    found = await by_way(runtime)
    assert found["chat", "sent", ""] == sent
    assert sum(number for (_, state, _), number in found.items() if state == "cancelled") == 10 - sent
    assert [run.state for run in await runs(runtime)] == ["ended"]


@pytest.mark.parametrize("when", ["before it begins", "while it rests", "while it is being sent", "let go by hand"])
async def test_a_warning_that_has_expired_is_not_passed_on_any_more(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor, when: str
) -> None:
    clock.now = MORNING
    await people(runtime, 10)
    over = MORNING + timedelta(hours=1)
    at = MORNING + timedelta(hours=2) if when == "before it begins" else None
    row = await drafted(runtime, writer, kind="emergency", schedule=Schedule("once", at) if at else None)
    async with runtime.units_of_work() as uow:
        mine = await uow.session.get(AnnouncementRow, row.id)
        assert mine is not None
        mine.warning = {"expires": over.isoformat(), "remarks": []}
    provider.judge = allowance(provider, 5)
    await approved(runtime, row, head)
    await plan_announcements(runtime)
    if when in {"while it rests", "let go by hand"}:
        await send_broadcasts(runtime)
    [run] = await runs(runtime)
    provider.judge = lambda _user, _text: None
    taken = len(provider.taken)
    clock.now = over + timedelta(days=1) if when == "while it rests" else over + timedelta(hours=1, minutes=5)
    if when == "let go by hand":
        async with runtime.units_of_work(writer) as uow:
            await announcement_runs.resume(uow, run.id)
    await work(runtime)
    [sent] = await rows(runtime)
    assert (sent.state, sent.paused_reason, sent.resume_at) == ("paused", "warning_expired", None)
    assert len(provider.taken) == taken
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.stop(uow, run.id)
    await work(runtime)
    assert [run.state for run in await runs(runtime)] == ["ended"]
