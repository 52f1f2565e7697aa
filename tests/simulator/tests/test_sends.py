"""What an OA may send to whom, on both kinds of OA, and every refusal on the way."""

from typing import Any

import pytest

from tests.simulator.samples import gif
from tests.simulator.simulator import Phone
from tests.simulator.tests.conftest import BUSINESS, DAY, PATHS, STATE, Town


def media(**element: Any) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": {"template_type": "media", "elements": [element]}}}


def template(**payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": payload}}


async def test_a_text_reaches_the_phone_and_comes_back_as_echo_and_receipt(town: Town, phone: Phone) -> None:
    answer = await town.send(phone, "Kính chào Ông/Bà")
    assert answer["error"] == 0
    assert answer["data"]["user_id"] == phone.user_id
    msg_id = answer["data"]["message_id"]
    assert (await phone.wait_for("Kính chào")).msg_id == msg_id
    [echo] = await town.receiver.wait_for("oa_send_text")
    assert echo.event["message"] == {"text": "Kính chào Ông/Bà", "msg_id": msg_id}
    assert "admin_id" not in echo.event["sender"]
    [receipt] = await town.receiver.wait_for("user_received_message")
    assert receipt.event["message"] == {"msg_id": msg_id}


@pytest.mark.parametrize(("oa_id", "other", "code"), [(STATE, BUSINESS, -235), (BUSINESS, STATE, -240)])
async def test_each_kind_of_oa_is_refused_on_the_other_kinds_endpoint(
    town: Town, oa_id: str, other: str, code: int
) -> None:
    phone = await town.simulator.phone(oa_id)
    await phone.say("alo")
    assert (await town.send(phone, "xin chào", PATHS[other]))["error"] == code
    assert phone.inbox == []


async def test_a_bare_unknown_path_is_no_api(town: Town) -> None:
    assert (await town.call(STATE, "/v3.0/oa/message", {}))["message"] == "empty or invalid API"


async def test_pictures_by_address_and_by_upload_stickers_and_files(town: Town, phone: Phone) -> None:
    url = f"{town.simulator.url}/media/bai-rac.png"
    assert (await town.send(phone, media(media_type="image", url=url) | {"text": "Đã dọn"}))["error"] == 0
    uploaded = (await town.upload(phone.oa_id, "gif", "a.gif", gif()))["data"]["attachment_id"]
    moving = media(media_type="gif", attachment_id=uploaded, width=16, height=16)
    assert (await town.send(phone, moving))["error"] == 0
    assert (await town.send(phone, media(media_type="sticker", attachment_id="46998")))["error"] == 0
    token = (await town.upload(phone.oa_id, "file", "mau.csv", b"a,b"))["data"]["token"]
    assert (await town.send(phone, {"attachment": {"type": "file", "payload": {"token": token}}}))["error"] == 0
    picture, animation, sticker, document = phone.inbox
    assert (picture.kind, picture.text, len(picture.images)) == ("image", "Đã dọn", 1)
    assert (animation.kind, sticker.kind) == ("gif", "sticker")
    assert document.attachments[0]["payload"]["name"] == "mau.csv"


async def test_a_request_for_contact_data_works_on_both(town: Town, phone: Phone) -> None:
    element = {"title": "Số điện thoại", "subtitle": "Để gọi lại"}
    assert (await town.send(phone, template(template_type="request_user_info", elements=[element])))["error"] == 0
    await phone.submit_info()
    [hook] = await town.receiver.wait_for("user_submit_info")
    assert hook.event["info"]["phone"].startswith("84")


BUTTONS = {
    "buttons": [
        {"title": "Tiến độ", "type": "oa.query.show", "payload": "#tiendo"},
        {"title": "Trang xã", "type": "oa.open.url", "payload": {"url": "https://thanhoai.example"}},
    ]
}
LIST = {
    "template_type": "list",
    "elements": [{"title": "Khai sinh", "default_action": {"type": "oa.open.url", "url": "https://thanhoai.example"}}],
}


@pytest.mark.parametrize("payload", [BUTTONS, LIST], ids=["buttons", "list"])
async def test_buttons_and_lists_work_on_v2_only(town: Town, phone: Phone, payload: dict[str, Any]) -> None:
    answer = await town.send(phone, template(**payload) | {"text": "Chọn:"})
    assert answer["error"] == (0 if phone.oa_id == STATE else -233)


async def test_quoting_a_message_of_the_conversation(town: Town, phone: Phone) -> None:
    asked = (await phone.say("mấy giờ mở cửa?"))["msg_id"]
    await town.send(phone, {"text": "8 giờ", "quote_message_id": asked})
    assert phone.inbox[-1].quote_msg_id == asked
    [echo] = await town.receiver.wait_for("oa_send_text")
    assert echo.event["message"]["quote_msg_id"] == asked
    stranger = await town.simulator.phone(phone.oa_id)
    foreign = (await stranger.say("của tôi"))["msg_id"]
    for bad in ("khong-co", foreign, 5):
        assert (await town.send(phone, {"text": "8 giờ", "quote_message_id": bad}))["error"] == -201


LONG = "đ" * 2001
REFUSED: list[tuple[Any, int]] = [
    ({}, -201),
    ({"text": ""}, -201),
    ({"text": 5}, -201),
    ({"text": LONG}, -210),
    ({"attachment": {"type": "hologram", "payload": {}}}, -233),
    ({"attachment": {"type": "template", "payload": {"template_type": "promotion"}}}, -233),
    ({"attachment": "x"}, -201),
    ({"attachment": {"type": "file", "payload": {"token": "unknown"}}}, -201),
    (media(media_type="article", attachment_id="1"), -233),
    (media(media_type="image"), -201),
    (media(media_type="image", attachment_id="unknown"), -201),
    (media(media_type="image", url="http://127.0.0.1:9/none.png", attachment_id="both"), -201),
    (media(media_type="image", url="http://127.0.0.1:9/none.png"), -201),
    (media(media_type="image", url="file:///etc/hostname"), -201),
    (media(media_type="gif", attachment_id="unknown"), -201),
    (template(template_type="request_user_info", elements=[{"title": "đ" * 101}]), -210),
    (template(template_type="request_user_info", elements=[{"title": "a"}, {"title": "b"}]), -210),
    (template(template_type="request_user_info", elements=[]), -201),
]


@pytest.mark.parametrize(("message", "code"), REFUSED)
async def test_bodies_that_are_refused(town: Town, phone: Phone, message: dict[str, Any], code: int) -> None:
    assert (await town.send(phone, message))["error"] == code
    assert phone.inbox == []


async def test_two_thousand_characters_are_allowed(town: Town, phone: Phone) -> None:
    assert (await town.send(phone, LONG[:2000]))["error"] == 0


@pytest.mark.parametrize(
    "recipient",
    [
        {},
        {"user_id": 3333444455556660001},
        {"user_id": ""},
        {"user_id": "1", "message_id": "2"},
        {"message_id": "x"},
        [],
    ],
)
async def test_recipients_that_are_refused(town: Town, phone: Phone, recipient: Any) -> None:
    body = {"recipient": recipient, "message": {"text": "a"}}
    assert (await town.call(phone.oa_id, PATHS[phone.oa_id], body))["error"] == -201


async def test_buttons_are_checked(town: Town) -> None:
    phone = await town.simulator.phone(STATE)
    await phone.say("alo")
    good = {"title": "a", "type": "oa.query.show", "payload": "x"}
    for buttons, code in (
        ([good] * 6, -210),
        ([], -201),
        ([good | {"title": "đ" * 101}], -210),
        ([good | {"payload": "x" * 1001}], -210),
        ([good | {"type": "oa.dance"}], -201),
        ([good | {"type": "oa.open.url"}], -201),
        ([{"title": "a", "type": "oa.open.phone", "payload": {}}], -201),
    ):
        assert (await town.send(phone, template(buttons=buttons) | {"text": "Chọn"}))["error"] == code, buttons


async def test_the_clock_of_the_last_interaction(town: Town, phone: Phone) -> None:
    assert (await town.send(phone, "trong 48 giờ"))["data"]["quota"]["quota_type"] == "reply"
    await town.later(3 * DAY)
    spent = (await town.send(phone, "sau 48 giờ"))["data"]["quota"]
    assert (spent["quota_type"], spent["remain"], spent["total"]) == ("sub_quota", "499", "500")
    await town.simulator.verbs.set_oa(oa_id=phone.oa_id, sub_quota_total=1)
    assert "quota" not in (await town.send(phone, "tính tiền"))["data"]
    await town.later(4 * DAY + 60)
    assert (await town.send(phone, "sau 7 ngày"))["error"] == -230
    await phone.say("tôi đây")
    assert (await town.send(phone, "lại được"))["error"] == 0


async def test_who_never_met_the_oa_and_who_left_it(town: Town) -> None:
    phone = await town.simulator.phone(STATE)
    assert (await town.send(phone, "a"))["error"] == -232
    await phone.follow()
    first = (await town.send(phone, "chào mừng"))["data"]["quota"]
    assert (first["quota_type"], first["remain"]) == ("welcome_msg", "2")
    await phone.unfollow()
    assert (await town.send(phone, "a"))["error"] == -213
    await phone.say("tôi hỏi thêm")
    assert (await town.send(phone, "a"))["error"] == 0
    await phone.block()
    assert (await town.send(phone, "a"))["error"] == -213
    await phone.block(blocked=False)
    assert (await town.send(phone, "a"))["error"] == 0
    nobody = {"recipient": {"user_id": "99999999999999999999"}, "message": {"text": "a"}}
    assert (await town.call(STATE, PATHS[STATE], nobody))["error"] == -213


async def test_replies_bound_to_a_message_end_after_eight(town: Town) -> None:
    phone = await town.simulator.phone(BUSINESS)
    bound = {"recipient": {"message_id": (await phone.say("hỏi"))["msg_id"]}, "message": {"text": "đáp"}}
    codes = [(await town.call(BUSINESS, PATHS[BUSINESS], bound))["error"] for _ in range(9)]
    assert codes == [0] * 8 + [-213]


@pytest.mark.parametrize("token", ["", "made-up"])
async def test_a_wrong_token(town: Town, token: str) -> None:
    assert (await town.call(STATE, PATHS[STATE], {}, token))["error"] == -216


async def test_a_token_in_the_query_does_not_count(town: Town) -> None:
    url = f"{town.simulator.url}/v2.0/oa/getoa?access_token={town.token(STATE)}"
    async with town.http.get(url) as answer:
        assert (await answer.json())["error"] == -216


async def test_an_access_token_expires_after_25_hours(town: Town, phone: Phone) -> None:
    await town.simulator.verbs.advance(seconds=25 * 3600 - 60)
    assert (await town.send(phone, "a"))["error"] == 0
    await town.simulator.verbs.advance(seconds=61)
    assert (await town.send(phone, "a"))["error"] == -220
    assert (await town.refresh(phone.oa_id))["expires_in"] == "90000"
    assert (await town.send(phone, "a"))["error"] == 0


async def test_the_rate_window_is_a_minute_of_one_oa(town: Town) -> None:
    await town.simulator.verbs.set_oa(oa_id=STATE, rate_limit=3)
    # From the first second of a minute, so that the calls below lie in one.
    await town.simulator.verbs.advance(seconds=60 - town.simulator.provider.clock.now() % 60)
    headers = {"access_token": town.token(STATE)}
    remaining, codes = [], []
    for _ in range(4):
        async with town.http.get(f"{town.simulator.url}/v2.0/oa/getoa", headers=headers) as answer:
            assert answer.headers["X-RateLimit-Limit"] == "3"
            remaining.append(answer.headers["X-RateLimit-Remain"])
            codes.append((await answer.json())["error"])
    assert (remaining, codes) == (["2", "1", "0", "0"], [0, 0, 0, -32])
    assert (await town.ask(BUSINESS, "/v2.0/oa/getoa"))["error"] == 0
    await town.simulator.verbs.advance(seconds=60)
    assert (await town.ask(STATE, "/v2.0/oa/getoa"))["error"] == 0


async def test_the_oa_reacts_to_a_message(town: Town) -> None:
    phone = await town.simulator.phone(BUSINESS)
    msg_id = (await phone.say("cảm ơn"))["msg_id"]
    body = {
        "recipient": {"user_id": phone.user_id},
        "sender_action": {"react_icon": "/-heart", "react_message_id": msg_id},
    }
    assert (await town.call(BUSINESS, "/v2.0/oa/message", body))["error"] == 0
    [hook] = await town.receiver.wait_for("oa_reacted_message")
    assert hook.event["message"] == {"msg_id": msg_id, "react_icon": "/-heart"}
    assert town.simulator.provider.world.messages[msg_id].reactions == ["/-heart"]


async def test_a_broadcast_is_refused(town: Town) -> None:
    body = {"recipient": {"target": {"cities": "9"}}, "message": {"attachment": {}}}
    assert (await town.call(STATE, "/v2.0/oa/message", body))["error"] == -212


async def test_a_body_that_is_no_json(town: Town) -> None:
    headers = {"access_token": town.token(STATE), "Content-Type": "application/json"}
    for body in (b"{", b"[]"):
        async with town.http.post(town.simulator.url + PATHS[STATE], data=body, headers=headers) as answer:
            assert (await answer.json())["error"] == -201
