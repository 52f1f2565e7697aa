"""The control API: verbs, views, the stream of changes, and what is refused."""

import asyncio
import json

import pytest

from tests.simulator.faults import KINDS
from tests.simulator.tests.conftest import STATE, Town


async def test_a_verb_and_a_view_over_http(town: Town) -> None:
    status, person = await town.control("do/phone", {"name": "Công dân Thử Nghiệm D"})
    assert (status, person["name"]) == (200, "Công dân Thử Nghiệm D")
    ids = {"oa_id": STATE, "user_id": person["user_id"]}
    status, sent = await town.control("do/text", ids | {"text": "alo"})
    assert (status, sent["delivery"]["status"]) == (200, 200)
    _, history = await town.control(f"get/history?oa_id={STATE}&user_id={person['user_id']}")
    assert [(message["from"], message["text"]) for message in history] == [("user", "alo")]
    _, deliveries = await town.control("get/deliveries?last=1")
    assert deliveries[0]["event_name"] == "user_send_text"
    assert (await town.control("get/state"))[1]["people"] == [person | {"online": True}]


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("dance", {}, "no verb dance"),
        ("_parties", {"oa_id": "1", "user_id": "2"}, "no verb _parties"),
        ("provider", {}, "no verb provider"),
        ("text", {"oa_id": STATE, "user_id": "1", "text": "a"}, "no phone 1"),
        ("probe", {"oa_id": "1"}, "no OA 1"),
        ("probe", {"oa": STATE}, "unexpected keyword"),
        ("probe", [STATE], "object"),
        ("set_oa", {"oa_id": STATE, "is_state": False}, "unknown OA setting is_state"),
        ("add_oa", {"oa_id": "1", "name": "x", "type": "moon"}, "state or business"),
        ("add_oa", {"oa_id": "1", "name": "x", "colour": "red"}, "unknown OA setting colour"),
        ("add_template", {"oa_id": STATE, "template_id": "1"}, "missing"),
        ("fault", {"kind": "weather"}, "unknown fault"),
    ],
)
async def test_what_cannot_be_done_is_answered_with_400(town: Town, name: str, body: object, sentence: str) -> None:
    status, answer = await town.control(f"do/{name}", body)
    assert status == 400
    assert sentence in answer["error"]


async def test_a_view_cannot_act(town: Town) -> None:
    status, answer = await town.control("get/reset")
    assert (status, answer["error"]) == (400, "reset is carried out by POST /sim/do/reset")
    assert town.simulator.provider.world.oas


async def test_a_body_that_is_no_json(town: Town) -> None:
    async with town.http.post(f"{town.simulator.url}/sim/do/phone", data=b"{") as answer:
        assert answer.status == 400


async def test_the_faults_are_listed_with_what_they_do(town: Town) -> None:
    assert (await town.control("faults"))[1] == KINDS
    assert (await town.control("health"))[1] == {"status": "ok"}


async def test_changes_are_streamed(town: Town) -> None:
    phone = await town.simulator.phone(STATE)
    async with asyncio.timeout(10), town.http.get(f"{town.simulator.url}/sim/events") as stream:
        assert stream.content_type == "text/event-stream"
        await phone.say("alo")
        async for line in stream.content:
            if line.startswith(b"data: "):
                break
    assert json.loads(line[6:]) == {"change": "message", "oa_id": STATE, "user_id": phone.user_id}


async def test_calls_are_noted_with_their_outcome(town: Town) -> None:
    phone = await town.simulator.phone(STATE)
    await phone.say("alo")
    await town.send(phone, "Đã nhận")
    await town.send(phone, "")
    refused, accepted = town.simulator.verbs.calls(last=2)
    assert (accepted["error"], accepted["delivered"], accepted["user_id"]) == (0, True, phone.user_id)
    assert (refused["error"], refused["delivered"]) == (-201, False)
    counts = town.simulator.verbs.counts()
    assert counts["sends"][STATE][phone.user_id] == 2
    assert counts["delivered"][STATE][phone.user_id] == 1


async def test_reset_forgets_everything(town: Town) -> None:
    await (await town.simulator.phone(STATE)).say("alo")
    await town.simulator.fault("slow")
    await town.simulator.verbs.advance(seconds=1000)
    assert (await town.control("do/reset", {}))[0] == 200
    state = town.simulator.verbs.state()
    assert (state["oas"], state["people"], state["ties"], state["faults"]) == ([], [], [], [])
    assert town.simulator.provider.clock.offset_s == 0
    assert town.simulator.verbs.deliveries() == []


async def test_an_account_can_bring_its_templates(town: Town) -> None:
    template = {"template_id": "1", "name": "n", "text": "t"}
    await town.control("do/add_oa", {"oa_id": "5", "name": "x", "type": "state", "templates": [template]})
    assert town.simulator.provider.world.oas["5"].templates["1"].text == "t"
