"""Keyboards under a message and in the place of the person's own: what the real one refuses."""

from typing import Any

from .errors import bad
from .model import Json
from .params import Params

DATA_MAX_BYTES = 64
BUTTONS_MAX = 100
SCHEMES = ("http://", "https://", "tg://", "mailto:", "tel:")


def read(params: Params, *, private: bool) -> Json:
    """Return the checked `reply_markup`, empty when there is none. Raises RefusalError."""
    markup: Json = _without_nothing(params.table("reply_markup"))
    if "inline_keyboard" in markup:
        for button in _buttons(markup["inline_keyboard"]):
            _check_inline(button)
    elif "keyboard" in markup:
        for button in _buttons(markup["keyboard"]):
            if button.get("request_contact") and not private:
                raise bad("phone number can be requested in private chats only")
    elif markup and not (markup.get("remove_keyboard") or markup.get("force_reply")):
        raise bad("object expected as reply markup")
    return markup


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value


def _buttons(rows: Any) -> list[Json]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad("can't parse reply keyboard markup JSON object")
    buttons = [{"text": button} if isinstance(button, str) else button for row in rows for button in row]
    if not all(isinstance(button, dict) and button.get("text") for button in buttons):
        raise bad("can't parse keyboard button: text must be non-empty")
    if len(buttons) > BUTTONS_MAX:
        raise bad("reply markup is too long")
    return buttons


def _check_inline(button: Json) -> None:
    if "callback_data" in button:
        if not 1 <= len(str(button["callback_data"]).encode()) <= DATA_MAX_BYTES:
            raise bad("BUTTON_DATA_INVALID")
    elif "url" in button:
        if not str(button["url"]).startswith(SCHEMES):
            raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    elif not set(button) & {"switch_inline_query", "switch_inline_query_current_chat", "copy_text", "web_app"}:
        raise bad("text buttons are unallowed in the inline keyboard")
