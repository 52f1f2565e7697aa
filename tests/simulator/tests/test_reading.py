"""Endpoints that read: conversations, people, tags, quota, the OA itself."""

from datetime import datetime, timedelta, timezone

import pytest

from tests.simulator.simulator import Phone
from tests.simulator.tests.conftest import BUSINESS, DAY, STATE, Json, Town


async def test_a_conversation_newest_first(town: Town, phone: Phone) -> None:
    await phone.images(count=1)
    await phone.location()
    sent = (await town.send(phone, "Đã nhận"))["data"]["message_id"]
    items = (await town.ask(phone.oa_id, "/v2.0/oa/conversation", user_id=phone.user_id, offset=0, count=10))["data"]
    assert [(item["src"], item["type"]) for item in items] == [(0, "text"), (1, "location"), (1, "photo"), (1, "text")]
    assert (items[0]["message_id"], items[0]["message"]) == (sent, "Đã nhận")
    assert (items[0]["from_id"], items[0]["to_id"]) == (phone.oa_id, phone.user_id)
    assert '"latitude": "20.8532"' in items[1]["location"]
    assert items[2]["url"].endswith(".png")
    second = await town.ask(phone.oa_id, "/v2.0/oa/conversation", user_id=phone.user_id, offset=1, count=1)
    assert [item["type"] for item in second["data"]] == ["location"]


async def test_recent_chats_show_the_last_message_of_each(town: Town) -> None:
    first, second = [await town.simulator.phone(STATE) for _ in range(2)]
    await first.say("một")
    await town.simulator.verbs.advance(seconds=1)
    await second.say("hai")
    await town.simulator.verbs.advance(seconds=1)
    await first.say("ba")
    items = (await town.ask(STATE, "/v2.0/oa/listrecentchat", offset=0, count=10))["data"]
    assert [item["message"] for item in items] == ["ba", "hai"]
    assert (await town.ask(BUSINESS, "/v2.0/oa/listrecentchat"))["data"] == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"count": 11}, -210),
        ({"count": 0}, -201),
        ({"offset": -1}, -201),
        ({"count": "10"}, -201),
        ({"user_id": 5}, -201),
    ],
)
async def test_windows_that_are_refused(town: Town, phone: Phone, data: dict[str, object], code: int) -> None:
    asked = {"user_id": phone.user_id} | data
    assert (await town.ask(phone.oa_id, "/v2.0/oa/conversation", **asked))["error"] == code


async def test_what_is_known_of_a_person(town: Town, phone: Phone) -> None:
    found = (await town.ask(phone.oa_id, "/v3.0/oa/user/detail", user_id=phone.user_id))["data"]
    assert (found["user_id"], found["display_name"]) == (phone.user_id, "Công dân Thử Nghiệm")
    assert found["user_is_follower"] is False
    assert found["shared_info"] == {}
    await phone.follow()
    await phone.submit_info()
    found = (await town.ask(phone.oa_id, "/v3.0/oa/user/detail", user_id=phone.user_id))["data"]
    assert found["user_is_follower"] is True
    assert found["shared_info"]["phone"].startswith("84")
    stranger = await town.simulator.phone(phone.oa_id)
    assert (await town.ask(phone.oa_id, "/v3.0/oa/user/detail", user_id=stranger.user_id))["error"] == -213


async def test_profiles_of_v2_ended_for_businesses(town: Town, phone: Phone) -> None:
    for path in ("/v2.0/oa/getprofile", "/v2.0/oa/getfollowers"):
        answer = await town.ask(phone.oa_id, path, user_id=phone.user_id)
        assert answer["error"] == (0 if phone.oa_id == STATE else -240)


async def test_lists_of_people(town: Town) -> None:
    phones = [await town.simulator.phone(STATE) for _ in range(3)]
    for phone in phones:
        await phone.say("alo")
    await phones[0].follow()
    await town.later(10 * DAY)
    await phones[1].say("lại đây")

    async def listed(**data: object) -> list[str]:
        answer = await town.ask(STATE, "/v3.0/oa/user/getlist", **data)
        return [user["user_id"] for user in answer["data"]["users"]]

    ids = [phone.user_id for phone in phones]
    assert await listed(offset=0, count=50) == ids
    assert await listed(offset=1, count=1) == ids[1:2]
    assert await listed(is_follower="true") == ids[:1]
    assert await listed(last_interaction_period="L7D") == ids[1:2]
    for data, code in (({"count": 51}, -210), ({"offset": 9952}, -210), ({"last_interaction_period": "X"}, -201)):
        assert (await town.ask(STATE, "/v3.0/oa/user/getlist", **data))["error"] == code


