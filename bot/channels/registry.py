"""Know the providers: the only module that does. A new one is one import and one line here."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import aiohttp

from bot.channels.channel import AccountRef, Channel, Learn, LoadFile
from bot.channels.rate_limit import RateBudget
from bot.channels.switched_off import SwitchedOff
from bot.channels.telegram.bots import TelegramBots
from bot.channels.telegram.deep_links import deep_link
from bot.channels.telegram.limits import capabilities as telegram_capabilities
from bot.channels.zalo.limits import capabilities as zalo_capabilities
from bot.channels.zalo.token import TokenVault
from bot.clock import Now
from bot.config import Settings
from bot.domain.message import Capabilities

_CAPABILITIES: dict[str, Callable[[AccountRef], Capabilities]] = {
    "zalo": zalo_capabilities,
    "telegram": telegram_capabilities,
}
_DEEP_LINKS: dict[str, Callable[..., str]] = {"telegram": deep_link}


class Vault(TokenVault, Protocol):
    """Where every provider's tokens are kept."""

    async def access_token(self, account_id: str) -> str | None:
        """Return the token of an account whose token does not age, or None when it has none."""


def capabilities_of(provider: str, account: AccountRef) -> Capabilities:
    """Say what an account can carry, without a channel being open."""
    return _CAPABILITIES[provider](account)


def deep_link_of(provider: str, account: AccountRef, start: str, *, group: bool = False) -> str:
    """Return the address that opens an account's chat with a word already in it; "" where there is none."""
    return _DEEP_LINKS[provider](account, start, group=group) if provider in _DEEP_LINKS else ""


def switched_off(provider: str) -> Channel:
    """Return what stands in for the channel of a provider that is not configured."""
    return SwitchedOff(provider, _CAPABILITIES[provider])


def build_channels(
    settings: Settings,
    *,
    http: aiohttp.ClientSession,
    waiting: aiohttp.ClientSession,
    webhook_keys: Callable[[str], Mapping[str, str]],
    vault: Vault,
    load_file: LoadFile,
    learn: Learn,
    now: Now,
    budget: RateBudget | None = None,
) -> dict[str, Channel]:
    """Open the channel of every provider that is configured, by provider name.

    `waiting` is a session for calls that wait for long; `webhook_keys(provider)` returns keys by account.
    """
    channels: dict[str, Channel] = {}
    zalo = settings.zalo
    if zalo.app_id:
        from bot.channels.zalo.oa import ZaloOA

        channels["zalo"] = ZaloOA(
            http,
            app_id=zalo.app_id,
            app_secret=zalo.app_secret,
            api_url=zalo.api_url,
            oauth_url=zalo.oauth_url,
            default_secret_key=zalo.oa_secret_key,
            secret_keys=partial(webhook_keys, "zalo"),
            vault=vault,
            load_file=load_file,
            learn=learn,
            now=now,
            budget=budget,
            app_per_minute=zalo.app_per_minute,
            oa_per_minute=zalo.oa_per_minute,
            template_url=zalo.template_url,
            template_per_minute=zalo.template_per_minute,
            hash_phone=zalo.hash_phone,
        )
    if settings.telegram.api_url:
        channels["telegram"] = TelegramBots(
            http,
            waiting=waiting,
            api_url=settings.telegram.api_url,
            secret_keys=partial(webhook_keys, "telegram"),
            tokens=vault,
            load_file=load_file,
            now=now,
            budget=budget,
        )
    return channels
