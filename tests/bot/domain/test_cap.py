"""Tests of reading warnings in the Common Alerting Protocol."""

import contextlib
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain import cap as module
from bot.domain.cap import MAX_BYTES, MAX_DRAFT, CapWarning, read_cap, remarks_of
from bot.domain.cap_elements import NAMESPACE
from bot.errors import InvalidInputError
from bot.starting_points import warning_words

ALERT = {
    "identifier": "TEST.2027.0001",
    "sender": "canhbao@khituong.example",
    "sent": "2027-02-05T13:00:00+07:00",
    "status": "Actual",
    "msgType": "Alert",
    "scope": "Public",
}
INFO = {
    "language": "vi-VN",
    "category": "Met",
    "event": "Bão số 1",
    "urgency": "Expected",
    "severity": "Severe",
    "certainty": "Likely",
    "effective": "2027-02-05T13:00:00+07:00",
    "onset": "2027-02-05T20:00:00+07:00",
    "expires": "2027-02-06T12:00:00+07:00",
    "senderName": "Đài Khí tượng Thủy văn",
    "headline": "Bão số 1 đi vào đất liền đêm nay",
    "description": "Gió cấp 9, giật cấp 11. Mưa 150-250 mm.",
    "instruction": "Không ra khỏi nhà khi gió mạnh.",
    "web": "https://khituong.example/bao-1",
}


def elements(fields: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items() if value)


def info(areas: tuple[str, ...] = ("Xã Thanh Oai", "Xã Bình Minh"), **changes: str) -> str:
    area = "".join(f"<area><areaDesc>{escape(name)}</areaDesc></area>" for name in areas)
    return f"<info>{elements({**INFO, **changes})}{area}</info>"


def cap(*blocks: str, namespace: str = NAMESPACE, before: str = "", **changes: str) -> bytes:
    body = elements({**ALERT, **changes}) + "".join(blocks or (info(),))
    return f'<?xml version="1.0" encoding="UTF-8"?>{before}<alert xmlns="{namespace}">{body}</alert>'.encode()


def draft_of(warning: CapWarning) -> tuple[str, str]:
    return module.draft_of(warning, warning_words())


def refused(data: bytes) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        read_cap(data)
    assert caught.value.field == "file"
    return caught.value


def test_a_warning_is_read() -> None:
    assert read_cap(cap(references="a@x,1,2027-02-04T13:00:00+07:00 a@x,2,2027-02-04T14:00:00+07:00")) == CapWarning(
        identifier="TEST.2027.0001",
        sender="canhbao@khituong.example",
        sent=datetime(2027, 2, 5, 6, tzinfo=UTC),
        status="Actual",
        message_type="Alert",
        scope="Public",
        references=("a@x,1,2027-02-04T13:00:00+07:00", "a@x,2,2027-02-04T14:00:00+07:00"),
        language="vi-VN",
        event="Bão số 1",
        urgency="Expected",
        severity="Severe",
        certainty="Likely",
        sender_name="Đài Khí tượng Thủy văn",
        headline="Bão số 1 đi vào đất liền đêm nay",
        description="Gió cấp 9, giật cấp 11. Mưa 150-250 mm.",
        instruction="Không ra khỏi nhà khi gió mạnh.",
        web="https://khituong.example/bao-1",
        effective=datetime(2027, 2, 5, 6, tzinfo=UTC),
        onset=datetime(2027, 2, 5, 13, tzinfo=UTC),
        expires=datetime(2027, 2, 6, 5, tzinfo=UTC),
        areas=("Xã Thanh Oai", "Xã Bình Minh"),
    )


def test_the_draft_says_what_where_when_and_what_to_do() -> None:
    title, text = draft_of(read_cap(cap()))
    assert title == "Bão số 1 đi vào đất liền đêm nay"
    assert text.splitlines() == [
        "Bão số 1 (mức độ nghiêm trọng)",
        "Khu vực: Xã Thanh Oai; Xã Bình Minh",
        "Thời gian: từ 20:00 ngày 05/02/2027 đến 12:00 ngày 06/02/2027",
        "Gió cấp 9, giật cấp 11. Mưa 150-250 mm.",
        "Cần làm: Không ra khỏi nhà khi gió mạnh.",
        "Nguồn: Đài Khí tượng Thủy văn, phát lúc 13:00 ngày 05/02/2027",
        "https://khituong.example/bao-1",
    ]


