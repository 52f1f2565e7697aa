"""Call Telegram as one of our bots: its token fetched once, every failure one of the send errors."""

from typing import Protocol

import aiohttp
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramConflictError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.utils.token import TokenValidationError

from bot.channels.channel import PollConflictError
from bot.channels.telegram.errors import conflict_reason, send_error
from bot.channels.telegram.session import NoAnswerError, NotSentError, SharedSession, UnreadableAnswerError
from bot.domain.delivery import AccountStoppedError, SendError, TemporaryError
from bot.errors import DecryptionError
from bot.logs import logger

_log = logger("tokens")
_FAILURES = (AiogramError, NotSentError, NoAnswerError, UnreadableAnswerError)
_ELLIPSIS = "…"


class Tokens(Protocol):
    """Where the bots' tokens are kept."""

    async def access_token(self, account_id: str) -> str | None:
        """Return an account's token, or None when it has none."""


class TelegramClient:
    """Call the Bot API for all bots."""

    def __init__(
        self, http: aiohttp.ClientSession, waiting: aiohttp.ClientSession, api_url: str, tokens: Tokens
    ) -> None:
        self._session = SharedSession(http, waiting, api_url)
        self._tokens = tokens
        self._bots: dict[str, Bot] = {}

    async def call(
        self,
        account_id: str,
        method: TelegramMethod[TelegramType],
        *,
        once: bool = False,
        seconds: float | None = None,
    ) -> TelegramType:
        """Call a method; `once` when its repeat would reach somebody twice, `seconds` for the whole call.

        A token that is refused is read anew: it may have been replaced by another process, and nothing was done.
        Raises the SendError family, PollConflictError when updates go elsewhere.
        """
        bot = self._bots.get(account_id) or await self._bot(account_id)
        try:
            return await self.call_as(bot, method, once=once, seconds=seconds)
        except AccountStoppedError:
            self._bots.pop(account_id, None)
            fresh = await self._bot(account_id)
            if fresh.token == bot.token:
                raise
        return await self.call_as(fresh, method, once=once, seconds=seconds)

    async def call_as(
        self, bot: Bot, method: TelegramMethod[TelegramType], *, once: bool = False, seconds: float | None = None
    ) -> TelegramType:
        """Call a method as a bot that need not be an account of ours; raises as `call` does."""
        try:
            return await self._session.make_request(bot, method, seconds)
        except _FAILURES as error:
            if isinstance(error, TelegramConflictError) and method.__api_method__ == "getUpdates":
                raise PollConflictError(conflict_reason(error)) from None
            told = send_error(error, once=once)
            told.detail = told.detail.replace(bot.token, _ELLIPSIS)
            raise told from None

    def bot(self, token: str) -> Bot:
        """Return a bot that speaks over the shared session; raises AccountStoppedError for what is no token."""
        try:
            return Bot(token, session=self._session)
        except TokenValidationError:
            raise AccountStoppedError("bot_token_refused", "not the form of a token") from None

    def file_url(self, bot: Bot, path: str) -> str:
        """Return the address of a file, which holds the token."""
        return self._session.api.file_url(bot.token, path)

    async def bot_of(self, account_id: str) -> Bot:
        """Return the bot of an account; raises the SendError family when it has no readable token."""
        return self._bots.get(account_id) or await self._bot(account_id)

    async def _bot(self, account_id: str) -> Bot:
        try:
            token = await self._tokens.access_token(account_id)
        except DecryptionError as error:
            raise AccountStoppedError("credentials_unreadable") from error
        except SendError:
            raise
        except Exception as error:
            # The database may be away for a while; nothing has been sent yet.
            _log.warning("token not available", account=account_id, exc_info=True)
            raise TemporaryError("credentials_unavailable", type(error).__name__) from error
        if not token:
            raise AccountStoppedError("bot_token_missing")
        bot = self._bots[account_id] = self.bot(token)
        return bot
