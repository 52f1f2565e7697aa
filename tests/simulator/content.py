"""Reading the body of a send: what kind of message it is and whether it may be sent so (api.md section 3.3)."""

from typing import TYPE_CHECKING, Any

import aiohttp

from .errors import ApiError
from .media import picture_type
from .model import Json, Message, OfficialAccount, Upload

if TYPE_CHECKING:
    from .provider import Provider

TEXT_MAX, TITLE_MAX, SUBTITLE_MAX, QUERY_MAX, SMS_MAX = 2000, 100, 500, 1000, 160
BUTTONS_MAX = ELEMENTS_MAX = 5
ASSET_LIFE_MS = 7 * 86_400_000
FETCH_MAX = 10 * 1024 * 1024
ACTIONS = {"oa.open.url", "oa.query.show", "oa.query.hide", "oa.open.sms", "oa.open.phone"}


async def fill(provider: "Provider", oa: OfficialAccount, message: Message, body: Any) -> None:
    """Put what the body asks for into the message; raises ApiError -100, -201, -210 or -233."""
    if not isinstance(body, dict):
        raise ApiError(-201, "message")
    message.text = _text(body.get("text"))
    quote = body.get("quote_message_id")
    if quote is not None:
        _check_quote(provider, message, quote)
    attachment = body.get("attachment")
    if attachment is None:
        if not message.text:
            raise ApiError(-201, "text is empty")
        return
    if not isinstance(attachment, dict) or not isinstance(attachment.get("payload"), dict):
        raise ApiError(-201, "attachment")
    if attachment.get("type") == "file":
        _file(provider, oa, message, attachment["payload"])
    elif attachment.get("type") == "template":
        await _template(provider, oa, message, attachment["payload"])
    else:
        raise ApiError(-233, "attachment type")


def _text(value: Any, limit: int = TEXT_MAX, name: str = "text") -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ApiError(-201, name)
    if len(value) > limit:
        raise ApiError(-210, f"{name} is longer than {limit} characters")
    return value


def _check_quote(provider: "Provider", message: Message, quote: Any) -> None:
    quoted = provider.world.messages.get(quote) if isinstance(quote, str) else None
    if quoted is None or (quoted.oa_id, quoted.user_id) != (message.oa_id, message.user_id):
        raise ApiError(-201, "quote_message_id")
    message.quote_msg_id = quoted.msg_id


def _file(provider: "Provider", oa: OfficialAccount, message: Message, payload: Json) -> None:
    upload = _asset(provider, oa, payload.get("token"), {"file"}, "token")
    message.kind = "file"
    details = {
        "size": str(upload.size),
        "name": upload.name,
        "checksum": upload.checksum,
        "type": upload.name.rpartition(".")[2].lower(),
        "url": provider.media.address(upload.media),
    }
    message.attachments = [{"payload": details, "type": "file"}]


def _asset(provider: "Provider", oa: OfficialAccount, key: Any, kinds: set[str], name: str) -> Upload:
    upload = provider.world.uploads.get(key) if isinstance(key, str) else None
    if upload is None or upload.oa_id != oa.oa_id or upload.kind not in kinds:
        raise ApiError(-201, name)
    if provider.clock.now_ms() - upload.at_ms > ASSET_LIFE_MS:
        raise ApiError(-100)
    return upload


async def _template(provider: "Provider", oa: OfficialAccount, message: Message, payload: Json) -> None:
    kind = payload.get("template_type")
    if kind == "media":
        await _media(provider, oa, message, payload)
    elif kind == "request_user_info":
        message.kind = "request_user_info"
        message.elements = [await _element(provider, oa, item) for item in _elements(payload, 1)]
    elif kind in {"list", "button", None} and oa.is_state:
        await _interactive(provider, oa, message, payload)
    else:
        raise ApiError(-233, "template_type")
    if kind == "media" and payload.get("buttons"):
        raise ApiError(-233, "buttons beside media")


async def _interactive(provider: "Provider", oa: OfficialAccount, message: Message, payload: Json) -> None:
    if payload.get("elements") is not None or payload.get("template_type") == "list":
        message.kind = "list"
        message.elements = [await _element(provider, oa, item) for item in _elements(payload, ELEMENTS_MAX)]
    elif not message.text:
        raise ApiError(-201, "text is empty")
    else:
        message.kind = "buttons"
    buttons = payload.get("buttons", [])
    if not isinstance(buttons, list) or (message.kind == "buttons" and not buttons):
        raise ApiError(-201, "buttons")
    if len(buttons) > BUTTONS_MAX:
        raise ApiError(-210, f"more than {BUTTONS_MAX} buttons")
    message.buttons = [_button(button) for button in buttons]


