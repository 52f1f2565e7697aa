"""Connecting accounts, without the pages."""

from bot.actions import accounts as actions
from bot.runtime import Runtime
from bot.store import accounts, credentials
from tests import commune

SECRETS = actions.Secrets("new-access", "new-refresh")


async def test_reconnecting_keeps_the_account_and_its_webhook_key(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
        first = actions.Secrets("a", "r", "key")
        made = await actions.add_account(
            uow, runtime.box, oa_id="445566", name="OA", unit_code="10183", kind="state", secrets=first
        )
    async with runtime.units_of_work() as uow:
        await accounts.stop(uow.session, made.id, "refresh_token_dead", "x", uow.now, asked_at=uow.now)
    async with runtime.units_of_work() as uow:
        again = await actions.add_account(
            uow, runtime.box, oa_id="445566", name="OA", unit_code="10183", kind="state", secrets=SECRETS
        )
    assert (again.id, again.state, again.stopped_reason) == (made.id, "active", "")
    async with runtime.database.reading() as session:
        kept = await credentials.credential(session, made.id)
    assert kept is not None
    assert kept.access_token is not None
    assert kept.webhook_key is not None
    assert runtime.box.open(kept.access_token) == "new-access"
    assert runtime.box.open(kept.webhook_key) == "key"


async def test_what_the_provider_does_not_say_is_left_alone(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
        row = await actions.describe(uow, "account", "  ", "")
        assert (row.name, row.kind) == ("UBND xã Thanh Oai", "state")
        row = await actions.describe(uow, "account", "Tên mới", "business")
        assert (row.name, row.kind) == ("Tên mới", "business")
