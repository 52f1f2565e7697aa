"""A person who is known by two contacts gets one row, whichever of them writes while an announcement is frozen."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from bot.actions import announcement_plans
from bot.runtime import Runtime
from bot.store import plans
from bot.store.broadcasts import DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.unit_of_work import Actor, UnitOfWork
from jobs.plan_announcements import plan_announcements
from tests.jobs.test_plan_announcements import (  # noqa: F401 - fixtures
    MORNING,
    approved,
    drafted,
    head,
    provider,
    runs,
    runtime,
    writer,
)
from tests.jobs.test_send_broadcasts import people
from tests.runtime_fixtures import Clock


async def contacts_of(uow: UnitOfWork) -> list[ContactRow]:
    return list((await uow.session.exec(select(ContactRow).order_by(col(ContactRow.id)))).all())


async def recipients(runtime: Runtime) -> list[str]:  # noqa: F811 - the fixture's name is everybody's
    async with runtime.database.reading() as session:
        return [row.recipient for row in (await session.exec(select(DeliveryRow))).all()]


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("later", [0, 1])
@pytest.mark.parametrize("joined", ["before", "meanwhile"])
async def test_whoever_writes_between_two_slices_is_frozen_once(
    runtime: Runtime,  # noqa: F811
    clock: Clock,
    writer: Actor,  # noqa: F811
    head: Actor,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    later: int,
    joined: str,
) -> None:
    clock.now = MORNING
    monkeypatch.setattr(plans.boundary, "__defaults__", (1,))
    await people(runtime, 4)
    async with runtime.units_of_work() as uow:
        first, second, third, fourth = await contacts_of(uow)
        third.person_id = fourth.person_id = "another"
        if joined == "before":
            first.person_id = second.person_id = "one"
        first.last_interaction_at = uow.now - timedelta(hours=1 + later)
        second.last_interaction_at = uow.now - timedelta(hours=2 - later)
    await approved(runtime, await drafted(runtime, writer), head)
    frozen, slices = announcement_plans.plan_slice, 0

    async def plan_slice(uow: UnitOfWork, run: object) -> bool:
        nonlocal slices
        done = await frozen(uow, run)  # type: ignore[arg-type] # as it is given
        slices += 1
        found = await contacts_of(uow)
        found[0].person_id = found[1].person_id = "one"
        found[(later + slices) % 2].last_interaction_at = uow.now
        return done

    monkeypatch.setattr(announcement_plans, "plan_slice", plan_slice)
    await plan_announcements(runtime)
    [run] = await runs(runtime)
    assert (run.state, slices > 4) == ("running", True)
    found = await recipients(runtime)
    ids = [first.id, second.id, third.id, fourth.id]
    assert sorted(ids.index(one) // 2 for one in found) == [0, 1], "one row a person"


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("others", ["known twice", "known once"])
@pytest.mark.parametrize("first_is", ["reached", "too late", "gone"])
async def test_whoever_is_linked_after_the_doubles_were_frozen_gets_the_row_that_reaches_them(
    runtime: Runtime,  # noqa: F811
    clock: Clock,
    writer: Actor,  # noqa: F811
    head: Actor,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    others: str,
    first_is: str,
) -> None:
    clock.now = MORNING
    monkeypatch.setattr(plans.boundary, "__defaults__", (4,))
    await people(runtime, 8)
    async with runtime.units_of_work() as uow:
        found = await contacts_of(uow)
        ids = [each.id for each in found]
        if others == "known twice":
            found[0].person_id = found[1].person_id = "another"
        if first_is == "too late":
            found[4].last_interaction_at = uow.now - timedelta(days=8)
        if first_is == "gone":
            found[4].gone = "recipient_blocked"
    await approved(runtime, await drafted(runtime, writer), head)
    frozen = announcement_plans.plan_slice

    async def plan_slice(uow: UnitOfWork, run: object) -> bool:
        done = await frozen(uow, run)  # type: ignore[arg-type] # as it is given
        for each in (await contacts_of(uow))[4:6]:
            each.person_id = "one"
        return done

    monkeypatch.setattr(announcement_plans, "plan_slice", plan_slice)
    await plan_announcements(runtime)
    got = [ids.index(one) for one in await recipients(runtime)]
    assert sorted(n for n in got if n > 1) == [2, 3, 4 if first_is == "reached" else 5, 6, 7]
    assert len([n for n in got if n <= 1]) == (1 if others == "known twice" else 2)
