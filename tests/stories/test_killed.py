"""Kill -9 between any two steps of the journey: it completes, and the citizen gets each message once."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from tests.console_client import Console
from tests.process import ServiceProcess, command, write_config
from tests.simulator.__main__ import DEFAULT_ACCOUNTS
from tests.simulator.model import Json
from tests.simulator.pictures import SCENES, scene
from tests.simulator.simulator import Phone, Simulator

OFFICIAL, HEAD = "can-bo@thanhoai.example", "truong-phong@thanhoai.example"
STATE_OA = "2222333344445555666"
PHOTO = scene(min(SCENES))
WAIT = 40
"""Seconds: a lease of a dead process has to run out on PostgreSQL only if another process lives; here none does."""


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(time_scale=60) as it:
        for account in DEFAULT_ACCOUNTS:
            await it.verbs.add_oa(**account)
        yield it


@pytest.fixture
async def service(database_url: str, simulator: Simulator, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    """Start the real service with demo data on either database; the embedded queue dies with it."""
    made = write_config(tmp_path, database_url, "embedded", simulator.url, telegram=False)
    await command(made, "demo")
    for oa in simulator.provider.world.oas.values():
        oa.webhook_url = f"{made.url}/webhooks/zalo"
    await made.start()
    yield made
    made.kill()
    await made.gone()


class Killer:
    """Kill the service when something happens in the simulated world, and start it again."""

    def __init__(self, service: ServiceProcess, simulator: Simulator) -> None:
        self.service, self.simulator = service, simulator
        self.kills = 0
        self._armed = False
        self._before = 0
        simulator.provider.world.listeners.append(self._happened)

    def _happened(self, change: Json) -> None:
        if self._armed and change["change"] == "message" and self._from_oa() > self._before:
            self._armed = False
            self.kills += 1
            self.service.kill()

    def _from_oa(self) -> int:
        return sum(m.from_oa for m in self.simulator.provider.world.messages.values())

    def when_a_message_arrives(self) -> None:
        """Kill at the very moment the provider has taken the next message, before it can answer."""
        self._before = self._from_oa()
        self._armed = True

    async def now(self) -> None:
        """Kill at once."""
        self.kills += 1
        self.service.kill()

    async def revive(self) -> None:
        """Start the service again once it has ended, for each time that it was killed."""
        while self.service.starts <= self.kills:
            await self.service.gone()
            await self.service.start()


async def told(phone: Phone, wanted: str, killer: Killer) -> str:
    """Wait for a message, starting the service again whenever it has been killed."""

    async def revive_for_ever() -> None:
        while True:
            await killer.revive()
            await asyncio.sleep(0.05)

    reviving = asyncio.create_task(revive_for_ever())
    try:
        return (await phone.wait_for(wanted, timeout=WAIT)).text
    finally:
        reviving.cancel()
        await asyncio.gather(reviving, return_exceptions=True)
        await killer.revive()


@pytest.mark.processes
@pytest.mark.timeout(400)
@pytest.mark.parametrize("moment", ["after the webhook", "as the message arrives"])
async def test_the_journey_survives_kill_9_at_every_step(
    service: ServiceProcess, simulator: Simulator, moment: str
) -> None:
    phone = await simulator.phone(STATE_OA)
    killer = Killer(service, simulator)

    async def step(act: Callable[[], Awaitable[object]], wanted: str) -> str:
        if moment == "as the message arrives":
            killer.when_a_message_arrives()
        with suppress(aiohttp.ClientError):  # the page that was killed while it answered
            await act()
        if moment == "after the webhook":
            await killer.now()
        return await told(phone, wanted, killer)

    await step(phone.follow, "Xin chào")
    await step(lambda: phone.say("phản ánh"), "về việc gì")
    await step(lambda: phone.say("#lv dien-nuoc"), "kể rõ sự việc")
    await step(lambda: phone.say("Đèn đường đầu làng hỏng ba hôm nay, tối rất nguy hiểm"), "ở đâu")
    await step(lambda: phone.say("Cạnh nhà văn hoá"), "gửi luôn")
    await step(lambda: phone.images(count=2), "2 ảnh")
    sent = await step(lambda: phone.say("gửi"), "Mã: PA-")
    found = re.search(r"PA-[2-9A-Z]{5}", sent)
    assert found
    code = found.group(0)

    async def ask() -> None:
        async with Console(service.url, OFFICIAL) as console:
            await console.do(await console.find(code), "ask", question="Đèn ở cột số mấy ạ?")

    await step(ask, "cột số mấy")
    await phone.say("Cột số 12")
    if moment == "after the webhook":
        await killer.now()
        await killer.revive()
    await told(phone, "Đã chuyển câu trả lời", killer)
    async with Console(service.url, OFFICIAL) as console, asyncio.timeout(WAIT):
        while "Cột số 12" not in await console.get(await console.find(code)):  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.1)

    async def answer() -> None:
        async with Console(service.url, OFFICIAL) as console:
            await console.do(
                await console.find(code), "answer", photo=PHOTO, text="Đã thay bóng đèn ở cột số 12 chiều nay."
            )
        async with Console(service.url, HEAD) as console:
            await console.do(await console.find(code), "approve")

    await step(answer, "Đã thay bóng đèn")
    await told(phone, "đánh giá kết quả", killer)
    await step(lambda: phone.tap(payload=f"#danhgia {code} 3"), "Cảm ơn")
    async with Console(service.url, OFFICIAL) as console:
        page = await console.get(await console.find(code))
    assert "Cột số 12" in page
    assert killer.kills >= 9
    twice = {text: n for text, n in Counter(m.text for m in phone.inbox).items() if n > 1}
    assert twice == {}, "each message once"
