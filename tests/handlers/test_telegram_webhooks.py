"""The door for bots' webhooks: what is forged, broken, too large or for nobody, and what each gets."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.actions import accounts
from bot.config import Settings
from bot.runtime import opened
from bot.store import accounts as rows
from bot.store import health
from bot.store.inbox import InboxRow
from bot.store.receptions import ReceptionRow
from jobs.keep_webhooks import keep_webhooks
from tests.live import BOT, BOT_SECRET, BOT_TOKEN, Live, running
from tests.simulator.simulator import Simulator

PAYLOADS = Path(__file__).parents[1] / "payloads" / "telegram"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
TEXT = (PAYLOADS / "text.json").read_bytes()


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    async with Simulator() as simulator, running(settings, simulator, telegram=True) as it:
        yield it


async def post(live: Live, body: bytes, secret: str | None = BOT_SECRET, bot: str = BOT) -> int:
    headers = {"Content-Type": "application/json", **({HEADER: secret} if secret is not None else {})}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{live.url}/webhooks/telegram/{bot}", data=io.BytesIO(body), headers=headers) as answer,
    ):
        return answer.status


async def refused(live: Live) -> dict[tuple[str, str], int]:
    await live.runtime.intake.note_counts()
    async with live.runtime.database.reading() as session:
        found = await health.refusals(session, live.runtime.now().replace(year=2020))
    return {(provider, reason): number for provider, reason, number, _ in found}


async def test_an_update_is_stored_before_it_is_acknowledged_and_once(live: Live) -> None:
    assert [await post(live, TEXT) for _ in range(3)] == [200] * 3
    (row,) = await live.rows(InboxRow)
    assert (row.provider, row.account, row.event) == ("telegram", BOT, "message")
    assert (row.key, row.contact, row.raw) == ("810000001", "5000000001", TEXT)
    assert row.occurred_at.timestamp() == 1795420861


@pytest.mark.parametrize(
    ("secret", "reason"),
    [(None, "no_signature"), ("", "no_signature"), ("wrong", "bad_signature"), ("đúng", "bad_signature")],
)
async def test_a_wrong_secret_is_refused_and_counted(live: Live, secret: str | None, reason: str) -> None:
    if secret == "đúng":
        secret = secret.encode().decode("latin-1")
    assert await post(live, TEXT, secret) == 401
    assert await live.rows(InboxRow) == []
    assert await refused(live) == {("telegram", reason): 1}


async def test_a_bot_that_nobody_knows_is_not_found(live: Live) -> None:
    assert await post(live, TEXT, bot="42") == 404
    assert await post(live, TEXT, bot="x" * 300) == 404
    assert await live.rows(InboxRow) == []


async def test_what_is_no_json_and_what_is_too_large(live: Live) -> None:
    assert await post(live, b"{") == 400
    assert await post(live, b"[]") == 400
    assert await post(live, b'{"update_id": 1, "x": "' + b"a" * (1024 * 1024) + b'"}') == 413
    assert await refused(live) == {("telegram", "not_json"): 2, ("telegram", "too_large"): 1}


async def test_new_kinds_and_odd_shapes_are_kept_and_hold_up_nobody(live: Live) -> None:
    phone = await live.telegram_phone()
    for name in ("new_kind", "odd_shape", "channel_post"):
        assert await post(live, (PAYLOADS / f"{name}.json").read_bytes()) == 200
    assert await post(live, b'{"future": {"a": 1}}') == 200
    await phone.follow()
    await phone.wait_for("Xin chào")

    async def settled() -> bool:
        return all(row.state in {"handled", "parked"} for row in await live.rows(InboxRow))

    await live.until(settled)
    states = {row.event: row.state for row in await live.rows(InboxRow)}
    assert states["quantum_message"] == states["channel_post"] == "handled"
    assert states["future"] == "parked"


async def test_a_bot_added_and_a_secret_changed_by_another_process_are_known_at_once(live: Live) -> None:
    other = "7000000077"
    async with opened(live.runtime.settings) as cli:
        for bot, secret in ((other, "first"), (BOT, "second")):
            async with cli.units_of_work() as uow:
                await accounts.add_bot(
                    uow, cli.box, provider="telegram", external_id=bot, name="Bot", unit_code="10183", polling=True,
                    secrets=accounts.Secrets(f"{bot}:x", webhook_key=secret),
                )  # fmt: skip

    async def taken(bot: str, secret: str) -> bool:
        return await post(live, TEXT, secret, bot) == 200

    await live.until(lambda: taken(other, "first"))
    await live.until(lambda: taken(BOT, "second"))
    assert await post(live, TEXT, BOT_SECRET) == 401


async def test_updates_of_one_chat_are_handled_in_order(live: Live) -> None:
    data = json.loads(TEXT)
    for n in range(5):
        data["update_id"] = 900 + n
        data["message"]["message_id"] = 900 + n
        assert await post(live, json.dumps(data).encode()) == 200

    async def handled() -> list[InboxRow]:
        found = await live.rows(InboxRow)
        return found if all(row.state == "handled" for row in found) else []

    done = await live.until(handled, 30)
    times = [row.handled_at for row in sorted(done, key=lambda row: row.id)]
    assert times == sorted(times)


async def test_the_webhook_is_set_with_our_secret_and_set_again_when_it_was_lost(live: Live) -> None:
    bot = live.simulator.telegram.world.bot(BOT)
    assert (bot.webhook_url, bot.secret_token) == (f"{live.url}/webhooks/telegram/{BOT}", BOT_SECRET)
    bot.webhook_url = ""
    assert await keep_webhooks(live.runtime) == 1
    assert bot.webhook_url
    bot.secret_token = "lost"
    phone = await live.telegram_phone()
    following = asyncio.create_task(phone.follow())
    await live.simulator.wait(lambda: "401" in bot.last_error)
    await keep_webhooks(live.runtime)
    (row,) = await live.rows(ReceptionRow)
    assert "401" in row.reported
    await keep_webhooks(live.runtime)
    assert bot.secret_token == BOT_SECRET
    await following
    await phone.wait_for("Xin chào", timeout=60)


async def test_a_webhook_that_telegram_refuses_is_said_in_words(live: Live) -> None:
    await live.simulator.telegram_verbs.fault(
        kind="error_any", code=400, description="Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
    )
    assert await keep_webhooks(live.runtime) == 0
    (row,) = await live.rows(ReceptionRow)
    assert row.error == "webhook_refused"
    assert "HTTPS" in row.detail
    await live.simulator.telegram_verbs.clear_faults()
    assert await keep_webhooks(live.runtime) == 1
    (row,) = await live.rows(ReceptionRow)
    assert row.error == ""


async def test_a_token_that_was_revoked_stops_the_account_with_words(live: Live) -> None:
    await live.simulator.telegram_verbs.fault(kind="revoked")
    assert await keep_webhooks(live.runtime) == 0
    async with live.runtime.database.reading() as session:
        row = await rows.by_external_id(session, "telegram", BOT)
    assert row is not None
    assert (row.state, row.stopped_reason) == ("stopped", "bot_token_refused")
    assert BOT_TOKEN not in row.stopped_detail
