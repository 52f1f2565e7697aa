"""The door for webhooks: what is forged, broken, too large, or not for us, and what each gets."""

import asyncio
import hashlib
import io
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.actions import accounts
from bot.config import Settings
from bot.store import inbox
from bot.store.accounts import AccountRow
from bot.store.cases import CaseRow
from bot.store.health import RefusalRow
from bot.store.inbox import InboxRow
from bot.store.messages import MessageRow
from tests.live import SECRETS, STATE_OA, Live, running
from tests.simulator.simulator import Simulator

PAYLOADS = Path(__file__).parents[1] / "payloads" / "zalo"
APP_ID = "1111222233334444555"


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    async with Simulator(time_scale=1000) as simulator, running(settings, simulator) as it:
        yield it


def signed(payload: dict[str, Any] | bytes, key: str = SECRETS[STATE_OA]) -> tuple[bytes, dict[str, str]]:
    """Return body and headers as Zalo would send them."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    data = json.loads(body)
    mac = hashlib.sha256(data["app_id"].encode() + body + str(data["timestamp"]).encode() + key.encode()).hexdigest()
    return body, {"X-ZEvent-Signature": f"mac={mac}", "Content-Type": "application/json"}


async def post(live: Live, body: bytes, headers: dict[str, str] | None = None) -> int:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{live.url}/webhooks/zalo", data=io.BytesIO(body), headers=headers or {}) as answer,
    ):
        return answer.status


def event(oa_id: str = STATE_OA, text: str = "xin chào", msg_id: str = "m1", user: str = "3333") -> dict[str, Any]:
    return {
        "app_id": APP_ID,
        "sender": {"id": user},
        "recipient": {"id": oa_id},
        "event_name": "user_send_text",
        "message": {"text": text, "msg_id": msg_id},
        "timestamp": "1795420861017",
    }


async def refusals(live: Live) -> dict[str, int]:
    await live.runtime.intake.note_counts()
    return {row.reason: row.count for row in await live.rows(RefusalRow)}


async def test_the_unsigned_probe_is_answered_and_forgotten(live: Live) -> None:
    assert await post(live, b"{}") == 200
    assert await live.rows(InboxRow) == []


@pytest.mark.parametrize("header", ["", "mac=", "mac=" + "0" * 64, "0" * 64, "mac=zz", "sha256=" + "0" * 64])
async def test_a_forged_signature_is_refused_and_nothing_stored(live: Live, header: str) -> None:
    body, _ = signed(event())
    assert await post(live, body, {"X-ZEvent-Signature": header} if header else {}) == 401
    assert await live.rows(InboxRow) == []
    assert sum((await refusals(live)).values()) == 1


async def test_a_body_changed_after_signing_is_refused(live: Live) -> None:
    body, headers = signed(event(text="hai"))
    assert await post(live, body.replace(b"hai", b"ba "), headers) == 401


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'"x"', b"\xff\xfe", b"{" * 1000])
async def test_what_is_not_json_is_400(live: Live, body: bytes) -> None:
    assert await post(live, body) == 400
    assert await refusals(live) == {"not_json": 1}


async def test_what_is_too_large_is_413(live: Live) -> None:
    body, headers = signed(event(text="x" * 1024 * 1024))
    assert await post(live, body, headers) == 413
    assert await refusals(live) == {"too_large": 1}


async def test_an_account_not_set_up_is_kept_apart_and_replayed_when_it_is_added(live: Live) -> None:
    body, headers = signed(event("9999", text="phản ánh"), SECRETS[STATE_OA])
    assert await post(live, body, headers) == 200
    [row] = await live.rows(InboxRow)
    assert row.state == "no_account"
    async with live.runtime.units_of_work() as uow:
        await accounts.add_account(
            uow,
            live.runtime.box,
            oa_id="9999",
            name="OA mới",
            unit_code="10183",
            kind="state",
            secrets=accounts.Secrets("a", "r", SECRETS[STATE_OA]),
        )
    await live.until(lambda: handled(live, 1))
    assert [m.text for m in await live.rows(MessageRow) if m.direction == "in"] == ["phản ánh"]


async def handled(live: Live, number: int) -> bool:
    rows: list[InboxRow] = await live.rows(InboxRow)
    return sum(row.state == "handled" for row in rows) >= number


async def test_what_the_parser_cannot_read_is_a_dead_letter_and_the_next_goes_on(live: Live) -> None:
    broken = {**event(), "message": ["not", "a", "message"]}
    assert await post(live, *signed(broken)) == 200
    assert await post(live, *signed(event(msg_id="m2"))) == 200
    await live.until(lambda: handled(live, 1))
    rows = await live.rows(InboxRow)
    assert sorted(row.state for row in rows) == ["handled", "parked"]
    assert next(row for row in rows if row.state == "parked").error
    async with live.runtime.units_of_work() as uow:
        assert await inbox.parked(uow.session)


async def test_an_unknown_event_is_kept_and_is_no_error(live: Live) -> None:
    strange = {"app_id": APP_ID, "oa_id": STATE_OA, "event_name": "moon_landed", "timestamp": "1795420861017"}
    assert await post(live, *signed(strange)) == 200
    await live.until(lambda: handled(live, 1))


async def test_every_payload_in_random_order_twice_in_parallel_is_stored_once(live: Live) -> None:
    bodies = [
        signed(
            (PAYLOADS / "events" / entry["file"].rpartition("/")[2])
            .read_bytes()
            .replace(b"2222333344445555666", STATE_OA.encode())
        )
        for entry in json.loads((PAYLOADS / "events_index.json").read_text())["events"]
        if "probe" not in entry["file"]
    ]
    twice = bodies * 2
    random.Random(7).shuffle(twice)
    gate = asyncio.Semaphore(16)

    async def one(body: bytes, headers: dict[str, str]) -> int:
        async with gate:
            return await post(live, body, headers)

    assert set(await asyncio.gather(*(one(*b) for b in twice))) == {200}
    rows = await live.rows(InboxRow)
    assert len(rows) == len(bodies)
    await live.until(lambda: nothing_open(live), 30)
    rows = await live.rows(InboxRow)
    assert {row.state for row in rows} <= {"handled", "no_account"}, [r.error for r in rows if r.error]
    received = [m.provider_id for m in await live.rows(MessageRow) if m.direction == "in"]
    assert len(received) == len(set(received))
    assert await live.rows(CaseRow) == [] or len({c.text_hash for c in await live.rows(CaseRow)}) == len(
        await live.rows(CaseRow)
    )


async def nothing_open(live: Live) -> bool:
    return not any(row.state in {"new", "handling"} for row in await live.rows(InboxRow))


async def test_ten_photos_and_a_text_in_parallel_make_one_case(live: Live) -> None:
    phone = await live.phone()
    await phone.follow()
    await phone.wait_for("Xin chào")
    await asyncio.gather(
        phone.images(count=10), phone.say("Rác đổ tràn ra đường thôn Kim Lâm mấy ngày nay không ai dọn, hôi thối lắm")
    )
    await phone.wait_for("thành phản ánh?")
    await live.until(lambda: nothing_open(live))
    await phone.say("gửi")
    await phone.wait_for("Mã: PA-")
    [case] = await live.cases()
    said = [m for m in await live.rows(MessageRow) if m.case_id == case.id and m.direction == "in"]
    assert len(said) == 11


async def test_the_console_test_button_is_seen(live: Live) -> None:
    delivery = await live.simulator.verbs.test_button(oa_id=STATE_OA)
    assert delivery["status"] == 200
    await live.until(lambda: handled(live, 1))
    assert all(account.last_test_at for account in await live.rows(AccountRow))
