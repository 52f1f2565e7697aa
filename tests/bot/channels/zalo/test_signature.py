"""Webhook signatures: Zalo's published formula, what may vary in the header, and what must be refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.zalo.signature import verify_signature

DOCUMENT = json.loads((Path(__file__).parents[3] / "payloads/zalo/signature_vectors.json").read_text("utf-8"))
VECTORS: list[dict[str, str]] = DOCUMENT["vectors"]
FIRST = VECTORS[0]


def verified(vector: dict[str, str], **changed: Any) -> bool:
    values: dict[str, Any] = {
        "app_id": vector["app_id"],
        "timestamp": vector["timestamp"],
        "body": vector["raw_body"].encode(),
        "header": vector["header"],
        "keys": [vector["oa_secret_key"]],
    }
    return verify_signature(**(values | changed))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_vector_verifies(vector: dict[str, str]) -> None:
    assert verified(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_one_changed_byte_is_refused(vector: dict[str, str]) -> None:
    body = bytearray(vector["raw_body"].encode())
    body[-2] ^= 1
    assert not verified(vector, body=bytes(body))


def test_the_same_json_written_differently_is_refused() -> None:
    assert not verified(FIRST, body=json.dumps(json.loads(FIRST["raw_body"])).encode())


@pytest.mark.parametrize("changed", [{"app_id": "1"}, {"timestamp": "1"}, {"keys": ["another"]}, {"keys": []}])
def test_another_app_time_or_key_is_refused(changed: dict[str, Any]) -> None:
    assert not verified(FIRST, **changed)


def test_blanks_and_case_in_the_header_do_not_matter() -> None:
    mac = FIRST["header"].removeprefix("mac=")
    for header in (f"mac = {mac}", f"  mac ={mac}  ", f"MAC={mac.upper()}"):
        assert verified(FIRST, header=header)


@pytest.mark.parametrize(
    "header", ["", "mac=", "mac=zz", FIRST["header"].removeprefix("mac="), FIRST["header"][:-1], FIRST["header"] + "0"]
)
def test_a_header_of_another_shape_is_refused(header: str) -> None:
    assert not verified(FIRST, header=header)


def test_the_right_key_may_stand_anywhere() -> None:
    right = FIRST["oa_secret_key"]
    for keys in ([right, "x", "y"], ["x", right, "y"], ["x", "y", right]):
        assert verified(FIRST, keys=keys)


def test_all_keys_are_tried_even_after_the_right_one() -> None:
    keys = iter([FIRST["oa_secret_key"], "x", "y"])
    assert verified(FIRST, keys=keys)
    assert next(keys, None) is None


@given(header=st.text(), app_id=st.text(), timestamp=st.text(), body=st.binary(), key=st.text())
def test_nothing_raises(header: str, app_id: str, timestamp: str, body: bytes, key: str) -> None:
    assert not verify_signature(app_id, timestamp, body, header, [key])
