"""Which webhooks are let in: the probe, signed ones by whichever key is right, and no others."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from bot.channels.channel import VerificationError
from bot.channels.zalo.webhook import verified_event
from tests.bot.channels.zalo.recorded import BODIES, OA, changed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
APP = "1111222233334444555"


def signed(body: bytes, key: str, app_id: str = APP) -> dict[str, str]:
    timestamp = str(json.loads(body).get("timestamp", ""))
    mac = hashlib.sha256(app_id.encode() + body + timestamp.encode() + key.encode()).hexdigest()
    return {"Host": "loa.example", "X-ZEvent-Signature": f"mac={mac}"}


@pytest.mark.parametrize("name", [name for name in BODIES if name != "console_probe__empty"])
def test_every_recorded_event_is_let_in_when_signed(name: str) -> None:
    body = BODIES[name]
    event = verified_event(signed(body, "k"), body, APP, "k", {}, NOW)
    assert event is not None
    assert event.event == json.loads(body)["event_name"]


@pytest.mark.parametrize("body", [b"{}", b" { } "])
def test_the_unsigned_probe_is_answered_and_forgotten(body: bytes) -> None:
    assert verified_event({}, body, APP, "k", {}, NOW) is None


def test_a_known_account_is_checked_with_its_own_key_alone() -> None:
    body = BODIES["user_send_text"]
    keys = {OA: "own", "9": "other"}
    assert verified_event(signed(body, "own"), body, APP, "default", keys, NOW)
    for wrong in ("default", "other"):
        with pytest.raises(VerificationError) as caught:
            verified_event(signed(body, wrong), body, APP, "default", keys, NOW)
        assert caught.value.reason == "bad_signature"


def test_an_unknown_account_may_be_signed_by_any_key_of_ours() -> None:
    body = BODIES["user_send_text"]
    for key in ("default", "other"):
        assert verified_event(signed(body, key), body, APP, "default", {"9": "other"}, NOW)


def test_without_any_key_nothing_is_let_in() -> None:
    body = BODIES["follow"]
    with pytest.raises(VerificationError) as caught:
        verified_event(signed(body, ""), body, APP, "", {"9": ""}, NOW)
    assert caught.value.reason == "no_key"


def test_without_signature_nothing_is_let_in() -> None:
    with pytest.raises(VerificationError) as caught:
        verified_event({"mac": "x"}, BODIES["follow"], APP, "k", {}, NOW)
    assert caught.value.reason == "no_signature"


def test_an_event_without_app_id_is_signed_for_our_app() -> None:
    body = changed("change_template_quality", app_id=None)
    assert verified_event(signed(body, "k"), body, APP, "k", {}, NOW)


def test_a_timestamp_as_number_is_signed_by_its_digits() -> None:
    body = changed("follow", timestamp=1795423057629)
    assert verified_event(signed(body, "k"), body, APP, "k", {}, NOW)


def test_a_repeat_two_hours_later_is_let_in() -> None:
    body = BODIES["user_send_text"]
    assert verified_event(signed(body, "k") | {"num_retry": "5"}, body, APP, "k", {}, NOW)


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b"null"])
def test_what_is_no_object_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        verified_event({"X-ZEvent-Signature": "mac=0"}, body, APP, "k", {}, NOW)
