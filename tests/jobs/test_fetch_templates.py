"""Templates are fetched for every account that has them, and those that may not be sent let their broadcasts rest."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.actions import templates
from bot.config import Settings
from bot.runtime import Runtime, opened
from bot.store import accounts, provider_templates
from bot.store.accounts import AccountRow
from bot.store.audit import AuditRow
from bot.store.broadcasts import BroadcastRow
from bot.store.provider_templates import ProviderTemplateRow
from jobs.fetch_templates import fetch_templates
from tests.live import BUSINESS_OA, STATE_OA, Live, running, seed
from tests.runtime_fixtures import Clock, with_zalo
from tests.simulator.simulator import Simulator

RESULT: dict[str, Any] = {
    "template_id": "312396",
    "name": "Kết quả hồ sơ",
    "text": "Hồ sơ <ma> của <ten> đã xong.",
    "params": {"ma": 30, "ten": 30},
}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as it:
        yield it


@pytest.fixture
async def runtime(settings: Settings, simulator: Simulator, clock: Clock) -> AsyncIterator[Runtime]:
    async with opened(with_zalo(settings, simulator.url), clock) as it:
        await seed(it, simulator)
        await simulator.verbs.add_template(oa_id=STATE_OA, **RESULT)
        yield it


async def account(runtime: Runtime, oa_id: str = STATE_OA) -> AccountRow:
    async with runtime.database.reading() as session:
        found = await accounts.by_external_id(session, "zalo", oa_id)
    assert found is not None
    return found


async def rows(runtime: Runtime) -> dict[str, ProviderTemplateRow]:
    async with runtime.database.reading() as session:
        found = await provider_templates.of_accounts(session, [(await account(runtime)).id])
    return {row.template_id: row for row in found}


async def sent_by(runtime: Runtime, template_id: str, *, way: str = "template_phone", state: str = "running") -> int:
    """Make a broadcast of the state agency's account."""
    owner = await account(runtime)
    async with runtime.units_of_work() as uow:
        row = BroadcastRow(
            account_id=owner.id, unit_id="commune", way=way, state=state, message={"template_id": template_id},
            created_at=uow.now,
        )  # fmt: skip
        uow.session.add(row)
        await uow.session.flush()
        assert row.id is not None
        return row.id


async def broadcast(runtime: Runtime, number: int) -> BroadcastRow:
    async with runtime.database.reading() as session:
        found = await session.get(BroadcastRow, number)
    assert found is not None
    return found


def asked(simulator: Simulator, path: str) -> int:
    return sum(call.path == path for call in simulator.provider.journal.calls)


async def test_a_template_is_kept_with_all_that_is_told(runtime: Runtime) -> None:
    assert await fetch_templates(runtime) == 1
    row = (await rows(runtime))["312396"]
    assert (row.name, row.status, row.quality, row.tag) == ("Kết quả hồ sơ", "ENABLE", "HIGH", "TRANSACTION")
    assert (row.by_user, row.by_phone, row.price_user, row.price_phone) == (True, True, 100, 120)
    assert (row.timeout_seconds, row.development, row.gone_at) == (7200, False, None)
    ma = {"name": "ma", "type": "STRING", "required": True, "shortest": 1, "longest": 30}
    assert row.parameters == [ma, ma | {"name": "ten"}]
    known = await account(runtime)
    assert (known.quota["template_day"]["remaining"], known.quota["template_day"]["total"]) == (5000, 5000)
    assert known.learnt["template_quality"] == "HIGH"


async def test_details_are_asked_for_only_when_there_is_a_reason(
    runtime: Runtime, simulator: Simulator, clock: Clock
) -> None:
    details = "/template/info/v2"
    await fetch_templates(runtime)
    assert await fetch_templates(runtime) == 0
    assert asked(simulator, details) == 1
    await simulator.verbs.set_template(oa_id=STATE_OA, template_id="312396", quality="LOW", tell=False)
    assert await fetch_templates(runtime) == 1
    clock.forward(days=1, hours=1)
    assert await fetch_templates(runtime) == 1
    async with runtime.units_of_work() as uow:
        await templates.ask_anew(uow, [(await account(runtime)).id])
    assert await fetch_templates(runtime) == 1
    assert (await rows(runtime))["312396"].quality == "LOW"


@pytest.mark.parametrize("code", [-135, -136, -120])
async def test_an_account_that_may_not_use_templates_goes_on(runtime: Runtime, simulator: Simulator, code: int) -> None:
    await simulator.verbs.set_oa(oa_id=STATE_OA, template_refusal=code)
    await simulator.verbs.add_template(oa_id=BUSINESS_OA, **RESULT)
    assert await fetch_templates(runtime) == 1, "the other account's"
    refused = await account(runtime)
    assert refused.state == "active"
    assert refused.learnt[templates.REFUSED] in {"package_too_low", "billing_account_missing", "permission_not_granted"}
    assert (
        templates.REFUSED not in (await account(runtime, BUSINESS_OA)).learnt
        or not (await account(runtime, BUSINESS_OA)).learnt[templates.REFUSED]
    )
    await simulator.verbs.set_oa(oa_id=STATE_OA, template_refusal=0)
    await fetch_templates(runtime)
    assert (await account(runtime)).learnt[templates.REFUSED] == ""


