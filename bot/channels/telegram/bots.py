"""Reach people through Telegram bots: the channel itself. It is light; aiogram comes with the first bot."""

import asyncio
import gc
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import aiohttp

from bot.channels.channel import (
    AccountInfo,
    AccountRef,
    Fetched,
    LoadFile,
    Profile,
    RawEvent,
    Recipient,
    WebhookState,
)
from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import Meter, RateBudget, Window
from bot.channels.telegram import limits
from bot.channels.telegram.webhook import verified_event
from bot.clock import Now
from bot.domain.delivery import AccountStoppedError, Sent
from bot.domain.message import Capabilities, Message
from bot.domain.update import Update

if TYPE_CHECKING:
    from bot.channels.telegram.client import Tokens
    from bot.channels.telegram.talk import Talk

_LATE = ("bot.channels.telegram.client", "bot.channels.telegram.talk", "bot.channels.telegram.updates")


class TelegramBots:
    """Speak to Telegram for all bots of the installation.

    `secret_keys` returns the secrets of the bots' webhooks as they are now, by the bots' ids. `waiting` is the session
    for calls that wait for updates.
    """

    provider = "telegram"

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        waiting: aiohttp.ClientSession,
        api_url: str,
        secret_keys: Callable[[], Mapping[str, str]],
        tokens: "Tokens",
        load_file: LoadFile,
        now: Now,
        budget: RateBudget | None = None,
    ) -> None:
        self._http = http
        self._waiting = waiting
        self._api_url = api_url
        self._secret_keys = secret_keys
        self._tokens = tokens
        self._load_file = load_file
        self._now = now
        self._meter = Meter(budget or LocalBudget())
        self._talk: Talk | None = None
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        """Bring aiogram in, which takes seconds, beside the event loop; at once when it is there already."""
        async with self._loading:
            missing = [name for name in _LATE if name not in sys.modules]
            if missing:
                await asyncio.to_thread(_bring_in, missing)

    def verify(self, headers: Mapping[str, str], body: bytes, account: str = "") -> RawEvent | None:
        """Check the secret of a webhook. Raises VerificationError and ValueError."""
        return verified_event(headers, body, account, self._secret_keys(), self._now())

    def parse(self, raw: bytes) -> list[Update]:
        """Read a stored update."""
        from bot.channels.telegram.updates import parse_update

        return parse_update(raw)

    def capabilities(self, account: AccountRef) -> Capabilities:
        """Say what a bot can carry."""
        return limits.capabilities(account)

    def limits(self, account: AccountRef) -> tuple[Window, ...]:
        """Return none: each request is counted as it leaves, in windows of a second and of its chat."""
        del account
        return ()

    async def send(self, account: AccountRef, to: Recipient, message: Message) -> Sent:
        """Send or edit one message. Raises the SendError family."""
        return await (await self._speaking()).send(account, to.external_id, message)

    async def answer_tap(self, account: AccountRef, tap_id: str, text: str = "") -> None:
        """Let a pressed button stop spinning, with a few words over the chat; raises the SendError family."""
        await (await self._speaking()).answer_tap(account, tap_id, text)

    async def profile(self, account: AccountRef, external_id: str) -> Profile:
        """Ask for the name of a person or group; raises the SendError family."""
        return await (await self._speaking()).profile(account, external_id)

    async def account_info(self, account: AccountRef) -> AccountInfo:
        """Ask who this bot is; raises the SendError family."""
        return await (await self._speaking()).account_info(account)

    async def identify(self, token: str) -> AccountInfo:
        """Ask whose token this is; raises AccountStoppedError for one that is not valid, else the SendError family."""
        return await (await self._speaking()).identify(token)

    async def file_address(self, account: AccountRef, reference: str) -> str:
        """Return where a file is now, with the token in it; raises FileRefusedError and the SendError family."""
        return await (await self._speaking()).file_address(account, reference)

    async def keep_webhook(self, account: AccountRef, url: str, *, anew: bool = False) -> WebhookState:
        """Make sure that updates come to `url` with the bot's secret; raises the SendError family."""
        secret = self._secret_keys().get(account.external_id)
        if secret is None:
            raise AccountStoppedError("bot_token_missing", "no secret for its webhook")
        return await (await self._speaking()).keep_webhook(account, url, secret, anew=anew)

    async def begin_polling(self, account: AccountRef) -> None:
        """Take the webhook away, which stands against fetching; raises the SendError family."""
        await (await self._speaking()).begin_polling(account)

    async def updates(self, account: AccountRef, offset: int | None, seconds: int) -> list[Fetched]:
        """Wait for updates and return them; raises PollConflictError and the SendError family."""
        return await (await self._speaking()).updates(account, offset, seconds)

    async def _speaking(self) -> "Talk":
        if self._talk is None:
            await self.load()
            from bot.channels.telegram.client import TelegramClient
            from bot.channels.telegram.talk import Talk

            client = TelegramClient(self._http, self._waiting, self._api_url, self._tokens)
            self._talk = Talk(client, self._meter, self._load_file, self._now)
        return self._talk


def _bring_in(names: list[str]) -> None:
    for name in names:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a hundred thousand objects that stay: looking through them again and again would cost every turn
