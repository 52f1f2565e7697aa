"""Begin to import the people who follow an account; how far it has come stands on the page of accounts."""

from aiohttp import web

from bot.actions import follower_imports
from bot.channels.channel import ListsFollowers
from bot.errors import InvalidInputError
from bot.store import accounts
from bot.store.unit_of_work import UnitOfWork
from handlers.console.accounts import account_list, require_own
from handlers.console.page import of, runtime_of, see_other, writing


async def begin(request: web.Request) -> web.Response:
    """Begin an import, unless one is under way or the account's provider does not tell who follows."""
    account_id = request.match_info["id"]
    try:
        async with writing(request) as uow:
            await require_own(request, uow, account_id)
            await _require_telling(request, uow, account_id)
            await follower_imports.begin(uow, account_id)
    except InvalidInputError as error:
        return await account_list(request, of(error), 422, account_id)
    return see_other("/admin/accounts", done="followers")


async def _require_telling(request: web.Request, uow: UnitOfWork, account_id: str) -> None:
    row = await accounts.account(uow.session, account_id)
    if row is None or not isinstance(runtime_of(request).channel(row), ListsFollowers):
        raise InvalidInputError("followers", "unknown_provider")
