"""The way out for answers and notices: lanes, fair parts for every unit, the account's allowance, order, leases."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.actions import outgoing
from bot.actions.accounts import restart
from bot.channels.rate_limit import ANSWER, BROADCAST, NOTICE, Grant, Window
from bot.config import Settings
from bot.runtime import Runtime
from bot.store import outbox
from bot.store.accounts import AccountRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import UnitOfWork
from jobs import deliver_messages as deliver
from jobs.deliver_messages import deliver_messages
from jobs.requeue_stuck import requeue_stuck
from tests import commune
from tests.fakes.scripted_server import Answer
from tests.jobs.test_send_broadcasts import Provider, account, event, people, provider, refusal, runtime, worker
from tests.runtime_fixtures import Clock

__all__ = ["provider", "runtime"]


async def queue(
    runtime: Runtime, number: int, *, lane: int = ANSWER, unit: str = "commune", oa: str = commune.OA, person: int = -1
) -> list[str]:
    """Queue messages, each to another person unless one is named; returns the rows' ids."""
    ids = []
    async with runtime.units_of_work() as uow:
        to = await runtime.account_row(uow, "zalo", oa)
        assert to is not None
        for n in range(number):
            row_id = uow.new_id()
            who = n if person < 0 else person
            uow.session.add(
                OutboxRow(
                    id=row_id, account_id=to.id, contact_id=f"{oa[-3:]}{who:023d}", unit_id=unit, purpose="x",
                    lane=lane, body={"text": f"{unit} {lane} {n}"}, text="x", next_attempt_at=uow.now,
                    created_at=uow.now,
                )
            )  # fmt: skip
            ids.append(row_id)
    return ids


async def states(runtime: Runtime) -> dict[str, int]:
    async with runtime.database.reading() as session:
        found = (await session.exec(select(OutboxRow.state))).all()
    return {state: found.count(state) for state in sorted(set(found))}


async def test_answers_leave_before_notices_and_notices_before_broadcasts(runtime: Runtime, provider: Provider) -> None:
    await people(runtime, 90)
    for lane in (BROADCAST, NOTICE, ANSWER):
        await queue(runtime, 25, lane=lane)
    await deliver_messages(runtime)
    lanes = [int(text.split()[1]) for _, text in provider.taken]
    assert len(lanes) == 75
    assert set(lanes[:15]) == {ANSWER}
    assert set(lanes[-15:]) == {BROADCAST}


async def test_a_unit_with_hundreds_of_notices_does_not_hold_up_another_s_one(
    runtime: Runtime, provider: Provider
) -> None:
    await people(runtime, 300)
    await queue(runtime, 200, lane=NOTICE, unit="economy")
    await queue(runtime, 1, lane=NOTICE, unit="police", person=250)
    await deliver_messages(runtime)
    async with runtime.database.reading() as session:
        rows = (await session.exec(select(OutboxRow).order_by(col(OutboxRow.sending_at)))).all()
    [mine] = [row.sending_at for row in rows if row.unit_id == "police"]
    assert mine is not None
    assert sum(row.sending_at is not None and row.sending_at < mine for row in rows) < 20, "in the first handful"
    assert len(provider.taken) == 201
    assert await states(runtime) == {"sent": 201}


async def test_an_account_at_its_limit_does_not_hold_up_another(runtime: Runtime, provider: Provider) -> None:
    slow, quick = "2222333344445555888", commune.OA
    await account(runtime, slow, per_minute=10)
    await people(runtime, 40, slow)
    await people(runtime, 40, quick)
    await queue(runtime, 40, oa=slow)
    await queue(runtime, 40, oa=quick)
    await deliver_messages(runtime)
    quicks = [user for user, _ in provider.taken if user.startswith(quick[-3:])]
    assert len(quicks) == 40
    assert len(provider.taken) - 40 <= 10
    assert await states(runtime) == {"queued": 30, "sent": 50}


async def test_waiting_for_the_allowance_costs_no_tries(runtime: Runtime) -> None:
    slow = "2222333344445555888"
    await account(runtime, slow, per_minute=5)
    await people(runtime, 12, slow)
    await queue(runtime, 12, oa=slow)
    await deliver_messages(runtime)
    async with runtime.database.reading() as session:
        waiting = (await session.exec(select(OutboxRow).where(OutboxRow.state == "queued"))).all()
    assert {row.attempts for row in waiting} == {0}


async def test_messages_to_one_person_keep_their_order(runtime: Runtime, provider: Provider) -> None:
    await people(runtime, 3)
    await queue(runtime, 12, person=1)
    await asyncio.gather(*(deliver_messages(runtime) for _ in range(3)))
    await deliver_messages(runtime)
    assert [text.split()[-1] for _, text in provider.taken] == [str(n) for n in range(12)]


