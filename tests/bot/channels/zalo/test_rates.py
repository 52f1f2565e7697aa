"""Every request to Zalo is paid for once, and what Zalo says of its limits is heeded by everybody."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import ANSWER, NOTICE, Grant, Window, prepaid
from bot.channels.zalo.limits import RequestLimits
from bot.channels.zalo.oa import ZaloOA
from bot.domain.delivery import MessageInvalidError, SendError, ThrottledError
from bot.domain.message import Media, Message
from tests.bot.channels.zalo.fake_oas import BUSINESS_OA, CITIZEN, STATE_OA, Scene, refusal
from tests.fakes.scripted_server import Answer

HELLO = Message(text="Dạ chào ông/bà")
PHOTO = Message(media=Media("png", "image", "anh.png"))
APP = Window("zalo:app:1111222233334444555", 4000, 60)


class Ledger(LocalBudget):
    """A budget that remembers who paid and what was noted."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(lambda: self.now)
        self.paid: list[tuple[str, int]] = []
        self.notes: list[tuple[str, int, int]] = []

    async def take(self, windows: Sequence[Window], lane: int, want: int) -> Grant:
        self.paid.append((windows[0].key, lane))
        return await super().take(windows, lane, want)

    async def note_remaining(self, key: str, limit: int, remaining: int) -> None:
        self.notes.append((key, limit, remaining))
        await super().note_remaining(key, limit, remaining)


async def refused(channel: ZaloOA) -> SendError:
    with pytest.raises(SendError) as caught:
        await channel.send(STATE_OA, CITIZEN, HELLO)
    return caught.value


def test_an_account_has_its_own_window_and_the_apps(oas: Scene) -> None:
    channel = oas.process()
    assert channel.limits(STATE_OA) == (Window("zalo:oa:state-row", 100, 60), APP)
    assert channel.limits(replace(STATE_OA, learnt={"per_minute": "2000"}))[0].limit == 2000
    assert channel.limits(BUSINESS_OA)[0] == Window("zalo:oa:business-row", 100, 60)


@pytest.mark.parametrize(
    ("app", "oa", "windows"),
    [
        (0, 0, ()),
        (0, 2000, (Window("zalo:oa:state-row", 2000, 60),)),
        (4000, 0, (Window("zalo:oa:state-row", 4000, 60), Window("zalo:app:1", 4000, 60))),
    ],
)
def test_a_limit_of_nothing_is_none(app: int, oa: int, windows: tuple[Window, ...]) -> None:
    limits = RequestLimits("1", app, oa)
    assert limits.of_id("state-row") == limits.of(STATE_OA) == limits.of_id("state-row") == windows
    assert limits.of(replace(STATE_OA, learnt={"per_minute": "0"}))[:1] == (windows[:1] if not oa else ())


async def test_what_is_told_takes_the_place_of_the_default_at_once(oas: Scene) -> None:
    channel = oas.process(budget=Ledger())
    oas.zalo.headers = {"X-RateLimit-Limit": "2000", "X-RateLimit-Remain": "1999"}
    await channel.send(STATE_OA, CITIZEN, HELLO)
    assert channel.limits(STATE_OA)[0].limit == 2000


async def test_every_request_is_paid_for_not_only_sends(oas: Scene) -> None:
    ledger = Ledger()
    channel = oas.process(budget=ledger)
    await channel.send(STATE_OA, CITIZEN, PHOTO)
    await channel.find_sent(STATE_OA, CITIZEN, HELLO, oas.now)
    await channel.profile(STATE_OA, CITIZEN.external_id)
    await channel.account_info(STATE_OA)
    assert len(oas.server.asked) == 5
    assert [lane for _, lane in ledger.paid] == [ANSWER, ANSWER, ANSWER, NOTICE, ANSWER]


