"""Read the lists of who follows an account page by page, in the lane and within the allowance of broadcasts."""

import time
from dataclasses import dataclass, field
from datetime import datetime

from bot.actions import follower_imports as actions
from bot.actions.accounts import NEEDS_GRANT
from bot.actions.follower_imports import Position, position
from bot.channels.channel import FollowerPage, FollowerQuery, ListsFollowers
from bot.channels.rate_limit import BROADCAST, in_lane
from bot.domain.delivery import AccountStoppedError, MessageInvalidError, SendError, ThrottledError
from bot.domain.follower_import import Part
from bot.logs import logger
from bot.one_by_one import SomeFailedError, one_by_one
from bot.queue import IMPORT_FOLLOWERS
from bot.runtime import Runtime, ref
from bot.store import follower_imports
from bot.store.accounts import AccountRow
from bot.store.follower_imports import FollowerImportRow
from bot.vault import stop_account

_log = logger("followers")
_ROUND_SECONDS = 60.0
_GIVE_WAY_SECONDS = 0.25
_MINUTE = 60.0

Due = tuple[FollowerImportRow, AccountRow]


async def import_followers(runtime: Runtime) -> int:
    """Go on with every import for about a minute; returns how many people were not known before."""
    return await _Round(runtime).work()


@dataclass(slots=True)
class _Round:
    """One minute of reading in this process; `rests` are accounts that are left alone until the next one."""

    runtime: Runtime
    ends: float = field(default_factory=lambda: time.monotonic() + _ROUND_SECONDS)
    rests: set[str] = field(default_factory=set)

    async def work(self) -> int:
        """Read a page of each account in turn, until nothing is left or the round is over."""
        made, broke = 0, None
        while (due := await self._due()) and not self.runtime.stopping.is_set():
            if time.monotonic() >= self.ends:
                await self.runtime.queue.wake(IMPORT_FOLLOWERS.name)
                break
            await self.runtime.urgency.give_way(_GIVE_WAY_SECONDS)
            try:
                made += await one_by_one(due, self._page)
            except SomeFailedError as error:
                broke = error  # of those that broke, each rests; the others go on
        if broke is not None:
            raise broke
        return made

    async def _due(self) -> list[Due]:
        """Return the imports that can go on; one whose account is stopped waits until a person has started it again."""
        async with self.runtime.database.reading() as session:
            found = await follower_imports.running(session)
        return [(row, account) for row, account in found if account.state == "active" and account.id not in self.rests]

    async def _page(self, due: Due) -> int:
        row, account = due
        try:
            return await self._read(position(row), account)
        except Exception:
            self.rests.add(account.id)
            raise

    async def _read(self, at: Position, account: AccountRow) -> int:
        channel = self.runtime.channel(account)
        if not isinstance(channel, ListsFollowers):
            self.rests.add(account.id)
            return 0
        asked_at = self.runtime.now()
        try:
            with in_lane(BROADCAST):
                if at.listing.part is Part.TAGS:
                    return await self._took_tags(at, await channel.follower_tags(ref(account)))
                query = FollowerQuery(at.listing.tag, at.listing.days)
                page = await channel.followers(ref(account), query, at.cursor)
        except SendError as error:
            await self._not_read(at, error, asked_at)
            return 0
        return await self._took(at, page)

    async def _took(self, at: Position, page: FollowerPage) -> int:
        async with self.runtime.units_of_work() as uow:
            made = await actions.take(
                uow, at, page.user_ids, total=page.total, next_offset=page.next_offset, cut=page.cut
            )
        if made is None:
            self.rests.add(at.account_id)  # another process goes on with it
        return made or 0

    async def _took_tags(self, at: Position, tags: list[str]) -> int:
        async with self.runtime.units_of_work() as uow:
            if not await actions.take_tags(uow, at, tags):
                self.rests.add(at.account_id)
        return 0

    async def _not_read(self, at: Position, error: SendError, asked_at: datetime) -> None:
        """Leave out a list that is refused; in any other case try later, and say why it does not go on.

        Lists may be refused where messages are not, such as when a right was not granted; only what new tokens alone
        can mend stops the account.
        """
        _log.info("page not read", account=at.account_id, part=at.listing.part.value, reason=error.reason)
        lost = error.reason in NEEDS_GRANT
        if isinstance(error, MessageInvalidError | AccountStoppedError) and not lost:
            async with self.runtime.units_of_work() as uow:
                if not await actions.refused(uow, at, error.reason):
                    self.rests.add(at.account_id)
            return
        self.rests.add(at.account_id)
        if isinstance(error, ThrottledError):
            wait = _MINUTE if error.retry_after is None else error.retry_after
            await self.runtime.queue.wake(IMPORT_FOLLOWERS.name, wait)
            return
        async with self.runtime.units_of_work() as uow:
            await actions.held_up(uow, at, error.reason)
            if lost:
                await stop_account(uow, at.account_id, error.reason, error.detail, asked_at)
