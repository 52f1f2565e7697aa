"""Let aiogram speak over the service's own HTTP session: one for all bots, which refuses to work in a transaction."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, cast

import aiohttp
from aiogram.client.session.base import BaseSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import ClientDecodeError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import InputFile

from bot.channels.telegram.fetching import GetRawUpdates, with_texts

if TYPE_CHECKING:
    from aiogram import Bot

TIMEOUT = 10.0
"""Seconds for a whole call. Getting a connection has half of it, so that what runs out later has left this machine."""
_CONNECT_AT_MOST = 5.0


class NotSentError(Exception):
    """No connection could be made: nothing left this machine."""


class NoAnswerError(Exception):
    """The bytes left and no whole answer came; `reason` is telegram_timeout | telegram_disconnected."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnreadableAnswerError(Exception):
    """Something answered that is not Telegram's JSON, such as a proxy; only the HTTP status is known."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class SharedSession(BaseSession):
    """Make aiogram's calls on sessions that are opened and closed elsewhere.

    `waiting` is for calls that wait for long, so that they take no connections from those that do not.
    """

    def __init__(self, http: aiohttp.ClientSession, waiting: aiohttp.ClientSession, api_url: str) -> None:
        super().__init__(api=TelegramAPIServer.from_base(api_url), timeout=TIMEOUT)
        self._http = http
        self._waiting = waiting

    async def make_request(
        self,
        bot: "Bot",
        method: TelegramMethod[TelegramType],
        timeout: float | None = None,  # noqa: ASYNC109 - aiogram's own signature
    ) -> TelegramType:
        """Call a method; raises aiogram's errors for what Telegram says, and this module's for what nobody said.

        The address holds the bot's token and must not get into an error's text.
        """
        seconds = self.timeout if timeout is None else timeout
        http = self._http if seconds <= 2 * TIMEOUT else self._waiting
        limits = aiohttp.ClientTimeout(total=seconds, connect=min(seconds / 2, _CONNECT_AT_MOST))
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        try:
            async with http.post(url, data=self._form(bot, method), timeout=limits, allow_redirects=False) as answer:
                status, content = answer.status, await answer.text(errors="replace")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSentError(type(error).__name__) from None
        except aiohttp.InvalidURL:
            raise NotSentError("InvalidURL") from None
        except TimeoutError:
            raise NoAnswerError("telegram_timeout") from None
        except aiohttp.ClientError:
            raise NoAnswerError("telegram_disconnected") from None
        if isinstance(method, GetRawUpdates):
            content = with_texts(content)
        try:
            response = self.check_response(bot=bot, method=method, status_code=status, content=content)
        except (ClientDecodeError, TypeError):  # the latter for a refusal without a description
            raise UnreadableAnswerError(status) from None
        return cast("TelegramType", response.result)

    def _form(self, bot: "Bot", method: TelegramMethod[Any]) -> aiohttp.FormData:
        form = aiohttp.FormData(quote_fields=False)
        files: dict[str, InputFile] = {}
        for name, value in method.model_dump(warnings=False).items():
            prepared = self.prepare_value(value, bot=bot, files=files)
            if prepared:
                form.add_field(name, prepared)
        for name, file in files.items():
            form.add_field(name, file.read(bot), filename=file.filename or name)
        return form

    async def close(self) -> None:
        """Close nothing: the sessions belong to the runtime."""

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109 - aiogram's own signature
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        """Yield nothing: files are fetched by the job that distrusts them."""
        del url, headers, timeout, chunk_size, raise_for_status
        nothing: tuple[bytes, ...] = ()
        for part in nothing:
            yield part
