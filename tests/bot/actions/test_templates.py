"""News of templates in any order, broadcasts that rest for them, and the health lines that say why."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.actions import templates
from bot.domain.template import Parameter, TemplateFacts
from bot.domain.update import TemplateNews
from bot.health.line import Light, Line
from bot.health.report import report
from bot.runtime import Runtime
from bot.store import provider_templates
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.audit import AuditRow
from bot.store.broadcasts import BroadcastRow
from bot.store.provider_templates import ProviderTemplateRow
from handlers.dispatch import Desk, dispatch
from tests import commune
from tests.runtime_fixtures import Clock

FACTS = TemplateFacts("7", "Giấy mời", "ENABLE", "HIGH", parameters=(Parameter("ten"),), by_user=True, price_user=90)


@pytest.fixture
async def office(runtime: Runtime) -> Runtime:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
        await templates.described(uow, "account", FACTS)
    return runtime


async def tell(runtime: Runtime, what: str, at: datetime, subject: str = "7", **details: str) -> None:
    """Handle an event as it comes out of the inbox."""
    named = {name.replace("__", "."): value for name, value in details.items()}
    update = TemplateNews(
        account=commune.OA, external_id=f"{what}{at}", sender="", occurred_at=at, what=what, subject=subject,
        details=named,
    )  # fmt: skip
    async with runtime.units_of_work() as uow:
        account = await uow.session.get(AccountRow, "account")
        assert account is not None
        await dispatch(Desk(runtime.settings.conversation, runtime.box), uow, account, update, 0)


async def status(runtime: Runtime, at: datetime, new: str, subject: str = "7") -> None:
    await tell(runtime, "change_template_status", at, subject, status__new_status=new, reason="Chưa đạt")


async def row(runtime: Runtime, template_id: str = "7") -> ProviderTemplateRow:
    async with runtime.database.reading() as session:
        found = await provider_templates.template(session, "account", template_id)
    assert found is not None
    return found


async def announced(runtime: Runtime, *states: str) -> list[int]:
    """Make broadcasts of an announcement that go by template 7, each in one of the states."""
    async with runtime.units_of_work() as uow:
        made = AnnouncementRow(
            id="a", unit_id="commune", title="Họp thôn", created_by="head", created_at=uow.now, updated_at=uow.now
        )
        uow.session.add(made)
        await uow.session.flush()
        uow.session.add(
            RunRow(id="r", announcement_id="a", number=1, due_at=uow.now, created_at=uow.now, progress_at=uow.now)
        )
        found = [
            BroadcastRow(
                account_id="account", unit_id="commune", run_id="r", way="template_phone", state=state,
                message={"template_id": "7", "parameters": {"ten": "{{ten}}"}}, created_at=uow.now,
            )
            for state in states
        ]  # fmt: skip
        uow.session.add_all(found)
        await uow.session.flush()
        return [one.id or 0 for one in found]


async def states(runtime: Runtime) -> list[str]:
    async with runtime.database.reading() as session:
        return [one.state for one in (await session.exec(select(BroadcastRow).order_by(BroadcastRow.id))).all()]  # type: ignore[arg-type]  # a column


async def lines(runtime: Runtime) -> list[Line]:
    return (await report(runtime)).of("template")


@pytest.mark.parametrize("new", ["DISABLE", "REJECT", "DELETE", "PENDING_REVIEW"])
async def test_a_template_that_may_not_be_sent_lets_its_broadcasts_rest(
    office: Runtime, clock: Clock, new: str
) -> None:
    await announced(office, "running", "waiting", "finished")
    assert await lines(office) == []
    await status(office, clock.now, new)
    assert await states(office) == ["paused", "paused", "finished"]
    found = await lines(office)
    assert [line.light for line in found] == [Light.BAD, Light.BAD]
    assert found[0].values["template"] == "Giấy mời"
    assert found[0].values["announcement"] == "Họp thôn"
    assert "announcement" not in found[0].public_values
    async with office.database.reading() as session:
        trail = (await session.exec(select(AuditRow).where(AuditRow.action == "broadcast.pause"))).all()
    assert {one.data["reason"] for one in trail} == {"template_disabled"}
    assert len(trail) == 2


async def test_news_of_a_status_may_come_in_any_order(office: Runtime, clock: Clock) -> None:
    await announced(office, "running")
    later, earlier = clock.now, clock.now - timedelta(minutes=5)
    await status(office, later, "ENABLE")
    await status(office, earlier, "DISABLE")
    assert (await row(office)).status == "ENABLE"
    assert await states(office) == ["running"]
    await status(office, later + timedelta(minutes=1), "DISABLE")
    assert await states(office) == ["paused"]
    await status(office, later + timedelta(minutes=2), "ENABLE")
    assert (await row(office)).status == "ENABLE"
    assert await states(office) == ["paused"], "a person lets it go on"
    assert await lines(office) == []


async def test_a_template_that_nobody_knew_becomes_known(office: Runtime, clock: Clock) -> None:
    await status(office, clock.now, "ENABLE", "99")
    found = await row(office, "99")
    assert (found.status, found.fetched_at) == ("ENABLE", None)


async def test_bad_quality_is_named_while_it_is_used(office: Runtime, clock: Clock) -> None:
    await tell(office, "change_template_quality", clock.now, quality="LOW")
    assert await lines(office) == []
    await announced(office, "running")
    [line] = await lines(office)
    assert (line.light, line.values["quality"]) == (Light.WARN, "LOW")
    assert await states(office) == ["running"]


@pytest.mark.parametrize(
    ("what", "subject", "details"),
    [
        ("change_oa_daily_quota", "", {"quota__new_value": "2000"}),
        ("change_template_quota", "7", {"quota__new_value": "500"}),
        ("change_oa_template_tags", "", {"tags__new_value": "TRANSACTION, CUSTOMER_CARE"}),
        ("change_template_status", "7", {}),
        ("change_template_status", "", {"status__new_status": "DISABLE"}),
    ],
)
async def test_other_news_changes_nothing_but_has_zalo_asked(
    office: Runtime, clock: Clock, what: str, subject: str, details: dict[str, str]
) -> None:
    await announced(office, "running")
    await tell(office, what, clock.now, subject, **details)
    assert (await row(office)).status == "ENABLE"
    assert await states(office) == ["running"]
    assert ((await row(office)).fetched_at is None) is bool(subject)


async def test_a_list_without_a_status_stops_nothing(office: Runtime) -> None:
    await announced(office, "running")
    async with office.units_of_work() as uow:
        await templates.listed(uow, "account", TemplateFacts("7", status=""))
        await templates.listed(uow, "account", TemplateFacts("8", status=""))
    assert await states(office) == ["running"]
    assert (await row(office)).name == "Giấy mời"


async def test_what_is_left_of_the_day_is_kept_beside_the_other_allowances(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        account = await uow.session.get(AccountRow, "account")
        assert account is not None
        account.quota = {"reply": {"remaining": 8}}
        await templates.allowed(uow, "account", left=499, per_day=500, quality="HIGH")
    async with office.database.reading() as session:
        kept: Any = await session.get(AccountRow, "account")
    assert (kept.quota["reply"]["remaining"], kept.quota["template_day"]["remaining"]) == (8, 499)
    assert kept.learnt["template_quality"] == "HIGH"
