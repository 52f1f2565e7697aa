"""Announcements carried out: approved by a second person, frozen slice by slice, let go when it is time, ended."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from bot.actions import announcement_runs, announcements, staff
from bot.domain.access import Role
from bot.domain.audience import Audience
from bot.domain.schedule import Schedule
from bot.errors import ConflictError, ForbiddenError
from bot.runtime import Runtime
from bot.store import plans
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.marks import MarkRow, TopicRow
from bot.store.unit_of_work import Actor
from jobs.plan_announcements import plan_announcements
from jobs.send_broadcasts import send_broadcasts
from tests import commune
from tests.jobs.test_send_broadcasts import Provider, people, provider, runtime
from tests.runtime_fixtures import Clock

__all__ = ["provider", "runtime"]

MORNING = datetime.fromisoformat("2026-11-27T02:00:00+00:00")
"""09:00 in Vietnam."""


async def person(runtime: Runtime, name: str, role: Role) -> Actor:
    async with runtime.units_of_work() as uow:
        row = await staff.add_staff(uow, f"{role.value}@thanhoai.example", name, "hash", role.value, "commune")
        return Actor("staff", row.id, name)


async def drafted(
    runtime: Runtime, writer: Actor, *, text: str = "Họp thôn 14 giờ", kind: str = "notice",
    audience: Audience | None = None, schedule: Schedule | None = None, topic: str | None = None,
) -> AnnouncementRow:  # fmt: skip
    async with runtime.units_of_work(writer) as uow:
        row = await announcements.create(uow, "commune")
        row = await announcements.write(
            uow, row.id, row.version, kind=kind, topic_id=topic, words={"title": "Thông báo", "text": text}
        )
        row = await announcements.choose(uow, row.id, row.version, audience or Audience())
        row = await announcements.set_schedule(uow, row.id, row.version, schedule or Schedule())
        return await announcements.submit(uow, row.id, row.version)


async def approved(runtime: Runtime, row: AnnouncementRow, head: Actor) -> AnnouncementRow:
    async with runtime.units_of_work(head) as uow:
        return await announcements.approve(uow, row.id, row.version, confirmed=True)


async def runs(runtime: Runtime) -> list[RunRow]:
    async with runtime.database.reading() as session:
        return list((await session.exec(select(RunRow).order_by(col(RunRow.number)))).all())


async def by_way(runtime: Runtime) -> Counter[tuple[str, str, str]]:
    async with runtime.database.reading() as session:
        query = select(BroadcastRow.way, DeliveryRow.state, DeliveryRow.reason).join(
            BroadcastRow, col(BroadcastRow.id) == col(DeliveryRow.broadcast_id)
        )
        return Counter((await session.exec(query)).all())


@pytest.fixture
async def writer(runtime: Runtime) -> Actor:
    return await person(runtime, "Cán bộ Văn hoá", Role.BROADCASTER)


@pytest.fixture
async def head(runtime: Runtime) -> Actor:
    return await person(runtime, "Phó Chủ tịch", Role.APPROVER)


async def test_an_announcement_is_written_approved_by_another_frozen_sent_and_ended(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 30)
    row = await drafted(runtime, writer)
    with pytest.raises(ForbiddenError):
        await approved(runtime, row, writer)
    assert await plan_announcements(runtime) == 0
    await approved(runtime, row, head)
    assert await plan_announcements(runtime) == 1
    [run] = await runs(runtime)
    assert run.state == "running"
    assert run.people["ways"][0][1:] == ["chat", 30]
    await send_broadcasts(runtime)
    await plan_announcements(runtime)
    [run] = await runs(runtime)
    assert run.state == "ended"
    assert await by_way(runtime) == {("chat", "sent", ""): 30}
    assert len(provider.taken) == len(provider.times) == 30


@pytest.mark.usefixtures("provider")
async def test_who_is_not_reached_has_a_row_and_who_said_stop_has_none(
    runtime: Runtime, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 10)
    async with runtime.units_of_work() as uow:
        found = list((await uow.session.exec(select(ContactRow).order_by(col(ContactRow.id)))).all())
        found[0].stopped_at = uow.now
        found[1].gone = "recipient_blocked"
        for each in found[2:5]:
            each.last_interaction_at = uow.now - timedelta(days=8)
        found[5].last_interaction_at = None
    await approved(runtime, await drafted(runtime, writer), head)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert await by_way(runtime) == {
        ("chat", "sent", ""): 4, ("none", "failed", "window_closed"): 4, ("none", "failed", "gone"): 1
    }  # fmt: skip
    [run] = await runs(runtime)
    assert run.people["unreached"] == {"window_closed": 4, "gone": 1}


async def test_small_slices_freeze_everybody_once(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = MORNING
    monkeypatch.setattr(plans.boundary, "__defaults__", (7,))
    await people(runtime, 50)
    await approved(runtime, await drafted(runtime, writer, text="Chào {{Tên}}, mời họp"), head)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert set(provider.times.values()) == {1}
    assert len(provider.times) == 50
    assert {text for _, text in provider.taken} == {"Thông báo\nChào Công dân, mời họp"}


@pytest.mark.usefixtures("provider")
async def test_topics_and_villages_narrow_and_choices_count(
    runtime: Runtime, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 8)
    async with runtime.units_of_work() as uow:
        uow.session.add(TopicRow(id="topic", unit_id="commune", name="Họp thôn"))
        for n, (kind, value, chosen) in enumerate(
            [("area", "kim-lam", True)] * 5 + [("topic", "topic", False)] * 2 + [("area", "other", True)]
        ):
            # The first two of the village have turned the topic off.
            who = f"{commune.OA[-3:]}{n if n < 5 else n - 5:023d}"
            uow.session.add(MarkRow(kind=kind, value=value, contact_id=who, chosen=chosen, at=uow.now))
    audience = Audience(area_ids=("kim-lam",))
    await approved(runtime, await drafted(runtime, writer, audience=audience, topic="topic"), head)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert await by_way(runtime) == {("chat", "sent", ""): 3}


async def test_advertising_goes_only_to_who_agreed_is_labelled_and_waits_for_the_morning(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING - timedelta(hours=2, minutes=30)  # 06:30 in Vietnam
    await people(runtime, 6)
    async with runtime.units_of_work() as uow:
        for n in range(2):
            who = f"{commune.OA[-3:]}{n:023d}"
            uow.session.add(MarkRow(kind="purpose", value="advert", contact_id=who, at=uow.now))
    await approved(runtime, await drafted(runtime, writer, kind="advert"), head)
    assert await plan_announcements(runtime) == 0
    clock.forward(minutes=40)
    assert await plan_announcements(runtime) == 1
    await send_broadcasts(runtime)
    assert [text for _, text in provider.taken] == ["[QC] Thông báo\nHọp thôn 14 giờ"] * 2


async def test_at_night_a_run_rests_and_goes_on_in_the_morning(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING + timedelta(hours=12, minutes=58)  # 21:58 in Vietnam
    await people(runtime, 10)
    await approved(runtime, await drafted(runtime, writer), head)
    await plan_announcements(runtime)
    clock.forward(minutes=5)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert provider.taken == []
    async with runtime.database.reading() as session:
        [row] = (await session.exec(select(BroadcastRow))).all()
    assert (row.state, row.paused_reason) == ("paused", "quiet_hours")
    clock.forward(hours=8)
    await send_broadcasts(runtime)
    assert len(provider.taken) == 10


async def test_a_series_is_approved_once_and_every_run_frozen_when_it_is_due(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 3)
    weekly = Schedule("weekly", time="08:00", weekdays=(5,), times=2)
    await approved(runtime, await drafted(runtime, writer, schedule=weekly), head)
    assert await plan_announcements(runtime) == 0
    clock.forward(days=1)
    assert await plan_announcements(runtime) == 1
    await send_broadcasts(runtime)
    await plan_announcements(runtime)
    assert len(provider.taken) == 3
    clock.forward(days=7)
    await people_after(runtime, 2)
    assert await plan_announcements(runtime) == 1
    await send_broadcasts(runtime)
    await plan_announcements(runtime)
    assert len(provider.taken) == 3 + 2
    assert [run.state for run in await runs(runtime)] == ["ended", "ended"]


async def people_after(runtime: Runtime, number: int) -> None:
    """Let some people write again, so that their window is open."""
    async with runtime.units_of_work() as uow:
        for row in (await uow.session.exec(select(ContactRow).order_by(col(ContactRow.id)).limit(number))).all():
            row.last_interaction_at = uow.now


async def test_paused_resumed_and_stopped_with_an_exact_remainder(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 40)
    await approved(runtime, await drafted(runtime, writer), head)
    await plan_announcements(runtime)
    [run] = await runs(runtime)
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.pause(uow, run.id)
    await send_broadcasts(runtime)
    assert provider.taken == []
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.slow_down(uow, run.id, 10)
        await announcement_runs.resume(uow, run.id)
    await send_broadcasts(runtime)
    sent = len(provider.taken)
    assert 0 < sent <= 10
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.stop(uow, run.id)
    await send_broadcasts(runtime)
    await plan_announcements(runtime)
    assert await by_way(runtime) == {("chat", "sent", ""): sent, ("chat", "cancelled", "stopped"): 40 - sent}
    assert [run.state for run in await runs(runtime)] == ["ended"]
    async with runtime.units_of_work(writer) as uow:
        with pytest.raises(ConflictError):
            await announcement_runs.resume(uow, run.id)


async def test_who_says_stop_after_the_freeze_is_not_written_to(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 5)
    await approved(runtime, await drafted(runtime, writer), head)
    await plan_announcements(runtime)
    async with runtime.units_of_work() as uow:
        row = await uow.session.get(ContactRow, f"{commune.OA[-3:]}{3:023d}")
        assert row is not None
        row.stopped_at = uow.now
    await send_broadcasts(runtime)
    assert await by_way(runtime) == {("chat", "sent", ""): 4, ("chat", "cancelled", "opted_out"): 1}
    assert len(provider.taken) == 4


async def test_one_person_with_two_contacts_gets_it_once_where_free_text_arrives(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 4)
    async with runtime.units_of_work() as uow:
        found = list((await uow.session.exec(select(ContactRow).order_by(col(ContactRow.id)))).all())
        found[0].phone_hash = found[1].phone_hash = "same"
        found[0].last_interaction_at = uow.now - timedelta(days=9)
        found[2].person_id = found[3].person_id = "one"
        wanted = {found[1].external_id, found[3].external_id}
    await approved(runtime, await drafted(runtime, writer), head)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert {user for user, _ in provider.taken} == wanted
    assert await by_way(runtime) == {("chat", "sent", ""): 2}


@pytest.mark.usefixtures("provider")
async def test_nobody_to_reach_ends_the_run_and_says_so(
    runtime: Runtime, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await approved(runtime, await drafted(runtime, writer), head)
    assert await plan_announcements(runtime) == 0
    [run] = await runs(runtime)
    assert (run.state, run.reason) == ("ended", "nobody")
    assert await by_way(runtime) == {}


async def test_a_series_that_is_ended_runs_no_more_and_what_waits_is_cancelled(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 3)
    later = Schedule("once", at=MORNING + timedelta(days=2))
    row = await approved(runtime, await drafted(runtime, writer, schedule=later), head)
    await plan_announcements(runtime)
    assert [run.state for run in await runs(runtime)] == ["waiting"]
    async with runtime.units_of_work(head) as uow:
        await announcements.end(uow, row.id, row.version)
    clock.forward(days=3)
    await send_broadcasts(runtime)
    await plan_announcements(runtime)
    assert provider.taken == []
    assert await by_way(runtime) == {("chat", "cancelled", "stopped"): 3}


async def test_a_run_that_was_missed_by_hours_waits_for_a_person(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 3)
    later = Schedule("once", at=MORNING + timedelta(hours=2))
    await approved(runtime, await drafted(runtime, writer, schedule=later), head)
    await plan_announcements(runtime)
    clock.forward(hours=9)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert provider.taken == []
    [run] = await runs(runtime)
    async with runtime.units_of_work(writer) as uow:
        await announcement_runs.resume(uow, run.id)
    await send_broadcasts(runtime)
    assert len(provider.taken) == 3


async def test_of_a_series_only_runs_that_are_not_hours_late_are_held(
    runtime: Runtime, provider: Provider, clock: Clock, writer: Actor, head: Actor
) -> None:
    clock.now = MORNING
    await people(runtime, 3)
    weekly = Schedule("weekly", time="08:00", weekdays=(5,))
    await approved(runtime, await drafted(runtime, writer, schedule=weekly), head)
    await plan_announcements(runtime)
    clock.forward(days=1, hours=10)
    await plan_announcements(runtime)
    assert [(run.state, run.reason) for run in await runs(runtime)] == [("ended", "missed")]
    clock.forward(days=6, hours=14)
    await people_after(runtime, 3)
    await plan_announcements(runtime)
    await send_broadcasts(runtime)
    assert len(provider.taken) == 3
