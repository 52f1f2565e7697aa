"""Keep an account's tokens alive: one renewal at a time, the new pair stored before it is used."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.channels.zalo.error_codes import REFRESH_TOKEN_DEAD
from bot.channels.zalo.oauth import OAuth
from bot.clock import Now
from bot.domain.delivery import AccountStoppedError, SendError, TemporaryError, UnknownOutcomeError
from bot.logs import logger

ACCESS_LIFE = timedelta(hours=25)
"""How long an access token lives (api.md 2); it is renewed at half of that, about twice a day."""

LEASE_SECONDS = 60.0
"""How long the right to renew is ours: longer than any HTTP call may take."""

_PATIENCE = 15.0
_POLL = 0.2
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=10)

_log = logger("tokens")


@dataclass(frozen=True, slots=True, repr=False)
class TokenPair:
    """An access token, the single-use refresh token that came with it, and when the former ends (UTC).

    Neither token shows in a repr, so that neither reaches a log.
    """

    access_token: str
    refresh_token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"TokenPair(expires_at={self.expires_at.isoformat()})"


class TokenVault(Protocol):
    """Where pairs are kept, and where the right to renew one is lent to a single process."""

    async def pair(self, account_id: str) -> TokenPair | None:
        """Return the pair in use, or None when the account has none."""

    async def acquire(self, account_id: str, holder: str, seconds: float) -> TokenPair | None:
        """Take the right to renew; returns the pair to renew, or None while somebody else holds the right."""

    async def store(self, account_id: str, holder: str, pair: TokenPair) -> bool:
        """Keep a new pair, the old one beside it; False when the right to renew has been lost."""

    async def release(self, account_id: str, holder: str, error: str | None) -> None:
        """Give the right to renew back; `error` says why renewing failed."""

    async def stop(self, account_id: str, reason: str, detail: str, asked_at: datetime) -> None:
        """Stop an account until a person connects it anew, unless one did after `asked_at`."""

    async def confirm(self, account_id: str) -> None:
        """Drop the old pair: the new one has worked."""


@dataclass(slots=True)
class _State:
    """What this process knows of one account's tokens."""

    pair: TokenPair | None = None
    unconfirmed: bool = False
    renewal: "asyncio.Task[TokenPair] | None" = None
    unsaved: tuple[TokenPair, TokenPair] | None = None
    answer_lost: bool = False
    failures: int = 0
    not_before: datetime | None = None


