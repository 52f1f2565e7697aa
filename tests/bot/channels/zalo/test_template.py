"""Templates on the wire: paths, bodies, what each refusal means, and that none of them stops the account's chats."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from bot.channels.channel import KnowsTemplates, Recipient, TemplateAllowance
from bot.channels.rate_limit import prepaid
from bot.channels.zalo.errors import TokenExpiredError
from bot.channels.zalo.oa import ZaloOA
from bot.domain.delivery import (
    AccountStoppedError,
    MessageInvalidError,
    NightError,
    QuotaExhaustedError,
    RecipientGoneError,
    SendError,
    Sent,
    TemplatesRefusedError,
    TemporaryError,
    ThrottledError,
    UnknownOutcomeError,
)
from bot.domain.message import Message
from bot.domain.template import Parameter, TemplateFacts
from tests.bot.channels.zalo.fake_oas import CITIZEN, START, STATE_OA, Scene, refusal, success
from tests.fakes.scripted_server import Answer, Asked

NUMBER = "84900000001"
PHONE = Recipient(NUMBER, by="phone", tracking="b7-12")
RESULT = Message(template_id="312396", parameters={"ma": "HS-01", "ten": "Ba\u0300 An"})
BY_PHONE, BY_USER = "/message/template", "/v3.0/oa/message/template"
DATA = {"ma": "HS-01", "ten": "Bà An"}


def taken(asked: Asked) -> Answer | None:
    """Take every template."""
    if asked.path.startswith(BY_PHONE):
        quota = {"dailyQuota": "500", "remainingQuota": "499"}
        return success({"msg_id": "z1", "sent_time": "1", "quota": quota})
    if asked.path == BY_USER:
        return success({"message_id": "u1", "user_id": "1", "quota": {"quota_type": "purchase_quota", "remain": "0"}})
    return None


async def refused(channel: ZaloOA, to: Recipient = PHONE, message: Message = RESULT) -> SendError:
    with pytest.raises(SendError) as caught:
        await channel.send(STATE_OA, to, message)
    return caught.value


async def test_by_phone(oas: Scene) -> None:
    oas.zalo.before = taken
    channel = oas.process()
    assert isinstance(channel, KnowsTemplates)
    assert await channel.send(STATE_OA, PHONE, RESULT) == Sent("z1", "template_day", 499)
    [asked] = oas.server.asked
    assert (asked.method, asked.path, asked.headers["access_token"]) == ("POST", BY_PHONE, "access1")
    assert asked.json == {
        "phone": NUMBER, "template_id": "312396", "template_data": DATA, "tracking_id": "b7-12", "sending_mode": "1",
    }  # fmt: skip


async def test_phones_go_to_an_address_of_their_own(oas: Scene) -> None:
    oas.zalo.before = taken
    await oas.process(template_url=f"{oas.server.url}/business").send(STATE_OA, CITIZEN, RESULT)
    error = await refused(oas.process(template_url=f"{oas.server.url}/business"))
    assert oas.server.paths() == [BY_USER, f"/business{BY_PHONE}"]
    assert (type(error), error.reason) == (TemplatesRefusedError, "api_not_found")


async def test_a_hash_in_the_place_of_the_phone(oas: Scene) -> None:
    oas.zalo.before = taken
    await oas.process(hash_phone=True).send(STATE_OA, PHONE, RESULT)
    [asked] = oas.server.asked
    assert asked.path == "/message/template/hashphone"
    assert asked.json["hash_phone"] == hashlib.sha256(NUMBER.encode()).hexdigest()
    assert "phone" not in asked.json


async def test_by_user_id(oas: Scene) -> None:
    oas.zalo.before = taken
    assert await oas.process().send(STATE_OA, CITIZEN, RESULT) == Sent("u1", "purchase_quota", 0)
    [asked] = oas.server.asked
    assert asked.json == {"user_id": CITIZEN.external_id, "template_id": "312396", "template_data": DATA}


async def test_trying_out(oas: Scene) -> None:
    oas.zalo.before = taken
    channel, trial = oas.process(), Message(template_id="1", development=True)
    await channel.send(STATE_OA, PHONE, trial)
    assert oas.server.asked[0].json["mode"] == "development"
    error = await refused(channel, CITIZEN, trial)
    assert (type(error), error.reason) == (MessageInvalidError, "development_by_phone")
    assert len(oas.server.asked) == 1


@pytest.mark.parametrize(
    ("to", "message", "kind", "reason"),
    [
        (Recipient("12", by="phone"), RESULT, RecipientGoneError, "phone_invalid"),
        (Recipient("gAAAAAB", by="phone"), RESULT, RecipientGoneError, "phone_invalid"),
        (Recipient(NUMBER, by="phone", tracking="x" * 49), RESULT, MessageInvalidError, "parameter_invalid"),
        (PHONE, Message(text="chào"), MessageInvalidError, "template_needed"),
    ],
)
async def test_what_never_leaves(
    oas: Scene, to: Recipient, message: Message, kind: type[SendError], reason: str
) -> None:
    error = await refused(oas.process(), to, message)
    assert (type(error), error.reason) == (kind, reason)
    assert oas.server.asked == []


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (-108, RecipientGoneError, "phone_invalid"),
        (-118, RecipientGoneError, "recipient_not_found"),
        (-1121, MessageInvalidError, "template_value_too_long"),
        (-131, MessageInvalidError, "template_not_approved"),
        (-146, MessageInvalidError, "template_disabled"),
        (-133, NightError, "night_hours"),
        (-144, QuotaExhaustedError, "daily_quota_used"),
        (-147, QuotaExhaustedError, "template_quota_used"),
        (-100, TemporaryError, "provider_error"),
        (-32, ThrottledError, "oa_rate_limited"),
        (-135, TemplatesRefusedError, "package_too_low"),
        (-136, TemplatesRefusedError, "billing_account_missing"),
        (-137, TemplatesRefusedError, "billing_account_empty"),
        (-120, TemplatesRefusedError, "permission_not_granted"),
    ],
)
async def test_refusals_by_phone(oas: Scene, code: int, kind: type[SendError], reason: str) -> None:
    oas.zalo.before = lambda _: refusal(code)
    error = await refused(oas.process())
    assert (type(error), error.reason, error.provider_code) == (kind, reason, code)
    assert not isinstance(error, AccountStoppedError)
    assert oas.vault.accounts["state-row"].stopped is None


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (-249, MessageInvalidError, "template_not_by_user_id"),
        (-232, RecipientGoneError, "no_interaction"),
        (-234, NightError, "night_hours"),
        (-235, TemplatesRefusedError, "oa_type_unsupported"),
        (-320, TemplatesRefusedError, "billing_account_missing"),
        (-224, TemplatesRefusedError, "package_too_low"),
        (-200, UnknownOutcomeError, "sending_failed"),
    ],
)
async def test_refusals_by_user_id(oas: Scene, code: int, kind: type[SendError], reason: str) -> None:
    oas.zalo.before = lambda _: refusal(code)
    error = await refused(oas.process(), CITIZEN)
    assert (type(error), error.reason) == (kind, reason)
    assert len(oas.server.asked) == 1
    assert oas.learnt == []


async def test_a_token_that_the_host_refuses_is_renewed_once(oas: Scene) -> None:
    tokens: list[str] = []

    def host(asked: Asked) -> Answer | None:
        if asked.path.startswith("/v4"):
            return None
        tokens.append(asked.headers["access_token"])
        return refusal(-124) if len(tokens) == 1 else taken(asked)

    oas.zalo.before = host
    assert (await oas.process().send(STATE_OA, PHONE, RESULT)).message_id == "z1"
    assert (tokens, oas.zalo.renewals) == (["access1", "access2"], 1)


async def test_a_token_that_stays_refused_is_for_a_person(oas: Scene) -> None:
    oas.zalo.before = lambda asked: None if asked.path.startswith("/v4") else refusal(-124)
    error = await refused(oas.process())
    assert (type(error), error.reason) == (TokenExpiredError, "token_refused")


async def test_a_dead_refresh_token_stops_the_account_here_too(oas: Scene) -> None:
    oas.zalo.refresh.clear()
    oas.zalo.before = lambda asked: None if asked.path.startswith("/v4") else refusal(-124)
    error = await refused(oas.process())
    assert (type(error), error.reason) == (AccountStoppedError, "refresh_token_dead")


async def test_an_answer_that_names_no_message_leaves_it_open(oas: Scene) -> None:
    oas.zalo.before = lambda _: success({"sent_time": "1"})
    assert isinstance(await refused(oas.process()), UnknownOutcomeError)
    assert isinstance(await refused(oas.process(), CITIZEN), UnknownOutcomeError)


async def test_phones_count_in_a_window_of_their_own(oas: Scene) -> None:
    """Neither what was paid in advance for chats, nor the account's minute, is touched by them."""
    oas.zalo.before = taken
    channel = oas.process(oa_per_minute=1, template_per_minute=2)
    with prepaid(1) as paid:
        await channel.send(STATE_OA, PHONE, RESULT)
        await channel.send(STATE_OA, PHONE, RESULT)
        error = await refused(channel)
    assert (type(error), error.reason) == (ThrottledError, "rate_limited")
    assert paid.left == 0
    await channel.send(STATE_OA, CITIZEN, RESULT)
    assert oas.server.paths() == [BY_PHONE, BY_PHONE, BY_USER]


