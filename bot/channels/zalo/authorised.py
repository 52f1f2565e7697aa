"""Call Zalo's API as an account: each request paid for, its token fetched, renewed once when refused."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from bot.channels.rate_limit import Meter, Window, use_prepaid
from bot.channels.zalo.client import RateNews, ZaloClient
from bot.channels.zalo.error_codes import Scope
from bot.channels.zalo.errors import TokenExpiredError
from bot.channels.zalo.limits import APP_REQUESTS_PER_MINUTE
from bot.channels.zalo.token import Refresher, TokenPair
from bot.domain.delivery import AccountStoppedError, SendError, TemporaryError, ThrottledError
from bot.errors import DecryptionError
from bot.logs import logger

_log = logger("tokens")
_MINUTE = 60.0
_MARGIN = 1.0
_NOTED_AT_MOST_EVERY = timedelta(seconds=1)
_FEW = 4


class AuthorisedClient:
    """Speak to one API address with the tokens of any account; `scope` names the table of what its refusals mean.

    Only the OA API is counted in the accounts' requests a minute: what was paid for in advance is for that one, and
    another address pays in windows of its own.
    """

    def __init__(
        self,
        client: ZaloClient,
        tokens: Refresher,
        api_url: str,
        meter: Meter,
        windows: Callable[[str], Sequence[Window]],
        scope: Scope = "oa",
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._url = api_url.rstrip("/")
        self._meter = meter
        self._windows = windows
        self._scope: Scope = scope
        self._noted: dict[str, datetime] = {}

    async def get(self, account_id: str, path: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask something; raises the SendError family, never UnknownOutcomeError."""
        return await self._call(account_id, "GET", path, arguments=arguments)

    async def ask(self, account_id: str, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Ask something as the template host wants it, with plain query parameters; raises as `get` does."""
        return await self._call(account_id, "GET", path, query=query)

    async def post(self, account_id: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send something that must not reach a citizen twice; raises the SendError family."""
        return await self._call(account_id, "POST", path, body=body, once=True)

    async def upload(self, account_id: str, path: str, form: Callable[[], aiohttp.FormData]) -> dict[str, Any]:
        """Upload a file (`form` makes the body anew for each try); raises the SendError family."""
        return await self._call(account_id, "POST", path, form=form)

    async def _call(self, account_id: str, method: str, path: str, **content: Any) -> dict[str, Any]:
        url = self._url + path
        known = self._tokens.ready(account_id)
        pair = known or await self._pair(account_id, None)
        try:
            data = await self._paid(account_id, method, url, pair.access_token, content)
        except TokenExpiredError:
            known, pair = None, await self._pair(account_id, pair)
            data = await self._paid(account_id, method, url, pair.access_token, content)
        if known is None:
            await self._tokens.worked(account_id, pair)
        return data

    async def _paid(
        self, account_id: str, method: str, url: str, token: str, content: Mapping[str, Any]
    ) -> dict[str, Any]:
        windows = self._windows(account_id)
        counted = self._scope == "oa"
        covered = use_prepaid() and counted
        if windows and not covered:
            await self._meter.pay_now(windows)
        told = account_id if counted else ""  # only there do answers tell of the account's limit
        try:
            return await self._client.call(method, url, token, account_id=told, scope=self._scope, **content)
        except ThrottledError as error:
            await self._block(windows, error)
            raise
        finally:
            news = self._client.rates.get(told)
            if news is not None and news.remain * _FEW <= news.limit:
                await self._note(account_id, windows, news)

    async def _block(self, windows: Sequence[Window], error: ThrottledError) -> None:
        """Keep everybody from asking again too early: the account, or all accounts when the app was too fast."""
        seconds = _MINUTE if error.retry_after is None else error.retry_after
        shared = error.reason == "app_rate_limited"
        if windows:
            await self._meter.budget.block(windows[-1:] if shared else windows[:1], seconds + _MARGIN)

    async def _note(self, account_id: str, windows: Sequence[Window], news: RateNews) -> None:
        last = self._noted.get(account_id)
        if windows and (last is None or news.at - last >= _NOTED_AT_MOST_EVERY):
            self._noted[account_id] = news.at
            window = windows[-1] if news.limit >= APP_REQUESTS_PER_MINUTE else windows[0]
            await self._meter.budget.note_remaining(window.key, news.limit, news.remain)

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
