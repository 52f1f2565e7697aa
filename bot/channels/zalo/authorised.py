"""Call Zalo's API as an account: fetch its token, renew it once when it is refused, repeat once."""

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from bot.channels.zalo.client import ZaloClient
from bot.channels.zalo.errors import TokenExpiredError
from bot.channels.zalo.token import Refresher, TokenPair
from bot.domain.delivery import AccountStoppedError, SendError, TemporaryError
from bot.errors import DecryptionError
from bot.logs import logger

_log = logger("tokens")


class AuthorisedClient:
    """Speak to one API address with the tokens of any account."""

    def __init__(self, client: ZaloClient, tokens: Refresher, api_url: str) -> None:
        self._client = client
        self._tokens = tokens
        self._url = api_url.rstrip("/")

    async def get(self, account_id: str, path: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask something; raises the SendError family, never UnknownOutcomeError."""
        return await self._call(account_id, "GET", path, arguments=arguments)

    async def post(self, account_id: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send something that must not reach a citizen twice; raises the SendError family."""
        return await self._call(account_id, "POST", path, body=body, once=True)

    async def upload(self, account_id: str, path: str, form: Callable[[], aiohttp.FormData]) -> dict[str, Any]:
        """Upload a file (`form` makes the body anew for each try); raises the SendError family."""
        return await self._call(account_id, "POST", path, form=form)

    async def _call(self, account_id: str, method: str, path: str, **content: Any) -> dict[str, Any]:
        url = f"{self._url}{path}"
        pair = await self._pair(account_id, None)
        try:
            data = await self._client.call(method, url, pair.access_token, account_id=account_id, **content)
        except TokenExpiredError:
            pair = await self._pair(account_id, pair)
            data = await self._client.call(method, url, pair.access_token, account_id=account_id, **content)
        await self._tokens.worked(account_id, pair)
        return data

    async def _pair(self, account_id: str, failed: TokenPair | None) -> TokenPair:
        try:
            if failed is None:
                return await self._tokens.pair(account_id)
            return await self._tokens.renew(account_id, failed)
        except SendError:
            raise
        except DecryptionError as error:
            raise AccountStoppedError("credentials_unreadable") from error
        except Exception as error:
            # The database may be away for a while; nothing has been sent yet.
            _log.warning("tokens not available", account=account_id, exc_info=True)
            raise TemporaryError("credentials_unavailable", type(error).__name__) from error
