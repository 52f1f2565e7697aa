"""From webhook body to update: what each field becomes, and what odd bodies become."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.zalo.events import READERS, UNKNOWN_TIME, parse_event
from bot.domain import update as updates
from bot.domain.update import (
    AccountNews,
    AttachmentKind,
    ButtonPressed,
    Echo,
    Followed,
    MessageReceived,
    PhoneShared,
    Rated,
    Receipt,
    ReceiptKind,
    TemplateNews,
    Unrecognised,
)
from tests.bot.channels.zalo.recorded import BODIES, CITIZEN, OA, changed, data_of, with_message


def only(raw: bytes) -> Any:
    (update,) = parse_event(raw)
    return update


def test_a_text_carries_everything_that_was_sent() -> None:
    assert only(BODIES["user_send_text__quote"]) == MessageReceived(
        account=OA,
        external_id="user_send_text:2a5bd02710e975a7fbb9",
        sender=CITIZEN,
        occurred_at=datetime(2026, 11, 23, 8, 2, 2, 34000, UTC),
        message_id="2a5bd02710e975a7fbb9",
        text="Dạ hồ sơ này nộp ở phường mới hay phường cũ ạ?",
        quotes="a473a8c1ab29e55e40e1",
    )


def test_text_is_composed_at_the_door() -> None:
    update = only(with_message("user_send_text", text="Ra\u0301c tra\u0300n\x00\ud800"))
    assert update.text == "Rác tràn"


def test_several_pictures_keep_their_order() -> None:
    update = only(BODIES["user_send_image__many"])
    assert [a.kind for a in update.attachments] == [AttachmentKind.IMAGE] * 2
    assert update.attachments[0].url.endswith("b53f62ee6f158aeb664f.jpg")


def test_a_place_has_degrees() -> None:
    (place,) = only(BODIES["user_send_location"]).attachments
    assert (place.kind, place.latitude, place.longitude) == (AttachmentKind.LOCATION, 10.7769331, 106.7009238)


def test_a_file_has_name_and_size() -> None:
    (file,) = only(BODIES["user_send_file"]).attachments
    assert (file.kind, file.name, file.size) == (AttachmentKind.FILE, "don-phan-anh-ve-sinh-moi-truong.pdf", 248731)


def test_a_business_card_keeps_its_phone() -> None:
    (card,) = only(BODIES["user_send_business_card"]).attachments
    assert (card.kind, card.description) == (AttachmentKind.CONTACT_CARD, "84900000001")


def test_a_business_card_that_cannot_be_read_is_still_a_card() -> None:
    attachments = [{"type": "link", "payload": {"description": "{broken", "url": "https://zaloapp.com/qr"}}]
    (card,) = only(with_message("user_send_business_card", attachments=attachments)).attachments
    assert (card.kind, card.description) == (AttachmentKind.CONTACT_CARD, "{broken")


def test_an_attachment_of_an_unknown_kind_is_a_file_or_nothing() -> None:
    attachments = [{"type": "hologram", "payload": {"url": "https://h.zdn.vn/1"}}, {"type": "hologram"}, 5, None]
    update = only(with_message("user_send_text", attachments=attachments))
    assert [a.kind for a in update.attachments] == [AttachmentKind.FILE]


def test_an_anonymous_visitor_is_marked_with_the_conversation() -> None:
    update = only(BODIES["anonymous_send_text"])
    assert (update.anonymous, update.conversation_id) == (True, "fe124e5516919b8ad83c")


@pytest.mark.parametrize("kind", ["link", "location", "audio", "video", "gif"])
def test_anonymous_variants_that_only_some_code_names_are_accepted(kind: str) -> None:
    body = data_of("anonymous_send_text") | {"event_name": f"anonymous_send_{kind}"}
    update = only(json.dumps(body).encode())
    assert isinstance(update, MessageReceived)
    assert update.anonymous


def test_the_console_test_is_marked() -> None:
    assert only(BODIES["console_test__user_send_text"]).test


def test_a_citizen_who_types_the_test_sentence_is_a_citizen() -> None:
    assert not only(with_message("user_send_text", text="This is testing message")).test


def test_an_echo_says_who_typed() -> None:
    by_staff, by_api = only(BODIES["oa_send_text"]), only(BODIES["oa_send_text__api"])
    assert isinstance(by_staff, Echo)
    assert (by_staff.sender, by_staff.staff_id) == (CITIZEN, "5555666677778888999")
    assert (by_api.staff_id, by_api.message_id) == (None, "0f927dce74ec3475c7a3")
    assert only(BODIES["oa_send_anonymous_text"]).anonymous


def test_first_contact_comes_in_two_ways() -> None:
    assert [only(BODIES[name]).how for name in ("follow", "user_click_chatnow")] == ["oa_profile", "user_click_chatnow"]
    assert isinstance(only(BODIES["user_click_chatnow"]), Followed)


def test_a_form_is_read_in_both_shapes() -> None:
    new, old = only(BODIES["user_submit_info"]), only(BODIES["user_submit_info__legacy"])
    assert isinstance(new, PhoneShared)
    assert (new.phone, old.phone) == ("84900000001", "84900000001")
    assert new.address == "12 Đường số 13, Phường Tân Thuận, Thành phố Hồ Chí Minh"
    assert old.address == "12 Lê Lợi, Phường Bến Nghé, Quận 1, TP. Hồ Chí Minh"
    assert (new.name, new.birth_date, new.gender) == ("Nguyễn Thị Hoà", "30/10/1989", "Nữ")


def test_receipts_of_the_chat_name_the_citizen_and_those_of_the_phone_channel_the_phone() -> None:
    chat, phone, seen = (
        only(BODIES[name]) for name in ("user_received_message", "user_received_message__zns", "user_seen_message")
    )
    assert (chat.sender, chat.phone, chat.message_ids) == (CITIZEN, None, ("a473a8c1ab29e55e40e1",))
    assert (phone.sender, phone.phone, phone.tracking_id) == ("", "84900000001", "hs-251104-0021-ketqua")
    assert (seen.kind, seen.message_ids) == (ReceiptKind.SEEN, ("a473a8c1ab29e55e40e1", "0f927dce74ec3475c7a3"))


def test_a_seen_receipt_of_the_older_shape() -> None:
    update = only(with_message("user_seen_message", msg_ids=None, msg_id="a1"))
    assert isinstance(update, Receipt)
    assert update.message_ids == ("a1",)


def test_a_rating_names_its_message() -> None:
    update = only(BODIES["user_feedback"])
    assert isinstance(update, Rated)
    assert (update.rate, update.message_id, update.sender) == (5, "27930aa56df31f0dcd10", "")
    assert update.remarks == ("Nhân viên vui vẻ", "Giải quyết đúng hẹn")


def test_a_response_button_has_its_message_at_the_root() -> None:
    update = only(BODIES["user_click_response_button"])
    assert isinstance(update, ButtonPressed)
    assert (update.message_id, update.payload, update.tracking_id) == (
        "950be4f71dbf19d1ff55",
        "Đồng ý lịch hẹn",
        "lichhen-7781",
    )


def test_the_daily_quota_names_its_account_in_camel_case() -> None:
    update = only(BODIES["change_oa_daily_quota"])
    assert isinstance(update, TemplateNews)
    assert (update.account, update.details) == (OA, {"quota.prev_value": "1000", "quota.new_value": "2000"})


def test_template_news_name_the_template() -> None:
    update = only(BODIES["change_template_status"])
    assert update.subject == "312396"
    assert update.details["status.new_status"] == "REJECT"


def test_groups_are_recorded_with_group_and_words() -> None:
    update = only(BODIES["user_send_group_text"])
    assert isinstance(update, AccountNews)
    assert update.details == {
        "group_id": "g0a1b2c3d4e5f6071829",
        "message_id": "d8c778af1af25cf9e949",
        "text": "Tổ 5 mất nước từ sáng, nhờ phường kiểm tra giúp",
    }


@pytest.mark.parametrize(
    "name",
    [
        "react_request_join_group",
        "react_request_join_group_accept",
        "react_request_join_group_reject",
        "user_leave_group",
        "user_send_group",
    ],
)
def test_other_readings_of_group_names_are_accepted(name: str) -> None:
    assert isinstance(only(changed("user_out_group", event_name=name)), AccountNews)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b"{}", "no event name"),
        (b'{"event_name": 5}', "no event name"),
        (b'{"event_name": "user_teleported"}', "unknown event"),
        (changed("user_send_text", recipient=None), "no account"),
        (changed("user_send_text", sender="me"), "no sender"),
        (with_message("user_send_text", msg_id=None), "no msg_id"),
        (changed("user_send_text", message=[]), "no msg_id"),
        (changed("oa_send_text", recipient={}), "no recipient"),
        (changed("follow", follower={"id": {}}), "no follower"),
        (changed("user_withdraw", user_id=None), "no user"),
        (changed("user_submit_info", info={"name": "A"}), "no phone"),
        (with_message("user_received_message", msg_id=None), "no msg_id"),
        (with_message("user_feedback", rate="ten"), "rate is not 1 to 5"),
        (with_message("user_feedback", rate=6), "rate is not 1 to 5"),
        (changed("user_click_response_button", msg_id=None, message={}), "no msg_id"),
    ],
)
def test_odd_bodies_say_what_is_odd(raw: bytes, why: str) -> None:
    update = only(raw)
    assert isinstance(update, Unrecognised)
    assert update.why == why


def test_ids_as_numbers_are_exact() -> None:
    body = BODIES["user_send_text"].replace(b'"3333444455556666777"', b"33334444555566667777")
    assert only(body).sender == "33334444555566667777"


def test_without_a_believable_time_the_update_says_so() -> None:
    assert only(changed("user_send_text", timestamp="never")).occurred_at == UNKNOWN_TIME


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["\x00", "\ud800", "Ha\u0300 No\u0323\u0302i", "x" * 70_000, "-1", "1e999", "http://", "84"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from(sorted(READERS))


def mutated(data: Any, draw: Any) -> Any:
    """Replace, drop or rename something at a random place of a body."""
    if not isinstance(data, dict) or not data:
        return draw(JSON)
    key = draw(st.sampled_from(sorted(data)))
    match draw(st.sampled_from(["replace", "drop", "rename", "deeper", "deeper", "list"])):
        case "replace":
            return data | {key: draw(JSON)}
        case "drop":
            return {k: v for k, v in data.items() if k != key}
        case "rename":
            return {(draw(st.text(max_size=8)) if k == key else k): v for k, v in data.items()}
        case "list":
            return data | {key: [data[key], draw(JSON)]}
    return data | {key: mutated(data[key], draw)}


def assert_sound(raw: bytes) -> None:
    found = parse_event(raw)
    assert found
    for update in found:
        assert isinstance(update, updates.Update)
        assert_clean(update)


def assert_clean(value: Any) -> None:
    """No lone surrogate and no NUL may get through: PostgreSQL refuses both."""
    if isinstance(value, str):
        value.encode()
        assert "\x00" not in value
    elif isinstance(value, tuple):
        for inner in value:
            assert_clean(inner)
    elif isinstance(value, dict):
        assert_clean((*value, *value.values()))
    elif is_dataclass(value):
        assert_clean(tuple(getattr(value, field.name) for field in fields(value)))


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_mutated_payloads_never_raise(data: st.DataObject) -> None:
    body: Any = data_of(data.draw(st.sampled_from(sorted(BODIES))))
    for _ in range(data.draw(st.integers(1, 3))):
        body = mutated(body, data.draw)
    assert_sound(json.dumps(body).encode())


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(name=NAMES, body=st.dictionaries(st.sampled_from(sorted({k for n in BODIES for k in data_of(n)})), JSON))
def test_any_values_under_known_keys_never_raise(name: str, body: dict[str, Any]) -> None:
    assert_sound(json.dumps({"oa_id": OA} | body | {"event_name": name}).encode())


@given(JSON)
def test_any_json_never_raises(value: Any) -> None:
    assert_sound(json.dumps(value).encode())


@given(st.binary())
def test_any_bytes_never_raise(raw: bytes) -> None:
    assert_sound(raw)


@given(st.data())
def test_broken_bytes_inside_a_payload_never_raise(data: st.DataObject) -> None:
    body = bytearray(BODIES[data.draw(st.sampled_from(sorted(BODIES)))])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert_sound(bytes(body))
