"""Who makes the load: citizens who write, tap and send photos, and officials who answer from the console."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import aiohttp
from sqlmodel import col, select

from bot.queue import QUEUE_ERRORS
from bot.store.cases import CaseRow
from bot.store.database import DATABASE_ERRORS, Database
from tests.chaos.cluster import Cluster
from tests.chaos.town import ACCOUNTS, BOT, PASSWORD, Oa
from tests.console_client import Console
from tests.simulator.simulator import Phone, Simulator
from tests.simulator.telegram.phone import TelegramPhone

PATIENCE = 1.0
"""Seconds that a citizen waits for the bot before going on anyway."""
TOPICS = ("Đèn đường", "Đường dây điện", "Cột điện", "Đèn đường ngõ")
QUESTIONS = ("thủ tục khai sinh cần gì", "mấy giờ thì làm việc", "hồ sơ của tôi đến đâu rồi")
FAILURES = (aiohttp.ClientError, AssertionError, *QUEUE_ERRORS, *DATABASE_ERRORS)
"""What people meet while things are broken; they try again."""


@dataclass
class Citizen:
    """One phone and a will of its own; every text carries a number that no other text has."""

    phone: Phone | TelegramPhone
    rng: random.Random
    numbers: "itertools.count[int]"

    async def live(self) -> None:
        """Do one of the things that citizens do."""
        await asyncio.sleep(self.rng.random())
        await self.phone.follow()
        deeds: Sequence[Callable[[], Awaitable[None]]] = (
            self.report, self.report, self.chat, self.chat_at_once, self.show, self.tap,
        )  # fmt: skip
        await self.rng.choice(deeds)()

    async def report(self) -> None:
        """Report something step by step, waiting for the bot in between, and look at the answers."""
        words = f"{self.rng.choice(TOPICS)} ở nhà số {next(self.numbers)} hỏng ba hôm nay, rất tối"
        for text in ("phản ánh", "#lv dien-nuoc", words, "bỏ qua", "xong", "gửi"):
            await self._say_and_wait(text)
        if isinstance(self.phone, Phone):  # nobody tells a bot what was seen
            await self.phone.seen()

    async def _say_and_wait(self, text: str) -> None:
        before = len(self.phone.inbox)
        await self.phone.say(text)
        try:
            await self.phone.simulator.wait(lambda: len(self.phone.inbox) > before, PATIENCE)
        except TimeoutError:
            return

    async def chat(self) -> None:
        """Ask several things, one after the other."""
        for _ in range(self.rng.randint(3, 6)):
            await self.phone.say(f"{self.rng.choice(QUESTIONS)} {next(self.numbers)}?")
            await asyncio.sleep(self.rng.random() * 0.3)

    async def chat_at_once(self) -> None:
        """Write faster than the network: all at the same time."""
        await asyncio.gather(*(self.phone.say(f"Alo số {next(self.numbers)}") for _ in range(self.rng.randint(2, 5))))

    async def show(self) -> None:
        """Send photos and words together."""
        words = f"Rác ở ngõ số {next(self.numbers)} hôi thối quá"
        await asyncio.gather(self.phone.images(count=self.rng.randint(1, 4)), self.phone.say(words))
        await self._say_and_wait("gửi")
        await self._say_and_wait("gửi")

    async def tap(self) -> None:
        """Tap through the menu; on Telegram a tap needs a button that is there."""
        if isinstance(self.phone, TelegramPhone):
            for _ in range(3):
                shown = [it for message in self.phone.inbox for it in message.buttons if "callback_data" in it]
                if shown:
                    await self.phone.tap(self.rng.choice(shown)["callback_data"])
                await asyncio.sleep(self.rng.random() * 0.5)
            return
        for payload in self.rng.sample(("menu", "phản ánh của tôi", "liên hệ", "tra cứu", "hủy"), 3):
            await self.phone.tap(payload=payload)
            await asyncio.sleep(self.rng.random() * 0.2)


@dataclass
class Crowd:
    """Makes citizens; numbers go on over all rounds."""

    simulator: Simulator
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def gather(self, rng: random.Random, size: int) -> None:
        """Let so many new citizens live, spread over all accounts."""
        citizens = [
            Citizen(await self._phone(rng.choice(ACCOUNTS)), random.Random(rng.random()), self.numbers)
            for _ in range(size)
        ]
        await asyncio.gather(*(c.live() for c in citizens))

    async def _phone(self, oa: Oa) -> Phone | TelegramPhone:
        if oa is BOT:
            return await self.simulator.telegram_phone(oa.oa_id)
        return await self.simulator.phone(oa.oa_id)


@dataclass
class Office:
    """An official and a head who work off what comes in, at whichever web process they reach."""

    cluster: Cluster
    database: Database
    rng: random.Random
    consoles: dict[str, Console] = field(default_factory=dict)

    async def work(self) -> None:
        """Answer and approve until cancelled."""
        while True:
            await asyncio.sleep(0.2 + self.rng.random() * 0.3)
            await self.one_deed()

    async def one_deed(self) -> None:
        """Take the oldest case on which something can be done; what fails is seen again later."""
        with contextlib.suppress(*FAILURES):
            await self._work_off()

    async def _work_off(self) -> None:
        async with self.database.reading() as session:
            waiting = col(CaseRow.state).in_(("assigned", "in_progress", "drafted"))
            query = select(CaseRow.id, CaseRow.code, CaseRow.state).where(waiting, CaseRow.unit_id == "economy")
            found = (await session.exec(query.order_by(col(CaseRow.updated_at)).limit(1))).first()
        if found is None:
            return
        case_id, code, state = found
        if state == "drafted":
            await (await self._console("head")).do(f"/cases/{case_id}", "approve")
        else:
            words = f"Đã kiểm tra và sửa xong theo phản ánh {code}, xin cảm ơn."
            await (await self._console("official")).do(f"/cases/{case_id}", "answer", text=words)

    async def _console(self, who: str) -> Console:
        url = self.rng.choice(self.cluster.web).url
        if who not in self.consoles:
            console = Console(url, f"{who}@thanhoai.example", PASSWORD)
            console.http = aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(total=5)
            )
            try:
                await console.sign_in()
            except BaseException:  # also when the day is over in the middle of it
                await console.http.close()
                raise
            self.consoles[who] = console
        self.consoles[who].url = url
        return self.consoles[who]

    async def close(self) -> None:
        """Close the browsers."""
        for console in self.consoles.values():
            await console.http.close()