def test_vietnamese_is_chosen_wherever_it_stands() -> None:
    english = info(language="en-US", event="Storm", headline="Storm tonight")
    assert read_cap(cap(english, info())).event == "Bão số 1"
    assert read_cap(cap(english, info(language="VI"))).event == "Bão số 1"
    other = read_cap(cap(english, info(language="fr")))
    assert (other.event, other.remarks(other.sent)) == ("Storm", ["not_vietnamese"])
    assert read_cap(cap(info(language=""))).language == "en-US"


@pytest.mark.parametrize(
    ("changes", "title", "line", "remarks"),
    [
        ({"status": "Test"}, "[THỬ NGHIỆM] Bão", "Đây là tin thử nghiệm, không phải", ["test"]),
        ({"status": "Exercise"}, "[DIỄN TẬP] Bão", "Đây là tin diễn tập, không phải", ["exercise"]),
        ({"status": "Draft"}, "[BẢN NHÁP] Bão", "Tin gốc mới là bản nháp", ["draft"]),
        ({"status": "System"}, "[THỬ NGHIỆM] Bão", "Đây là tin kiểm tra hệ thống", ["system"]),
        ({"msgType": "Update"}, "Cập nhật: Bão", "Tin này thay cho cảnh báo", ["update"]),
        ({"msgType": "Cancel"}, "Hủy cảnh báo: Bão", "Cảnh báo đã phát trước đó được hủy", ["cancel"]),
        ({"scope": "Restricted"}, "Bão", "Bão số 1", ["not_public"]),
    ],
)
def test_what_is_no_plain_warning_says_so(changes: dict[str, str], title: str, line: str, remarks: list[str]) -> None:
    warning = read_cap(cap(**changes))
    drafted = draft_of(warning)
    assert drafted[0].startswith(title)
    assert drafted[1].startswith(line)
    assert warning.remarks(warning.sent) == remarks


def test_a_cancellation_may_say_nothing_but_that() -> None:
    body = elements({**ALERT, "msgType": "Cancel", "note": "Bão đã tan"})
    warning = read_cap(f'<alert xmlns="{NAMESPACE}">{body}</alert>'.encode())
    assert draft_of(warning) == (
        "Hủy cảnh báo: Bão đã tan",
        "Cảnh báo đã phát trước đó được hủy.\nNguồn: canhbao@khituong.example, phát lúc 13:00 ngày 05/02/2027",
    )
    assert warning.kind == "notice"


def test_a_cancelled_warning_tells_nobody_what_to_do() -> None:
    _, text = draft_of(read_cap(cap(msgType="Cancel")))
    assert "Cần làm" not in text
    assert "Thời gian" not in text


@pytest.mark.parametrize(
    ("alert", "block", "kind"),
    [
        ({}, {}, "emergency"),
        ({}, {"urgency": "Immediate", "severity": "Extreme"}, "emergency"),
        ({}, {"urgency": "Future"}, "notice"),
        ({}, {"severity": "Moderate"}, "notice"),
        ({"status": "Exercise"}, {}, "notice"),
        ({"status": "Test"}, {}, "notice"),
        ({"msgType": "Cancel"}, {}, "notice"),
        ({"msgType": "Update"}, {}, "emergency"),
    ],
)
def test_only_what_is_real_near_and_severe_is_an_emergency(
    alert: dict[str, str], block: dict[str, Any], kind: str
) -> None:
    assert read_cap(cap(info(**block), **alert)).kind == kind


def test_a_warning_that_is_over_says_so() -> None:
    warning = read_cap(cap())
    assert warning.expires is not None
    assert warning.remarks(warning.expires) == ["expired"]


def test_what_is_kept_of_a_warning_says_at_any_time_what_is_to_be_looked_at() -> None:
    warning = read_cap(cap(scope="Private", msgType="Update"))
    assert warning.expires is not None
    kept = warning.to_json()
    assert remarks_of(kept, warning.sent) == ["update", "not_public"]
    assert remarks_of(kept, warning.expires) == ["update", "not_public", "expired"]
    assert remarks_of({}, warning.expires) == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-02-05T06:00:00-00:00", datetime(2027, 2, 5, 6, tzinfo=UTC)),
        ("2027-02-05T06:00:00Z", datetime(2027, 2, 5, 6, tzinfo=UTC)),
        ("2027-02-04T23:30:00-05:30", datetime(2027, 2, 5, 5, tzinfo=UTC)),
    ],
)
def test_times_have_any_zone(text: str, moment: datetime) -> None:
    assert read_cap(cap(sent=text)).sent == moment


