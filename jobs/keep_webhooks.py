"""Keep webhooks set where that is for us to do, and note what providers say of them."""

from datetime import datetime

from bot.actions.accounts import MODE, POLLING
from bot.channels.channel import SetsWebhook, WebhookState
from bot.domain.delivery import AccountStoppedError, SendError
from bot.logs import logger
from bot.one_by_one import one_by_one
from bot.runtime import Runtime, ref
from bot.store import accounts, receptions
from bot.store.accounts import AccountRow
from bot.vault import stop_account

_log = logger("webhooks")
_MAX_DETAIL = 500
_REFUSED = "401"
"""What a provider's words hold when we have refused its webhook."""


async def keep_webhooks(runtime: Runtime) -> int:
    """Look at every webhook that we set, and set it where it is not; returns how many are as they should be.

    One that was never looked at since its account was connected is set anew, for its secret is a new one; and one of
    which the provider tells that we refused it.
    """
    await runtime.accounts.refresh()
    async with runtime.database.reading() as session:
        known = await accounts.all_accounts(session)
        coming_in = await receptions.all_receptions(session)
    well = {row.account_id for row in coming_in.values() if row.checked_at and _REFUSED not in row.reported}

    async def keep(account: AccountRow) -> int:
        channel = runtime.channels.get(account.provider)
        mine = account.state == "active" and account.learnt.get(MODE) != POLLING
        if not mine or not isinstance(channel, SetsWebhook):
            return 0
        url, asked_at = webhook_url(runtime, account), runtime.now()
        try:
            state = await channel.keep_webhook(ref(account), url, anew=account.id not in well)
        except SendError as error:
            await _not_kept(runtime, account, error, asked_at)
            return 0
        await _kept(runtime, account, state)
        return 1

    return await one_by_one(known, keep)


def webhook_url(runtime: Runtime, account: AccountRow) -> str:
    """Return the address to which an account's updates come."""
    return f"{runtime.settings.server.public_url.rstrip('/')}/webhooks/{account.provider}/{account.external_id}"


async def _kept(runtime: Runtime, account: AccountRow, state: WebhookState) -> None:
    async with runtime.units_of_work() as uow:
        row = await receptions.begin(uow.session, account.id)
        row.waiting, row.reported, row.reported_at = state.waiting, state.error[:_MAX_DETAIL], state.error_at
        row.error, row.detail, row.error_at, row.checked_at = "", "", None, uow.now


async def _not_kept(runtime: Runtime, account: AccountRow, error: SendError, asked_at: datetime) -> None:
    _log.error("webhook not set", account=account.external_id, reason=error.reason)
    async with runtime.units_of_work() as uow:
        row = await receptions.begin(uow.session, account.id)
        row.error, row.detail, row.error_at = error.reason, error.detail[:_MAX_DETAIL], uow.now
        if isinstance(error, AccountStoppedError):
            await stop_account(uow, account.id, error.reason, error.detail, asked_at)