async def test_the_provider_asking_to_wait_rests_the_account_for_every_worker(
    runtime: Runtime, provider: Provider
) -> None:
    slow = "2222333344445555888"
    await account(runtime, slow, per_minute=100)
    await people(runtime, 30, slow)
    await queue(runtime, 30, oa=slow)
    provider.judge = lambda _user, _text: refusal(-32, "Your OA reached limit call api")
    await deliver_messages(runtime)
    asked = sum(provider.asked.values())
    assert asked <= 20
    await deliver_messages(runtime)
    assert sum(provider.asked.values()) == asked
    assert await states(runtime) == {"queued": 30}


async def stood_still(runtime: Runtime, provider: Provider, clock: Clock, late: asyncio.Event) -> "asyncio.Task[int]":
    """Begin sending one message whose answer comes late, and let its lease run out."""
    provider.judge = lambda user, text: provider.take(user, text, wait=late)
    first = asyncio.create_task(deliver_messages(runtime))
    async with asyncio.timeout(10):
        while not provider.taken:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
            await asyncio.sleep(0.01)
    clock.forward(minutes=3)
    return first


async def test_a_worker_that_stood_still_past_its_lease_tells_what_it_knows(
    runtime: Runtime, settings: Settings, provider: Provider, clock: Clock
) -> None:
    """Its message is in doubt by then, and nothing else is known of it: nobody need ask, and nobody repeats it."""
    from jobs.settle_messages import settle_messages

    await people(runtime, 1)
    ids = await queue(runtime, 1)
    late = asyncio.Event()
    first = await stood_still(runtime, provider, clock, late)
    async with worker(settings, provider, clock) as other:
        assert await requeue_stuck(other) == 1
        assert await states(other) == {"unknown": 1}
        late.set()
        await first
        assert await states(other) == {"sent": 1}
        assert await settle_messages(other) == 0
    async with runtime.database.reading() as session:
        row = await outbox.row(session, ids[0])
    assert row is not None
    assert row.provider_id == "m1"
    assert len(provider.taken) == 1


async def test_a_worker_that_stood_still_changes_nothing_once_it_is_tried_again(
    runtime: Runtime, settings: Settings, provider: Provider, clock: Clock
) -> None:
    from jobs.settle_messages import settle_messages

    await people(runtime, 1)
    ids = await queue(runtime, 1)
    late, later = asyncio.Event(), asyncio.Event()
    first = await stood_still(runtime, provider, clock, late)
    async with worker(settings, provider, clock) as other:
        await requeue_stuck(other)
        assert await settle_messages(other) == 1
        provider.judge = lambda user, text: provider.take(user, text, wait=later)
        second = asyncio.create_task(deliver_messages(other))
        async with asyncio.timeout(10):
            while len(provider.taken) < 2:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.01)
        late.set()
        await first
        assert await states(other) == {"sending": 1}
        later.set()
        await second
    async with runtime.database.reading() as session:
        row = await outbox.row(session, ids[0])
    assert row is not None
    assert (row.state, row.provider_id, row.repeated) == ("sent", "m2", 1)