def _elements(payload: Json, most: int) -> list[Json]:
    elements = payload.get("elements")
    if not isinstance(elements, list) or not elements or not all(isinstance(item, dict) for item in elements):
        raise ApiError(-201, "elements")
    if len(elements) > most:
        raise ApiError(-210, f"more than {most} elements")
    return elements


async def _element(provider: "Provider", oa: OfficialAccount, item: Json) -> Json:
    title = _text(item.get("title"), TITLE_MAX, "title")
    if not title:
        raise ApiError(-201, "title is empty")
    element: Json = {"title": title, "subtitle": _text(item.get("subtitle"), SUBTITLE_MAX, "subtitle")}
    if item.get("attachment_id"):
        upload = _asset(provider, oa, item["attachment_id"], {"image", "gif"}, "attachment_id")
        element["image_url"] = provider.media.address(upload.media)
    elif item.get("image_url"):
        element["image_url"] = provider.media.address(await _fetch(provider, item["image_url"]))
    action = item.get("default_action")
    if action is not None:
        if not isinstance(action, dict):
            raise ApiError(-201, "default_action")
        # A list element puts url flat into its action, a button nests it in payload (api.md section 3.3).
        flat = {key: action[key] for key in ("url", "content", "phone_code") if key in action}
        _check_action(action.get("type"), action.get("payload") or flat)
        element["default_action"] = action
    return element


def _button(item: Any) -> Json:
    if not isinstance(item, dict) or not _text(item.get("title"), TITLE_MAX, "button title"):
        raise ApiError(-201, "button")
    _check_action(item.get("type"), item.get("payload"))
    return {"title": item["title"], "type": item["type"], "payload": item.get("payload")}


def _check_action(kind: Any, payload: Any) -> None:
    if kind not in ACTIONS:
        raise ApiError(-201, "action type")
    if kind.startswith("oa.query."):
        if not _text(payload, QUERY_MAX, "payload"):
            raise ApiError(-201, "payload is empty")
        return
    needed = {"oa.open.url": "url", "oa.open.sms": "phone_code", "oa.open.phone": "phone_code"}[kind]
    if not isinstance(payload, dict) or not isinstance(payload.get(needed), str) or not payload[needed]:
        raise ApiError(-201, f"payload.{needed}")
    _text(payload.get("content"), SMS_MAX, "content")


async def _media(provider: "Provider", oa: OfficialAccount, message: Message, payload: Json) -> None:
    element = _elements(payload, 1)[0]
    kind = element.get("media_type")
    if kind not in {"image", "gif", "sticker"}:
        raise ApiError(-233, "media_type")
    message.kind = kind
    if kind == "sticker":
        sticker_id = _text(element.get("attachment_id"), name="attachment_id")
        if not sticker_id:
            raise ApiError(-201, "attachment_id")
        details = {"id": sticker_id, "url": provider.media.address("nhan-dan.png")}
    else:
        details = await _picture(provider, oa, element, kind)
    message.attachments = [{"payload": details, "type": kind}]


async def _picture(provider: "Provider", oa: OfficialAccount, element: Json, kind: str) -> Json:
    url, key = element.get("url"), element.get("attachment_id")
    if bool(url) == bool(key):
        raise ApiError(-201, "url or attachment_id")
    if kind == "gif" and not (element.get("width") and element.get("height")):
        raise ApiError(-201, "width and height")
    media = _asset(provider, oa, key, {kind}, "attachment_id").media if key else await _fetch(provider, url)
    return {"thumbnail": provider.media.thumbnail(media), "url": provider.media.address(media)}


async def _fetch(provider: "Provider", url: Any) -> str:
    # The provider takes a copy when the message is sent; what is no picture is refused.
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise ApiError(-201, "url")
    try:
        async with provider.http.get(url) as answer:
            data = await answer.content.read(FETCH_MAX) if answer.status == 200 else b""
            while answer.status == 200 and len(data) < FETCH_MAX and (more := await answer.content.read(FETCH_MAX)):
                data += more
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise ApiError(-201, "url cannot be fetched") from None
    if not picture_type(data):
        raise ApiError(-201, "url is not an image")
    return provider.media.add(data, url.partition("?")[0].rpartition("/")[2] or "anh")