async def test_what_the_host_says_of_its_rate_is_not_the_accounts(oas: Scene) -> None:
    oas.zalo.before = lambda _: Answer(
        {"error": 0, "data": {"msg_id": "z1"}}, headers={"X-RateLimit-Limit": "9", "X-RateLimit-Remain": "1"}
    )
    channel = oas.process(template_per_minute=50)
    for _ in range(3):
        assert await channel.send(STATE_OA, PHONE, RESULT) == Sent("z1")
    assert channel.capabilities(STATE_OA).per_minute == 100


def listed(number: int, **more: Any) -> dict[str, Any]:
    return {"templateId": number, "templateName": f"Mẫu {number}", "status": "ENABLE", "templateQuality": "HIGH"} | more


async def test_the_list_is_read_to_its_end(oas: Scene) -> None:
    items = [listed(number) for number in range(1, 131)]

    def host(asked: Asked) -> Answer:
        first = int(asked.query["offset"])
        return Answer({"error": 0, "data": items[first : first + int(asked.query["limit"])]})

    oas.zalo.before = host
    found = await oas.process().templates(STATE_OA)
    assert len(found) == 130
    assert found[0] == TemplateFacts("1", "Mẫu 1", "ENABLE", "HIGH")
    assert len(oas.server.asked) == 2


