"""Send approved templates (ZBS, formerly ZNS) by user id or by phone, and ask which ones an account has."""

import hashlib
from collections.abc import Awaitable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from bot.channels.channel import AccountRef, Recipient, TemplateAllowance
from bot.channels.zalo.answers import is_ours_since, sent_of
from bot.channels.zalo.authorised import AuthorisedClient
from bot.channels.zalo.error_codes import CODES
from bot.channels.zalo.errors import TokenExpiredError
from bot.channels.zalo.payload import (
    id_of,
    integer_of,
    list_of,
    moment_of,
    object_of,
    phone_of,
    text_of,
)
from bot.domain.delivery import (
    AccountStoppedError,
    MessageInvalidError,
    RecipientGoneError,
    SendError,
    Sent,
    TemplatesRefusedError,
    UnknownOutcomeError,
)
from bot.domain.message import Message
from bot.domain.template import Parameter, TemplateFacts, can_be
from bot.domain.text import clean

BY_USER = "/v3.0/oa/message/template"
BY_PHONE = "/message/template"
BY_HASH = "/message/template/hashphone"
MAX_TRACKING = 48
DAY_QUOTA = "template_day"
"""Under which name the allowance of templates a day is kept beside the other allowances of an account."""

_PAGE = 100
_MOST_PAGES = 50
_NORMAL_MODE = "1"
_DEVELOPMENT = "development"
_TESTING = frozenset({"PENDING_REVIEW"})
_ONLY_BY_PHONE = frozenset({"OTP"})
Answered = TypeVar("Answered")


class Templates:
    """Speak of templates for all accounts: `oa` is the OA API, `host` the address of the phone channel.

    With `hash_phone` requests name the SHA-256 of a phone instead of the phone.
    """

    def __init__(self, oa: AuthorisedClient, host: AuthorisedClient, *, hash_phone: bool = False) -> None:
        self._oa = oa
        self._host = host
        self._hash_phone = hash_phone

    async def send(self, account: AccountRef, to: Recipient, message: Message) -> Sent:
        """Send one template, by the phone or the user id of the recipient. Raises the SendError family.

        What Zalo has against templates of the account is TemplatesRefusedError: its chats are to go on.
        """
        body: dict[str, Any] = {
            "template_id": message.template_id,
            "template_data": {name: clean(value) for name, value in message.parameters.items()},
        }
        if to.by != "phone":
            if message.development:
                # By user id no such mode is known: what is meant as a test would be a message that is charged.
                raise MessageInvalidError("development_by_phone")
            return sent_of(await _gently(self._oa.post(account.id, BY_USER, {"user_id": to.external_id, **body})))
        path, address = self._address(to)
        body |= {**address, "sending_mode": _NORMAL_MODE}
        if len(to.tracking) > MAX_TRACKING:
            raise MessageInvalidError("parameter_invalid", "tracking_id")
        if to.tracking:
            body["tracking_id"] = to.tracking
        if message.development:
            body["mode"] = _DEVELOPMENT
        return _sent_by_phone(await _gently(self._host.post(account.id, path, body)))

    def _address(self, to: Recipient) -> tuple[str, dict[str, str]]:
        phone = phone_of(to.external_id)
        if not phone.startswith("84"):
            raise RecipientGoneError("phone_invalid")
        if self._hash_phone:
            return BY_HASH, {"hash_phone": hashlib.sha256(phone.encode()).hexdigest()}
        return BY_PHONE, {"phone": phone}

    async def all_of(self, account: AccountRef) -> list[TemplateFacts]:
        """List an account's templates, a hundred at a time; raises the SendError family."""
        found: dict[str, TemplateFacts] = {}
        for page in range(_MOST_PAGES):
            query = {"offset": str(page * _PAGE), "limit": str(_PAGE)}
            items = list_of((await _gently(self._host.ask(account.id, "/template/all", query))).get("items"))
            listed = [facts for facts in map(facts_of, map(object_of, items)) if facts.template_id]
            before = len(found)
            found |= {facts.template_id: facts for facts in listed}
            if len(items) < _PAGE or len(found) == before:
                break
        return list(found.values())

    async def one_of(self, account: AccountRef, template_id: str) -> TemplateFacts:
        """Ask for one template; raises the SendError family."""
        data = await _gently(self._host.ask(account.id, "/template/info/v2", {"template_id": template_id}))
        facts = facts_of(data)
        return facts if facts.template_id else facts_of(data | {"templateId": template_id})

    async def allowance(self, account: AccountRef) -> TemplateAllowance:
        """Ask what is left of today's templates and how they are received; raises the SendError family."""
        quota = await _gently(self._host.ask(account.id, "/message/quota", {}))
        try:
            quality = text_of((await _gently(self._host.ask(account.id, "/quality", {}))).get("oaCurrentQuality"))
        except SendError:
            quality = ""  # told to few; the rest is worth knowing without it
        return TemplateAllowance(integer_of(quota.get("dailyQuota")), integer_of(quota.get("remainingQuota")), quality)


