"""The state of the fake Telegram and how it is looked up; everybody who watches is told of each change."""

import random
from dataclasses import asdict
from typing import TYPE_CHECKING

from tests.simulator.clock import Clock
from tests.simulator.errors import VerbError

from .model import OUT, Bot, Chat, Json, Message, Person, StoredFile, Tap

if TYPE_CHECKING:
    from tests.simulator.world import World as Platform

SUPERGROUP = -1_000_000_000_000


class World:
    """Bots, people, chats, messages, files and taps, in memory."""

    def __init__(self, clock: Clock, rng: random.Random, platform: "Platform") -> None:
        self.clock, self.rng, self._platform = clock, rng, platform
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.bots: dict[int, Bot] = {}
        self.people: dict[int, Person] = {}
        self.chats: dict[str, Chat] = {}
        self.threads: dict[str, dict[int, Message]] = {}
        self.files: dict[str, StoredFile] = {}
        self.paths: dict[str, tuple[str, float]] = {}  # of downloads: file and until when
        self.taps: dict[str, Tap] = {}

    def touch(self, what: str, **info: str | int) -> None:
        """Tell the watchers that something changed."""
        self._platform.touch("telegram", what=what, **{key: str(value) for key, value in info.items()})

    async def next_change(self) -> None:
        """Return after the next change of anything in the simulator."""
        await self._platform.next_change()

    def now_s(self) -> int:
        """Return the simulated Unix time in whole seconds, as the Bot API gives times."""
        return int(self.clock.now())

    def new_hex(self, digits: int = 16) -> str:
        """Make an id of lower-case hex digits."""
        return f"{self.rng.getrandbits(digits * 4):0{digits}x}"

    def bot(self, bot_id: int | str) -> Bot:
        """Return the bot or raise VerbError."""
        if int(bot_id) not in self.bots:
            raise VerbError(f"no bot {bot_id}")
        return self.bots[int(bot_id)]

    def person(self, user_id: int | str) -> Person:
        """Return the person or raise VerbError."""
        if int(user_id) not in self.people:
            raise VerbError(f"no Telegram user {user_id}")
        return self.people[int(user_id)]

    def private(self, bot_id: int, user_id: int) -> Chat:
        """Return the private chat of the two, a fresh one when they never met."""
        key = f"{bot_id}:{user_id}"
        return self.chats.setdefault(key, Chat(key, user_id, "private", bot_id))

    def group(self, chat_id: int | str) -> Chat:
        """Return the group or raise VerbError."""
        chat = self.chats.get(str(chat_id))
        if chat is None or chat.type == "private":
            raise VerbError(f"no group {chat_id}")
        return chat

    def add_group(self, title: str, members: dict[int, str], *, supergroup: bool = False) -> Chat:
        """Make a group."""
        number = self.rng.randrange(10**9, 4 * 10**9)
        chat_id = SUPERGROUP - number if supergroup else -number
        kind = "supergroup" if supergroup else "group"
        chat = Chat(str(chat_id), chat_id, kind, title=title, members=members)
        self.chats[chat.key] = chat
        self.touch("groups", chat_id=chat_id)
        return chat

    def thread(self, chat: Chat | str) -> list[Message]:
        """Return the messages of a chat, oldest first."""
        return list(self.threads.get(chat if isinstance(chat, str) else chat.key, {}).values())

    def message(self, chat: Chat, message_id: int) -> Message | None:
        """Return a message of the chat unless it was deleted."""
        found = self.threads.get(chat.key, {}).get(message_id)
        return None if found is None or found.deleted else found

    def add_message(self, message: Message) -> Message:
        """Append a message to its chat; it gets the chat's next number."""
        chat = self.chats[message.chat]
        chat.last_message_id += 1
        message.message_id = chat.last_message_id
        self.threads.setdefault(chat.key, {})[message.message_id] = message
        self.changed(chat)
        return message

    def changed(self, chat: Chat) -> None:
        """Tell the watchers that the chat shows something else now."""
        self.touch("message", chat=chat.key)

    def bots_in(self, chat: Chat) -> list[Bot]:
        """Return the bots that are in the chat now."""
        if chat.type == "private":
            return [self.bots[chat.bot_id]] if chat.bot_id in self.bots else []
        return [
            self.bots[member] for member, status in chat.members.items() if member in self.bots and status not in OUT
        ]

    def dump(self) -> Json:
        """Return everything as JSON values."""
        return {
            "bots": [asdict(bot) for bot in self.bots.values()],
            "people": [asdict(person) for person in self.people.values()],
            "chats": [asdict(chat) | {"members": list(chat.members.items())} for chat in self.chats.values()],
            "messages": [asdict(message) for thread in self.threads.values() for message in thread.values()],
            "files": [asdict(file) for file in self.files.values()],
            "taps": [asdict(tap) for tap in self.taps.values()],
        }

    def load(self, state: Json) -> None:
        """Take over what `dump` once returned."""
        self.clear()
        self.bots = {item["bot_id"]: Bot(**item) for item in state["bots"]}
        self.people = {item["user_id"]: Person(**item) for item in state["people"]}
        for item in state["chats"]:
            self.chats[item["key"]] = Chat(
                **(item | {"members": {int(who): status for who, status in item["members"]}})
            )
        for item in state["messages"]:
            self.threads.setdefault(item["chat"], {})[item["message_id"]] = Message(**item)
        self.files = {item["key"]: StoredFile(**item) for item in state["files"]}
        self.taps = {item["tap_id"]: Tap(**item) for item in state["taps"]}
