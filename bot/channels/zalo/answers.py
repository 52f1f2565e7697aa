"""Read what Zalo answers to questions: profiles, the account itself, what stands in a conversation, what was sent."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channels.channel import AccountInfo, Profile
from bot.channels.zalo.bodies import texts_of
from bot.channels.zalo.payload import details_of, id_of, integer_of, moment_of, object_of, text_of, url_of
from bot.clock import LOCAL_ZONE
from bot.domain.delivery import Sent, UnknownOutcomeError
from bot.domain.message import Message

SKEW = timedelta(seconds=5)
"""How far Zalo's clock may be behind ours."""

_FROM_OA = 0
_KINDS = {2: "business", 4: "state"}
_MEDIA_TYPES = {"image": frozenset({"photo", "image", "gif"}), "file": frozenset({"file"})}
_OWN_FIELDS = frozenset({"oaid", "oa_id", "name", "description", "avatar", "cover"})


def sent_of(data: dict[str, Any]) -> Sent:
    """Read the answer to a send; no `quota` object means that the message is charged (api.md 3.3).

    Raises UnknownOutcomeError when the answer names no message: it cannot be matched with its receipts.
    """
    message_id = id_of(data.get("message_id"))
    if not message_id:
        raise UnknownOutcomeError("no_message_id")
    if "quota" not in data:
        return Sent(message_id)
    quota = object_of(data["quota"])
    return Sent(message_id, text_of(quota.get("quota_type")) or None, integer_of(quota.get("remain")))


def profile_of(data: dict[str, Any]) -> Profile:
    """Read user/detail."""
    follows = data.get("user_is_follower")
    return Profile(
        name=text_of(data.get("display_name")),
        avatar_url=url_of(data.get("avatar")),
        follows=follows if isinstance(follows, bool) else None,
        heard_since=_day_of(data.get("user_last_interaction_date")),
    )


def _day_of(value: Any) -> datetime | None:
    """Return when a day (dd/mm/yyyy) began in Viet Nam, where Zalo counts them; None for anything else."""
    try:
        return datetime.strptime(text_of(value), "%d/%m/%Y").replace(tzinfo=LOCAL_ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def account_info_of(data: dict[str, Any]) -> AccountInfo:
    """Read getoa; the id is `oaid` by the documentation and `oa_id` by clients (api.md 7)."""
    return AccountInfo(
        external_id=id_of(data.get("oaid")) or id_of(data.get("oa_id")),
        name=text_of(data.get("name")),
        kind=_KINDS.get(integer_of(data.get("oa_type")) or 0, ""),
        details=details_of(data, _OWN_FIELDS),
    )


def is_ours_since(item: Any, since: datetime) -> bool:
    """Say whether a conversation item was sent by the account at `since` or later, give or take the clocks' skew."""
    fields = object_of(item)
    at = moment_of(fields.get("time"))
    return integer_of(fields.get("src")) == _FROM_OA and at is not None and at >= since - SKEW


def find_equal(
    items: Iterable[Any], messages: Iterable[Message], since: datetime, known: Collection[str] = ()
) -> str | None:
    """Return the id of the item that equals one of the messages, the nearest to `since` if several do.

    Items whose ids are `known` are other messages with the same words.
    """
    shapes = list(messages)
    found = [
        (abs(moment - since), id_of(item.get("message_id")))
        for item in map(object_of, items)
        if is_ours_since(item, since)
        and id_of(item.get("message_id")) not in known
        and (moment := moment_of(item.get("time"))) is not None
        and any(_equals(item, message) for message in shapes)
    ]
    return min(found)[1] or None if found else None


def _equals(item: dict[str, Any], message: Message) -> bool:
    text = text_of(item.get("message"))
    if message.media is not None:
        same_kind = text_of(item.get("type")) in _MEDIA_TYPES.get(message.media.kind, frozenset())
        return same_kind and (not text or not message.text or text in texts_of(message))
    return text in texts_of(message) or any(
        text_of(object_of(link).get("title")) in texts_of(message) for link in _links(item)
    )


def _links(item: dict[str, Any]) -> list[Any]:
    links = item.get("links")
    return links if isinstance(links, list) else []
