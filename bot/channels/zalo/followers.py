"""Ask Zalo who follows an account: page by page, by tag or by the days on which people were heard of last."""

from datetime import date
from typing import Any

from bot.channels.channel import AccountRef, FollowerPage, FollowerQuery
from bot.channels.zalo.authorised import AuthorisedClient
from bot.channels.zalo.errors import WrongEndpointError
from bot.channels.zalo.payload import id_of, integer_of, list_of, object_of
from bot.domain.delivery import MessageInvalidError

PAGE = 50
LAST_OFFSET = 9951
"""No list is read further than this (contract §3.2), however long it is."""
READABLE = LAST_OFFSET + PAGE
_LISTS = ("users", "followers")


class Followers:
    """List the followers of any account of the app."""

    def __init__(self, api: AuthorisedClient) -> None:
        self._api = api

    async def page(self, account: AccountRef, query: FollowerQuery, offset: int) -> FollowerPage:
        """Return a page of user ids; raises the SendError family, MessageInvalidError where Zalo has no such list.

        Accounts whose API is the older one have a list without days: asked by days it would name everybody, so it
        is not asked.
        """
        arguments: dict[str, Any] = {"offset": offset, "count": PAGE, "is_follower": "true"}
        if query.tag:
            arguments["tag_name"] = query.tag
        if query.days is not None:
            arguments["last_interaction_period"] = _period(*query.days)
        try:
            return page_of(await self._api.get(account.id, "/v3.0/oa/user/getlist", arguments), offset)
        except WrongEndpointError as error:
            if query.days is not None:
                raise MessageInvalidError(error.reason, error.detail, provider_code=error.provider_code) from error
        del arguments["is_follower"]
        try:
            return page_of(await self._api.get(account.id, "/v2.0/oa/getfollowers", arguments), offset)
        except WrongEndpointError as error:
            # The account may well send: only its followers are not told.
            raise MessageInvalidError(error.reason, error.detail, provider_code=error.provider_code) from error

    async def tags(self, account: AccountRef) -> list[str]:
        """Return the names of an account's tags; raises the SendError family."""
        try:
            data = await self._api.get(account.id, "/v2.0/oa/tag/gettagsofoa")
        except WrongEndpointError as error:
            raise MessageInvalidError(error.reason, error.detail, provider_code=error.provider_code) from error
        # A name goes back as it was spelled: cleaned, Zalo would not know it again.
        return [name for name in list_of(data.get("items")) if isinstance(name, str) and name.strip()]


def page_of(data: dict[str, Any], offset: int) -> FollowerPage:
    """Read a page of either list; its end is where nobody follows any more, or as far as Zalo lets anybody read."""
    found = next((list_of(data[name]) for name in _LISTS if name in data), [])
    ids = [known for item in found if (known := id_of(object_of(item).get("user_id")))]
    total = max(integer_of(data.get("total")) or 0, offset + len(ids))
    ended = not ids or offset >= LAST_OFFSET or offset + PAGE >= total
    return FollowerPage(ids, total, None if ended else min(offset + PAGE, LAST_OFFSET), cut=total > READABLE)


def _period(first: date, last: date) -> str:
    return f"{first:%Y_%m_%d}:{last:%Y_%m_%d}"
