"""Build what every turn of a conversation may use from what the process holds."""

from bot.runtime import Runtime
from handlers.citizen.turn import Desk


def desk_of(runtime: Runtime) -> Desk:
    """Return the desk of this process."""
    return Desk(runtime.settings.conversation, runtime.box)
