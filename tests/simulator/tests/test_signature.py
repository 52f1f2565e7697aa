"""Webhooks are signed as the published vectors say."""

import json
from pathlib import Path

import pytest

from tests.simulator.tests.conftest import STATE, Town
from tests.simulator.webhooks import sign

VECTORS = json.loads(
    (Path(__file__).parents[2] / "payloads" / "zalo" / "signature_vectors.json").read_text(encoding="utf-8")
)["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_published_vectors_are_reproduced(vector: dict[str, str]) -> None:
    made = sign(vector["app_id"], vector["raw_body"].encode(), vector["timestamp"], vector["oa_secret_key"])
    assert made == vector["header"]


async def test_what_is_sent_is_signed_over_the_very_bytes(town: Town) -> None:
    phone = await town.simulator.phone(STATE)
    await phone.say("Đường hỏng “nặng” 🚧")
    [hook] = await town.receiver.wait_for("user_send_text")
    oa = town.simulator.provider.world.oas[STATE]
    expected = sign(oa.app_id, hook.body, hook.event["timestamp"], oa.oa_secret_key)
    assert hook.headers["x-zevent-signature"] == expected
    assert hook.headers["x-zevent-server"] == "OA OpenAPI"
    assert hook.headers["user-agent"] == "ZaloWebhook"
    assert "num_retry" not in hook.headers


async def test_any_bytes_can_be_sent_signed_right_wrong_or_not(town: Town) -> None:
    body = '{"app_id": "1111222233334444555",  "timestamp":"1"}'
    for signing in ("right", "wrong", "none"):
        await town.simulator.verbs.raw(oa_id=STATE, body=body, payload={"timestamp": "1"}, signing=signing)
    right, wrong, none = town.receiver.hooks
    assert right.body == wrong.body == none.body == body.encode()
    assert right.headers["x-zevent-signature"] != wrong.headers["x-zevent-signature"]
    assert "x-zevent-signature" not in none.headers