async def test_tags(town: Town, phone: Phone) -> None:
    for _ in range(2):
        body = {"user_id": phone.user_id, "tag_name": "thôn 3"}
        assert (await town.call(phone.oa_id, "/v2.0/oa/tag/tagfollower", body))["error"] == 0
    [hook] = await town.receiver.wait_for("add_user_to_tag")
    assert hook.event["tag"] == {"user_ids": [phone.user_id], "name": "thôn 3"}
    assert (await town.ask(phone.oa_id, "/v2.0/oa/tag/gettagsofoa"))["data"] == ["thôn 3"]
    found = await town.ask(phone.oa_id, "/v3.0/oa/user/getlist", tag_name="thôn 3")
    assert found["data"]["total"] == 1
    await town.call(phone.oa_id, "/v2.0/oa/tag/rmfollowerfromtag", body)
    await town.receiver.wait_for("remove_user_from_tag")
    assert (await town.call(phone.oa_id, "/v2.0/oa/tag/rmtag", {"tag_name": "thôn 3"}))["error"] == 0
    await town.receiver.wait_for("remove_tag")
    assert (await town.call(phone.oa_id, "/v2.0/oa/tag/rmtag", {"tag_name": "thôn 3"}))["error"] == -201


@pytest.mark.parametrize(("oa_id", "oa_type"), [(STATE, 4), (BUSINESS, 2)])
async def test_what_an_oa_is(town: Town, oa_id: str, oa_type: int) -> None:
    phone = await town.simulator.phone(oa_id)
    await phone.follow()
    data = (await town.ask(oa_id, "/v2.0/oa/getoa"))["data"]
    assert (data["oa_id"], data["oaid"], data["oa_type"], data["num_follower"]) == (oa_id, oa_id, oa_type, 1)


async def test_quotas_of_a_person_and_of_the_oa(town: Town, phone: Phone) -> None:
    async def quota(**body: str) -> Json:
        return await town.call(phone.oa_id, "/v3.0/oa/quota/message", body)

    mine = (await quota(user_id=phone.user_id))["data"]
    assert mine["cs_reply"] == {"remain": 8, "total": 8}
    await town.later(3 * DAY)
    mine = (await quota(user_id=phone.user_id))["data"]
    assert mine["cs_reply"]["remain"] == 0
    await town.send(phone, "tốn một tin")
    rows = (await quota(quota_owner="OA"))["data"]
    assert [(row["total"], row["remain"]) for row in rows] == [(500, 499)]
    assert (await quota(quota_owner="OA", product_type="transaction"))["data"] == []
    assert (await quota(quota_owner="me"))["error"] == -201


async def test_many_followers_are_listed_no_further_than_zalo_lists_them(town: Town) -> None:
    verbs = town.simulator.verbs
    await verbs.followers(oa_id=STATE, number=10_500, days_ago=3)
    await verbs.followers(oa_id=STATE, number=60, tag="thôn 3", days_ago=400)

    async def page(**data: object) -> Json:
        return dict((await town.ask(STATE, "/v3.0/oa/user/getlist", is_follower="true", count=50, **data))["data"])

    last = await page(offset=9951)
    assert (last["total"], last["count"]) == (10_560, 50)
    assert (await town.ask(STATE, "/v3.0/oa/user/getlist", offset=9952))["error"] == -210
    assert (await town.ask(STATE, "/v2.0/oa/tag/gettagsofoa"))["data"] == ["thôn 3"]
    assert (await page(offset=50, tag_name="thôn 3"))["count"] == 10


async def test_followers_are_listed_by_the_days_of_their_last_interaction(town: Town) -> None:
    await town.simulator.verbs.followers(oa_id=STATE, number=3, days_ago=3)
    await town.simulator.verbs.followers(oa_id=STATE, number=4, days_ago=9)
    now = datetime.fromtimestamp(town.simulator.provider.clock.now_ms() / 1000, timezone(timedelta(hours=7)))

    async def number(first: int, last: int) -> int:
        days = [f"{now - timedelta(days=ago):%Y_%m_%d}" for ago in (first, last)]
        period = ":".join(days)
        answer = await town.ask(STATE, "/v3.0/oa/user/getlist", last_interaction_period=period)
        return int(answer["data"]["total"])

    assert [await number(3, 3), await number(9, 4), await number(2, 0), await number(20, 0)] == [3, 4, 0, 7]
    for odd in ("2026_13_01:2026_13_02", "2026_01_01", "2026-01-01:2026-01-02"):
        answer = await town.ask(STATE, "/v3.0/oa/user/getlist", last_interaction_period=odd)
        assert answer["error"] == -201
