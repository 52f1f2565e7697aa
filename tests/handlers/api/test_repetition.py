"""Idempotency-Key: the work is done once, and its answer given again."""

import asyncio

import pytest

from bot.actions import api_calls, dossier_push
from bot.domain.dossier_exchange import read_item
from bot.store.api_keys import ApiCallRow
from bot.store.dossiers import DossierEventRow
from jobs.forget import forget
from tests.handlers.api.conftest import BATCH, System, item
from tests.runtime_fixtures import Clock


async def test_an_answer_is_given_again_for_a_day(system: System, clock: Clock) -> None:
    first = await system.push(item(), Idempotency_Key="lan-1")
    assert "Idempotency-Replayed" not in first.headers
    clock.forward(hours=23)
    again = await system.push(item(), Idempotency_Key="lan-1")
    assert (again.status, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await system.push(item(), Idempotency_Key="lan-2")
    assert other.content["counts"] == {"same": 1}
    clock.forward(hours=2)
    late = await system.push(item(), Idempotency_Key="lan-1")
    assert late.content["counts"] == {"same": 1}, "after a day it is a call like any other"
    assert "Idempotency-Replayed" not in late.headers


async def test_another_call_under_the_same_key_is_refused(system: System) -> None:
    await system.push(item(), Idempotency_Key="a")
    answer = await system.push(item(TrangThaiHoSo=4), Idempotency_Key="a")
    assert (answer.status, answer.problem) == (422, "other_call")
    elsewhere = await system.call("POST", f"/api/v1/dossiers/{item()['MaHoSo']}/events", item(), Idempotency_Key="a")
    assert elsewhere.problem == "other_call"
    assert len(await system.rows(DossierEventRow)) == 1
    office = await system.other("commune", "Khác")
    assert (await office.push(item(TrangThaiHoSo=4), Idempotency_Key="a")).status == 200, "each key for itself"


async def test_one_that_runs_is_not_begun_again_until_its_lease_ends(system: System, clock: Clock) -> None:
    given = {"items": [item()]}
    first = await system.call("POST", BATCH, given, Idempotency_Key="a")
    (row,) = await system.rows(ApiCallRow)
    async with system.runtime.units_of_work() as uow:  # as if the process had died in the middle
        await uow.session.delete(row)
        await uow.session.flush()
        await api_calls.begin(uow, row.key_id, "a", row.digest)
    waiting = await system.call("POST", BATCH, given, Idempotency_Key="a")
    assert (waiting.status, waiting.problem) == (409, "still_running")
    assert waiting.headers["Retry-After"] == "5"
    clock.forward(seconds=121)
    again = await system.call("POST", BATCH, given, Idempotency_Key="a")
    assert again.content["counts"] == {"same": 1} != first.content["counts"]
    assert (await system.call("POST", BATCH, given, Idempotency_Key="a")).headers["Idempotency-Replayed"] == "true"


async def test_who_has_lost_the_lease_does_nothing(system: System, clock: Clock) -> None:
    async with system.runtime.units_of_work() as uow:
        slow = await api_calls.begin(uow, system.key_id, "a", "d")
    clock.forward(seconds=121)
    async with system.runtime.units_of_work() as uow:
        quick = await api_calls.begin(uow, system.key_id, "a", "d")
    key = await system.row()

    async def slowly() -> None:
        async with system.runtime.units_of_work() as uow:
            await dossier_push.push(uow, system.runtime.box, key, [read_item(item(), uow.now)])
            await api_calls.end(uow, slow, 200, b"slow")

    with pytest.raises(api_calls.StillRunningError):
        await slowly()
    assert await system.rows(DossierEventRow) == [], "the work goes with the answer"
    async with system.runtime.units_of_work() as uow:
        await api_calls.end(uow, quick, 200, b"quick")
    async with system.runtime.units_of_work() as uow:
        assert (await api_calls.begin(uow, system.key_id, "a", "d")).body == b"quick"


async def test_at_the_same_moment_it_is_done_once(system: System) -> None:
    answers = await asyncio.gather(*(system.push(item(), Idempotency_Key="a") for _ in range(6)))
    done = [answer for answer in answers if answer.status == 200]
    assert done
    assert all(answer.content == done[0].content for answer in done)
    assert all(answer.problem == "still_running" for answer in answers if answer.status != 200)
    assert sum("Idempotency-Replayed" not in answer.headers for answer in done) == 1
    assert len(await system.rows(DossierEventRow)) == 1


async def test_what_was_refused_can_be_sent_again_at_once(system: System) -> None:
    path = f"/api/v1/dossiers/{item()['MaHoSo']}/events"
    for _ in range(2):
        assert (await system.call("POST", path, {"TrangThaiHoSo": 12}, Idempotency_Key="a")).problem == "invalid"
    assert (await system.call("POST", path, item(), Idempotency_Key="a")).status == 200


async def test_keys_are_printable_and_short(system: System) -> None:
    for key, status in (("x" * 255, 200), ("!~ /", 200), ("x" * 256, 400), ("", 400), ("é", 400)):
        answer = await system.push(item(), Idempotency_Key=key)
        assert answer.status == status
        assert status == 200 or answer.problem == "idempotency_key"


async def test_old_answers_are_forgotten(system: System, clock: Clock) -> None:
    await system.push(item(), Idempotency_Key="a")
    clock.forward(hours=12)
    await system.push(item(), Idempotency_Key="b")
    clock.forward(hours=13)
    await forget(system.runtime)
    assert [row.idempotency_key for row in await system.rows(ApiCallRow)] == ["b"]
