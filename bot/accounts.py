"""Know the accounts of this installation in memory, fresh within seconds, for the webhook's path."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from bot.errors import DecryptionError
from bot.logs import logger
from bot.secrets import SecretBox
from bot.store import accounts, credentials
from bot.store.accounts import AccountRow
from bot.store.database import Database

_log = logger("accounts")


class AccountDirectory:
    """A snapshot of accounts and webhook keys, read anew every few seconds; one row more needs no restart."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box
        self._by_external: dict[tuple[str, str], AccountRow] = {}
        self._keys: dict[str, dict[str, str]] = {}
        self._lock = asyncio.Lock()

    async def refresh(self) -> set[tuple[str, str]]:
        """Read the accounts anew; returns those (provider, external id) that were not known before."""
        async with self._lock:
            async with self._database.reading() as session:
                rows = await accounts.all_accounts(session)
                secrets = await credentials.all_credentials(session)
            by_id = {row.id: row for row in rows}
            keys: dict[str, dict[str, str]] = {}
            for secret in secrets:
                account = by_id.get(secret.account_id)
                if account is not None and secret.webhook_key is not None:
                    try:
                        of_provider = keys.setdefault(account.provider, {})
                        of_provider[account.external_id] = self._box.open(secret.webhook_key)
                    except DecryptionError:
                        _log.error("webhook key not readable: secret_key has changed", account=account.external_id)
            fresh = {(row.provider, row.external_id): row for row in rows}
            new = set(fresh) - set(self._by_external)
            self._by_external, self._keys = fresh, keys
            return new

    def get(self, provider: str, external_id: str) -> AccountRow | None:
        """Return an account by the provider's id."""
        return self._by_external.get((provider, external_id))

    def webhook_keys(self, provider: str) -> Mapping[str, str]:
        """Return the webhook keys of a provider's accounts by the provider's id of the account."""
        return MappingProxyType(self._keys.get(provider, {}))

    def providers(self) -> set[str]:
        """Return the providers that have an account."""
        return {provider for provider, _ in self._by_external}
