"""The state file: everything survives a restart, also repeats that wait and tokens that were rotated."""

from pathlib import Path

import aiohttp

from tests.simulator.simulator import Simulator
from tests.simulator.tests.conftest import BUSINESS, STATE, Town
from tests.simulator.tests.receiver import Receiver


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    async with Receiver() as receiver, aiohttp.ClientSession() as http:
        async with Simulator(state=path) as first:
            await first.add_oa(STATE, "OA", "state", webhook_url=receiver.url)
            await first.verbs.add_template(oa_id=STATE, template_id="1", name="n", text="t")
            town = Town(first, receiver, http)
            phone = await first.phone(STATE, user_id="3333444455556660001")
            await phone.follow()
            await phone.say("alo")
            [photo] = await phone.images(data=["iVBORw0KGgo="])
            await town.send(phone, "Đã nhận")
            await receiver.wait_for("user_received_message")
            await town.refresh(STATE)
            await first.verbs.advance(seconds=3600)
            before, history = first.verbs.state(), phone.history()
        async with Simulator(state=path) as second:
            after = second.verbs.state()
            assert {key: after[key] for key in ("oas", "people", "ties")} == {
                key: before[key] for key in ("oas", "people", "ties")
            }
            assert second.verbs.history(oa_id=STATE, user_id=phone.user_id) == history
            assert after["now_ms"] - before["now_ms"] < 60_000
            assert photo["msg_id"] in {message["msg_id"] for message in history}
            name = next(m["images"][0] for m in history if m["images"]).rpartition("/")[2]
            async with http.get(f"{second.url}/media/{name}") as answer:
                assert await answer.read() == b"\x89PNG\r\n\x1a\n"
            assert (await Town(second, receiver, http).ask(STATE, "/v2.0/oa/getoa"))["error"] == 0


async def test_a_waiting_repeat_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    async with Receiver() as receiver:
        receiver.answer = lambda _hook: 503
        async with Simulator(state=path) as first:
            await first.add_oa(BUSINESS, "OA", "business", webhook_url=receiver.url)
            await (await first.phone(BUSINESS)).say("alo")
        receiver.answer = lambda _hook: 200
        async with Simulator(state=path) as second:
            await second.verbs.advance(seconds=31)
            hooks = await receiver.wait_for("user_send_text", 2)
    assert [hook.headers.get("num_retry") for hook in hooks] == [None, "1"]
    assert hooks[0].body == hooks[1].body


async def test_rotated_tokens_are_on_the_disk_before_the_answer(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    async with Receiver() as receiver, aiohttp.ClientSession() as http, Simulator(state=path) as simulator:
        await simulator.add_oa(STATE, "OA", "state", webhook_url=receiver.url)
        fresh = await Town(simulator, receiver, http).refresh(STATE)
        assert fresh["refresh_token"] in path.read_text(encoding="utf-8")
