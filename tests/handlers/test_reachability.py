"""Who can be written to, and how: what people do, what refusals say, and what receipts tell."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from bot.actions import contacts
from bot.domain.reach import BY_PHONE, WINDOW_CLOSED, Window, reach
from bot.domain.update import Followed, MessageReceived, Receipt, ReceiptKind, Unfollowed
from bot.runtime import Runtime
from bot.store import contacts as rows
from bot.store.contacts import ContactRow
from bot.store.outbox import OutboxRow
from jobs.deliver_messages import deliver_messages
from jobs.handle_updates import handle_updates
from jobs.send_broadcasts import send_broadcasts
from tests import commune
from tests.jobs.test_deliver_messages import queue
from tests.jobs.test_send_broadcasts import (
    Provider,
    begun,
    event,
    everyone,
    people,
    provider,
    refusal,
    runtime,
)
from tests.runtime_fixtures import Clock
from tests.talk import Talk

__all__ = ["provider", "runtime"]
USER = "666000000"


@pytest.fixture
def talk(runtime: Runtime, clock: Clock) -> Talk:
    return Talk(runtime, clock, user=USER)


async def gone_as(talk: Talk, reason: str) -> None:
    contact = await talk.contact()
    async with talk.runtime.units_of_work() as uow:
        await rows.set_gone(uow.session, contact.id, reason)


async def refused(talk: Talk, reason: str, tried_at: datetime) -> ContactRow:
    contact = await talk.contact()
    async with talk.runtime.units_of_work() as uow:
        account = await talk.runtime.account_row(uow, "zalo", commune.OA)
        assert account is not None
        await contacts.refused(uow, account, contact.id, reason, tried_at)
    return await talk.contact()


async def window(talk: Talk) -> Window:
    contact = await talk.contact()
    async with talk.runtime.units_of_work() as uow:
        account = await talk.runtime.account_row(uow, "zalo", commune.OA)
        assert account is not None
        can = uow.capabilities(account)
    return reach(contact.last_interaction_at, bool(contact.gone), can, talk.clock.now).window


@pytest.mark.parametrize("reason", sorted(WINDOW_CLOSED))
async def test_a_closed_window_is_no_reason_to_call_somebody_gone(talk: Talk, reason: str) -> None:
    """A template may still reach them by their user id, for which a year counts, or by their phone."""
    await people(talk.runtime, 1)
    talk.clock.forward(days=1)
    after = await refused(talk, reason, talk.clock.now)
    assert after.gone == ""
    assert await window(talk) is Window.CLOSED
    assert after.last_interaction_at is not None
    await talk.say("xin chào")
    assert await window(talk) is Window.FREE


async def test_who_was_never_heard_of_stays_so_when_that_is_said(talk: Talk) -> None:
    await people(talk.runtime, 1)
    contact = await talk.contact()
    async with talk.runtime.units_of_work() as uow:
        row = await uow.session.get(ContactRow, contact.id)
        assert row is not None
        row.last_interaction_at = None
    assert (await refused(talk, "no_interaction", talk.clock.now)).last_interaction_at is None


@pytest.mark.parametrize("reason", ["not_a_follower", "recipient_inactive", "bot_blocked", "reply_window_closed"])
async def test_what_somebody_did_after_a_try_counts_more_than_its_refusal(talk: Talk, reason: str) -> None:
    await people(talk.runtime, 1)
    tried_at = talk.clock.now
    talk.clock.forward(seconds=5)
    await talk.say("xin chào")
    after = await refused(talk, reason, tried_at)
    assert (after.gone, await window(talk)) == ("", Window.FREE)


@pytest.mark.parametrize("reason", sorted(BY_PHONE))
async def test_a_phone_that_is_refused_says_nothing_of_the_chat(talk: Talk, reason: str) -> None:
    await people(talk.runtime, 1)
    assert (await refused(talk, reason, talk.clock.now)).gone == ""


@pytest.mark.parametrize("code", [-213, -227, -244])
async def test_a_message_that_is_refused_for_good_makes_its_recipient_gone(
    talk: Talk, provider: Provider, code: int
) -> None:
    await people(talk.runtime, 1)
    talk.clock.forward(seconds=1)
    provider.judge = lambda _user, _text: refusal(code)
    await queue(talk.runtime, 1)
    await deliver_messages(talk.runtime)
    assert await window(talk) is Window.GONE
    provider.judge = lambda _user, _text: None
    await talk.say("tôi đây")
    assert await window(talk) is Window.FREE


@pytest.mark.parametrize("code", [-230, -232, -311])
async def test_a_message_that_comes_too_late_for_its_window_closes_it(
    talk: Talk, provider: Provider, code: int
) -> None:
    await people(talk.runtime, 1)
    talk.clock.forward(seconds=1)
    provider.judge = lambda _user, _text: refusal(code)
    await queue(talk.runtime, 1)
    await deliver_messages(talk.runtime)
    assert await window(talk) is Window.CLOSED


async def test_to_begin_to_follow_reopens_what_was_refused(talk: Talk) -> None:
    await people(talk.runtime, 1)
    await gone_as(talk, "not_a_follower")
    talk.clock.forward(days=30)
    await talk.follow()
    contact = await talk.contact()
    assert (contact.gone, contact.following, await window(talk)) == ("", True, Window.FREE)


async def test_to_follow_no_more_is_noted_and_the_refusal_follows_when_there_is_one(talk: Talk) -> None:
    await people(talk.runtime, 1)
    await talk.follow()
    before = await talk.contact()
    talk.clock.forward(days=1)
    await talk.update(
        Unfollowed(account=commune.OA, external_id="u", sender=USER, occurred_at=talk.clock.now, blocked=False)
    )
    after = await talk.contact()
    assert (after.following, after.gone, after.last_interaction_at) == (False, "", before.last_interaction_at)


@pytest.mark.parametrize("seen", [True, False])
async def test_whoever_receives_something_uses_the_app_again(talk: Talk, *, seen: bool) -> None:
    await talk.follow()
    await talk.sent()
    await gone_as(talk, "recipient_inactive")
    await talk.update(receipt(talk, (await sent_ids(talk))[0], seen=seen))
    assert (await talk.contact()).gone == ""


async def sent_ids(talk: Talk) -> list[str]:
    async with talk.runtime.database.reading() as session:
        found = (await session.exec(select(OutboxRow.provider_id))).all()
    return [known for known in found if known]


def receipt(talk: Talk, provider_id: str, *, seen: bool) -> Receipt:
    kind = ReceiptKind.SEEN if seen else ReceiptKind.DELIVERED
    return Receipt(
        account=commune.OA, external_id=f"r{provider_id}", sender=talk.user, occurred_at=talk.clock.now, kind=kind,
        message_ids=(provider_id,),
    )  # fmt: skip


async def test_a_receipt_does_not_bring_back_whom_it_says_nothing_of(talk: Talk) -> None:
    await talk.follow()
    await talk.sent()
    await gone_as(talk, "recipient_blocked")
    await talk.update(receipt(talk, (await sent_ids(talk))[0], seen=False))
    assert (await talk.contact()).gone == "recipient_blocked"


async def test_a_receipt_of_a_broadcast_tells_the_same(talk: Talk) -> None:
    await begun(talk.runtime, await people(talk.runtime, 1))
    await send_broadcasts(talk.runtime)
    [row] = await everyone(talk.runtime)
    assert row.provider_id is not None
    await gone_as(talk, "recipient_inactive")
    await event(talk.runtime, "user_received_message", row.address, row.provider_id)
    await handle_updates(talk.runtime)
    assert (await talk.contact()).gone == ""


async def test_the_window_is_open_from_when_somebody_wrote_not_from_when_it_was_handled(talk: Talk) -> None:
    """A webhook may come an hour late, or wait for us: Zalo reckons from when they wrote."""
    wrote_at = talk.clock.now - timedelta(hours=5)
    await talk.update(
        MessageReceived(
            account=commune.OA, external_id="m", sender=USER, occurred_at=wrote_at, message_id="m", text="xin chào"
        )
    )
    assert (await talk.contact()).last_interaction_at == wrote_at
    followed = Followed(account=commune.OA, external_id="f", sender=USER, occurred_at=wrote_at, how="oa_profile")
    await talk.say("còn ai không")
    later = (await talk.contact()).last_interaction_at
    await talk.update(followed)
    assert (await talk.contact()).last_interaction_at == later


@pytest.mark.parametrize("said", [datetime.fromtimestamp(0, UTC), datetime(2099, 1, 1, tzinfo=UTC)])
async def test_a_time_that_nobody_believes_is_now(talk: Talk, said: datetime) -> None:
    await talk.update(
        MessageReceived(
            account=commune.OA, external_id="m", sender=USER, occurred_at=said, message_id="m", text="xin chào"
        )
    )
    heard = (await talk.contact()).last_interaction_at
    assert heard is not None
    assert talk.clock.now - timedelta(minutes=1) < heard <= talk.clock.now


async def test_a_phone_that_is_shared_is_known_and_is_an_interaction(talk: Talk) -> None:
    await people(talk.runtime, 1)
    talk.clock.forward(days=10)
    await talk.share_phone("0912 345 678")
    contact = await talk.contact()
    assert contact.phone_hash is not None
    assert await window(talk) is Window.FREE
