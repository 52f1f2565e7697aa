"""Whatever happens to an announcement, everybody ends in one final state, and the provider has seen no second send."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from sqlmodel import col, select

from bot.actions import announcement_runs, announcements, broadcast_news, contacts
from bot.clock import new_id
from bot.config import DatabaseSettings, Settings
from bot.domain.access import Role
from bot.domain.audience import Way
from bot.errors import ConflictError
from bot.runtime import Runtime
from bot.store import accounts, broadcasts, deliveries, results
from bot.store import contacts as contact_rows
from bot.store.accounts import AccountRow
from bot.store.announcements import RunRow
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.unit_of_work import UnitOfWork
from jobs.plan_announcements import plan_announcements
from jobs.send_broadcasts import send_broadcasts
from jobs.settle_deliveries import settle_deliveries
from tests import commune
from tests.fakes.scripted_server import Answer, Asked
from tests.jobs.test_plan_announcements import MORNING, approved, drafted, person
from tests.jobs.test_send_broadcasts import FINAL, Provider, account, everyone, people, refusal, worker
from tests.runtime_fixtures import Clock

TEMPLATE = "312396"
WORDS = "Thông báo\nHọp thôn 14 giờ"
BY_CHAT, BY_TEMPLATE, NOWHERE = 14, 8, 3
EXAMPLES = 12
ARRIVED = ("sent", "delivered", "seen")


class Scripted(Provider):
    """The fake provider with templates by user id; what it refuses just now is switched by the history."""

    def __init__(self) -> None:
        super().__init__()
        self.templates = self.account = True
        self.allowance = 10**6
        self.losing = self.refusing = 0
        self.judge = self.decide

    def _answer(self, asked: Asked) -> Answer:
        if not asked.path.endswith("/message/template"):
            return super()._answer(asked)
        user = asked.json["user_id"]
        self.asked[user] += 1
        answer = refusal(-146) if not self.templates else self.decide(user, TEMPLATE)
        return self.take(user, TEMPLATE) if answer is None else answer

    def decide(self, user: str, text: str) -> Answer | None:
        """Say what comes of one send."""
        if not self.account:
            return Answer({"x": 1}, status=404)
        if len(self.taken) >= self.allowance:
            return refusal(-211)
        if self.losing:
            self.losing -= 1
            return self.take(user, text, hang_up=True)
        if self.refusing:
            self.refusing -= 1
            return refusal(-214)
        return None

    def well(self) -> None:
        """Take everything from now on."""
        self.templates = self.account = True
        self.allowance, self.losing, self.refusing = 10**6, 0, 0


@dataclass
class History:
    """One announcement on a database of its own, and what may happen to it."""

    runtime: Runtime
    settings: Settings
    provider: Scripted
    clock: Clock
    run_id: str
    account_id: str

    async def send(self, _: int) -> None:
        """Let the periodic jobs have their turn."""
        await plan_announcements(self.runtime)
        await send_broadcasts(self.runtime)

    async def cut(self, number: int) -> None:
        """Let a worker be told to end while messages of it are on their way."""
        until = len(self.provider.taken) + number % 20
        never = asyncio.Event()

        def judge(user: str, text: str) -> Answer | None:
            late = len(self.provider.taken) >= until
            return self.provider.take(user, text, wait=never) if late else self.provider.decide(user, text)

        self.provider.judge = judge
        async with worker(self.settings, self.provider, self.clock) as other:
            sending = asyncio.create_task(send_broadcasts(other))
            await asyncio.wait([sending], timeout=0.05 + number / 1000)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        never.set()
        self.provider.judge = self.provider.decide

    async def crash(self, number: int) -> None:
        """Let a worker vanish that has marked some and sent a part of them; nobody has heard an answer."""
        async with self.runtime.database.connection() as connection:
            chunk = await deliveries.lease(connection, new_id(), self.clock.now, 60)
            if chunk is None:
                return
            due = await deliveries.mark(connection, chunk, chunk.first - 1, 1 + number % 9, self.clock.now)
        async with self.runtime.database.reading() as session:
            people = await contact_rows.contacts(session, [row.recipient for row in due])
        for row in due[: number % 5]:
            if people[row.recipient].stopped_at is not None:
                continue  # a worker looks before it sends
            self.provider.take(row.address, TEMPLATE if chunk.way == Way.TEMPLATE_USER else WORDS)
            if number % 2 and chunk.way == Way.CHAT:
                self._stands_in_chat(row.address)

    def _stands_in_chat(self, user: str) -> None:
        self.provider.listed.append(
            {
                "src": 0, "to_id": user, "from_id": commune.OA, "message_id": f"seen-{user}", "type": "text",
                "message": WORDS, "time": int(self.clock.now.timestamp() * 1000),
            }
        )  # fmt: skip

    async def pause(self, _: int) -> None:
        """Let somebody press pause."""
        await self._steer(lambda uow: announcement_runs.pause(uow, self.run_id))

    async def resume(self, _: int) -> None:
        """Let somebody press go on."""
        await self._steer(lambda uow: announcement_runs.resume(uow, self.run_id))

    async def stop(self, _: int) -> None:
        """Let somebody stop it for good."""
        await self._steer(lambda uow: announcement_runs.stop(uow, self.run_id))

    async def limit(self, number: int) -> None:
        """Let somebody change the speed; none is so low that a test would have to wait for it."""
        await self._steer(lambda uow: announcement_runs.slow_down(uow, self.run_id, (0, 1000, 60_000)[number % 3]))

    async def _steer(self, deed: Callable[[UnitOfWork], Awaitable[None]]) -> None:
        try:
            async with self.runtime.units_of_work() as uow:
                await deed(uow)
        except ConflictError:
            return  # there is nothing to be steered so just now

    async def opt_out(self, number: int) -> None:
        """Let a recipient say stop."""
        async with self.runtime.units_of_work() as uow:
            found = (await uow.session.exec(select(ContactRow).order_by(col(ContactRow.id)))).all()
            await contacts.stop_announcements(uow, found[number % len(found)])

    async def template_disabled(self, number: int) -> None:
        """Let the provider disable the template, and tell it or not."""
        self.provider.templates = False
        if number % 2:
            async with self.runtime.units_of_work() as uow:
                await broadcasts.pause_template(uow.session, self.account_id, TEMPLATE, "template_disabled")

    async def template_enabled(self, _: int) -> None:
        """Let the provider take the template again."""
        self.provider.templates = True

    async def account_stopped(self, _: int) -> None:
        """Let the provider refuse everything of the account."""
        self.provider.account = False

    async def account_let_in(self, _: int) -> None:
        """Let the provider take what is the account's again, and an administrator let it work."""
        self.provider.account = True
        async with self.runtime.units_of_work() as uow:
            row = await uow.session.get(AccountRow, self.account_id)
            assert row is not None
            accounts.let_in(row, uow.now)

    async def allowance(self, number: int) -> None:
        """Let the day's allowance end after some more."""
        self.provider.allowance = len(self.provider.taken) + number % 7

    async def next_day(self, _: int) -> None:
        """Let a day pass, which brings a new allowance."""
        self.provider.allowance = 10**6
        self.clock.forward(hours=24)

    async def lose(self, number: int) -> None:
        """Let the answers to the next messages be lost, though they arrive."""
        self.provider.losing = 1 + number % 3

    async def refuse(self, number: int) -> None:
        """Let the next messages be refused for now."""
        self.provider.refusing = 1 + number % 4

    async def wait(self, number: int) -> None:
        """Let time pass, and what is in doubt be asked for."""
        self.clock.forward(minutes=(0.1, 2, 15)[number % 3])
        await settle_deliveries(self.runtime)

    async def receipt(self, number: int) -> None:
        """Let the provider tell that something was delivered or seen."""
        rows = [row for row in await everyone(self.runtime) if row.provider_id]
        if rows:
            row = rows[number % len(rows)]
            async with self.runtime.units_of_work() as uow:
                await broadcast_news.told(uow, row.recipient, row.provider_id or "", seen=bool(number % 2))

    async def come_to_an_end(self) -> None:
        """Let everything work again, whatever rests go on, and time pass until the run has ended."""
        self.provider.well()
        for _ in range(90):
            await self.account_let_in(0)
            await self.limit(0)
            await self.resume(0)
            await self.send(0)
            self.clock.forward(minutes=20)
            await settle_deliveries(self.runtime)
            if (await self.run()).state == "ended":
                return
        pytest.fail(f"no end: {await self.told()}")

    async def run(self) -> RunRow:
        async with self.runtime.database.reading() as session:
            row = await session.get(RunRow, self.run_id)
        assert row is not None
        return row

    async def told(self) -> list[Any]:
        async with self.runtime.database.reading() as session:
            rows = (await session.exec(select(BroadcastRow))).all()
            numbers = [row.id for row in rows if row.id is not None]
            counts = await results.tallies(session, numbers, MORNING)
        return [[(row.id, row.way, row.state, row.paused_reason) for row in rows], counts]


