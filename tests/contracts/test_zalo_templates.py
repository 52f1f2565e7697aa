"""Templates of our channel against the fake Zalo: sent by phone, by hash and by user id, listed, and told of."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.channels.channel import AccountRef, Recipient
from bot.channels.zalo.oa import ZaloOA
from bot.domain.delivery import RecipientGoneError, TemplatesRefusedError
from bot.domain.message import Message
from bot.domain.template import Parameter
from bot.domain.update import Receipt, TemplateNews
from tests.contracts.providers import OA, World, load_file, world
from tests.fakes.vault import MemoryVault
from tests.simulator.simulator import Phone

ACCOUNT = AccountRef("account-row", OA, "state")
RESULT = Message(template_id="312396", parameters={"ma": "HS-01", "ten": "Bà An"})
BEGINNING = datetime.fromtimestamp(0, UTC)


@pytest.fixture
async def zalo() -> AsyncIterator[World]:
    async with world("zalo") as it:
        await it.simulator.verbs.add_template(
            oa_id=OA, template_id="312396", name="Kết quả", text="Hồ sơ <ma> của <ten> đã xong.",
            params={"ma": 5, "ten": 30}, types={"ten": "CUSTOMER_NAME"},
        )  # fmt: skip
        yield it


def number_of(zalo: World) -> str:
    phone = zalo.phone
    assert isinstance(phone, Phone)
    return zalo.simulator.provider.world.people[phone.user_id].phone


def hashing(zalo: World, session: aiohttp.ClientSession) -> ZaloOA:
    """Return a channel whose requests hold no phone."""

    def now() -> datetime:
        return datetime.fromtimestamp(zalo.simulator.provider.clock.now(), UTC)

    async def learn(_account: str, _key: str, _value: str) -> None:
        return None

    vault = MemoryVault(now)
    vault.put("account-row", f"access-{OA}", f"refresh-{OA}", now() + timedelta(hours=20))
    return ZaloOA(
        session, app_id="1111222233334444555", app_secret="demo-app-secret", api_url=zalo.simulator.url,
        oauth_url=zalo.simulator.url, template_url=zalo.simulator.url, default_secret_key="", secret_keys=dict,
        vault=vault, load_file=load_file, learn=learn, now=now, hash_phone=True,
    )  # fmt: skip


async def test_by_phone_with_a_receipt_by_which_the_delivery_is_found(zalo: World) -> None:
    to = Recipient(number_of(zalo), by="phone", tracking="b7-12")
    sent = await zalo.channel.send(ACCOUNT, to, RESULT)
    assert (sent.quota_type, sent.quota_remaining) == ("template_day", 4999)
    [receipt] = await zalo.heard(1)
    assert isinstance(receipt, Receipt)
    assert (receipt.tracking_id, receipt.message_ids) == ("b7-12", (sent.message_id,))
    assert (receipt.phone, receipt.sender) == (number_of(zalo), "")


async def test_by_hash_nothing_names_the_phone(zalo: World) -> None:
    to = Recipient(number_of(zalo), by="phone", tracking="b7-13")
    async with aiohttp.ClientSession() as session:
        await hashing(zalo, session).send(ACCOUNT, to, RESULT)
    [receipt] = await zalo.heard(1)
    assert isinstance(receipt, Receipt)
    assert receipt.tracking_id == "b7-13"
    assert number_of(zalo) not in str(zalo.simulator.provider.journal.calls[-1].params)


async def test_by_user_id_and_found_again_in_the_chat(zalo: World) -> None:
    assert isinstance(zalo.channel, ZaloOA)
    sent = await zalo.channel.send(ACCOUNT, zalo.citizen, RESULT)
    assert await zalo.channel.find_sent(ACCOUNT, zalo.citizen, RESULT, BEGINNING) == sent.message_id


async def test_a_phone_that_nobody_has(zalo: World) -> None:
    with pytest.raises(RecipientGoneError) as caught:
        await zalo.channel.send(ACCOUNT, Recipient("84900999999", by="phone"), RESULT)
    assert caught.value.reason == "recipient_not_found"


async def test_what_an_account_has_is_listed_and_described(zalo: World) -> None:
    assert isinstance(zalo.channel, ZaloOA)
    [listed] = await zalo.channel.templates(ACCOUNT)
    assert (listed.template_id, listed.name, listed.status) == ("312396", "Kết quả", "ENABLE")
    found = await zalo.channel.template(ACCOUNT, "312396")
    assert found.parameters == (
        Parameter("ma", "STRING", shortest=1, longest=5),
        Parameter("ten", "CUSTOMER_NAME", shortest=1, longest=30),
    )
    assert (found.by_user, found.price_user, found.price_phone) == (True, 100, 120)
    allowed = await zalo.channel.template_allowance(ACCOUNT)
    assert (allowed.per_day, allowed.left, allowed.quality) == (5000, 5000, "HIGH")


async def test_an_account_without_the_right_is_refused_and_not_stopped(zalo: World) -> None:
    assert isinstance(zalo.channel, ZaloOA)
    await zalo.simulator.verbs.set_oa(oa_id=OA, template_refusal=-135)
    for call in (
        zalo.channel.templates(ACCOUNT),
        zalo.channel.send(ACCOUNT, Recipient(number_of(zalo), by="phone"), RESULT),
        zalo.channel.send(ACCOUNT, zalo.citizen, RESULT),
    ):
        with pytest.raises(TemplatesRefusedError):
            await call
    await zalo.phone.say("alo")
    assert (await zalo.channel.send(ACCOUNT, zalo.citizen, Message(text="Dạ"))).message_id


async def test_changes_come_as_news(zalo: World) -> None:
    verbs = zalo.simulator.verbs
    await verbs.set_template(oa_id=OA, template_id="312396", status="DISABLE", reason="Kém")
    await verbs.set_template_quota(oa_id=OA, daily=7)
    news = sorted(await zalo.heard(2), key=lambda update: update.external_id)
    quota, status = news
    assert isinstance(status, TemplateNews)
    assert isinstance(quota, TemplateNews)
    assert (status.what, status.subject) == ("change_template_status", "312396")
    assert status.details == {"status.prev_status": "ENABLE", "status.new_status": "DISABLE", "reason": "Kém"}
    assert (quota.account, quota.details["quota.new_value"]) == (OA, "7")
