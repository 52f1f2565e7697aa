"""Ask providers which templates each account has, and for details of those that are new, changed or long unasked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.actions import templates
from bot.channels.channel import AccountRef, KnowsTemplates
from bot.channels.rate_limit import BROADCAST, in_lane
from bot.domain.delivery import SendError, TemplatesRefusedError
from bot.domain.template import TemplateFacts
from bot.logs import logger
from bot.one_by_one import one_by_one
from bot.runtime import Runtime, ref
from bot.store import accounts, provider_templates
from bot.store.accounts import AccountRow
from bot.store.provider_templates import ProviderTemplateRow

_log = logger("templates")
_DETAILS_FOR = timedelta(days=1)


@dataclass(slots=True)
class _Look:
    """One account whose templates are looked at."""

    runtime: Runtime
    account: AccountRow
    channel: KnowsTemplates
    ref: AccountRef

    async def look(self) -> int:
        """List the templates and ask for what is not known of them; returns how many were described anew."""
        try:
            with in_lane(BROADCAST):
                listed = await self.channel.templates(self.ref)
        except SendError as error:
            await self._refused(error)
            return 0
        async with self.runtime.database.reading() as session:
            rows = await provider_templates.of_accounts(session, [self.account.id])
        known = {row.template_id: row for row in rows}
        described = 0
        for found in listed:
            asked = _is_due(known.get(found.template_id), found, self.runtime.now())
            details = await self._details(found) if asked else None
            await self._keep(found, details)
            described += details is not None
        await self._finish({found.template_id for found in listed})
        return described

    async def _details(self, listed: TemplateFacts) -> TemplateFacts | None:
        """Ask for one template; one that cannot be asked for now does not keep the others."""
        try:
            with in_lane(BROADCAST):
                return await self.channel.template(self.ref, listed.template_id)
        except SendError as error:
            _log.warning("template not described", template=listed.template_id, reason=error.reason)
            return None

    async def _keep(self, listed: TemplateFacts, details: TemplateFacts | None) -> None:
        async with self.runtime.units_of_work() as uow:
            if details is None:
                await templates.listed(uow, self.account.id, listed)
            else:
                await templates.described(uow, self.account.id, details)

    async def _finish(self, listed: set[str]) -> None:
        """Note what is not listed any more, that the account may ask, and what it may still send today."""
        allowance = None
        try:
            with in_lane(BROADCAST):
                allowance = await self.channel.template_allowance(self.ref)
        except SendError as error:
            _log.info("allowance of templates not told", account=self.account.external_id, reason=error.reason)
        async with self.runtime.units_of_work() as uow:
            await templates.gone(uow, self.account.id, listed)
            await templates.refused(uow, self.account.id, "")
            if allowance is not None:
                left, per_day = allowance.left, allowance.per_day
                await templates.allowed(uow, self.account.id, left=left, per_day=per_day, quality=allowance.quality)
            uow.announce(templates.TOPIC)

    async def _refused(self, error: SendError) -> None:
        """Note what Zalo has against templates of this account: its chats have nothing to do with it, and go on."""
        _log.warning("templates not listed", account=self.account.external_id, reason=error.reason)
        if isinstance(error, TemplatesRefusedError):
            async with self.runtime.units_of_work() as uow:
                await templates.refused(uow, self.account.id, error.reason)


async def fetch_templates(runtime: Runtime) -> int:
    """Look at every account whose provider has templates; returns how many templates were described anew."""
    async with runtime.database.reading() as session:
        known = await accounts.all_accounts(session)

    async def look(account: AccountRow) -> int:
        channel = runtime.channels.get(account.provider)
        if account.state != "active" or not isinstance(channel, KnowsTemplates):
            return 0
        return await _Look(runtime, account, channel, ref(account)).look()

    return await one_by_one(known, look)


def _is_due(row: ProviderTemplateRow | None, listed: TemplateFacts, now: datetime) -> bool:
    """Say whether a template's details are to be asked for: it is new, has changed, or was asked for long ago."""
    if row is None or row.fetched_at is None or now - row.fetched_at > _DETAILS_FOR:
        return True
    told = [(listed.status, row.status), (listed.quality, row.quality), (listed.name, row.name)]
    return row.gone_at is not None or any(new and new != old for new, old in told)
