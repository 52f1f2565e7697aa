"""What intake stores beside a body: account, event, key, contact, time."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.zalo.envelope import raw_event
from tests.bot.channels.zalo.recorded import BODIES, CITIZEN, OA, changed, with_message

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", [name for name in BODIES if not name.startswith("console_")])
def test_every_recorded_event_names_our_account(name: str) -> None:
    event = raw_event(BODIES[name], NOW)
    assert event.account == OA
    assert event.event == name.partition("__")[0]
    assert event.occurred_at.date() == NOW.date()


@pytest.mark.parametrize(
    ("name", "contact"),
    [
        ("user_send_text", CITIZEN),
        ("oa_send_text", CITIZEN),
        ("oa_send_text__api", CITIZEN),
        ("anonymous_send_text", "0957b95d7438e9b2dd48"),
        ("oa_send_anonymous_text", "0957b95d7438e9b2dd48"),
        ("user_received_message", CITIZEN),
        ("user_received_message__zns", "84900000001"),
        ("user_seen_message", CITIZEN),
        ("user_reacted_message", CITIZEN),
        ("oa_reacted_message", CITIZEN),
        ("follow", CITIZEN),
        ("unfollow", CITIZEN),
        ("user_click_chatnow", CITIZEN),
        ("user_submit_info", CITIZEN),
        ("user_withdraw", CITIZEN),
        ("widget_interaction_accepted", CITIZEN),
        ("user_call_oa", CITIZEN),
        ("user_send_group_text", "g0a1b2c3d4e5f6071829"),
        ("oa_send_group_text", "g0a1b2c3d4e5f6071829"),
        ("user_join_group", "g0a1b2c3d4e5f6071829"),
        ("change_template_status", ""),
        ("add_user_to_tag", ""),
        ("user_feedback", ""),
        ("extension_purchased", ""),
    ],
)
def test_events_that_belong_together_share_a_contact(name: str, contact: str) -> None:
    assert raw_event(BODIES[name], NOW).contact == contact


def test_a_message_is_keyed_by_its_id_and_event() -> None:
    assert raw_event(BODIES["user_send_text"], NOW).key == "user_send_text:e5353879bd69bfddcb46"


def test_a_message_without_usable_id_is_keyed_by_its_bytes() -> None:
    for message_id in (None, "", "x" * 5000, ["a"]):
        event, digest = raw_event(with_message("user_send_text", msg_id=message_id), NOW).key.split(":")
        assert event == "user_send_text"
        assert len(digest) == 32


def test_a_second_reaction_to_the_same_message_is_another_event() -> None:
    first = BODIES["user_reacted_message"]
    assert raw_event(first, NOW).key == raw_event(first, NOW + timedelta(hours=1)).key
    assert raw_event(with_message("user_reacted_message", react_icon="/-strong"), NOW).key != raw_event(first, NOW).key


def test_keys_of_all_recorded_events_differ() -> None:
    assert len({raw_event(body, NOW).key for body in BODIES.values()}) == len(BODIES)


@pytest.mark.parametrize("stamp", [None, "soon", "0", "99999999999999", {"a": 1}, "1895420861017"])
def test_without_a_believable_time_it_happened_now(stamp: object) -> None:
    assert raw_event(changed("user_send_text", timestamp=stamp), NOW).occurred_at == NOW


def test_seconds_and_numbers_are_tolerated_as_time() -> None:
    expected = datetime(2026, 11, 23, 8, 1, 1, tzinfo=UTC)
    for stamp in ("1795420861", 1795420861000):
        assert raw_event(changed("user_send_text", timestamp=stamp), NOW).occurred_at == expected


def test_ids_as_numbers_stay_exact() -> None:
    body = (
        b'{"event_name":"user_send_text","sender":{"id":33334444555566667777},"recipient":{"id":2222333344445555666}}'
    )
    event = raw_event(body, NOW)
    assert (event.account, event.contact) == (OA, "33334444555566667777")


def test_names_and_ids_fit_into_columns() -> None:
    event = raw_event(changed("user_send_text", event_name="é" * 3 + "x" * 1000, oa_id="y" * 1000), NOW)
    assert event.event == "x" * 64
    assert event.account == ""


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'"text"'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        raw_event(body, NOW)