async def test_the_repeat_with_a_new_token_is_paid_for_too(oas: Scene) -> None:
    ledger = Ledger()
    oas.vault.put("state-row", "dead", "r1", oas.now + timedelta(hours=20))
    with prepaid(1):
        await oas.process(budget=ledger).send(STATE_OA, CITIZEN, HELLO)
    assert len(oas.server.asked) == 3
    assert len(ledger.paid) == 1


async def test_a_send_that_was_paid_for_in_advance_is_not_paid_twice(oas: Scene) -> None:
    ledger = Ledger()
    channel = oas.process(budget=ledger)
    with prepaid(2) as paid:
        await channel.send(STATE_OA, CITIZEN, HELLO)
        with pytest.raises(MessageInvalidError):
            await channel.send(STATE_OA, CITIZEN, Message(media=Media("missing", "image", "anh.png")))
    assert ledger.paid == []
    assert paid.left == 1


async def test_a_refusal_for_speed_holds_back_the_account_and_nobody_else(oas: Scene) -> None:
    ledger = Ledger()
    one, two = oas.process(budget=ledger), oas.process(budget=ledger)
    oas.now += timedelta(seconds=20)
    oas.zalo.before = lambda _: refusal(-32, "Your OA reached limit call api")
    assert (await refused(one)).retry_after == 40.0
    oas.zalo.before = lambda _: None
    error = await refused(two)
    assert isinstance(error, ThrottledError)
    assert error.retry_after == pytest.approx(41.0)
    assert len(oas.server.asked) == 1
    await two.send(BUSINESS_OA, CITIZEN, HELLO)
    ledger.now += 41.1
    await two.send(STATE_OA, CITIZEN, HELLO)


async def test_an_app_that_was_too_fast_holds_back_all_its_accounts(oas: Scene) -> None:
    channel = oas.process(budget=Ledger())
    oas.zalo.before = lambda _: refusal(-32, "Your application reached limit call api")
    await refused(channel)
    with pytest.raises(ThrottledError):
        await channel.send(BUSINESS_OA, CITIZEN, HELLO)
    assert len(oas.server.asked) == 1


async def test_429_blocks_for_as_long_as_it_says(oas: Scene) -> None:
    ledger = Ledger()
    channel = oas.process(budget=ledger)
    oas.zalo.before = lambda _: Answer(b"slow down", 429, {"Retry-After": "20"})
    assert (await refused(channel)).retry_after == 20.0
    oas.zalo.before = lambda _: None
    assert (await refused(channel)).retry_after == pytest.approx(21.0)


async def test_a_refusal_just_after_the_minute_belongs_to_the_one_before(oas: Scene) -> None:
    oas.now += timedelta(seconds=60, milliseconds=40)
    oas.zalo.before = lambda _: refusal(-32)
    assert (await refused(oas.process(budget=Ledger()))).retry_after == 1.0


async def test_a_small_remainder_is_noted_once_a_second_and_believed(oas: Scene) -> None:
    ledger = Ledger()
    channel = oas.process(budget=ledger)
    for remain in (80, 26):
        oas.zalo.headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remain": str(remain)}
        await channel.send(STATE_OA, CITIZEN, HELLO)
    assert ledger.notes == []
    oas.zalo.headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remain": "2"}
    for _ in range(3):
        await channel.send(STATE_OA, CITIZEN, HELLO)
    assert ledger.notes == [("zalo:oa:state-row", 100, 2)]
    assert (await refused(channel)).retry_after == pytest.approx(63, abs=2)


async def test_an_answer_that_tells_of_the_app_is_noted_there(oas: Scene) -> None:
    ledger = Ledger()
    oas.zalo.headers = {"X-RateLimit-Limit": "4000", "X-RateLimit-Remain": "0"}
    channel = oas.process(budget=ledger)
    await channel.send(STATE_OA, CITIZEN, HELLO)
    assert ledger.notes == [(APP.key, 4000, 0)]
    with pytest.raises(ThrottledError):
        await channel.send(BUSINESS_OA, CITIZEN, HELLO)