async def test_a_provider_that_is_down_is_asked_again_another_time(runtime: Runtime, simulator: Simulator) -> None:
    await fetch_templates(runtime)
    await simulator.verbs.fault(kind="down", mode="502")
    assert await fetch_templates(runtime) == 0
    row = (await rows(runtime))["312396"]
    assert (row.status, row.gone_at) == ("ENABLE", None)
    assert (await account(runtime)).state == "active"


async def test_what_is_not_listed_any_more_is_gone_and_lets_its_broadcasts_rest(
    runtime: Runtime, simulator: Simulator
) -> None:
    await simulator.verbs.add_template(oa_id=STATE_OA, **RESULT | {"template_id": "312397"})
    await fetch_templates(runtime)
    number, other = await sent_by(runtime, "312396"), await sent_by(runtime, "312397")
    await simulator.verbs.remove_template(oa_id=STATE_OA, template_id="312396")
    await fetch_templates(runtime)
    assert (await rows(runtime))["312396"].gone_at is not None
    assert (await broadcast(runtime, number)).paused_reason == "template_disabled"
    assert (await broadcast(runtime, other)).state == "running"


async def test_a_list_without_any_template_is_believed_when_it_comes_twice_some_minutes_apart(
    runtime: Runtime, simulator: Simulator, clock: Clock
) -> None:
    await fetch_templates(runtime)
    number = await sent_by(runtime, "312396")
    for _ in range(2):  # as long as there was one in between, it is not the second in a row
        await simulator.verbs.remove_template(oa_id=STATE_OA, template_id="312396")
        for seconds in (0, 100):
            clock.forward(seconds=seconds)
            await fetch_templates(runtime)
            assert (await rows(runtime))["312396"].gone_at is None
            assert (await broadcast(runtime, number)).state == "running"
        await simulator.verbs.add_template(oa_id=STATE_OA, **RESULT)
        clock.forward(minutes=10)
        await fetch_templates(runtime)
    await simulator.verbs.remove_template(oa_id=STATE_OA, template_id="312396")
    await fetch_templates(runtime)
    clock.forward(minutes=10)
    await fetch_templates(runtime)
    assert (await rows(runtime))["312396"].gone_at is not None
    assert (await broadcast(runtime, number)).paused_reason == "template_disabled"
    await simulator.verbs.add_template(oa_id=STATE_OA, **RESULT)
    await fetch_templates(runtime)
    assert (await rows(runtime))["312396"].gone_at is None
    assert (await broadcast(runtime, number)).state == "paused", "a person lets it go on"


async def test_a_change_that_no_event_told_is_acted_on(runtime: Runtime, simulator: Simulator) -> None:
    await fetch_templates(runtime)
    stopped = [
        await sent_by(runtime, "312396"),
        await sent_by(runtime, "312396", way="template_user"),
        await sent_by(runtime, "312396", state="waiting"),
    ]
    others = [
        await sent_by(runtime, "1"),
        await sent_by(runtime, "312396", way="chat"),
        await sent_by(runtime, "312396", state="finished"),
        await sent_by(runtime, "312396", state="stopped"),
    ]
    await simulator.verbs.set_template(oa_id=STATE_OA, template_id="312396", status="REJECT", tell=False)
    await fetch_templates(runtime)
    assert [(await broadcast(runtime, n)).state for n in stopped] == ["paused"] * 3
    assert [(await broadcast(runtime, n)).state for n in others] == ["running", "running", "finished", "stopped"]
    async with runtime.database.reading() as session:
        trail = (await session.exec(select(AuditRow))).all()
    assert sorted(row.subject for row in trail if row.action == "broadcast.pause") == sorted(
        f"broadcast:{n}" for n in stopped
    )
    [changed] = [row for row in trail if row.action == "template.status"]
    assert (changed.data["from"], changed.data["to"]) == ("ENABLE", "REJECT")


async def test_an_event_pauses_at_once_and_the_health_page_says_why(settings: Settings) -> None:
    async with Simulator() as simulator, running(settings, simulator) as live:
        await simulator.verbs.add_template(oa_id=STATE_OA, **RESULT)
        await fetch_templates(live.runtime)
        number = await sent_by(live.runtime, "312396", state="waiting")
        await simulator.verbs.set_template(oa_id=STATE_OA, template_id="312396", status="DISABLE", reason="Kém")
        await live.until(lambda: _is_paused(live, number))
        row = (await rows(live.runtime))["312396"]
        assert row.status == "DISABLE"
        assert row.news_at is not None
        assert abs(row.news_at - live.runtime.now()) < timedelta(minutes=5)
        await simulator.verbs.set_template_quota(oa_id=STATE_OA, daily=7)
        await live.until(lambda: _has_quota(live, 7))


async def _is_paused(live: Live, number: int) -> bool:
    return (await broadcast(live.runtime, number)).state == "paused"


async def _has_quota(live: Live, total: int) -> bool:
    return bool((await account(live.runtime)).quota.get("template_day", {}).get("total") == total)
