"""Stand in for the channel of a provider that the configuration switches off while accounts of it remain."""

from collections.abc import Callable, Mapping

from bot.channels.channel import AccountRef, RawEvent, Recipient, VerificationError
from bot.channels.rate_limit import Window
from bot.domain.delivery import Sent, ThrottledError
from bot.domain.message import Capabilities, Message
from bot.domain.update import Update

_AGAIN_SECONDS = 300.0


class SwitchedOff:
    """Send nothing and lose nothing: what waits for the provider goes on waiting, and holds up no other account."""

    def __init__(self, provider: str, capabilities: Callable[[AccountRef], Capabilities]) -> None:
        self.provider = provider
        self._capabilities = capabilities

    def verify(self, headers: Mapping[str, str], body: bytes, account: str = "") -> RawEvent | None:
        """Let nothing in."""
        del headers, body, account
        raise VerificationError("no_key")

    def parse(self, raw: bytes) -> list[Update]:
        """Read nothing."""
        del raw
        return []

    def capabilities(self, account: AccountRef) -> Capabilities:
        """Say what the account could carry."""
        return self._capabilities(account)

    def limits(self, account: AccountRef) -> tuple[Window, ...]:
        """Return no limit: nothing is requested."""
        del account
        return ()

    async def send(self, account: AccountRef, to: Recipient, message: Message) -> Sent:
        """Keep the message for later. Raises ThrottledError, which counts as no try."""
        del account, to, message
        raise ThrottledError("channel_off", self.provider, retry_after=_AGAIN_SECONDS)