STEPS = (
    History.send, History.send, History.send, History.cut, History.crash, History.crash, History.pause, History.resume,
    History.stop, History.limit, History.opt_out, History.opt_out, History.template_disabled, History.template_enabled,
    History.account_stopped, History.account_let_in, History.allowance, History.next_day, History.lose, History.refuse,
    History.wait, History.wait, History.receipt,
)  # fmt: skip
HISTORIES = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 60)), min_size=3, max_size=16)
_numbers = itertools.count(1)


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Callable[[Path], str]) -> str:
    """Give the database that each history's own is like."""
    return sqlite_template(tmp_path / "first.db")


@asynccontextmanager
async def history(settings: Settings) -> AsyncIterator[History]:
    """Give an announcement that has been let go: to some in the chat, to some by template, to some not at all."""
    provider, clock = Scripted(), Clock()
    clock.now = MORNING
    async with provider.server.running(), worker(settings, provider, clock) as runtime:
        async with runtime.units_of_work() as uow:
            made = await commune.build(uow)
            await uow.session.delete(made.account)
        it = await account(runtime, commune.OA)
        await people(runtime, BY_CHAT + BY_TEMPLATE + NOWHERE)
        async with runtime.units_of_work() as uow:
            uow.session.add(
                ProviderTemplateRow(account_id=it.id, template_id=TEMPLATE, status="ENABLE", by_user=True, price_user=0)
            )
            found = (await uow.session.exec(select(ContactRow).order_by(col(ContactRow.id)))).all()
            for n, each in enumerate(found[BY_CHAT:]):
                each.last_interaction_at = uow.now - timedelta(days=20) if n < BY_TEMPLATE else None
        writer, head = await _two(runtime)
        row = await drafted(runtime, writer)
        async with runtime.units_of_work(writer) as uow:
            row = await announcements.withdraw(uow, row.id, row.version)
            templates = {it.id: {"template_id": TEMPLATE, "parameters": {}}}
            row = await announcements.set_templates(uow, row.id, row.version, templates)
            row = await announcements.submit(uow, row.id, row.version)
        await approved(runtime, row, head)
        await plan_announcements(runtime)
        async with runtime.database.reading() as session:
            run = (await session.exec(select(RunRow))).one()
        yield History(runtime, settings, provider, clock, run.id, it.id)


