"""Every documented update becomes exactly what is meant by it, and nothing whatever raises."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.telegram.updates import UNKNOWN_TIME, parse_update
from bot.channels.telegram.webhook import KINDS
from bot.domain.update import (
    UNKNOWN_EVENT,
    AccountNews,
    Attachment,
    AttachmentKind,
    ButtonPressed,
    Followed,
    MessageReceived,
    PhoneShared,
    Unfollowed,
    Unrecognised,
    Update,
)

FOLDER = Path(__file__).parents[3] / "payloads" / "telegram"
FILES = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.json"))}
AN = "5000000001"
GROUP = "-1002000000001"
WRITTEN = datetime.fromtimestamp(1795420861, UTC)
PICTURE = Attachment(AttachmentKind.IMAGE, url="telegram:AgACAgUAAxkBAAIBlarge", size=180544)

EXPECTED: dict[str, type[Any]] = {
    "contact_own": PhoneShared,
    **dict.fromkeys(("callback", "callback_old", "callback_group", "callback_inline"), ButtonPressed),
    "blocked": Unfollowed,
    "unblocked": Followed,
    **dict.fromkeys(
        (
            "joined_group", "left_group", "made_admin", "joined_channel", "migrated_to", "migrated_from",
            "group_anonymous_admin", "group_new_members", "group_title", "group_unknown_content",
        ),
        AccountNews,
    ),
    **dict.fromkeys(("channel_post", "inline_query", "new_kind", "odd_shape"), Unrecognised),
}  # fmt: skip


def read(name: str) -> Update:
    (update,) = parse_update(FILES[name])
    return update


def message(name: str) -> MessageReceived:
    update = read(name)
    assert isinstance(update, MessageReceived)
    return update


def attached(name: str) -> Attachment:
    (one,) = message(name).attachments
    return one


@pytest.mark.parametrize("name", FILES)
def test_the_payload_becomes_its_update(name: str) -> None:
    update = read(name)
    assert type(update) is EXPECTED.get(name, MessageReceived)
    assert update.external_id == str(json.loads(FILES[name])["update_id"])


def test_words_are_kept_as_they_were_typed() -> None:
    update = message("text")
    assert update.text == "Đường thôn Kim Lâm <b>ngập</b> *quá* 🌊"
    assert (update.sender, update.chat, update.occurred_at) == (AN, "", WRITTEN)
    assert update.message_id == f"{AN}:41"


def test_photos_of_an_album_belong_together_and_the_largest_is_taken() -> None:
    first, second, alone = message("album_first"), message("album_second"), message("photo")
    assert first.album == second.album == "13370000000000001"
    assert alone.album == ""
    assert first.attachments == second.attachments == (PICTURE,)
    assert (first.text, second.text) == ("Hai ảnh", "")


@pytest.mark.parametrize(
    ("name", "kind", "reference", "called"),
    [
        ("video", AttachmentKind.VIDEO, "telegram:BAACAgUvideo", "ngap.mp4"),
        ("video_note", AttachmentKind.VIDEO, "telegram:DQACAgUnote", None),
        ("voice", AttachmentKind.AUDIO, "telegram:AwACAgUvoice", None),
        ("audio", AttachmentKind.AUDIO, "telegram:CQACAgUaudio", "loa.mp3"),
        ("document", AttachmentKind.FILE, "telegram:BQACAgUdoc", "Đơn đề nghị.pdf"),
        ("document_picture", AttachmentKind.IMAGE, "telegram:BQACAgUpic", "IMG_1.JPG"),
        ("document_huge", AttachmentKind.FILE, "telegram:BQACAgUhuge", "phim.zip"),
        ("animation", AttachmentKind.VIDEO, "telegram:CgACAgUgif", "a.mp4"),
    ],
)
def test_files_are_references(name: str, kind: AttachmentKind, reference: str, called: str | None) -> None:
    one = attached(name)
    assert (one.kind, one.url, one.name) == (kind, reference, called)


def test_places_stickers_and_cards_are_described() -> None:
    for name in ("location", "location_live"):
        assert (attached(name).latitude, attached(name).longitude) == (20.853611, 105.768333)
    assert attached("venue").description == "Chợ Kim Bài\nThanh Oai, Hà Nội"
    assert attached("sticker") == Attachment(AttachmentKind.STICKER, description="👍")
    assert attached("contact_other").description == "+84987654321"
    assert attached("contact_stranger").name == "Bác trưởng thôn"
    for name, kind in (("dice", "dice"), ("poll", "poll"), ("unknown_content", "unknown")):
        assert attached(name) == Attachment(AttachmentKind.TEMPLATE, description=kind)


def test_only_ones_own_phone_is_a_phone_shared() -> None:
    update = read("contact_own")
    assert isinstance(update, PhoneShared)
    assert (update.phone, update.name, update.sender) == ("84912345678", "Nguyễn Văn An", AN)


def test_a_reply_names_what_it_answers() -> None:
    assert message("reply").quotes == f"{AN}:31"
    replied = json.loads(FILES["group_reply"])["message"]["reply_to_message"]
    assert message("group_reply").quotes == f"{GROUP}:{replied['message_id']}"
    assert message("group_topic").quotes is None


def test_an_edited_message_says_so() -> None:
    assert message("edited_text").edited
    assert message("edited_caption").attachments == (PICTURE,)
    assert not message("text").edited


def test_taps_carry_what_is_to_be_answered() -> None:
    update = read("callback")
    assert isinstance(update, ButtonPressed)
    assert (update.payload, update.tap_id, update.sender) == ("#phananh", "4382bfdwdsb323b2d9", AN)
    assert update.message_id.startswith(f"{AN}:")
    assert update.occurred_at == UNKNOWN_TIME
    old, inline, group = read("callback_old"), read("callback_inline"), read("callback_group")
    assert isinstance(old, ButtonPressed)
    assert isinstance(inline, ButtonPressed)
    assert isinstance(group, ButtonPressed)
    assert (old.message_id, inline.message_id) == (f"{AN}:12", "")
    assert (group.chat, group.sender) == (GROUP, AN)


def test_groups_are_told_apart() -> None:
    update = message("group_text")
    assert (update.chat, update.sender, update.text) == (GROUP, AN, "/viec hôm nay")
    joined, left = read("joined_group"), read("left_group")
    assert isinstance(joined, AccountNews)
    assert isinstance(left, AccountNews)
    assert (joined.what, joined.chat, joined.details) == (
        "joined_group", "-4000000001", {"title": "Tổ xử lý *phản ánh*"},
    )  # fmt: skip
    assert left.what == "left_group"
    for name in ("migrated_to", "migrated_from"):
        moved = read(name)
        assert isinstance(moved, AccountNews)
        assert (moved.what, moved.details) == ("group_migrated", {"from": "-4000000001", "to": GROUP})


@pytest.mark.parametrize(
    ("text", "changed", "what"),
    [
        ("/start@loa_bot LK-AB12CD34", {}, "anonymous_command"),
        ("/viec", {}, "anonymous_command"),
        ("Thông báo", {}, "message_of_nobody"),
        ("/viec", {"sender_chat": {"id": -1009, "title": "Kênh nối với nhóm", "type": "channel"}}, "message_of_nobody"),
        ("/viec", {"sender_chat": None}, "message_of_nobody"),
    ],
)
def test_of_an_administrator_who_writes_as_the_group_only_commands_are_read(
    text: str, changed: dict[str, Any], what: str
) -> None:
    data = json.loads(FILES["group_anonymous_admin"])
    data["message"] |= {"text": text, **changed}
    (update,) = parse_update(json.dumps(data).encode())
    assert isinstance(update, AccountNews)
    told = {"text": text.replace("@loa_bot", "")} if what == "anonymous_command" else {}
    assert (update.what, update.sender, update.chat, update.details) == (what, "", GROUP, told)


def test_what_nobody_asked_for_is_no_error_and_what_is_odd_is_named() -> None:
    for name in ("channel_post", "inline_query", "new_kind"):
        update = read(name)
        assert isinstance(update, Unrecognised)
        assert update.why == UNKNOWN_EVENT
    odd = read("odd_shape")
    assert isinstance(odd, Unrecognised)
    assert odd.why.startswith("message.message_id")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"update_id": 1}', b'{"update_id": true, "message": {}}',
        b'{"message": {"text": "x"}}', b'{"update_id": 99999999999999999999999, "message": {}}',
        b'{"update_id": 1, "message": NaN}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_update_is_kept(raw: bytes) -> None:
    (update,) = parse_update(raw)
    assert isinstance(update, Unrecognised)
    assert update.external_id


def test_one_odd_part_does_not_cost_the_words_beside_it() -> None:
    data = json.loads(FILES["reply"])
    data["message"] |= {"reply_to_message": {"message_id": "x"}, "entities": "none", "via_bot": 7}
    (update,) = parse_update(json.dumps(data).encode())
    assert isinstance(update, MessageReceived)
    assert (update.text, update.quotes) == ("Vẫn chưa ai đến", None)


def test_broken_characters_do_not_lose_a_message() -> None:
    raw = FILES["text"].replace("Đường".encode(), b"\\ud83d Duong")
    (update,) = parse_update(raw)
    assert isinstance(update, MessageReceived)
    assert "Duong thôn" in update.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KNOWN = [json.loads(raw) for raw in FILES.values()]
FIELDS = sorted({field for data in KNOWN for kind in KINDS for field in data.get(kind, {})})


def check(raw: bytes) -> None:
    (update,) = parse_update(raw)
    assert update.external_id


@given(st.binary())
def test_any_bytes_are_an_update(raw: bytes) -> None:
    check(raw)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine makes inputs slowly: no fault of the parser
@given(st.dictionaries(st.sampled_from(["update_id", *KINDS, "x"]), JSON))
def test_any_object_is_an_update(data: dict[str, Any]) -> None:
    check(json.dumps(data).encode())


@settings(max_examples=300)
@given(st.sampled_from(KNOWN), st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3))
def test_a_known_update_with_any_field_replaced_is_an_update(
    data: dict[str, Any], kind: str, change: dict[str, Any]
) -> None:
    content = data.get(kind, {})
    check(json.dumps({**data, kind: {**content, **change}}).encode())


@given(st.sampled_from(KNOWN), st.data())
def test_a_known_update_with_anything_missing_is_an_update(data: dict[str, Any], chooses: st.DataObject) -> None:
    def without(value: Any) -> Any:
        if not isinstance(value, dict) or not value:
            return value
        name = chooses.draw(st.sampled_from(sorted(value)))
        if chooses.draw(st.booleans()):
            return {k: v for k, v in value.items() if k != name}
        return {**value, name: without(value[name])}

    check(json.dumps(without(data)).encode())
