"""The channel as the rest of the service uses it: endpoints learnt, tokens renewed, outcomes told truthfully."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.channels.channel import (
    AccountInfo,
    Channel,
    FindsSent,
    KnowsAccounts,
    KnowsProfiles,
    Profile,
    Recipient,
    RefreshesCredentials,
)
from bot.channels.zalo.oa import ZaloOA
from bot.domain.delivery import (
    AccountStoppedError,
    ConnectionFailedError,
    MessageInvalidError,
    SendError,
    Sent,
    TemporaryError,
    UnknownOutcomeError,
    UploadExpiredError,
)
from bot.domain.message import Button, Media, Message
from tests.bot.channels.zalo.fake_oas import (
    BUSINESS,
    BUSINESS_OA,
    CITIZEN,
    START,
    STATE,
    STATE_OA,
    Scene,
    refusal,
    success,
)
from tests.fakes.scripted_server import Answer, Asked

HELLO = Message(text="Dạ chào ông/bà")
V2, V3 = "/v2.0/oa/message", "/v3.0/oa/message/cs"


async def refused(channel: ZaloOA, message: Message = HELLO) -> SendError:
    with pytest.raises(SendError) as caught:
        await channel.send(STATE_OA, CITIZEN, message)
    return caught.value


async def test_it_fulfils_the_contract_and_every_ability(oas: Scene) -> None:
    channel: Channel = oas.process()
    assert channel.provider == "zalo"
    for ability in (FindsSent, RefreshesCredentials, KnowsProfiles, KnowsAccounts):
        assert isinstance(channel, ability)


async def test_each_kind_of_account_has_its_endpoint(oas: Scene) -> None:
    channel = oas.process()
    assert await channel.send(STATE_OA, CITIZEN, HELLO) == Sent("m1", "reply", 8)
    assert await channel.send(BUSINESS_OA, CITIZEN, HELLO) == Sent("m2", "reply", 8)
    assert oas.server.paths() == [V2, V3]
    assert oas.learnt == []
    assert oas.zalo.sent[0] == {
        "recipient": {"user_id": CITIZEN.external_id},
        "message": {"text": "Dạ chào ông/bà"},
        "oa": STATE,
    }


async def test_an_answer_without_quota_means_charged(oas: Scene) -> None:
    oas.zalo.quota = None
    assert await oas.process().send(STATE_OA, CITIZEN, HELLO) == Sent("m1")


@pytest.mark.parametrize(
    ("account", "tried", "endpoint"),
    [(replace(STATE_OA, kind=""), [V3, V2, V2], "v2"), (replace(BUSINESS_OA, kind="state"), [V2, V3, V3], "v3")],
)
async def test_a_wrong_endpoint_is_corrected_once_and_remembered(
    oas: Scene, account: object, tried: list[str], endpoint: str
) -> None:
    assert isinstance(account, type(STATE_OA))
    channel = oas.process()
    await channel.send(account, CITIZEN, HELLO)
    await channel.send(account, CITIZEN, HELLO)
    assert oas.server.paths() == tried
    assert oas.learnt == [(account.id, "endpoint", endpoint)]
    assert (channel.capabilities(account).max_buttons > 0) is (endpoint == "v2")


async def test_what_was_learnt_before_is_used_at_once(oas: Scene) -> None:
    await oas.process().send(replace(STATE_OA, kind="", learnt={"endpoint": "v2"}), CITIZEN, HELLO)
    assert oas.server.paths() == [V2]


async def test_the_correction_also_changes_the_shape(oas: Scene) -> None:
    message = Message(text="Mời chọn", buttons=(Button("Phản ánh", "#phananh"),))
    await oas.process().send(replace(BUSINESS_OA, kind="state"), CITIZEN, message)
    assert oas.zalo.sent[0]["message"] == {"text": "Mời chọn\n1. Phản ánh"}


async def test_an_account_that_no_endpoint_takes_is_for_a_person(oas: Scene) -> None:
    oas.zalo.before = lambda asked: refusal(-235 if asked.path == V3 else -240)
    channel = oas.process()
    error = await refused(channel)
    assert (type(error), error.reason) == (AccountStoppedError, "no_endpoint_accepts")
    assert oas.server.paths() == [V2, V3]


@pytest.mark.parametrize("code", [-201, -213, -230, -200, -32, -211, -9999])
async def test_no_other_refusal_leads_to_a_second_endpoint(oas: Scene, code: int) -> None:
    oas.zalo.before = lambda _: refusal(code)
    await refused(oas.process())
    assert len(oas.server.asked) == 1


async def test_a_database_away_does_not_cost_the_message(oas: Scene) -> None:
    oas.store_away = True
    assert (await oas.process().send(replace(STATE_OA, kind=""), CITIZEN, HELLO)).message_id == "m1"


async def test_an_anonymous_visitor_is_answered_on_v2_and_teaches_nothing(oas: Scene) -> None:
    await oas.process().send(BUSINESS_OA, Recipient("0957b95d", "fe124e55"), HELLO)
    assert oas.server.paths() == [V2, V3]
    assert oas.zalo.sent[0]["recipient"] == {"anonymous_id": "0957b95d", "conversation_id": "fe124e55"}
    assert oas.learnt == []


async def test_ten_sends_with_a_dead_token_cause_one_renewal(oas: Scene) -> None:
    oas.zalo.tokens = {"access-renewed-elsewhere": STATE}
    channel = oas.process()
    sent = await asyncio.gather(*(channel.send(STATE_OA, CITIZEN, HELLO) for _ in range(10)))
    assert len({answer.message_id for answer in sent}) == 10
    assert oas.zalo.renewals == 1
    assert oas.vault.accounts["state-row"].previous is None


async def test_two_processes_with_a_dead_token_cause_one_renewal(oas: Scene) -> None:
    oas.zalo.tokens = {"access-renewed-elsewhere": STATE}
    async with aiohttp.ClientSession() as other:
        processes = [oas.process(), oas.process(session=other)]
        await asyncio.gather(*(p.send(STATE_OA, CITIZEN, HELLO) for p in processes for _ in range(5)))
    assert oas.zalo.renewals == 1
    assert len(oas.zalo.sent) == 10


async def test_a_token_refused_after_its_renewal_is_for_a_person(oas: Scene) -> None:
    oas.zalo.before = lambda asked: None if asked.path.startswith("/v4") else refusal(-216)
    error = await refused(oas.process())
    assert isinstance(error, AccountStoppedError)
    assert error.reason == "token_refused"
    assert oas.zalo.renewals == 1


async def test_a_dead_refresh_token_stops_one_account_and_no_other(oas: Scene) -> None:
    oas.zalo.tokens = {"business1": BUSINESS}
    oas.zalo.refresh.clear()
    channel = oas.process()
    error = await refused(channel)
    assert (type(error), error.reason) == (AccountStoppedError, "refresh_token_dead")
    assert oas.vault.accounts["state-row"].stopped is not None
    assert (await channel.send(BUSINESS_OA, CITIZEN, HELLO)).message_id == "m1"


async def test_a_vault_away_is_temporary_and_nothing_is_sent(oas: Scene) -> None:
    oas.vault.away.add("pair")
    error = await refused(oas.process())
    assert (type(error), error.reason) == (TemporaryError, "credentials_unavailable")
    assert oas.server.asked == []


async def test_a_delivered_message_stays_delivered_when_bookkeeping_fails(oas: Scene) -> None:
    oas.vault.away.add("confirm")
    oas.zalo.tokens = {"access-renewed-elsewhere": STATE}
    assert (await oas.process().send(STATE_OA, CITIZEN, HELLO)).message_id == "m1"


async def test_tokens_are_renewed_by_the_job_when_due(oas: Scene) -> None:
    channel = oas.process()
    assert await channel.refresh(STATE_OA) is False
    oas.now += timedelta(hours=8)
    assert await channel.refresh(STATE_OA) is True
    assert oas.zalo.renewals == 1


async def test_silence_after_acceptance_is_unknown_and_can_be_asked_about(oas: Scene) -> None:
    def accept_then_drop(asked: Asked) -> Answer | None:
        if asked.path != V2:
            return None
        at = int((START + timedelta(seconds=1)).timestamp() * 1000)
        text = asked.json["message"]["text"]
        oas.zalo.conversation.insert(0, {"message_id": "m1", "src": 0, "time": at, "type": "text", "message": text})
        return Answer(hang_up=True)

    oas.zalo.after = accept_then_drop
    channel = oas.process()
    assert type(await refused(channel)) is UnknownOutcomeError
    assert await channel.find_sent(STATE_OA, CITIZEN, HELLO, START) == "m1"
    assert len(oas.zalo.sent) == 1


async def test_a_time_out_is_unknown_and_a_closed_door_is_not(oas: Scene) -> None:
    never = asyncio.Event()
    oas.zalo.after = lambda _: Answer({}, wait=never)
    assert type(await refused(oas.process(timeout=0.2))) is UnknownOutcomeError
    never.set()
    oas.server.url = "http://127.0.0.1:9"
    assert type(await refused(oas.process())) is ConnectionFailedError


async def test_a_success_without_message_id_is_unknown(oas: Scene) -> None:
    oas.zalo.before = lambda _: success({"user_id": "3"})
    error = await refused(oas.process())
    assert (type(error), error.reason) == (UnknownOutcomeError, "no_message_id")


def item(text: str, seconds: float, *, message_id: str = "x", src: int = 0, kind: str = "text") -> dict[str, object]:
    """Return an entry of a conversation as Zalo lists it."""
    at = int((START + timedelta(seconds=seconds)).timestamp() * 1000)
    return {"message_id": message_id, "src": src, "time": at, "type": kind, "message": text}


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ([], None),
        ([item("Dạ chào ông/bà", 3)], "x"),
        ([item("  Da\u0323 cha\u0300o o\u0302ng/ba\u0300\n", 3)], "x"),
        ([item("Dạ chào ông/bà", -4)], "x"),
        ([item("Dạ chào ông/bà", -6)], None),
        ([item("Dạ chào ông/bà", 3, src=1)], None),
        ([item("Dạ chào bác", 3)], None),
        ([item("Dạ chào ông/bà", 30, message_id="late"), item("Dạ chào ông/bà", 1)], "x"),
        ([*[item("khác", 60 - i) for i in range(15)], item("Dạ chào ông/bà", 2)], "x"),
        ([*[item("khác", 60 - i) for i in range(40)], item("Dạ chào ông/bà", 2)], None),
        (["odd", None, {"src": 0}, item("Dạ chào ông/bà", 3)], "x"),
    ],
)
async def test_an_equal_message_of_ours_since_then_is_found(
    oas: Scene, listed: list[dict[str, object]], found: str | None
) -> None:
    oas.zalo.conversation = listed
    assert await oas.process().find_sent(STATE_OA, CITIZEN, HELLO, START) == found


async def test_media_are_found_by_their_kind(oas: Scene) -> None:
    oas.zalo.conversation = [item("", 3, kind="photo"), item("", 2, kind="file", message_id="f")]
    channel = oas.process()
    picture = Message(text="Sơ đồ", media=Media("png", "image", "anh.png"))
    assert await channel.find_sent(STATE_OA, CITIZEN, picture, START) == "x"
    assert await channel.find_sent(STATE_OA, CITIZEN, Message(media=Media("pdf", "file", "a.pdf")), START) == "f"


async def test_words_that_went_out_with_buttons_as_lines_are_found(oas: Scene) -> None:
    oas.zalo.conversation = [item("Mời chọn\n1. Phản ánh", 3)]
    message = Message(text="Mời chọn", buttons=(Button("Phản ánh", "#phananh"),))
    assert await oas.process().find_sent(STATE_OA, CITIZEN, message, START) == "x"


async def test_when_the_conversation_cannot_be_read_it_is_said(oas: Scene) -> None:
    oas.zalo.before = lambda _: Answer(b"", 502)
    with pytest.raises(TemporaryError):
        await oas.process().find_sent(STATE_OA, CITIZEN, HELLO, START)


async def test_a_picture_is_uploaded_once_for_many_messages(oas: Scene) -> None:
    channel = oas.process()
    message = Message(text="Sơ đồ", media=Media("png", "image", "anh.png"))
    await asyncio.gather(*(channel.send(STATE_OA, CITIZEN, message) for _ in range(5)))
    assert oas.zalo.uploads == ["image"]
    assert oas.loads == 1
    (element,) = oas.zalo.sent[0]["message"]["attachment"]["payload"]["elements"]
    assert element == {"media_type": "image", "attachment_id": "up1"}
    oas.zalo.tokens["business1"] = BUSINESS
    await channel.send(BUSINESS_OA, CITIZEN, message)
    assert oas.zalo.uploads == ["image", "image"]


async def test_an_upload_is_made_anew_before_zalo_forgets_it(oas: Scene) -> None:
    channel = oas.process()
    message = Message(media=Media("pdf", "file", "Biên bản.pdf"))
    await channel.send(STATE_OA, CITIZEN, message)
    oas.now += timedelta(days=6, hours=13)
    oas.vault.put("state-row", "access1", "r1", oas.now + timedelta(hours=20))
    await oas.process().send(STATE_OA, CITIZEN, message)
    assert oas.zalo.uploads == ["file", "file"]


async def test_an_upload_that_zalo_forgot_is_made_anew_once(oas: Scene) -> None:
    channel = oas.process()
    message = Message(media=Media("pdf", "file", "Biên bản.pdf"))
    await channel.send(STATE_OA, CITIZEN, message)
    oas.zalo.dead_uploads = {"up1"}
    await channel.send(STATE_OA, CITIZEN, message)
    assert oas.zalo.sent[-1]["message"] == {"attachment": {"type": "file", "payload": {"token": "up2"}}}
    oas.zalo.before = lambda asked: refusal(-100) if asked.path == V2 else None
    assert type(await refused(channel, message)) is UploadExpiredError
    assert oas.zalo.uploads == ["file"] * 3


async def test_a_quote_that_is_refused_does_not_cost_the_answer(oas: Scene) -> None:
    def refuse_quotes(asked: Asked) -> Answer | None:
        body = asked.json if asked.path == V3 else {}
        return refusal(-201, "Parameter is invalid: quote_message_id") if "quote_message_id" in str(body) else None

    oas.zalo.before = refuse_quotes
    await oas.process().send(BUSINESS_OA, CITIZEN, replace(HELLO, replies_to="gone"))
    assert oas.zalo.sent[0]["message"] == {"text": "Dạ chào ông/bà"}
    assert len(oas.server.asked) == 2


async def test_a_bad_parameter_is_final_when_no_quote_is_meant(oas: Scene) -> None:
    oas.zalo.before = lambda _: refusal(-201, "Parameter is invalid: text")
    with pytest.raises(MessageInvalidError):
        await oas.process().send(BUSINESS_OA, CITIZEN, replace(HELLO, replies_to="m0"))
    assert len(oas.server.asked) == 1


async def test_the_limit_of_an_account_is_learnt_from_its_answers(oas: Scene) -> None:
    channel = oas.process()
    assert channel.capabilities(STATE_OA).per_minute == 100
    oas.zalo.headers = {"X-RateLimit-Limit": "2000", "X-RateLimit-Remain": "1999"}
    for _ in range(3):
        await channel.send(STATE_OA, CITIZEN, HELLO)
    assert channel.capabilities(STATE_OA).per_minute == 2000
    assert oas.learnt == [("state-row", "per_minute", "2000")]
    assert channel.capabilities(BUSINESS_OA).per_minute == 100


async def test_the_limit_of_the_whole_app_is_not_taken_for_the_accounts(oas: Scene) -> None:
    channel = oas.process()
    oas.zalo.headers = {"X-RateLimit-Limit": "4000", "X-RateLimit-Remain": "3999"}
    await channel.send(STATE_OA, CITIZEN, HELLO)
    assert channel.capabilities(STATE_OA).per_minute == 100


async def test_profiles_and_the_account_itself(oas: Scene) -> None:
    channel = oas.process()
    assert await channel.profile(STATE_OA, CITIZEN.external_id) == Profile("Nguyễn An", "https://a/b.png", follows=True)
    expected = {"oa_type": "4", "package_name": "Toàn diện"}
    assert await channel.account_info(STATE_OA) == AccountInfo(STATE, "UBND xã Bình Minh", "state", expected)
    assert (await channel.account_info(BUSINESS_OA)).kind == "business"


async def test_a_profile_is_asked_for_the_older_way_where_the_newer_is_not_offered(oas: Scene) -> None:
    def older_only(asked: Asked) -> Answer | None:
        if asked.path == "/v3.0/oa/user/detail":
            return refusal(-235)
        return success({"display_name": "An"}) if asked.path == "/v2.0/oa/getprofile" else None

    oas.zalo.before = older_only
    assert await oas.process().profile(STATE_OA, CITIZEN.external_id) == Profile("An")


async def test_webhooks_pass_through(oas: Scene) -> None:
    channel = oas.process()
    assert channel.verify({}, b"{}") is None
    (update,) = channel.parse(b"{}")
    assert update.occurred_at == datetime.fromtimestamp(0, UTC)
