"""The Zalo channel against the simulator, which was written from the provider's papers alone."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.channels.channel import AccountRef, FileContent, Recipient, VerificationError
from bot.channels.zalo.oa import ZaloOA
from bot.channels.zalo.oauth import new_pkce
from bot.domain.delivery import (
    AccountStoppedError,
    ConnectionFailedError,
    NightError,
    RecipientGoneError,
    SendError,
    TemporaryError,
    ThrottledError,
    UnknownOutcomeError,
    UploadExpiredError,
)
from bot.domain.message import Button, Media, Message, fit
from bot.domain.update import Echo, Followed, MessageReceived, PhoneShared, Receipt
from tests.fakes.scripted_server import Answer, Asked, ScriptedServer
from tests.fakes.vault import MemoryVault
from tests.simulator.pictures import scene
from tests.simulator.samples import gif, pdf
from tests.simulator.simulator import Phone, Simulator

STATE, BUSINESS = "2222333344445555666", "7777333344445555666"
STATE_OA = AccountRef("state-row", STATE, "state")
BUSINESS_OA = AccountRef("business-row", BUSINESS, "business")
HELLO = Message(text="Dạ chào ông/bà")
MENU = Message(
    text="Mời chọn", buttons=(Button("Phản ánh", "#phananh"), Button("Cổng", url="https://dichvucong.gov.vn"))
)


@dataclass
class Town:
    """A state agency's and a business's OA with one citizen, and a service that speaks for both."""

    simulator: Simulator
    session: aiohttp.ClientSession
    phone: Phone
    shop_phone: Phone
    learnt: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.vault = MemoryVault(self.now)
        for account in (STATE_OA, BUSINESS_OA):
            oa = account.external_id
            self.vault.put(account.id, f"access-{oa}", f"refresh-{oa}", self.now() + timedelta(hours=20))
        self.citizen = Recipient(self.phone.user_id)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.simulator.provider.clock.now(), UTC)

    async def load_file(self, file_id: str) -> FileContent:
        data, media_type = {
            "photo": (scene("bai-rac"), "image/png"),
            "moving": (gif(), "image/gif"),
            "paper": (pdf(), "application/pdf"),
        }[file_id]
        return FileContent(file_id, media_type, data)

    async def learn(self, account_id: str, key: str, value: str) -> None:
        self.learnt.append((account_id, key, value))

    def keys(self) -> Mapping[str, str]:
        return {oa.oa_id: oa.oa_secret_key for oa in self.simulator.provider.world.oas.values()}

    def process(self, session: aiohttp.ClientSession | None = None, *, timeout: float = 5.0) -> ZaloOA:
        return ZaloOA(
            session or self.session,
            app_id="1111222233334444555",
            app_secret="demo-app-secret",
            api_url=self.simulator.url,
            oauth_url=self.simulator.url,
            default_secret_key="",
            secret_keys=self.keys,
            vault=self.vault,
            load_file=self.load_file,
            learn=self.learn,
            now=self.now,
            timeout=timeout,
        )

    def calls(self, path: str) -> int:
        return self.simulator.provider.journal.by_path[path]


RENEWALS = "/v4/oa/access_token"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Simulator() as simulator, aiohttp.ClientSession() as session:
        await simulator.add_oa(STATE, "UBND xã Bình Minh", "state")
        await simulator.add_oa(BUSINESS, "Trung tâm", "business")
        phone = await simulator.phone(STATE, "Nguyễn An")
        shop_phone = await simulator.phone(BUSINESS, user_id=phone.user_id)
        for each in (phone, shop_phone):
            await each.follow()
            await each.say("chào")
        yield Town(simulator, session, phone, shop_phone)


async def refused(awaitable: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        await awaitable
    return caught.value


async def test_words_arrive_from_both_kinds_of_account(town: Town) -> None:
    channel = town.process()
    for account, phone in ((STATE_OA, town.phone), (BUSINESS_OA, town.shop_phone)):
        sent = await channel.send(account, town.citizen, HELLO)
        message = await phone.wait_for("Dạ chào")
        assert sent.message_id == message.msg_id
        assert sent.quota_type == "reply"
    assert town.learnt == [("state-row", "per_minute", "2000"), ("business-row", "per_minute", "2000")]


async def test_a_kind_that_was_told_wrongly_is_learnt(town: Town) -> None:
    channel = town.process()
    await channel.send(replace(STATE_OA, kind="business"), town.citizen, HELLO)
    await channel.send(replace(BUSINESS_OA, kind="state"), town.citizen, HELLO)
    assert ("state-row", "endpoint", "v2") in town.learnt
    assert ("business-row", "endpoint", "v3") in town.learnt
    assert len(town.phone.inbox) == len(town.shop_phone.inbox) == 1


async def test_buttons_show_as_taps_or_as_lines(town: Town) -> None:
    channel = town.process()
    await channel.send(STATE_OA, town.citizen, MENU)
    (fitted,) = fit(MENU, channel.capabilities(BUSINESS_OA))
    await channel.send(BUSINESS_OA, town.citizen, fitted)
    taps = (await town.phone.wait_for("Mời chọn")).buttons
    assert [(b["title"], b["payload"]) for b in taps] == [
        ("Phản ánh", "#phananh"),
        ("Cổng", {"url": "https://dichvucong.gov.vn"}),
    ]
    assert "1. Phản ánh" in (await town.shop_phone.wait_for("Mời chọn")).text


@pytest.mark.parametrize("account", [STATE_OA, BUSINESS_OA], ids=["state", "business"])
async def test_pictures_files_cards_and_quotes_are_taken(town: Town, account: AccountRef) -> None:
    channel = town.process()
    phone = town.phone if account is STATE_OA else town.shop_phone
    quoted = (await phone.say("hỏi"))["msg_id"]
    for message in (
        Message(text="Sơ đồ", media=Media("photo", "image", "sơ đồ.png")),
        Message(media=Media("moving", "image", "a.gif")),
        Message(media=Media("paper", "file", "Biên bản họp.pdf")),
        Message(text="Để cán bộ gọi lại", title="Để lại số", asks_contact=True),
        Message(text="Dạ", replies_to=quoted),
        Message(text="Dạ", replies_to="gone"),
        Message(
            title="Khai sinh", text="Hồ sơ", image_url=f"{town.simulator.url}/media/nhan-dan.png", buttons=MENU.buttons
        ),
    ):
        await channel.send(account, town.citizen, message)
    kinds = [message.kind for message in phone.inbox]
    last = "list" if account is STATE_OA else "text"
    assert kinds == ["image", "gif", "file", "request_user_info", "text", "text", last]
    assert phone.inbox[2].attachments[0]["payload"]["name"] == "Biên bản họp.pdf"
    assert phone.inbox[4].quote_msg_id == ("" if account is STATE_OA else quoted)


async def test_an_upload_older_than_seven_days_is_made_anew(town: Town) -> None:
    channel = town.process()
    message = Message(media=Media("paper", "file", "a.pdf"))
    await channel.send(STATE_OA, town.citizen, message)
    for upload in town.simulator.provider.world.uploads.values():
        upload.at_ms -= 8 * 86_400_000
    await channel.send(STATE_OA, town.citizen, message)
    assert town.calls("/v2.0/oa/upload/file") == 2
    assert len(town.phone.inbox) == 2
    await town.simulator.fault("error", code=-100)
    assert type(await refused(channel.send(STATE_OA, town.citizen, message))) is UploadExpiredError


async def test_ten_sends_with_an_expired_token_cause_one_renewal(town: Town) -> None:
    await town.simulator.fault("token_expired")
    channel = town.process()
    await asyncio.gather(*(channel.send(STATE_OA, town.citizen, HELLO) for _ in range(10)))
    assert town.calls(RENEWALS) == 1
    assert len(town.phone.inbox) == 10


async def test_two_processes_with_an_expired_token_cause_one_renewal(town: Town) -> None:
    await town.simulator.fault("token_expired")
    await town.simulator.fault("slow", ms=50)
    async with aiohttp.ClientSession() as other:
        processes = [town.process(), town.process(other)]
        await asyncio.gather(*(p.send(STATE_OA, town.citizen, HELLO) for p in processes for _ in range(5)))
    assert town.calls(RENEWALS) == 1
    assert len(town.phone.inbox) == 10


async def test_a_refusal_with_http_200_is_tried_again_later(town: Town) -> None:
    await town.simulator.fault("token_expired")
    await town.simulator.fault("oauth_error", code=-14099, count=1)
    channel = town.process()
    assert type(await refused(channel.send(STATE_OA, town.citizen, HELLO))) is TemporaryError
    town.simulator.provider.clock.advance(10)
    assert (await channel.send(STATE_OA, town.citizen, HELLO)).message_id
    assert town.vault.accounts["state-row"].stopped is None


async def test_a_token_endpoint_that_hangs_is_given_up_and_tried_again(town: Town) -> None:
    await town.simulator.fault("token_expired")
    await town.simulator.fault("oauth_hang", seconds=30, count=1)
    channel = town.process(timeout=0.3)
    assert type(await refused(channel.send(STATE_OA, town.citizen, HELLO))) is TemporaryError
    assert town.vault.accounts["state-row"].holder is None
    town.simulator.provider.clock.advance(10)
    assert (await channel.send(STATE_OA, town.citizen, HELLO)).message_id


async def test_a_new_pair_lost_on_its_way_needs_a_person(town: Town) -> None:
    await town.simulator.fault("token_expired")
    await town.simulator.fault("oauth_lose_answer", count=1)
    channel = town.process()
    assert type(await refused(channel.send(STATE_OA, town.citizen, HELLO))) is TemporaryError
    town.simulator.provider.clock.advance(10)
    error = await refused(channel.send(STATE_OA, town.citizen, HELLO))
    assert (type(error), error.reason) == (AccountStoppedError, "refresh_token_dead")
    stopped = town.vault.accounts["state-row"].stopped
    assert stopped is not None
    assert "lost" in stopped[1]
    assert (await channel.send(BUSINESS_OA, town.citizen, HELLO)).message_id


async def test_granting_again_brings_the_account_back(town: Town) -> None:
    channel = town.process()
    pkce = new_pkce(lambda n: bytes(range(n)))
    link = channel.oauth.permission_url("https://loa.example/callback", "s1", pkce.challenge) + f"&oa_id={STATE}"
    async with town.session.get(link, allow_redirects=False) as page:
        answer = parse_qs(urlsplit(page.headers["Location"]).query)
    assert (answer["oa_id"], answer["state"]) == ([STATE], ["s1"])
    grant = await channel.oauth.exchange_code(answer["code"][0], pkce.verifier)
    town.vault.put("state-row", grant.access_token, grant.refresh_token, grant.expires_at)
    assert (await channel.send(STATE_OA, town.citizen, HELLO)).message_id
    assert (await refused(channel.oauth.exchange_code(answer["code"][0]))).reason == "authorization_code_invalid"


async def test_a_message_accepted_before_the_line_broke_is_found_and_not_repeated(town: Town) -> None:
    await town.simulator.fault("drop_after_accept", count=1)
    channel = town.process()
    since = town.now()
    assert type(await refused(channel.send(STATE_OA, town.citizen, HELLO))) is UnknownOutcomeError
    (message,) = town.phone.inbox
    assert await channel.find_sent(STATE_OA, town.citizen, HELLO, since) == message.msg_id
    assert await channel.find_sent(STATE_OA, town.citizen, Message(text="khác"), since) is None
    assert await channel.find_sent(STATE_OA, town.citizen, HELLO, since + timedelta(minutes=1)) is None


@pytest.mark.parametrize(
    "message",
    [MENU, Message(media=Media("photo", "image", "a.png")), Message(media=Media("paper", "file", "a.pdf"))],
    ids=["buttons", "picture", "file"],
)
async def test_every_kind_of_message_is_found_again(town: Town, message: Message) -> None:
    channel = town.process()
    for account in (STATE_OA, BUSINESS_OA):
        since = town.now()
        sent = await channel.send(account, town.citizen, message)
        assert await channel.find_sent(account, town.citizen, message, since) == sent.message_id


async def test_an_error_after_delivery_leads_to_no_second_message(town: Town) -> None:
    await town.simulator.fault("error_after_accept", code=-200, count=1)
    assert type(await refused(town.process().send(STATE_OA, town.citizen, HELLO))) is UnknownOutcomeError
    assert len(town.phone.inbox) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "rate_limited"}, ThrottledError),
        ({"kind": "down", "mode": "close"}, UnknownOutcomeError),
        ({"kind": "down", "mode": "502"}, UnknownOutcomeError),
        ({"kind": "error", "code": -234}, NightError),
        ({"kind": "error", "code": -321}, AccountStoppedError),
    ],
    ids=str,
)
async def test_faults_have_their_class(town: Town, fault: dict[str, Any], kind: type[SendError]) -> None:
    await town.simulator.fault(**fault)
    assert type(await refused(town.process().send(STATE_OA, town.citizen, HELLO))) is kind


async def test_a_closed_window_and_a_closed_door(town: Town) -> None:
    town.simulator.provider.clock.advance(7 * 86_400 + 60)
    for name, account in (("state-row", STATE), ("business-row", BUSINESS)):
        oa = town.simulator.provider.world.oa(account)
        oa.access_expires_ms += 8 * 86_400_000
        town.vault.put(name, oa.access_token, oa.refresh_token, town.now() + timedelta(hours=20))
    error = await refused(town.process().send(STATE_OA, town.citizen, HELLO))
    assert (type(error), error.reason) == (RecipientGoneError, "reply_window_closed")
    closed = town.process()
    closed._api._url = "http://127.0.0.1:9"
    assert type(await refused(closed.send(STATE_OA, town.citizen, HELLO))) is ConnectionFailedError


async def test_a_wrong_address_is_for_a_person(town: Town) -> None:
    channel = town.process()
    channel._api._url += "/wrong"
    assert (await refused(channel.send(STATE_OA, town.citizen, HELLO))).reason == "api_not_found"


async def test_people_and_accounts_can_be_asked_about(town: Town) -> None:
    channel = town.process()
    profile = await channel.profile(STATE_OA, town.phone.user_id)
    assert (profile.name, profile.follows) == ("Nguyễn An", True)
    info = await channel.account_info(STATE_OA)
    assert (info.external_id, info.name, info.kind) == (STATE, "UBND xã Bình Minh", "state")
    assert (await channel.account_info(BUSINESS_OA)).kind == "business"


async def test_webhooks_of_the_simulator_are_verified_and_read(town: Town) -> None:
    channel = town.process()
    async with ScriptedServer(lambda _: Answer({})).running() as service:
        await town.simulator.verbs.set_oa(oa_id=STATE, webhook_url=f"{service.url}/webhooks/zalo")
        await town.phone.say("Rác đổ tràn ra hẻm 42")
        await town.phone.submit_info(legacy=True)
        await town.phone.follow()
        await channel.send(STATE_OA, town.citizen, HELLO)
        await town.simulator.verbs.probe(oa_id=STATE)
        # The echo and the receipt follow the send in their own time.
        await town.simulator.wait(lambda: len(service.asked) >= 6)
        found = [update for asked in service.asked for update in verified(channel, asked)]
    kinds = {type(update) for update in found}
    assert kinds == {MessageReceived, PhoneShared, Followed, Echo, Receipt}
    assert {update.account for update in found} == {STATE}
    assert {update.sender for update in found} == {town.phone.user_id}


def verified(channel: ZaloOA, asked: Asked) -> list[Any]:
    """Return the updates of one webhook, none for the probe."""
    event = channel.verify(asked.headers, asked.body)
    if event is None:
        return []
    assert event.account == STATE
    with pytest.raises(VerificationError):
        channel.verify(asked.headers, asked.body + b" ")
    return list(channel.parse(asked.body))