async def test_a_list_that_never_ends_is_left(oas: Scene) -> None:
    oas.zalo.before = lambda _: Answer({"error": 0, "data": [listed(n) for n in range(1, 101)]})
    assert len(await oas.process().templates(STATE_OA)) == 100
    assert len(oas.server.asked) == 2


async def test_the_details_of_one(oas: Scene) -> None:
    details = {
        **listed(312396), "templateTag": "TRANSACTION", "timeout": 7200000, "price": "300", "price_sdt": "120.0",
        "price_uid": 100,
        "listParams": [
            {"name": "ma", "require": True, "type": "STRING", "maxLength": 5, "minLength": 1, "acceptNull": False},
            {"name": "ghi_chu", "require": True, "type": "STRING", "maxLength": "30", "minLength": 0,
             "acceptNull": True},
            {"type": "STRING"}, "odd",
        ],
    }  # fmt: skip
    oas.zalo.before = lambda _: success(details)
    found = await oas.process().template(STATE_OA, "312396")
    assert oas.server.asked[0].query == {"template_id": "312396"}
    assert found == TemplateFacts(
        "312396", "Mẫu 312396", "ENABLE", "HIGH", "TRANSACTION",
        (Parameter("ma", "STRING", shortest=1, longest=5), Parameter("ghi_chu", "STRING", required=False, longest=30)),
        by_user=True, price_user=100, price_phone=120, timeout_seconds=7200,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("details", "by_user", "development"),
    [({}, False, False), ({"price_uid": "90"}, True, False), ({"price_uid": 90, "templateTag": "OTP"}, False, False),
     ({"status": "PENDING_REVIEW"}, False, True)],
)  # fmt: skip
async def test_ways_of_a_template(oas: Scene, details: dict[str, Any], by_user: bool, development: bool) -> None:
    oas.zalo.before = lambda _: success(details)
    found = await oas.process().template(STATE_OA, "5")
    assert (found.template_id, found.by_user, found.development) == ("5", by_user, development)


async def test_what_may_be_sent_today(oas: Scene) -> None:
    def host(asked: Asked) -> Answer:
        if asked.path == "/message/quota":
            return success({"dailyQuota": "500", "remainingQuota": "499"})
        return success({"oaCurrentQuality": "HIGH"})

    oas.zalo.before = host
    assert await oas.process().template_allowance(STATE_OA) == TemplateAllowance(500, 499, "HIGH")
    oas.zalo.before = lambda asked: host(asked) if asked.path == "/message/quota" else refusal(-138)
    assert await oas.process().template_allowance(STATE_OA) == TemplateAllowance(500, 499, "")


def shown(text: str, message_id: str, seconds: int = 1, src: int = 0) -> dict[str, Any]:
    at = int((START + timedelta(seconds=seconds)).timestamp() * 1000)
    return {"src": src, "time": at, "type": "template", "message": text, "message_id": message_id}


async def test_a_template_is_found_in_the_chat_by_what_fills_it(oas: Scene) -> None:
    channel = oas.process()
    oas.zalo.conversation = [
        shown("Hồ sơ HS-02 của Bà An đã xong.", "a"),
        shown("Hồ sơ HS-01 của Bà An đã xong.", "theirs", src=1),
        shown("Hồ sơ HS-01 của Bà An đã xong.", "b"),
        shown("Hồ sơ HS-01 của Bà An đã xong.", "old", -600),
    ]
    assert await channel.find_sent(STATE_OA, CITIZEN, RESULT, START) == "b"
    for known, to, message in (
        ({"b"}, CITIZEN, RESULT),
        (set(), PHONE, RESULT),
        (set(), CITIZEN, Message(template_id="1")),
    ):
        with pytest.raises(TemporaryError, match="outcome_not_told"):
            await channel.find_sent(STATE_OA, to, message, START, known)
