"""Ask for updates and leave each as it is: what is stored is what came, however new its shape."""

from typing import Any

from aiogram.methods import TelegramMethod


class GetRawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """core.telegram.org/bots/api#getupdates, with updates as plain objects; only the number of each must be there."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None
