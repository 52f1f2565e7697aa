"""Templates by user id and by phone number, with the codes of either channel."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulator.errors import VerbError
from tests.simulator.simulator import Phone
from tests.simulator.tests.conftest import DAY, STATE, Json, Town

RESULT = {
    "template_id": "312396",
    "name": "Kết quả",
    "text": "Hồ sơ <ma> của <ten> đã xong.",
    "params": {"ma": 5, "ten": 30},
}
DATA = {"ma": "HS-01", "ten": "Công dân A"}


@pytest.fixture
async def citizen(town: Town) -> Phone:
    await town.simulator.verbs.add_template(oa_id=STATE, **RESULT)
    phone = await town.simulator.phone(STATE)
    await phone.say("alo")
    return phone


async def by_id(town: Town, citizen: Phone, **changes: object) -> Json:
    body = {"user_id": citizen.user_id, "template_id": "312396", "template_data": DATA} | changes
    return await town.call(STATE, "/v3.0/oa/message/template", body)


async def by_phone(town: Town, citizen: Phone, **changes: object) -> Json:
    number = town.simulator.provider.world.people[citizen.user_id].phone
    body = {"phone": number, "template_id": "312396", "template_data": DATA, "tracking_id": "hs-1"} | changes
    return await town.call(STATE, "/message/template", body)


async def test_by_user_id_also_after_the_window_of_seven_days(town: Town, citizen: Phone) -> None:
    await town.later(30 * DAY)
    answer = await by_id(town, citizen)
    assert answer["data"]["quota"]["quota_type"] == "purchase_quota"
    assert citizen.inbox[0].attachments[0]["payload"]["text"] == "Hồ sơ HS-01 của Công dân A đã xong."
    [echo] = await town.receiver.wait_for("oa_send_template")
    assert echo.event["message"]["msg_id"] == answer["data"]["message_id"]


async def test_by_user_id_refusals(town: Town, citizen: Phone) -> None:
    assert (await by_id(town, citizen, template_id="1"))["error"] == -201
    assert (await by_id(town, citizen, template_data={"ma": "HS-01"}))["error"] == -201
    assert (await by_id(town, citizen, template_data=DATA | {"ma": "HS-012"}))["error"] == -210
    assert (await by_id(town, await town.simulator.phone(STATE)))["error"] == -232
    await town.simulator.verbs.add_template(oa_id=STATE, **RESULT | {"template_id": "9", "by_uid": False})
    assert (await by_id(town, citizen, template_id="9"))["error"] == -249
    await town.later(366 * DAY)
    assert (await by_id(town, citizen))["error"] == -232


async def test_by_phone_number_with_a_receipt_that_names_the_phone(town: Town, citizen: Phone) -> None:
    answer = await by_phone(town, citizen)
    assert answer["data"]["quota"] == {"dailyQuota": "5000", "remainingQuota": "4999"}
    [receipt] = await town.receiver.wait_for("user_received_message")
    assert receipt.headers["x-zevent-server"] == "ZNS"
    assert receipt.event["recipient"]["id"] == town.simulator.provider.world.people[citizen.user_id].phone
    assert receipt.event["message"]["tracking_id"] == "hs-1"
    assert town.receiver.named("oa_send_template") == []
    query = {"message_id": answer["data"]["msg_id"]}
    headers = {"access_token": town.token(STATE)}
    async with town.http.get(f"{town.simulator.url}/message/status", params=query, headers=headers) as status:
        assert (await status.json())["data"]["status"] == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"phone": "12"}, -108),
        ({"phone": "84999999999"}, -118),
        ({"template_id": "1"}, -109),
        ({"template_data": {}}, -1122),
        ({"template_data": DATA | {"ma": "HS-012"}}, -1121),
        ({"sending_mode": "7"}, -161),
        ({"tracking_id": "x" * 49}, -132),
        ({"mode": "development"}, -127),
    ],
)
async def test_by_phone_refusals(town: Town, citizen: Phone, changes: Json, code: int) -> None:
    assert (await by_phone(town, citizen, **changes))["error"] == code
    assert citizen.inbox == []


async def test_by_phone_a_wrong_token_has_its_own_code_and_a_block_too(town: Town, citizen: Phone) -> None:
    assert (await town.call(STATE, "/message/template", {}, "made-up"))["error"] == -124
    await citizen.block()
    assert (await by_phone(town, citizen))["error"] == -141
    await town.simulator.verbs.set_oa(oa_id=STATE, daily_template_quota=0)
    await citizen.block(blocked=False)
    assert (await by_phone(town, citizen))["error"] == -144


async def test_only_promotion_is_kept_away_from_the_night(town: Town, citizen: Phone) -> None:
    await town.simulator.verbs.add_template(oa_id=STATE, **RESULT | {"template_id": "7", "tag": "PROMOTION"})
    now = datetime.fromtimestamp(town.simulator.provider.clock.now(), UTC)
    night = now.replace(hour=16, minute=0, second=0)  # 23:00 in Vietnam
    await town.later((night - now).total_seconds() % DAY)
    assert (await by_id(town, citizen, template_id="7"))["error"] == -234
    assert (await by_phone(town, citizen, template_id="7"))["error"] == -133
    assert (await by_id(town, citizen))["error"] == 0


async def test_the_list_of_templates(town: Town, citizen: Phone) -> None:
    assert citizen.inbox == []
    headers = {"access_token": town.token(STATE)}
    async with town.http.get(f"{town.simulator.url}/template/all?offset=0&limit=10", headers=headers) as answer:
        [shown] = (await answer.json())["data"]
    assert (shown["templateId"], shown["status"], shown["templateQuality"]) == ("312396", "ENABLE", "HIGH")
    info = await asked(town, "/template/info/v2", template_id="312396")
    assert info["listParams"][0] | {"name": "ma", "maxLength": 5, "require": True} == info["listParams"][0]
    assert (info["price_sdt"], info["price_uid"], info["timeout"]) == ("120", "100", 7_200_000)
    assert await asked(town, "/message/template-tag") == ["TRANSACTION"]
    assert await asked(town, "/template/sample-data", template_id="312396") == {"ma": "xxxxx", "ten": "x" * 30}
    assert (await asked(town, "/quality"))["oaCurrentQuality"] == "HIGH"
    assert await asked(town, "/template/all", status="REJECT") == []
    assert await asked(town, "/template/info/v2", template_id="1") == -109


async def asked(town: Town, path: str, **query: str) -> Any:
    """Ask the template host; returns what it answers, or the number of its refusal."""
    headers = {"access_token": town.token(STATE)}
    async with town.http.get(f"{town.simulator.url}{path}", params=query, headers=headers) as answer:
        body = await answer.json()
    return body["data"] if body["error"] == 0 else body["error"]


async def test_a_hash_stands_in_for_the_phone_and_in_its_receipt(town: Town, citizen: Phone) -> None:
    number = town.simulator.provider.world.people[citizen.user_id].phone
    hashed = hashlib.sha256(number.encode()).hexdigest()
    body = {"hash_phone": hashed, "template_id": "312396", "template_data": DATA, "tracking_id": "b1-1"}
    assert (await town.call(STATE, "/message/template/hashphone", body))["error"] == 0
    [receipt] = await town.receiver.wait_for("user_received_message")
    assert receipt.event["recipient"]["id"] == hashed
    assert receipt.event["message"]["tracking_id"] == "b1-1"
    assert (await town.call(STATE, "/message/template/hashphone", body | {"hash_phone": number}))["error"] == -108
    assert (await town.call(STATE, "/message/template/hashphone", body | {"hash_phone": "0" * 64}))["error"] == -118


async def test_a_change_of_a_template_is_told_and_holds(town: Town, citizen: Phone) -> None:
    verbs = town.simulator.verbs
    await verbs.set_template(oa_id=STATE, template_id="312396", status="DISABLE", reason="Chất lượng thấp")
    [told] = await town.receiver.wait_for("change_template_status")
    assert told.headers["x-zevent-server"] == "ZNS"
    assert told.event["status"] == {"prev_status": "ENABLE", "new_status": "DISABLE"}
    assert (told.event["template_id"], told.event["reason"]) == ("312396", "Chất lượng thấp")
    assert (await by_phone(town, citizen))["error"] == -146
    assert (await by_id(town, citizen))["error"] == -201
    await verbs.set_template(oa_id=STATE, template_id="312396", quality="LOW")
    [rated] = await town.receiver.wait_for("change_template_quality")
    assert rated.event["quality"] == "LOW"
    await verbs.set_template_quota(oa_id=STATE, daily=7)
    [quota] = await town.receiver.wait_for("change_oa_daily_quota")
    assert quota.event | {"oaId": STATE, "quota": {"prev_value": 5000, "new_value": 7}} == quota.event
    assert (await asked(town, "/message/quota"))["dailyQuota"] == "7"
    await verbs.remove_template(oa_id=STATE, template_id="312396")
    assert await asked(town, "/template/all") == []
    with pytest.raises(VerbError, match="no template"):
        await verbs.set_template(oa_id=STATE, template_id="312396", status="ENABLE")


async def test_a_template_under_review_goes_to_administrators_only(town: Town, citizen: Phone) -> None:
    await town.simulator.verbs.set_template(oa_id=STATE, template_id="312396", status="PENDING_REVIEW", tell=False)
    assert (await by_phone(town, citizen))["error"] == -131
    assert (await by_phone(town, citizen, mode="development"))["error"] == -127
    number = town.simulator.provider.world.people[citizen.user_id].phone
    await town.simulator.verbs.set_oa(oa_id=STATE, admin_phones=[number])
    assert (await by_phone(town, citizen, mode="development"))["error"] == 0


async def test_an_oa_that_may_not_use_templates(town: Town, citizen: Phone) -> None:
    await town.simulator.verbs.set_oa(oa_id=STATE, template_refusal=-136)
    assert await asked(town, "/template/all") == -136
    assert (await by_phone(town, citizen))["error"] == -136
    assert (await by_id(town, citizen))["error"] == -320