async def _two(runtime: Runtime) -> Any:
    writer = await person(runtime, "Cán bộ Văn hoá", Role.BROADCASTER)
    return writer, await person(runtime, "Phó Chủ tịch", Role.APPROVER)


def adds_up(rows: list[DeliveryRow], provider: Scripted) -> None:
    """Compare the rows with the provider's log."""
    assert len(rows) == len({row.recipient for row in rows}) == BY_CHAT + BY_TEMPLATE + NOWHERE
    assert {row.state for row in rows} <= FINAL
    assert set(provider.times.values()) <= {1}, "somebody was sent it twice"
    arrived = {row.address for row in rows if row.state in ARRIVED}
    in_doubt = {row.address for row in rows if row.reason == "outcome_unknown"}
    assert arrived <= set(provider.times)
    assert set(provider.times) <= arrived | in_doubt, "somebody got it of whom the rows say otherwise"
    assert sum(row.reason == "window_closed" for row in rows) == NOWHERE


def played(history: Coroutine[Any, Any, None]) -> None:
    """Run a history in a thread of its own, so that the loop which pytest keeps for this one stays where it is."""
    with ThreadPoolExecutor(1) as alone:
        alone.submit(asyncio.run, history).result()


# Whoever looks for the shortest of such histories plays hundreds more: the steps of the first that fails are told.
@bounded(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=HISTORIES)
def test_whatever_happens_everybody_ends_in_one_state_and_gets_it_at_most_once(
    settings: Settings, tmp_path: Path, sqlite_template: Callable[[Path], str], steps: list[Any]
) -> None:
    async def play() -> None:
        mine = replace(settings, database=DatabaseSettings(url=sqlite_template(tmp_path / f"{next(_numbers)}.db")))
        async with history(mine) as it:
            for step, number in steps:
                await step(it, number)
            await it.come_to_an_end()
            adds_up(await everyone(it.runtime), it.provider)

    played(play())


def test_without_any_trouble_everybody_who_can_be_reached_is(settings: Settings) -> None:
    async def play() -> None:
        async with history(settings) as it:
            await it.send(0)
            rows = await everyone(it.runtime)
            adds_up(rows, it.provider)
            assert sum(row.state == "sent" for row in rows) == BY_CHAT + BY_TEMPLATE
            assert sum(text == TEMPLATE for _, text in it.provider.taken) == BY_TEMPLATE

    played(play())
