"""Open and close what one process holds: database, queue, HTTP, channels; handed in explicitly, never global."""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot import clock
from bot.accounts import AccountDirectory
from bot.blobs import Blobs
from bot.channels.channel import AccountRef, Channel, FileContent, FinishesWork, LoadsLate
from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import RateBudget
from bot.channels.redis_budget import RedisBudget
from bot.channels.registry import build_channels, capabilities_of, switched_off
from bot.config import Settings
from bot.domain.message import Capabilities
from bot.errors import NotFoundError
from bot.intake import Intake, Spool
from bot.queue import HANDLE_UPDATES, Queue
from bot.secrets import SecretBox
from bot.store import accounts, files, inbox
from bot.store.accounts import AccountRow
from bot.store.database import Database, in_transaction
from bot.store.database_time import followed
from bot.store.schema import require_current
from bot.store.unit_of_work import UnitOfWork, UnitsOfWork
from bot.urgency import Urgency
from bot.vault import Vault

_HTTP_SECONDS = 10
_CONNECTIONS = 100
_BACKGROUND_SECONDS = 2.0
_FINISHING_SECONDS = 15.0
"""Longer than one call of a provider may take, and well within the time in which a process has to end."""


@dataclass(slots=True)
class Runtime:
    """Everything a request or a job may use."""

    settings: Settings
    now: clock.Now
    database: Database
    queue: Queue
    http: aiohttp.ClientSession
    box: SecretBox
    blobs: Blobs
    accounts: AccountDirectory
    units_of_work: UnitsOfWork
    intake: Intake
    channels: dict[str, Channel]
    budget: RateBudget
    urgency: Urgency = field(default_factory=Urgency)
    clock_offset: Callable[[], timedelta] = timedelta
    """How far the database's clock, which `now` follows, is ahead of this machine's."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this process is about to end: long work gives back what it holds and returns."""
    watched: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Size and time of what stood in watched folders when this process last looked."""
    background: set[asyncio.Task[None]] = field(default_factory=set)

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what nobody waits for; it gets a moment when the process ends, and may then be left undone."""
        # A context of its own: whoever begins it may hold a transaction, the work does not.
        task = asyncio.create_task(work, context=contextvars.Context())
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def end_background(self) -> None:
        """Give what runs in the background a moment, then end it."""
        if self.background:
            await asyncio.wait(self.background, timeout=_BACKGROUND_SECONDS)
        for task in list(self.background):
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)

    def channel(self, account: AccountRow) -> Channel:
        """Return the channel an account speaks through; of a provider that is switched off one that waits."""
        return self.channels.get(account.provider) or switched_off(account.provider)

    async def account_row(self, uow: UnitOfWork, provider: str, external_id: str) -> AccountRow | None:
        """Return an account inside a transaction; None for one that is not set up."""
        known = self.accounts.get(provider, external_id)
        if known is not None:
            return await accounts.account(uow.session, known.id)
        return await accounts.by_external_id(uow.session, provider, external_id)

    async def load_channels(self) -> None:
        """Bring in what is large of the channels that have an account."""
        for provider in self.accounts.providers():
            channel = self.channels.get(provider)
            if isinstance(channel, LoadsLate):
                await channel.load()

    async def finish_channels(self) -> None:
        """Wait a little for what channels have begun and must not lose, such as tokens that are being renewed."""
        finishing = [it.finish() for it in self.channels.values() if isinstance(it, FinishesWork)]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*finishing), _FINISHING_SECONDS)

    async def refresh_accounts(self) -> None:
        """Learn of accounts added elsewhere and let in what waited for them."""
        for provider, external_id in await self.accounts.refresh():
            async with self.units_of_work() as uow:
                if await inbox.replay_account(uow.session, provider, external_id, uow.now):
                    uow.after_commit(HANDLE_UPDATES.name)


def ref(account: AccountRow) -> AccountRef:
    """Return what a channel needs to know of an account."""
    learnt = {key: str(value) for key, value in account.learnt.items()}
    return AccountRef(id=account.id, external_id=account.external_id, kind=account.kind, learnt=learnt)


def _capabilities(account: AccountRow) -> Capabilities:
    return capabilities_of(account.provider, ref(account))


class _Connector(aiohttp.TCPConnector):
    """Refuse the network to whoever holds a transaction (reliability R19); costs less than aiohttp's tracing."""

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:  # noqa: ASYNC109 - aiohttp's own signature
        if in_transaction():
            msg = "network used while a transaction is open"
            raise RuntimeError(msg)
        return await super().connect(req, traces, timeout)


class _Request(aiohttp.ClientRequest):
    """Send no header that no provider looks at: a broadcast would repeat it a million times."""

    DEFAULT_HEADERS = {}  # noqa: RUF012 - declared so by aiohttp


def _http_session(connections: int) -> aiohttp.ClientSession:
    """Open a session with so many connections at most; 0 for as many as are asked for."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=_HTTP_SECONDS),
        connector=_Connector(limit=connections),
        request_class=_Request,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, now: clock.Now = clock.utc_now, *, follow: bool | None = None
) -> AsyncIterator[Runtime]:
    """Open everything, and close it in reverse order.

    With `follow` the clock `now` is corrected by the database's; left open, only the machine's own clock is.
    Raises SchemaOutdatedError when the database needs `loa migrate`, ConfigError when the spool cannot be written.
    """
    async with contextlib.AsyncExitStack() as stack:
        database = Database(settings.database.url, pool_size=settings.database.pool_size)
        stack.push_async_callback(database.close)
        await require_current(database)
        following = clock.FollowingClock(now)
        if follow or (follow is None and now is clock.utc_now):
            now = following = await stack.enter_async_context(followed(database, now))
        queue = await Queue.open(settings.queue.url)
        stack.push_async_callback(queue.close)
        http, waiting = _http_session(_CONNECTIONS), _http_session(0)
        stack.push_async_callback(http.close)
        stack.push_async_callback(waiting.close)
        box = SecretBox(settings.security.secret_key.encode())
        blobs = Blobs(settings.files.url)
        units_of_work = UnitsOfWork(database, now, queue, _capabilities)
        directory = AccountDirectory(database, box)
        spool = Spool(Path(settings.security.spool))
        intake = Intake(database, spool, now)

        async def wake_handling() -> None:
            await queue.wake(HANDLE_UPDATES.name)

        intake.on_stored(wake_handling)

        async def load_file(file_id: str) -> FileContent:
            async with database.reading() as session:
                row = await files.file(session, file_id)
            if row is None:
                msg = f"file {file_id}"
                raise NotFoundError(msg)
            return FileContent(row.name, row.media_type, await blobs.get(row.key))

        async def learn(account_id: str, key: str, value: str) -> None:
            async with units_of_work() as uow:
                await accounts.learn(uow.session, account_id, key, value)

        budget: RateBudget = LocalBudget() if queue.embedded else RedisBudget(queue.redis)
        channels = build_channels(
            settings,
            http=http,
            waiting=waiting,
            webhook_keys=directory.webhook_keys,
            vault=Vault(units_of_work, box, now),
            load_file=load_file,
            learn=learn,
            now=now,
            budget=budget,
        )
        runtime = Runtime(
            settings, now, database, queue, http, box, blobs, directory, units_of_work, intake, channels, budget
        )
        runtime.clock_offset = lambda: following.offset
        stack.push_async_callback(runtime.finish_channels)
        stack.push_async_callback(runtime.end_background)
        yield runtime
