"""Renew tokens ahead of time; one account that fails does not stop the others."""

from bot.channels.channel import RefreshesCredentials
from bot.domain.delivery import SendError
from bot.logs import logger
from bot.runtime import Runtime, ref
from bot.store import accounts, outbox

_log = logger("tokens")


async def refresh_credentials(runtime: Runtime) -> int:
    """Renew what is due; returns how many accounts have a new pair."""
    async with runtime.database.reading() as session:
        known = await accounts.all_accounts(session)
    renewed = 0
    for account in known:
        channel = runtime.channels.get(account.provider)
        if account.state != "active" or not isinstance(channel, RefreshesCredentials):
            continue
        try:
            if await channel.refresh(ref(account)):
                renewed += 1
                async with runtime.units_of_work() as uow:
                    await outbox.wake_account(uow.session, account.id, uow.now)
                    uow.after_commit("deliver_messages")
        except SendError as error:
            _log.error("token not renewed", account=account.external_id, reason=error.reason)
    return renewed