def facts_of(data: dict[str, Any]) -> TemplateFacts:
    """Read a template out of a list or of its details (field names of api.md 4); what is not told stays open."""
    tag, status = text_of(data.get("templateTag")), text_of(data.get("status"))
    by_user, by_phone = _dong(data.get("price_uid")), _dong(data.get("price_sdt"))
    by_phone = _dong(data.get("price")) if by_phone is None else by_phone
    timeout = integer_of(data.get("timeout"))
    return TemplateFacts(
        template_id=id_of(data.get("templateId")) or id_of(data.get("template_id")),
        name=text_of(data.get("templateName")),
        status=status,
        quality=text_of(data.get("templateQuality")),
        tag=tag,
        parameters=tuple(_parameters(list_of(data.get("listParams")))),
        text=text_of(data.get("content")),
        by_user=by_user is not None and tag not in _ONLY_BY_PHONE,
        by_phone=True,
        development=status in _TESTING,
        price_user=by_user,
        price_phone=by_phone,
        timeout_seconds=timeout // 1000 if timeout is not None else None,
    )


def _dong(value: Any) -> int | None:
    """Return a price; some are told with decimals."""
    return integer_of(text_of(value).partition(".")[0])


def _parameters(items: Iterable[Any]) -> Iterable[Parameter]:
    for item in map(object_of, items):
        name = text_of(item.get("name"))
        if name:
            yield Parameter(
                name=name,
                type=text_of(item.get("type")),
                required=item.get("require") is not False and item.get("acceptNull") is not True,
                shortest=max(integer_of(item.get("minLength")) or 0, 0),
                longest=max(integer_of(item.get("maxLength")) or 0, 0),
            )


def find_template(items: Iterable[Any], message: Message, since: datetime, known: Iterable[str]) -> str | None:
    """Return the id of the item of a conversation that shows this template, the nearest to `since` if several do."""
    ids = set(known)
    found = [
        (abs(at - since), id_of(item.get("message_id")))
        for item in map(object_of, items)
        if is_ours_since(item, since)
        and id_of(item.get("message_id")) not in ids
        and (at := moment_of(item.get("time"))) is not None
        and can_be(message.parameters, text_of(item.get("message")))
    ]
    return min(found)[1] or None if found else None


def _sent_by_phone(data: dict[str, Any]) -> Sent:
    message_id = id_of(data.get("msg_id")) or id_of(data.get("message_id"))
    if not message_id:
        raise UnknownOutcomeError("no_message_id")
    left = integer_of(object_of(data.get("quota")).get("remainingQuota"))
    return Sent(message_id, DAY_QUOTA, left) if left is not None else Sent(message_id)


async def _gently(call: Awaitable[Answered]) -> Answered:
    """Await a call about templates; what stops these must not stop the account, whose chats have nothing to do with it.

    A token that is refused even after its renewal is for a person to mend, and stops everything.
    """
    try:
        return await call
    except TokenExpiredError:
        raise
    except AccountStoppedError as error:
        of_host = error.provider_code is not None or error.reason in _OF_THE_HOST
        if not of_host or error.provider_code in CODES["oauth"]:
            raise  # about the tokens themselves
        raise TemplatesRefusedError(error.reason, error.detail, provider_code=error.provider_code) from error


_OF_THE_HOST = frozenset({"api_not_found", "api_refused"})
