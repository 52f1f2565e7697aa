"""Fetch updates for accounts that no webhook can reach: one poller per account, nothing lost between poll and store."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from bot import metrics
from bot.actions.accounts import MODE, POLLING
from bot.channels.channel import Fetched, GivesUpdates, PollConflictError
from bot.clock import new_id
from bot.domain.delivery import AccountStoppedError, SendError
from bot.logs import logger
from bot.queue import HANDLE_UPDATES, POLL_UPDATES
from bot.runtime import Runtime, ref
from bot.store import accounts, receptions
from bot.store.accounts import AccountRow
from bot.store.arrivals import CONTENT_ERRORS, WRITE_ERRORS, Arrival, ArrivalWriter, writer
from bot.vault import stop_account

_log = logger("polling")
_T = TypeVar("_T")
_WAIT_SECONDS = 25
_LEASE_SECONDS = 60.0
"""Longer than one call may take (the wait and its margin), so that a lease in use never ends."""
_LOOK_SECONDS = 5.0
_PAUSE_SECONDS = 3.0
_CONFLICT_PAUSE_SECONDS = 5.0
_MAX_DETAIL = 500
_NUMBERS_KEPT = timedelta(days=6)
"""After a week without updates the provider numbers them anew (bots/api#update): an old number is no help then."""


async def poll_updates(runtime: Runtime) -> int:
    """Poll every account that is to be polled and that nobody else polls, until told to stop; returns what was stored.

    Returns at once when there is nothing to poll.
    """
    if not await _to_poll(runtime):
        return 0
    round_ = _Round(runtime, writer(runtime.database, f"poll {new_id()}"))
    try:
        await round_.work()
    finally:
        await round_.end()
    return round_.stored


async def _to_poll(runtime: Runtime) -> list[AccountRow]:
    async with runtime.database.reading() as session:
        rows = await accounts.all_accounts(session)
    return [row for row in rows if _is_polled(row) and isinstance(runtime.channels.get(row.provider), GivesUpdates)]


def _is_polled(account: AccountRow | None) -> bool:
    return account is not None and account.state == "active" and account.learnt.get(MODE) == POLLING


class _Round:
    """The pollers of this process, and the one connection over which they store."""

    def __init__(self, runtime: Runtime, written: ArrivalWriter) -> None:
        self.runtime = runtime
        self.stored = 0
        self._written = written
        self._writing = asyncio.Lock()
        self._polling: dict[asyncio.Task[None], str] = {}

    async def work(self) -> None:
        """Hold a poller for each account that has none, until there is nothing to poll or it is time to stop."""
        bell = self.runtime.queue.bell(POLL_UPDATES.name)
        while not self.runtime.stopping.is_set():
            bell.clear()
            for account in await _to_poll(self.runtime):
                if account.id not in self._polling.values():
                    self._polling[asyncio.create_task(_Poller(self, account).poll())] = account.id
            if not self._polling:
                return
            await self._some_end(bell)

    async def _some_end(self, bell: asyncio.Event) -> None:
        """Wait for a poller to end, for news, for the stop, or for a while; one that broke is begun anew after it."""
        heard: set[asyncio.Task[Any]] = {
            asyncio.create_task(bell.wait()),
            asyncio.create_task(self.runtime.stopping.wait()),
        }
        try:
            await asyncio.wait({*self._polling, *heard}, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in self._polling if task.done()]:
                account = self._polling.pop(task)
                error = None if task.cancelled() else task.exception()
                if error is not None:
                    _log.error("polling broke", account=account, exc_info=error)
                    await unless_stopped(self.runtime, asyncio.sleep(_PAUSE_SECONDS))
        finally:
            for task in heard:
                task.cancel()

    async def store(self, arrivals: list[Arrival]) -> None:
        """Return once arrivals are durable in the inbox; those that are there already are not stored twice."""
        async with self._writing:
            await self._write(arrivals)
        metrics.received.labels(arrivals[0].provider).inc(len(arrivals))
        await self.runtime.queue.wake(HANDLE_UPDATES.name)

    async def _write(self, arrivals: list[Arrival]) -> None:
        """Write to the database; what no database can hold is set aside, like a webhook, and stops no others."""
        try:
            self.stored += await self._written.write(arrivals)
        except CONTENT_ERRORS as error:
            if len(arrivals) > 1:
                for arrival in arrivals:
                    await self._write([arrival])
                return
            await self.runtime.intake.set_aside(arrivals[0], error)
            await self.runtime.intake.note_counts()

    async def end(self) -> None:
        """Let every poller give back its account."""
        if self.runtime.stopping.is_set() and self._polling:
            await asyncio.wait(self._polling, timeout=_LOOK_SECONDS)
        for task in self._polling:
            task.cancel()
        await asyncio.gather(*self._polling, return_exceptions=True)
        await self._written.close()


async def unless_stopped(runtime: Runtime, work: Coroutine[Any, Any, _T]) -> _T | None:
    """Return what the work returns; None when the process is to end first, which ends the work at once."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(runtime.stopping.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


class _Poller:
    """Whoever polls one account, for as long as the lease is kept."""

    def __init__(self, round_: _Round, account: AccountRow) -> None:
        self._round = round_
        self._runtime = round_.runtime
        self._account = account
        self._lease = new_id()
        self._offset: int | None = None
        self._begun = False

    async def poll(self) -> None:
        """Poll until told to stop, the account is not to be polled any more, or the right to do so is lost."""
        if not await self._take():
            await unless_stopped(self._runtime, asyncio.sleep(_LOOK_SECONDS))  # and look whether the other has died
            return
        try:
            while not self._runtime.stopping.is_set() and await self._once():
                pass
        finally:
            async with self._runtime.units_of_work() as uow:
                await receptions.give_back(uow.session, self._account.id, self._lease)
                uow.after_commit(POLL_UPDATES.name)

    async def _take(self) -> bool:
        async with self._runtime.units_of_work() as uow:
            row = await receptions.begin(uow.session, self._account.id)
            if row.updated_at is not None and uow.now - row.updated_at < _NUMBERS_KEPT:
                self._offset = row.next_number
            return await receptions.take(uow.session, self._account.id, self._lease, uow.now, _LEASE_SECONDS)

    async def _once(self) -> bool:
        """Wait for updates once and store them; False when it is over."""
        asked_at = self._runtime.now()
        try:
            found = await unless_stopped(self._runtime, self._fetch())
            return found is not None and await self._keep(found)
        except PollConflictError as conflict:
            self._begun = False
            return await self._problem(conflict.reason, "", _CONFLICT_PAUSE_SECONDS)
        except AccountStoppedError as error:
            async with self._runtime.units_of_work() as uow:
                return not await stop_account(uow, self._account.id, error.reason, error.detail, asked_at)
        except SendError as error:
            return await self._problem(error.reason, error.detail, max(_PAUSE_SECONDS, error.retry_after or 0.0))
        except WRITE_ERRORS as error:
            # What was fetched is fetched again: the provider holds it until it is asked for what comes after it.
            _log.warning("polling waits for the database", error=type(error).__name__)
            await unless_stopped(self._runtime, asyncio.sleep(_PAUSE_SECONDS))
            return True

    async def _fetch(self) -> list[Fetched]:
        channel = self._runtime.channel(self._account)
        assert isinstance(channel, GivesUpdates)
        if not self._begun:
            await channel.begin_polling(ref(self._account))
            self._begun = True
        return await channel.updates(ref(self._account), self._offset, _WAIT_SECONDS)

    async def _keep(self, found: list[Fetched]) -> bool:
        """Store what was fetched and only then note from where to go on; False when polling is over."""
        values: dict[str, object] = {"error": "", "detail": "", "error_at": None}
        if found:
            await self._round.store([self._arrival(each) for each in found])
            self._offset = found[-1].number + 1
            values |= {"next_number": self._offset, "updated_at": self._runtime.now()}
        return await self._note(values, heard=bool(found))

    def _arrival(self, each: Fetched) -> Arrival:
        event, provider = each.event, self._account.provider
        contact = event.contact or f"{event.account}:{event.key}"
        arrived = self._runtime.now()
        return Arrival(
            provider, event.account, event.event, event.key, contact, each.raw, event.occurred_at, arrived, known=True
        )

    async def _problem(self, reason: str, detail: str, pause: float) -> bool:
        _log.warning("not polled", account=self._account.external_id, reason=reason)
        values: dict[str, object] = {"error": reason, "detail": detail[:_MAX_DETAIL], "error_at": self._runtime.now()}
        if not await self._note(values, heard=False):
            return False
        await unless_stopped(self._runtime, asyncio.sleep(min(pause, _LEASE_SECONDS / 2)))
        return True

    async def _note(self, values: dict[str, object], *, heard: bool) -> bool:
        """Write how it went and keep the lease; False when it is lost, or the account is not to be polled any more."""
        async with self._runtime.units_of_work() as uow:
            row = await accounts.account(uow.session, self._account.id)
            if heard:
                await accounts.touch(uow.session, {self._account.id: uow.now})
            kept = await receptions.keep(uow.session, self._account.id, self._lease, uow.now, _LEASE_SECONDS, **values)
        return kept and _is_polled(row)