@pytest.mark.parametrize(
    ("data", "code", "details"),
    [
        (b"", "not_cap", {}),
        (b"PK\x03\x04", "not_cap", {}),
        (b"<rss/>", "not_cap", {}),
        (b"<alert/>", "not_cap", {}),
        (b'<?xml version="1.0" encoding="no-such"?><alert/>', "not_cap", {}),
        (b'<?xml version="1.0" encoding="utf-7"?><alert/>', "not_cap", {}),
        (cap(namespace="urn:oasis:names:tc:emergency:cap:1.1"), "cap_version", {"version": "1.1"}),
        (cap(namespace="http://www.incident.com/cap/1.0"), "cap_version", {"version": "1.0"}),
        (cap()[:-20], "cap_broken", {"line": 1}),
        (cap(before="<!DOCTYPE alert>"), "cap_dtd", {}),
        (b" " * (MAX_BYTES + 1), "cap_too_large", {"most": 1}),
        (cap(sender="", scope=""), "cap_missing", {"fields": "sender, scope"}),
        (cap(info(event="", category="")), "cap_missing", {"fields": "category, event"}),
        (cap(info(areas=("",))), "cap_missing", {"fields": "areaDesc"}),
        (cap(" "), "cap_missing", {"fields": "info"}),
        (cap(status="Real"), "cap_value", {"name": "status", "value": "Real"}),
        (cap(info(severity="Bad")), "cap_value", {"name": "severity", "value": "Bad"}),
        (cap(sent="2027-02-05T13:00:00"), "cap_value", {"name": "sent", "value": "2027-02-05T13:00:00"}),
        (cap(info(expires="tomorrow")), "cap_value", {"name": "expires", "value": "tomorrow"}),
        (cap(sent="0001-01-01T00:00:00+14:00"), "cap_value", {"name": "sent", "value": "0001-01-01T00:00:00+14:00"}),
        (cap(msgType="Ack"), "cap_no_warning", {}),
        (cap(msgType="Error"), "cap_no_warning", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named(data: bytes, code: str, details: dict[str, object]) -> None:
    error = refused(data)
    assert error.code == code
    assert details.items() <= error.details.items()


def test_entities_do_not_multiply() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    bomb = cap(info(event="x"), before=f"<!DOCTYPE alert [{laughs}]>").replace(b"<event>x", b"<event>&l9;")
    assert refused(bomb).code == "cap_dtd"
    outside = '<!DOCTYPE alert [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    assert refused(cap(before=outside)).code == "cap_dtd"


def test_deep_and_crowded_files_are_refused() -> None:
    assert refused(cap("<info>" * 50 + "</info>" * 50)).code == "not_cap"
    assert refused(cap("<info/>" * 30_000)).code == "not_cap"


def test_what_others_put_into_an_alert_is_passed_over() -> None:
    signature = '<s:Signature xmlns:s="http://www.w3.org/2000/09/xmldsig#"><s:sender>x</s:sender></s:Signature>'
    foreign = '<x:info xmlns:x="urn:x"><event>y</event></x:info>'
    assert read_cap(cap(signature, foreign, info())).event == "Bão số 1"


def test_words_cannot_name_merge_fields() -> None:
    title, text = draft_of(read_cap(cap(info(headline="{{Tên}}", description="{{{Số tiền}}} ở đây"))))
    assert title == "{Tên}"
    assert "{Số tiền} ở đây" in text
    assert "{{" not in text


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=600)


@given(
    WORDS, WORDS, WORDS, st.lists(WORDS.filter(lambda w: w.strip()), max_size=12), WORDS,
    st.sampled_from(["Actual", "Test", "Exercise", "Draft", "System"]), st.sampled_from(["Alert", "Update", "Cancel"]),
)  # fmt: skip
@example("b " * 300, "d " * 300, "i " * 300, ["a " * 300], "s " * 300, "Draft", "Update")
def test_every_draft_fits(
    headline: str, description: str, instruction: str, areas: list[str], source: str, status: str, kind: str
) -> None:
    warning = CapWarning(
        "1", source or "x", datetime(2027, 2, 5, tzinfo=UTC), status, kind, "Public",
        headline=headline, event=headline or "x", description=description, instruction=instruction, severity="Extreme",
        areas=tuple(areas), sender_name=source, web="https://x.example/" + "a" * 60,
        expires=datetime(2027, 2, 6, tzinfo=UTC),
    )  # fmt: skip
    title, text = draft_of(warning)
    assert len(title) <= 100
    assert len(text) <= MAX_DRAFT
    assert "Nguồn: " in text
    assert "{{" not in title + text


@given(st.binary(max_size=300))
def test_any_bytes_are_a_warning_or_a_named_mistake(data: bytes) -> None:
    refused(data)


@given(st.data())
def test_a_cut_or_changed_file_is_read_or_named(data: st.DataObject) -> None:
    whole = bytearray(cap())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidInputError):
        read_cap(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
