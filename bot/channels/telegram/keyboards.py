"""Show buttons in Telegram's two ways: under a message, or in place of the letters when a phone number is asked for."""

from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from bot.channels.telegram.limits import MAX_LABEL, MAX_PAYLOAD
from bot.domain.delivery import MessageInvalidError
from bot.domain.message import Button, Message

Keyboard = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove
_SHORT = 16
"""Labels up to so many characters stand two in a row; longer ones would be cut on a phone."""


def keyboard_of(message: Message, *, group: bool) -> Keyboard | None:
    """Return what is shown with a message.

    A message without buttons takes away the keyboard by which a phone number was asked for: nobody needs to remember
    whether there is one. Raises MessageInvalidError for a payload that is too long.
    """
    if message.asks_contact and not group:
        return _asking(message)
    if message.buttons:
        return inline_keyboard(message.buttons)
    return None if group else ReplyKeyboardRemove(remove_keyboard=True)


def inline_keyboard(buttons: tuple[Button, ...]) -> InlineKeyboardMarkup:
    """Return the keyboard under a message; raises MessageInvalidError for a payload that is too long."""
    rows: list[list[InlineKeyboardButton]] = []
    half_full = False
    for button in buttons:
        short = len(button.label) <= _SHORT
        if short and half_full:
            rows[-1].append(_inline(button))
            half_full = False
        else:
            rows.append([_inline(button)])
            half_full = short
    return InlineKeyboardMarkup(inline_keyboard=rows)


def _inline(button: Button) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(text=button.label, url=button.url)
    payload = button.payload or button.label
    if len(payload.encode()) > MAX_PAYLOAD:
        raise MessageInvalidError("button_invalid", f"payload of {len(payload.encode())} bytes")
    return InlineKeyboardButton(text=button.label, callback_data=payload)


def _asking(message: Message) -> ReplyKeyboardMarkup:
    """Return the keyboard that hands over one's phone; the message's title is what its button says."""
    label = (message.title or message.text.partition("\n")[0]).strip()[:MAX_LABEL]
    rows = [[KeyboardButton(text=label, request_contact=True)]]
    rows += [[KeyboardButton(text=button.label)] for button in message.buttons]
    return ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True, one_time_keyboard=True)
