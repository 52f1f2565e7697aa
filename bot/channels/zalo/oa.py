"""Reach people through Zalo Official Accounts: the channel itself."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime

import aiohttp

from bot.channels.channel import (
    AccountInfo,
    AccountRef,
    FollowerPage,
    FollowerQuery,
    Learn,
    LoadFile,
    Profile,
    RawEvent,
    Recipient,
    TemplateAllowance,
)
from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import NOTICE, Meter, RateBudget, Window, in_lane
from bot.channels.zalo import limits
from bot.channels.zalo.answers import account_info_of, find_equal, is_ours_since, profile_of, sent_of
from bot.channels.zalo.authorised import AuthorisedClient
from bot.channels.zalo.bodies import PATHS, send_body, shaped
from bot.channels.zalo.client import TIMEOUT, ZaloClient
from bot.channels.zalo.errors import WrongEndpointError
from bot.channels.zalo.events import parse_event
from bot.channels.zalo.followers import Followers
from bot.channels.zalo.limits import APP_REQUESTS_PER_MINUTE, REQUESTS_PER_MINUTE, V2, V3, RequestLimits
from bot.channels.zalo.oauth import OAuth
from bot.channels.zalo.template import Templates, find_template
from bot.channels.zalo.token import Refresher, TokenVault
from bot.channels.zalo.uploads import Uploads
from bot.channels.zalo.webhook import verified_event
from bot.clock import Now, new_id
from bot.domain.delivery import AccountStoppedError, MessageInvalidError, Sent, TemporaryError, UploadExpiredError
from bot.domain.message import Capabilities, Message
from bot.domain.template import TemplateFacts
from bot.domain.update import Update
from bot.logs import logger

_PAGE = 10
_PAGES = 3

_log = logger("delivery")


class ZaloOA:
    """Speak to Zalo for all Official Accounts of one app.

    `secret_keys` returns the OAs' own webhook keys as they are now, by OA id; `oauth` opens the way to new tokens.
    `template_url` is where templates go by phone; "" is the same as `api_url`.
    """

    provider = "zalo"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        app_id: str,
        app_secret: str,
        api_url: str,
        oauth_url: str,
        default_secret_key: str,
        secret_keys: Callable[[], Mapping[str, str]],
        vault: TokenVault,
        load_file: LoadFile,
        learn: Learn,
        now: Now,
        timeout: float = TIMEOUT,
        budget: RateBudget | None = None,
        app_per_minute: int = APP_REQUESTS_PER_MINUTE,
        oa_per_minute: int = REQUESTS_PER_MINUTE,
        template_url: str = "",
        template_per_minute: int = 0,
        hash_phone: bool = False,
    ) -> None:
        self._app_id = app_id
        self._default_key = default_secret_key
        self._secret_keys = secret_keys
        self._learn = learn
        self._now = now
        self._client = ZaloClient(session, now, timeout)
        self.oauth = OAuth(self._client, app_id, app_secret, oauth_url, now)
        self._tokens = Refresher(self.oauth, vault, new_id(), now)
        self._limits = RequestLimits(app_id, app_per_minute, oa_per_minute, template_per_minute)
        meter = Meter(budget or LocalBudget())
        self._api = AuthorisedClient(self._client, self._tokens, api_url, meter, self._limits.of_id)
        by_phone, host = self._limits.by_phone, template_url or api_url
        phone_api = AuthorisedClient(self._client, self._tokens, host, meter, by_phone, "zns")
        self._templates = Templates(self._api, phone_api, hash_phone=hash_phone)
        self._uploads = Uploads(self._api, load_file, now)
        self._followers = Followers(self._api)
        self._endpoints: dict[str, str] = {}
        self._last_shaped: tuple[Message, tuple[str, str], Message] | None = None

    def verify(self, headers: Mapping[str, str], body: bytes, account: str = "") -> RawEvent | None:
        """Check a webhook's signature; None for the probe. Raises VerificationError and ValueError."""
        del account  # all accounts share one address; the body names the account
        return verified_event(headers, body, self._app_id, self._default_key, self._secret_keys(), self._now())

    def parse(self, raw: bytes) -> list[Update]:
        """Read a stored webhook."""
        return parse_event(raw)

    def capabilities(self, account: AccountRef) -> Capabilities:
        """Say what an account can carry, by its kind and what was learnt, here or before."""
        learnt = dict(account.learnt)
        if account.id in self._endpoints:
            learnt["endpoint"] = self._endpoints[account.id]
        learnt["per_minute"] = str(self._limits.rate(account))
        return limits.capabilities(replace(account, learnt=learnt))

    def limits(self, account: AccountRef) -> tuple[Window, ...]:
        """Return the windows each request of an account is counted in: its own and the app's; () for no limit."""
        return self._limits.of(account)

    async def send(self, account: AccountRef, to: Recipient, message: Message) -> Sent:
        """Send one consultation message, or a template where the message names one. Raises the SendError family.

        A wrong endpoint is corrected once and remembered; no other refusal leads to a second try elsewhere, since a
        message may have arrived although the answer was an error (api.md 3.1).
        """
        self._limits.of(account)
        if message.template_id is not None:
            return await self._templates.send(account, to, message)
        if to.by == "phone":
            raise MessageInvalidError("template_needed")
        endpoint = self._endpoint(account, to)
        try:
            sent = await self._send(account, to, message, endpoint)
        except WrongEndpointError:
            sent = await self._send_other_way(account, to, message, V3 if endpoint == V2 else V2)
        if account.id in self._client.rates:
            await self._note_rate(account)
        return sent

    async def find_sent(
        self, account: AccountRef, to: Recipient, message: Message, since: datetime, known: Collection[str] = ()
    ) -> str | None:
        """Look for an equal message of ours in the conversation, at most 30 messages back; raises SendError.

        What went to a phone stands in none; a template may not, so that one which is missing says nothing.
        """
        self._limits.of(account)
        if message.template_id is not None:
            return await self._find_template(account, to, message, since, known)
        shapes = [message]
        for endpoint in PATHS:
            try:
                shapes.append(shaped(account, message, endpoint))
            except MessageInvalidError:
                continue
        for page in range(_PAGES):
            arguments = {"user_id": to.external_id, "offset": page * _PAGE, "count": _PAGE}
            items = (await self._api.get(account.id, "/v2.0/oa/conversation", arguments)).get("items", [])
            found = find_equal(items, shapes, since, known)
            if found is not None or len(items) < _PAGE or not any(is_ours_since(item, since) for item in items):
                return found
        return None

    async def _find_template(
        self, account: AccountRef, to: Recipient, message: Message, since: datetime, known: Collection[str]
    ) -> str:
        if to.by != "phone":
            arguments = {"user_id": to.external_id, "offset": 0, "count": _PAGE}
            items = (await self._api.get(account.id, "/v2.0/oa/conversation", arguments)).get("items", [])
            found = find_template(items, message, since, known)
            if found is not None:
                return found
        raise TemporaryError("outcome_not_told")

    async def refresh(self, account: AccountRef) -> bool:
        """Renew the tokens at half of their life; True when a new pair is in use. Raises the SendError family."""
        return await self._tokens.refresh_due(account.id)

    async def finish(self) -> None:
        """Return once no renewal of tokens is under way."""
        await self._tokens.finish()

    async def profile(self, account: AccountRef, external_id: str) -> Profile:
        """Ask for a person's name; raises the SendError family."""
        self._limits.of(account)
        arguments = {"user_id": external_id}
        with in_lane(NOTICE):
            try:
                return profile_of(await self._api.get(account.id, "/v3.0/oa/user/detail", arguments))
            except WrongEndpointError:
                return profile_of(await self._api.get(account.id, "/v2.0/oa/getprofile", arguments))

    async def followers(self, account: AccountRef, query: FollowerQuery, offset: int) -> FollowerPage:
        """Return a page of who follows an account; raises the SendError family."""
        self._limits.of(account)
        page = await self._followers.page(account, query, offset)
        await self._note_rate(account)
        return page

    async def follower_tags(self, account: AccountRef) -> list[str]:
        """Return the names of an account's tags; raises the SendError family."""
        self._limits.of(account)
        return await self._followers.tags(account)

    async def templates(self, account: AccountRef) -> list[TemplateFacts]:
        """List the account's templates; raises the SendError family."""
        return await self._templates.all_of(account)

    async def template(self, account: AccountRef, template_id: str) -> TemplateFacts:
        """Ask for one template's parameters and prices; raises the SendError family."""
        return await self._templates.one_of(account, template_id)

    async def template_allowance(self, account: AccountRef) -> TemplateAllowance:
        """Ask how many templates may still be sent today; raises the SendError family."""
        return await self._templates.allowance(account)

    async def account_info(self, account: AccountRef) -> AccountInfo:
        """Ask who this account is; raises the SendError family."""
        self._limits.of(account)
        return account_info_of(await self._api.get(account.id, "/v2.0/oa/getoa"))

    def _endpoint(self, account: AccountRef, to: Recipient) -> str:
        if to.conversation_id is not None:
            return V2  # anonymous visitors are answered there (api.md 3.2)
        return self._endpoints.get(account.id) or limits.endpoint(account)

    async def _send_other_way(self, account: AccountRef, to: Recipient, message: Message, endpoint: str) -> Sent:
        if to.conversation_id is None and self._endpoints.get(account.id) != endpoint:
            self._endpoints[account.id] = endpoint
            await self._remember(account, "endpoint", endpoint)
        try:
            return await self._send(account, to, message, endpoint)
        except WrongEndpointError as error:
            if to.conversation_id is None:
                self._endpoints.pop(account.id, None)
            raise AccountStoppedError("no_endpoint_accepts", error.detail, provider_code=error.provider_code) from error

    async def _send(self, account: AccountRef, to: Recipient, message: Message, endpoint: str) -> Sent:
        message = self._shaped(account, message, endpoint)
        if message.media is None:
            return await self._send_words(account, to, message, endpoint)
        uploaded = await self._uploads.get(account.id, message.media)
        try:
            return await self._post(account, endpoint, send_body(to, message, endpoint, uploaded))
        except UploadExpiredError:
            self._uploads.forget(account.id, message.media, uploaded)
            uploaded = await self._uploads.get(account.id, message.media)
            return await self._post(account, endpoint, send_body(to, message, endpoint, uploaded))

    def _shaped(self, account: AccountRef, message: Message, endpoint: str) -> Message:
        """Shape a message, once for all the people whom a broadcast sends the very same object to."""
        last = self._last_shaped
        if last is not None and last[0] is message and last[1] == (endpoint, account.kind):
            return last[2]
        fitted = shaped(account, message, endpoint)
        self._last_shaped = (message, (endpoint, account.kind), fitted)
        return fitted

    async def _send_words(self, account: AccountRef, to: Recipient, message: Message, endpoint: str) -> Sent:
        try:
            return await self._post(account, endpoint, send_body(to, message, endpoint, None))
        except MessageInvalidError as error:
            # The message answered may be gone; the answer itself must not be lost with it.
            if message.replies_to is None or "quote" not in error.detail.lower():
                raise
            return await self._post(account, endpoint, send_body(to, replace(message, replies_to=None), endpoint, None))

    async def _post(self, account: AccountRef, endpoint: str, body: dict[str, object]) -> Sent:
        return sent_of(await self._api.post(account.id, PATHS[endpoint], body))

    async def _note_rate(self, account: AccountRef) -> None:
        news = self._client.rates.get(account.id)
        if news is not None and self._limits.told(account, news.limit):
            await self._remember(account, "per_minute", str(news.limit))

    async def _remember(self, account: AccountRef, key: str, value: str) -> None:
        try:
            await self._learn(account.id, key, value)
        except Exception:  # noqa: BLE001 -- it is known in this process; a database away must not cost the message
            _log.warning("could not remember", account=account.id, fact=key, exc_info=True)
