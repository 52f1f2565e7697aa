"""Lend tokens to channels: stored encrypted, renewed by one process at a time, the new pair kept before use."""

from datetime import UTC, datetime

from bot.channels.zalo.token import TokenPair
from bot.clock import Now
from bot.secrets import SecretBox
from bot.store import accounts, credentials
from bot.store.audit import AuditRow
from bot.store.credentials import CredentialRow
from bot.store.unit_of_work import UnitOfWork, UnitsOfWork


class Vault:
    """Fulfil what channels ask of a token store on the credentials table."""

    def __init__(self, units_of_work: UnitsOfWork, box: SecretBox, now: Now) -> None:
        self._units_of_work = units_of_work
        self._box = box
        self._now = now

    async def pair(self, account_id: str) -> TokenPair | None:
        """Return the pair in use, or None when the account has none."""
        async with self._units_of_work() as uow:
            return self._open(await credentials.credential(uow.session, account_id))

    async def access_token(self, account_id: str) -> str | None:
        """Return the token of an account whose token does not age, or None when it has none."""
        async with self._units_of_work() as uow:
            row = await credentials.credential(uow.session, account_id)
            return self._box.open(row.access_token) if row is not None and row.access_token is not None else None

    async def acquire(self, account_id: str, holder: str, seconds: float) -> TokenPair | None:
        """Take the right to renew; returns the pair to renew, or None while somebody else holds the right."""
        async with self._units_of_work() as uow:
            if not await credentials.acquire(uow.session, account_id, holder, self._now(), seconds):
                return None
            return self._open(await credentials.credential(uow.session, account_id))

    async def store(self, account_id: str, holder: str, pair: TokenPair) -> bool:
        """Keep a new pair, the old one beside it; False when the right to renew has been lost."""
        async with self._units_of_work() as uow:
            return await credentials.replace_pair(
                uow.session,
                account_id,
                holder,
                access_token=self._box.seal(pair.access_token),
                refresh_token=self._box.seal(pair.refresh_token),
                expires_at=pair.expires_at,
                now=self._now(),
            )

    async def release(self, account_id: str, holder: str, error: str | None) -> None:
        """Give the right to renew back."""
        async with self._units_of_work() as uow:
            await credentials.release(uow.session, account_id, holder, error)

    async def stop(self, account_id: str, reason: str, detail: str, asked_at: datetime) -> None:
        """Stop an account until a person connects it anew, unless one did after `asked_at`."""
        async with self._units_of_work() as uow:
            await stop_account(uow, account_id, reason, detail, asked_at)

    async def confirm(self, account_id: str) -> None:
        """Drop the old pair: the new one has worked."""
        async with self._units_of_work() as uow:
            await credentials.forget_previous(uow.session, account_id)

    def _open(self, row: CredentialRow | None) -> TokenPair | None:
        if row is None or row.access_token is None or row.refresh_token is None:
            return None
        return TokenPair(
            access_token=self._box.open(row.access_token),
            refresh_token=self._box.open(row.refresh_token),
            expires_at=row.expires_at or datetime.fromtimestamp(0, UTC),
        )


async def stop_account(uow: UnitOfWork, account_id: str, reason: str, detail: str, asked_at: datetime) -> bool:
    """Stop an account for the answer to a request of `asked_at` and leave a trail; the health page says what to do.

    Returns False when it was let in after that request: then whatever was refused is to be tried again.
    """
    if await accounts.stop(uow.session, account_id, reason, detail[:500], uow.now, asked_at=asked_at):
        uow.session.add(
            AuditRow(
                id=uow.new_id(),
                at=uow.now,
                actor_kind="system",
                action="account.stop",
                subject=f"account:{account_id}",
                data={"reason": reason},
            )
        )
        uow.announce("health")
        return True
    row = await accounts.account(uow.session, account_id)
    return row is not None and row.state == "stopped"