async def test_one_outcome_that_cannot_be_written_ends_no_other_send(
    runtime: Runtime, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(runtime, 15)
    ids = await queue(runtime, 15)
    monkeypatch.setattr(deliver, "_RECORD_PAUSES", (0.0, 0.0))
    follow = outgoing.sent

    async def sent(uow: UnitOfWork, row: OutboxRow) -> None:
        if row.id == ids[3]:
            msg = "what follows cannot be done"
            raise RuntimeError(msg)
        await follow(uow, row)

    monkeypatch.setattr(deliver, "sent", sent)
    assert await deliver_messages(runtime) == 15
    assert await states(runtime) == {"sent": 15}
    assert len(provider.taken) == 15


async def test_an_outcome_is_written_again_until_the_database_takes_it(
    runtime: Runtime, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(runtime, 6)
    await queue(runtime, 6)
    provider.judge = lambda user, _text: refusal(-201, "Params is invalid") if user.endswith("005") else None
    monkeypatch.setattr(deliver, "_RECORD_PAUSES", (0.0, 0.0, 0.0))
    record, tries = outbox.record, Counter[str]()

    async def sometimes(session: AsyncSession, row_id: str, lease: str, **values: object) -> bool:
        tries[row_id] += 1
        if tries[row_id] < 4:
            raise OperationalError("UPDATE outbox", {}, Exception("connection lost"))
        return await record(session, row_id, lease, **values)

    monkeypatch.setattr(outbox, "record", sometimes)
    await deliver_messages(runtime)
    assert await states(runtime) == {"failed": 1, "sent": 5}
    assert len(provider.taken) == 5


async def test_looking_for_more_that_fails_does_not_end_what_is_under_way(
    runtime: Runtime, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(runtime, 5)
    await queue(runtime, 5)
    late = asyncio.Event()
    provider.judge = lambda user, text: provider.take(user, text, wait=late)
    sending = asyncio.create_task(deliver_messages(runtime))
    async with asyncio.timeout(10):
        while len(provider.taken) < 5:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
            await asyncio.sleep(0.01)

        async def broken(*_: object) -> list[outbox.Share]:
            late.set()
            raise OperationalError("SELECT", {}, Exception("connection lost"))

        monkeypatch.setattr(outbox, "waiting", broken)
        runtime.queue.bell("deliver_messages").set()
        with pytest.raises(OperationalError):
            await sending
    assert await states(runtime) == {"sent": 5}


async def test_a_request_paid_for_long_ago_is_paid_again_before_it_leaves(
    runtime: Runtime, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease took long: what was taken for it counts in a window that may be over when the messages leave."""
    slow = "2222333344445555888"
    await account(runtime, slow, per_minute=40)
    await people(runtime, 8, slow)
    await queue(runtime, 8, oa=slow)
    taken = []
    take = runtime.budget.take

    async def late(windows: Sequence[Window], lane: int, want: int) -> Grant:
        grant = await take(windows, lane, want)
        taken.append(grant.number)
        return replace(grant, until=0.0) if want > 1 else grant

    monkeypatch.setattr(runtime.budget, "take", late)
    await deliver_messages(runtime)
    assert len(provider.taken) == 8
    assert sum(taken) == 16, "the first payment stays counted"


async def test_a_notice_in_doubt_is_repeated_once_at_most(runtime: Runtime, provider: Provider, clock: Clock) -> None:
    from jobs.settle_messages import settle_messages

    await people(runtime, 1)
    await queue(runtime, 1, lane=NOTICE)
    provider.judge = lambda _user, _text: Answer(hang_up=True)
    for _ in range(6):
        await deliver_messages(runtime)
        clock.forward(minutes=2)
        await settle_messages(runtime)
    assert sum(provider.asked.values()) == 2
    assert await states(runtime) == {"failed": 1}


@pytest.mark.parametrize("k", range(3))
async def test_what_can_no_longer_help_is_not_sent(runtime: Runtime, provider: Provider, k: int) -> None:
    await people(runtime, 5)
    ids = await queue(runtime, 3)
    async with runtime.units_of_work() as uow:
        row = (await uow.session.exec(select(OutboxRow).where(col(OutboxRow.id) == ids[k]))).one()
        row.expires_at = uow.now - timedelta(seconds=1)
    await deliver_messages(runtime)
    await requeue_stuck(runtime)
    assert await states(runtime) == {"expired": 1, "sent": 2}
    assert len(provider.taken) == 2


async def test_one_message_that_hangs_does_not_keep_later_ones_of_others_waiting(
    runtime: Runtime, provider: Provider
) -> None:
    await people(runtime, 60)
    await queue(runtime, 1, person=50)
    late = asyncio.Event()
    provider.judge = lambda user, text: provider.take(user, text, wait=late) if user.endswith("050") else None
    sending = asyncio.create_task(deliver_messages(runtime))
    async with asyncio.timeout(10):
        while not provider.taken:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
            await asyncio.sleep(0.01)
        await queue(runtime, 45)
        runtime.queue.bell("deliver_messages").set()
        while len(provider.taken) < 46:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.01)
    assert not sending.done()
    late.set()
    assert await sending == 46
    assert await states(runtime) == {"sent": 46}


async def test_the_late_echo_of_a_message_given_up_is_not_taken_for_a_person(
    runtime: Runtime, provider: Provider, clock: Clock
) -> None:
    from bot.store.messages import MessageRow
    from jobs.settle_messages import settle_messages

    await people(runtime, 1)
    ids = await queue(runtime, 1, lane=BROADCAST)
    async with runtime.units_of_work() as uow:
        row = await outbox.row(uow.session, ids[0])
        assert row is not None
        row.text = "Mời họp"
    provider.judge = lambda user, text: provider.take(user, text, hang_up=True)
    await deliver_messages(runtime)
    clock.forward(minutes=2)
    await settle_messages(runtime)
    assert await states(runtime) == {"failed": 1}
    await event(runtime, "oa_send_text", "666000000", "late", "Mời họp")
    assert await states(runtime) == {"sent": 1}
    async with runtime.database.reading() as session:
        assert (await session.exec(select(MessageRow))).all() == []


@pytest.mark.parametrize("renewed", [True, False], ids=["let in meanwhile", "not let in"])
async def test_a_refusal_from_before_an_account_was_let_in_does_not_stop_it_again(
    runtime: Runtime, provider: Provider, clock: Clock, renewed: bool
) -> None:
    await people(runtime, 1)
    await queue(runtime, 1)
    late = asyncio.Event()
    provider.judge = lambda _user, _text: Answer({"x": 1}, status=404, wait=late)
    sending = asyncio.create_task(deliver_messages(runtime))
    async with asyncio.timeout(10):
        while not provider.asked:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
            await asyncio.sleep(0.01)
    provider.judge = lambda _user, _text: None
    clock.forward(seconds=1)
    async with runtime.units_of_work() as uow:
        to = await runtime.account_row(uow, "zalo", commune.OA)
        assert to is not None
        if renewed:
            await restart(uow, to.id)
    late.set()
    await sending
    async with runtime.database.reading() as session:
        row = await session.get(AccountRow, to.id)
    assert row is not None
    assert (row.state, row.stopped_reason) == (("active", "") if renewed else ("stopped", "api_not_found"))
    assert await states(runtime) == {"sent" if renewed else "queued": 1}
