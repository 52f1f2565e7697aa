"""Show the providers' approved templates of each account: may it be sent, how, at what price, filled with what."""

from aiohttp import web

from bot.actions import templates
from bot.channels.channel import KnowsTemplates
from bot.domain.access import Permission
from bot.queue import FETCH_TEMPLATES
from bot.store import accounts, provider_templates, units
from bot.store.accounts import AccountRow
from bot.store.database import Session
from handlers.console.page import render, runtime_of, see_other, visit_of, writing
from handlers.keys import Visit

_MAY_LOOK = (Permission.ADMIN, Permission.ANNOUNCEMENT_WRITE)


async def show(request: web.Request) -> web.Response:
    """Show every template of the accounts that one administers, or writes announcements for."""
    async with runtime_of(request).database.reading() as session:
        own = await _own(request, session)
        rows = await provider_templates.of_accounts(session, [account.id for account in own])
    by_account = [(account, [row for row in rows if row.account_id == account.id]) for account in own]
    values = {
        "accounts": by_account,
        "refused_key": templates.REFUSED,
        "quality_key": templates.QUALITY,
        "quota_key": templates.DAY_QUOTA,
    }
    return render(request, "admin/templates", values)


async def fetch(request: web.Request) -> web.Response:
    """Have the provider asked anew, in the background; the page shows what comes."""
    async with writing(request) as uow:
        own = await _own(request, uow.session)
        await templates.ask_anew(uow, [account.id for account in own])
    await runtime_of(request).queue.wake(FETCH_TEMPLATES.name)
    return see_other(request.path.removesuffix("/fetch"), done="asked_provider")


async def _own(request: web.Request, session: Session) -> list[AccountRow]:
    """Return the accounts whose provider has templates and whose unit whoever looks works for."""
    visit, channels = visit_of(request), runtime_of(request).channels
    paths = {unit.id: unit.path for unit in await units.all_units(session)}
    return [
        row
        for row in await accounts.all_accounts(session)
        if isinstance(channels.get(row.provider), KnowsTemplates) and _works_for(visit, paths[row.unit_id])
    ]


def _works_for(visit: Visit, path: str) -> bool:
    return any(visit.grants.over(permission, path) for permission in _MAY_LOOK)
