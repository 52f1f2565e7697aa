"""Commit once: one request or one job is one transaction, and queued work is told only after it is durable."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import inspect
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import Now, new_id
from bot.domain.message import Capabilities
from bot.errors import LoaError
from bot.store.accounts import AccountRow
from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: `kind` is citizen | staff | system | oa_tool; `id` the row, `name` what screens show.

    `origin` is the provider from whose chat an official acts, "" in the console.
    """

    kind: str
    id: str | None = None
    name: str = ""
    origin: str = ""


SYSTEM = Actor("system")


class Wakes(Protocol):
    """Whatever can start a job later; bot.queue fulfils it."""

    async def wake(self, job: str, delay: float = 0.0) -> None:
        """Start `job` after `delay` seconds."""

    async def announce(self, topic: str) -> None:
        """Tell open pages that `topic` has news."""


@dataclass(slots=True)
class UnitOfWork:
    """What an action works on: the session, the moment, who acts, and what is to happen after the commit.

    `toast`: words to be shown over the chat for a moment to whoever has just pressed a button, where a provider can.
    """

    session: AsyncSession
    now: datetime
    actor: Actor
    capabilities: Callable[[AccountRow], Capabilities]
    wakes: list[tuple[str, float]] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    toast: str = ""

    @contextlib.asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Undo what is done inside when it is left by an error, so that the rest of the work can go on."""
        wakes, topics = len(self.wakes), len(self.topics)
        try:
            async with self.session.begin_nested():
                yield
        except LoaError:
            del self.wakes[wakes:], self.topics[topics:]
            for row in list(self.session.identity_map.values()):
                if inspect(row).expired_attributes:  # what was changed inside must be read anew, while that may be
                    await self.session.refresh(row)
            raise

    def after_commit(self, job: str, delay: float = 0.0) -> None:
        """Start a job once this transaction is durable; `delay` in seconds."""
        if (job, delay) not in self.wakes:
            self.wakes.append((job, delay))

    def announce(self, topic: str) -> None:
        """Tell open pages about `topic` once this transaction is durable."""
        if topic not in self.topics:
            self.topics.append(topic)

    def new_id(self) -> str:
        """Make a row id."""
        return new_id()


class UnitsOfWork:
    """Open units of work for one process."""

    def __init__(
        self, database: Database, now: Now, wakes: Wakes, capabilities: Callable[[AccountRow], Capabilities]
    ) -> None:
        self._database = database
        self._now = now
        self._wakes = wakes
        self._capabilities = capabilities

    @contextlib.asynccontextmanager
    async def __call__(self, actor: Actor = SYSTEM, now: datetime | None = None) -> AsyncIterator[UnitOfWork]:
        """Open one transaction; committed when left in peace, rolled back when left by an error.

        `now` overrides the clock for work that is entered after the fact (demo data, imports).
        """
        async with self._database.writing() as session:
            work = UnitOfWork(session, now or self._now(), actor, self._capabilities)
            yield work
            await session.commit()
        for job, delay in work.wakes:
            await self._wakes.wake(job, delay)
        for topic in work.topics:
            await self._wakes.announce(topic)
