"""A token vault in memory, with the lease of the real one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channels.zalo.token import TokenPair


@dataclass(slots=True)
class Held:
    """What the vault keeps of one account."""

    pair: TokenPair
    previous: TokenPair | None = None
    holder: str | None = None
    held_until: datetime | None = None
    error: str | None = None
    stopped: tuple[str, str] | None = None
    stopped_for: datetime | None = None


class MemoryVault:
    """Fulfils TokenVault; one object shared by two channels stands for one database and two processes.

    `refuse_store` makes that many next writes of a pair fail; `away` names methods that always do, as if the database
    were away.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.accounts: dict[str, Held] = {}
        self.stored: list[TokenPair] = []
        self.refuse_store = 0
        self.away: set[str] = set()

    def put(self, account_id: str, access: str, refresh: str, expires_at: datetime) -> TokenPair:
        """Set an account's pair, as an administrator's grant does."""
        pair = TokenPair(access, refresh, expires_at)
        self.accounts[account_id] = Held(pair)
        return pair

    async def pair(self, account_id: str) -> TokenPair | None:
        """Return the pair in use."""
        self._reach("pair")
        held = self.accounts.get(account_id)
        return held.pair if held else None

    async def acquire(self, account_id: str, holder: str, seconds: float) -> TokenPair | None:
        """Lend the right to renew."""
        held = self.accounts[account_id]
        if held.holder not in {None, holder} and held.held_until is not None and held.held_until >= self._now():
            return None
        held.holder, held.held_until = holder, self._now() + timedelta(seconds=seconds)
        return held.pair

    async def store(self, account_id: str, holder: str, pair: TokenPair) -> bool:
        """Keep a new pair if the right is still held."""
        if self.refuse_store:
            self.refuse_store -= 1
            raise ConnectionError("database away")
        held = self.accounts[account_id]
        if held.holder != holder:
            return False
        held.previous, held.pair = held.pair, pair
        self.stored.append(pair)
        return True

    async def release(self, account_id: str, holder: str, error: str | None) -> None:
        """Take the right back."""
        held = self.accounts[account_id]
        if held.holder == holder:
            held.holder = held.held_until = None
        if error is not None:
            held.error = error

    async def stop(self, account_id: str, reason: str, detail: str, asked_at: datetime) -> None:
        """Note that a person must act."""
        held = self.accounts[account_id]
        held.stopped, held.stopped_for = (reason, detail), asked_at

    async def confirm(self, account_id: str) -> None:
        """Drop the old pair."""
        self._reach("confirm")
        self.accounts[account_id].previous = None

    def _reach(self, method: str) -> None:
        if method in self.away:
            raise ConnectionError("database away")
