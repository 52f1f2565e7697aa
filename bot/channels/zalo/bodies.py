"""Write the bodies of sends: what Zalo's two message APIs want to see for each of our messages."""

import unicodedata
from dataclasses import replace
from typing import Any

from bot.channels.channel import AccountRef, Recipient
from bot.channels.zalo.limits import MAX_BUTTONS, MAX_TEXT, V2, V3, capabilities
from bot.channels.zalo.uploads import Uploaded
from bot.domain.delivery import MessageInvalidError
from bot.domain.message import Button, Message, fit
from bot.domain.text import clean, excerpt

MAX_TITLE = 100
MAX_SUBTITLE = 500
MAX_PAYLOAD = 1000

PATHS = {V2: "/v2.0/oa/message", V3: "/v3.0/oa/message/cs"}


def send_body(to: Recipient, message: Message, endpoint: str, uploaded: Uploaded | None) -> dict[str, Any]:
    """Return the body of one send (shapes of api.md 3.3); `message` has passed `shaped` for the endpoint."""
    return {"recipient": _recipient(to), "message": _content(message, endpoint, uploaded)}


def shaped(account: AccountRef, message: Message, endpoint: str) -> Message:
    """Return the message as the endpoint can show it: NFC, buttons as numbered lines where there are none.

    Raises MessageInvalidError for what cannot be sent in one piece: a text too long, words beside a file, nothing.
    """
    message = replace(message, text=_nfc(message.text), title=_nfc(message.title))
    if message.media is not None and message.media.kind == "file" and (message.text or message.buttons):
        raise MessageInvalidError("text_beside_file")
    if message.title and not _is_card(message, endpoint):
        message = replace(message, text=f"{message.title}\n{message.text}".strip(), title="", image_url="")
    limits = capabilities(replace(account, learnt={"endpoint": endpoint}))
    if message.media is not None:
        limits = replace(limits, max_buttons=0)  # buttons beside a picture are not documented
    if len(message.text) > MAX_TEXT:
        raise MessageInvalidError("text_too_long", f"{len(message.text)} characters")
    fitted, *rest = fit(message, limits)
    if rest:
        raise MessageInvalidError("text_too_long", "with the buttons as lines")
    if not fitted.text and not fitted.media and not fitted.title:
        raise MessageInvalidError("message_empty")
    return fitted


def texts_of(message: Message) -> set[str]:
    """Return the texts under which a sent message may be listed in the conversation."""
    return {text for text in (clean(message.text), clean(message.title)) if text}


def _recipient(to: Recipient) -> dict[str, str]:
    if to.conversation_id is not None:
        return {"anonymous_id": to.external_id, "conversation_id": to.conversation_id}
    return {"user_id": to.external_id}


def _content(message: Message, endpoint: str, uploaded: Uploaded | None) -> dict[str, Any]:
    content: dict[str, Any] = {"text": message.text} if message.text else {}
    if uploaded is not None:
        return content | {"attachment": _media(uploaded)}
    if message.asks_contact:
        return {"attachment": _template("request_user_info", elements=[_head(message)])}
    if message.title:
        rows = [{"title": b.label, "default_action": _action(b, flat=True)} for b in message.buttons]
        return {"attachment": _template("list", elements=[_head(message), *rows])}
    if message.buttons:
        buttons = [{"title": b.label, **_action(b, flat=False)} for b in message.buttons]
        return content | {"attachment": {"type": "template", "payload": {"buttons": buttons}}}
    if message.replies_to and endpoint == V3:
        return content | {"quote_message_id": message.replies_to}
    return content


def _is_card(message: Message, endpoint: str) -> bool:
    """Say whether a message with a title goes out as a card: a request for contact data, or a list (v2 only)."""
    if message.asks_contact:
        return True
    short = len(message.title) <= MAX_TITLE and len(message.text) <= MAX_SUBTITLE
    return (
        endpoint == V2
        and bool(message.image_url)
        and not message.media
        and short
        and len(message.buttons) < MAX_BUTTONS
    )


def _head(message: Message) -> dict[str, str]:
    title, subtitle = message.title, message.text
    if not title:
        title, _, subtitle = subtitle.partition("\n")
    element = {"title": excerpt(title, MAX_TITLE), "subtitle": excerpt(subtitle, MAX_SUBTITLE)}
    element["image_url"] = message.image_url
    return {key: value for key, value in element.items() if value}


def _template(kind: str, *, elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "template", "payload": {"template_type": kind, "elements": elements}}


def _media(uploaded: Uploaded) -> dict[str, Any]:
    if uploaded.kind == "file":
        return {"type": "file", "payload": {"token": uploaded.reference}}
    element: dict[str, Any] = {"media_type": uploaded.kind, "attachment_id": uploaded.reference}
    if uploaded.kind == "gif":
        element |= {"width": uploaded.width, "height": uploaded.height}
    return _template("media", elements=[element])


def _action(button: Button, *, flat: bool) -> dict[str, Any]:
    # A list element has `url` flat in its action, a button nests it in `payload` (api.md 3.3). A query comes back as
    # if the citizen had typed the payload; `hide` keeps the payload itself out of the chat.
    if button.url:
        return {"type": "oa.open.url", **({"url": button.url} if flat else {"payload": {"url": button.url}})}
    return {"type": "oa.query.hide", "payload": (button.payload or button.label)[:MAX_PAYLOAD]}


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
