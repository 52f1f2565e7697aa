"""Who follows an account, as Zalo lists it: pages, tags, days, and where a list ends before the followers do."""

import contextlib
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bot.channels.channel import AccountRef, FollowerQuery, ListsFollowers
from bot.channels.rate_limit import BROADCAST, in_lane
from bot.channels.zalo.followers import page_of
from bot.domain.delivery import AccountStoppedError, MessageInvalidError, TemporaryError, ThrottledError
from tests.bot.channels.zalo.fake_oas import BUSINESS_OA, STATE_OA, Scene, refusal, success
from tests.fakes.scripted_server import Answer, Asked

EVERYBODY = FollowerQuery()
LIST, OLD_LIST, TAGS = "/v3.0/oa/user/getlist", "/v2.0/oa/getfollowers", "/v2.0/oa/tag/gettagsofoa"


def users(number: int, first: int = 0) -> list[dict[str, str]]:
    return [{"user_id": f"33334444{first + n:011d}"} for n in range(number)]


def listing(oas: Scene, answers: dict[str, Answer]) -> None:
    """Answer these paths so."""
    oas.zalo.before = lambda asked: answers.get(asked.path)


def asked_for(oas: Scene) -> list[tuple[str, Any]]:
    return [(asked.path, asked.data if "data" in asked.query else None) for asked in oas.server.asked]


async def test_a_page_of_everybody(oas: Scene) -> None:
    listing(oas, {LIST: success({"total": 120, "count": 50, "offset": 50, "users": users(50)})})
    channel = oas.process()
    assert isinstance(channel, ListsFollowers)
    page = await channel.followers(BUSINESS_OA, EVERYBODY, 50)
    assert (len(page.user_ids), page.user_ids[0]) == (50, "3333444400000000000")
    assert (page.total, page.next_offset, page.cut) == (120, 100, False)
    assert asked_for(oas) == [(LIST, {"offset": 50, "count": 50, "is_follower": "true"})]


async def test_a_tag_and_days_are_asked_for_in_zalos_own_words(oas: Scene) -> None:
    listing(oas, {LIST: success({"total": 1, "users": users(1)})})
    channel = oas.process()
    await channel.followers(BUSINESS_OA, FollowerQuery(tag="thôn Kim Lâm"), 0)
    await channel.followers(BUSINESS_OA, FollowerQuery(days=(date(2026, 11, 3), date(2026, 11, 20))), 0)
    tag, period = [data for _, data in asked_for(oas)]
    assert tag["tag_name"] == "thôn Kim Lâm"
    assert period["last_interaction_period"] == "2026_11_03:2026_11_20"


@pytest.mark.parametrize(
    ("total", "offset", "number", "next_offset", "cut"),
    [
        (0, 0, 0, None, False),
        (50, 0, 50, None, False),
        (51, 0, 50, 50, False),
        (90, 50, 40, None, False),
        (12_000, 9_900, 50, 9_950, True),
        (12_000, 9_950, 50, 9_951, True),
        (12_000, 9_951, 50, None, True),
        (10_001, 9_951, 50, None, False),
        (10_000, 9_950, 50, None, False),
        (500, 100, 0, None, False),
        (500, 100, 30, 150, False),
    ],
)
def test_where_a_list_ends(total: int, offset: int, number: int, next_offset: int | None, *, cut: bool) -> None:
    page = page_of({"total": total, "users": users(number)}, offset)
    assert (page.next_offset, page.cut) == (next_offset, cut)


@pytest.mark.parametrize(
    "data",
    [{}, {"users": None}, {"users": {"user_id": "1"}}, {"users": [None, 5, {"user_id": ""}, {}], "total": "x"}],
)
def test_what_is_no_list_names_nobody(data: dict[str, Any]) -> None:
    assert page_of(data, 0).user_ids == []
    assert page_of(data, 0).next_offset is None


async def test_the_tags_of_an_account_keep_their_spelling(oas: Scene) -> None:
    apart = "tho\u0302n 3"
    listing(oas, {TAGS: Answer({"error": 0, "data": ["Hội viên", apart, "", 5]})})
    assert await oas.process().follower_tags(BUSINESS_OA) == ["Hội viên", apart]


@pytest.mark.parametrize("account", [STATE_OA, BUSINESS_OA])
async def test_an_account_of_the_older_api_is_asked_there_but_never_by_days(oas: Scene, account: AccountRef) -> None:
    listing(oas, {LIST: refusal(-235), OLD_LIST: success({"total": 2, "followers": users(2)})})
    channel = oas.process()
    page = await channel.followers(account, EVERYBODY, 0)
    assert len(page.user_ids) == 2
    assert asked_for(oas)[-1] == (OLD_LIST, {"offset": 0, "count": 50})
    with pytest.raises(MessageInvalidError):
        await channel.followers(account, FollowerQuery(days=(date(2026, 11, 20), date(2026, 11, 20))), 0)
    assert asked_for(oas)[-1][0] == LIST


async def test_an_account_without_any_list_is_not_stopped_for_it(oas: Scene) -> None:
    listing(oas, {LIST: refusal(-235), OLD_LIST: refusal(-240), TAGS: refusal(-240)})
    with pytest.raises(MessageInvalidError, match="api_shut_down"):
        await oas.process().followers(STATE_OA, EVERYBODY, 0)
    with pytest.raises(MessageInvalidError, match="api_shut_down"):
        await oas.process().follower_tags(STATE_OA)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(-32, "Your OA reached limit call api"), ThrottledError),
        (refusal(-210, "offset"), MessageInvalidError),
        (refusal(-223, "permission"), AccountStoppedError),
        (Answer(b"", 502), TemporaryError),
        (Answer(hang_up=True), TemporaryError),
    ],
)
async def test_refusals_are_of_the_family(oas: Scene, answer: Answer, kind: type[Exception]) -> None:
    listing(oas, {LIST: answer})
    with pytest.raises(kind):
        await oas.process().followers(BUSINESS_OA, EVERYBODY, 0)


async def test_lists_are_paid_for_in_the_lane_of_whoever_asks(oas: Scene) -> None:
    listing(oas, {LIST: success({"total": 1, "users": users(1)})})
    channel = oas.process(oa_per_minute=10)
    with in_lane(BROADCAST), contextlib.suppress(ThrottledError):
        for _ in range(9):
            await channel.followers(BUSINESS_OA, EVERYBODY, 0)
        pytest.fail("broadcasts were let into what is left to answers")
    await channel.followers(BUSINESS_OA, EVERYBODY, 0)  # as for an answer there is still room


async def test_the_limit_that_a_list_tells_is_learnt(oas: Scene) -> None:
    def told(_asked: Asked) -> Answer:
        answer = success({"total": 1, "users": users(1)})
        answer.headers = {"X-RateLimit-Limit": "2000", "X-RateLimit-Remain": "1999"}
        return answer

    oas.zalo.before = told
    await oas.process().followers(BUSINESS_OA, EVERYBODY, 0)
    assert ("business-row", "per_minute", "2000") in oas.learnt


@pytest.mark.parametrize(
    ("said", "since"),
    [("20/11/2026", datetime(2026, 11, 19, 17, tzinfo=UTC)), ("", None), ("2026-11-20", None), ("01/01/0001", None)],
)
async def test_a_profile_tells_since_when_somebody_has_certainly_interacted(
    oas: Scene, said: str, since: datetime | None
) -> None:
    listing(oas, {"/v3.0/oa/user/detail": success({"display_name": "A", "user_last_interaction_date": said})})
    assert (await oas.process().profile(BUSINESS_OA, "1")).heard_since == since
