"""Finding a button on a phone, as a person does: by its words, or by what it says to the bot."""

from tests.simulator.errors import VerbError

from .model import Json, Message


def find_button(messages: list[Message], message_id: int, data: str, label: str) -> tuple[Message, Json]:
    """Return the newest button that fits (of the message named, if any); raises VerbError when none does."""
    for message in reversed(messages):
        if message.deleted or (message_id and message.message_id != message_id):
            continue
        for button in message.buttons:
            fits = button.get("callback_data") == data if data else button["text"] == label
            if fits:
                return message, button
    raise VerbError(f"no button {data or label} in this chat")


def keyboard(messages: list[Message]) -> list[Json]:
    """Return the keys that stand in the place of the person's keyboard now."""
    for message in reversed(messages):
        if "keyboard" in message.markup:
            return message.keyboard
        if message.markup.get("remove_keyboard"):
            return []
    return []
