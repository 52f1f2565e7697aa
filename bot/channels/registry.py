"""Know the providers: the only module that does. A new one is one import and one line here."""

from collections.abc import Callable, Mapping

import aiohttp

from bot.channels.channel import AccountRef, Channel, Learn, LoadFile
from bot.channels.rate_limit import RateBudget
from bot.channels.zalo.limits import capabilities as zalo_capabilities
from bot.channels.zalo.token import TokenVault
from bot.clock import Now
from bot.config import ZaloSettings
from bot.domain.message import Capabilities

_CAPABILITIES: dict[str, Callable[[AccountRef], Capabilities]] = {"zalo": zalo_capabilities}


def capabilities_of(provider: str, account: AccountRef) -> Capabilities:
    """Say what an account can carry, without a channel being open."""
    return _CAPABILITIES[provider](account)


def build_channels(
    zalo: ZaloSettings,
    *,
    http: aiohttp.ClientSession,
    webhook_keys: Callable[[], Mapping[str, str]],
    vault: TokenVault,
    load_file: LoadFile,
    learn: Learn,
    now: Now,
    budget: RateBudget | None = None,
) -> dict[str, Channel]:
    """Open the channel of every provider that is configured, by provider name."""
    channels: dict[str, Channel] = {}
    if zalo.app_id:
        from bot.channels.zalo.oa import ZaloOA

        channels["zalo"] = ZaloOA(
            http,
            app_id=zalo.app_id,
            app_secret=zalo.app_secret,
            api_url=zalo.api_url,
            oauth_url=zalo.oauth_url,
            default_secret_key=zalo.oa_secret_key,
            secret_keys=webhook_keys,
            vault=vault,
            load_file=load_file,
            learn=learn,
            now=now,
            budget=budget,
            app_per_minute=zalo.app_per_minute,
            oa_per_minute=zalo.oa_per_minute,
        )
    return channels
