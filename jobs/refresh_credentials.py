"""Renew tokens ahead of time; one account that fails does not stop the others."""

from bot.channels.channel import RefreshesCredentials
from bot.domain.delivery import SendError
from bot.logs import logger
from bot.one_by_one import one_by_one
from bot.runtime import Runtime, ref
from bot.store import accounts, outbox
from bot.store.accounts import AccountRow

_log = logger("tokens")


async def refresh_credentials(runtime: Runtime) -> int:
    """Renew what is due; returns how many accounts have a new pair."""
    async with runtime.database.reading() as session:
        known = await accounts.all_accounts(session)

    async def renew(account: AccountRow) -> int:
        channel = runtime.channels.get(account.provider)
        if account.state != "active" or not isinstance(channel, RefreshesCredentials):
            return 0
        try:
            if not await channel.refresh(ref(account)):
                return 0
        except SendError as error:
            _log.error("token not renewed", account=account.external_id, reason=error.reason)
            return 0
        async with runtime.units_of_work() as uow:
            await outbox.wake_account(uow.session, account.id, uow.now)
            uow.after_commit("deliver_messages")
        return 1

    return await one_by_one(known, renew)