class Refresher:
    """Hand out access tokens and renew them, for all accounts of one process.

    Many sends share one renewal; among processes the vault lends the right to one of them. Zalo's refresh token is
    single-use and the old access token dies with the renewal (api.md 2). If the answer that carries the new pair is
    lost on its way, no protocol brings it back: the next try is refused with -14014, the account is stopped, and a
    person must grant again.
    """

    def __init__(
        self,
        oauth: OAuth,
        vault: TokenVault,
        holder: str,
        now: Now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._oauth = oauth
        self._vault = vault
        self._holder = holder
        self._now = now
        self._sleep = sleep
        self._states: dict[str, _State] = {}

    async def pair(self, account_id: str) -> TokenPair:
        """Return a pair that is not known to be dead; renews it first when its time is over.

        Raises AccountStoppedError without credentials, TemporaryError while renewing fails.
        """
        state = self._state(account_id)
        pair = state.pair or await self._read(account_id)
        return pair if self._now() < pair.expires_at else await self.renew(account_id, pair)

    def ready(self, account_id: str) -> TokenPair | None:
        """Return the pair in use if it is known here, still good and has worked; nothing is read for that."""
        state = self._states.get(account_id)
        if state is None or state.pair is None or state.unconfirmed or self._now() >= state.pair.expires_at:
            return None
        return state.pair

    def is_due(self, pair: TokenPair) -> bool:
        """Say whether half of the access token's life is over."""
        return pair.expires_at - self._now() <= ACCESS_LIFE / 2

    async def refresh_due(self, account_id: str) -> bool:
        """Renew if half of the life is over; True when another pair than before is in use. Raises SendError."""
        before = self._state(account_id).pair
        pair = await self._read(account_id)
        renewed = await self.renew(account_id, pair) if self.is_due(pair) else pair
        return renewed.access_token != (before or pair).access_token

    async def renew(self, account_id: str, failed: TokenPair) -> TokenPair:
        """Return a pair newer than `failed`: one that somebody else has stored meanwhile, or a renewed one.

        Raises AccountStoppedError when a person must grant again, TemporaryError when it may work later.
        """
        state = self._state(account_id)
        if state.pair is not None and state.pair.access_token != failed.access_token:
            return state.pair
        if state.renewal is None or state.renewal.done():
            state.renewal = asyncio.create_task(self._renewal(account_id, state, failed))
            state.renewal.add_done_callback(_look)
        # A caller that gives up must not take the answer with the new pair along.
        return await asyncio.shield(state.renewal)

    async def worked(self, account_id: str, pair: TokenPair) -> None:
        """Note that Zalo has taken the access token; the pair before a renewal may then go. Never raises."""
        state = self._state(account_id)
        if state.unconfirmed and state.pair == pair:
            state.unconfirmed = False
            try:
                await self._vault.confirm(account_id)
            except Exception:  # noqa: BLE001 -- the message has left; a pair kept too long harms nobody
                _log.warning("old pair could not be dropped", account=account_id, exc_info=True)

    async def finish(self) -> None:
        """Return once no renewal is under way: its answer may hold the only pair that is still alive."""
        renewals = [state.renewal for state in self._states.values() if state.renewal is not None]
        await asyncio.gather(*renewals, return_exceptions=True)

    def _state(self, account_id: str) -> _State:
        return self._states.setdefault(account_id, _State())

    async def _read(self, account_id: str) -> TokenPair:
        pair = await self._vault.pair(account_id)
        if pair is None:
            raise AccountStoppedError("no_credentials")
        self._state(account_id).pair = pair
        return pair

    async def _renewal(self, account_id: str, state: _State, failed: TokenPair) -> TokenPair:
        pair = await self._read(account_id)
        if pair.access_token != failed.access_token:
            return pair
        if state.not_before is not None and self._now() < state.not_before:
            wait = (state.not_before - self._now()).total_seconds()
            raise TemporaryError("refresh_failed", "waiting before the next try", retry_after=wait)
        leased = await self._lease(account_id, failed)
        if leased.access_token != failed.access_token:
            state.pair = leased
            return leased
        error: str | None = "interrupted"
        try:
            state.pair = await self._renewed(account_id, state, leased)
            error = None
        except SendError as failure:
            error = str(failure)
            self._back_off(state)
            raise
        finally:
            await self._release(account_id, error)
        state.failures, state.not_before, state.answer_lost, state.unconfirmed = 0, None, False, True
        _log.info("token renewed", account=account_id, until=state.pair.expires_at.isoformat())
        return state.pair

    async def _release(self, account_id: str, error: str | None) -> None:
        try:
            await self._vault.release(account_id, self._holder, error)
        except Exception:  # noqa: BLE001 -- the right to renew ends by itself; what came before must not be hidden
            _log.warning("right to renew could not be given back", account=account_id, exc_info=True)

    async def _lease(self, account_id: str, failed: TokenPair) -> TokenPair:
        """Return the pair to renew with the right to do so, or a newer pair that another process has stored."""
        waited = 0.0
        while True:
            leased = await self._vault.acquire(account_id, self._holder, LEASE_SECONDS)
            if leased is not None:
                if leased.access_token != failed.access_token:
                    await self._release(account_id, None)
                return leased
            pair = await self._read(account_id)
            if pair.access_token != failed.access_token:
                return pair
            if waited >= _PATIENCE:
                raise TemporaryError("refresh_in_progress")
            await self._sleep(_POLL)
            waited += _POLL

    async def _renewed(self, account_id: str, state: _State, old: TokenPair) -> TokenPair:
        # A pair that Zalo gave and the vault did not take is the only one alive: keep it before asking for another.
        if state.unsaved is None or state.unsaved[0] != old:
            state.unsaved = (old, await self._ask(account_id, state, old))
        new = state.unsaved[1]
        if not await self._vault.store(account_id, self._holder, new):
            # The lease ran out while this process stood still. Unless another one renewed, ours is the living pair.
            current = await self._lease(account_id, old)
            if current.access_token != old.access_token:
                state.unsaved = None
                return current
            if not await self._vault.store(account_id, self._holder, new):
                raise TemporaryError("refresh_in_progress")
        state.unsaved = None
        return new

    async def _ask(self, account_id: str, state: _State, old: TokenPair) -> TokenPair:
        asked_at = self._now()
        if not old.refresh_token:
            raise await self._stopped(account_id, AccountStoppedError("refresh_token_dead", "none stored"), asked_at)
        try:
            grant = await self._oauth.refresh(old.refresh_token)
        except UnknownOutcomeError as error:
            state.answer_lost = True
            raise TemporaryError("refresh_failed", str(error)) from None
        except AccountStoppedError as error:
            if error.provider_code is None:  # a page without JSON in Zalo's place says nothing about our tokens
                raise TemporaryError("refresh_failed", str(error)) from None
            if state.answer_lost and error.provider_code == REFRESH_TOKEN_DEAD:
                error.detail = f"{error.detail} (an earlier answer with the new pair was lost)"
            raise await self._stopped(account_id, error, asked_at) from None
        return TokenPair(grant.access_token, grant.refresh_token, grant.expires_at)

    async def _stopped(self, account_id: str, error: AccountStoppedError, asked_at: datetime) -> AccountStoppedError:
        _log.error("a person must grant again", account=account_id, reason=error.reason)
        await self._vault.stop(account_id, error.reason, error.detail, asked_at)
        return error

    def _back_off(self, state: _State) -> None:
        pause = min(_FIRST_PAUSE * 2**state.failures, _LONGEST_PAUSE)
        state.failures = min(state.failures + 1, 10)
        state.not_before = self._now() + pause


def _look(task: "asyncio.Task[TokenPair]") -> None:
    # Read the outcome, so that a renewal that nobody waits for any more is not reported as forgotten.
    if not task.cancelled():
        task.exception()
