"""A person's Telegram in Python: type, send, tap, and look at what a chat shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .model import Json, Message, Tap

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator


@dataclass(slots=True)
class TelegramPhone:
    """One person in one chat: with a bot, or in a group. Every verb that takes these ids can be called on it."""

    simulator: "Simulator"
    bot_id: int
    user_id: int
    chat_id: str = ""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb = getattr(self.simulator.telegram_verbs, name)

        def call(**arguments: Any) -> Any:
            where: Json = {"chat_id": self.chat_id} if self.chat_id else {"bot_id": self.bot_id}
            return verb(user_id=self.user_id, **where, **arguments)

        return call

    @property
    def key(self) -> str:
        """The chat's key in the fake Telegram's state."""
        return self.chat_id or f"{self.bot_id}:{self.user_id}"

    async def say(self, text: str, reply_to: int = 0) -> Json:
        """Type something."""
        return dict(await self.text(text=text, reply_to=reply_to))

    async def follow(self) -> Json:
        """Press Start, which is what following an Official Account is here."""
        return dict(await self.start())

    async def images(self, count: int = 1, text: str = "") -> list[Json]:
        """Send photos: one by itself, more as an album."""
        if count == 1:
            return [await self.photo(text=text)]
        return list(await self.album(count=count, text=text))

    async def tap(self, payload: str = "", *, label: str = "", message_id: int = 0) -> Json:
        """Tap a button under a message, found by what it says to the bot or by its words."""
        where: Json = {"chat_id": self.chat_id} if self.chat_id else {"bot_id": self.bot_id}
        verbs = self.simulator.telegram_verbs
        return await verbs.tap(user_id=self.user_id, **where, data=payload, label=label, message_id=message_id)

    @property
    def history(self) -> list[Message]:
        """Everything the chat shows, oldest first."""
        return [message for message in self.simulator.telegram.world.thread(self.key) if not message.deleted]

    @property
    def inbox(self) -> list[Message]:
        """What bots have written here, oldest first."""
        return [message for message in self.history if message.from_bot]

    @property
    def keyboard(self) -> list[str]:
        """The words on the keys that a bot has put in the place of the person's keyboard."""
        chat = self.simulator.telegram.world.chats.get(self.key)
        return [key["text"] for key in self.simulator.telegram.keyboard(chat)] if chat else []

    @property
    def toasts(self) -> list[str]:
        """The words shown over the chat after taps of this person, oldest first."""
        return [tap.text for tap in self._taps() if tap.answered and tap.text]

    def _taps(self) -> list[Tap]:
        taps = self.simulator.telegram.world.taps.values()
        return [tap for tap in taps if tap.chat == self.key and tap.user_id == self.user_id]

    async def wait_for(self, wanted: str, *, after: int = 0, timeout: float = 10.0) -> Message:  # noqa: ASYNC109 - a test's limit
        """Return the first message of a bot beyond the first `after` whose text holds `wanted`, as it stands now."""

        def found() -> Message | None:
            return next((m for m in self.inbox[after:] if wanted in m.text), None)

        try:
            message = await self.simulator.wait(found, timeout)
        except TimeoutError:
            told = [m.text or m.kind for m in self.inbox]
            raise AssertionError(f"nothing with {wanted!r} in {told}") from None
        assert isinstance(message, Message)
        return message

    async def wait_for_toast(self, wanted: str, timeout: float = 10.0) -> str:  # noqa: ASYNC109 - a test's limit
        """Return the first words over the chat that hold `wanted`."""
        try:
            words = await self.simulator.wait(lambda: next((it for it in self.toasts if wanted in it), None), timeout)
        except TimeoutError:
            raise AssertionError(f"nothing with {wanted!r} in {self.toasts}") from None
        return str(words)


@dataclass(slots=True)
class TelegramGroup:
    """One group: its people, and the bot that may be in it."""

    simulator: "Simulator"
    bot_id: int
    chat_id: str

    def phone(self, user_id: int | str) -> TelegramPhone:
        """Return what a member has in the hand, with this group open."""
        return TelegramPhone(self.simulator, self.bot_id, int(user_id), self.chat_id)

    async def migrate(self) -> "TelegramGroup":
        """Turn it into a supergroup and return that."""
        made = await self.simulator.telegram_verbs.migrate_group(chat_id=self.chat_id)
        return TelegramGroup(self.simulator, self.bot_id, made["chat_id"])

    async def add_bot(self, *, admin: bool = False) -> None:
        """Put the bot into the group."""
        await self.simulator.telegram_verbs.add_bot(chat_id=self.chat_id, bot_id=self.bot_id, admin=admin)

    async def mute_bot(self, *, muted: bool = True) -> None:
        """Take from the bot the right to write here, or give it back."""
        await self.simulator.telegram_verbs.mute_bot(chat_id=self.chat_id, bot_id=self.bot_id, muted=muted)

    async def remove_bot(self) -> None:
        """Throw the bot out."""
        await self.simulator.telegram_verbs.remove_bot(chat_id=self.chat_id, bot_id=self.bot_id)
