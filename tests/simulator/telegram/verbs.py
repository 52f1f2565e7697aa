"""What can be done in the fake Telegram: by people, about groups, by whoever makes bots, by whoever tests."""

from dataclasses import asdict, fields
from typing import Any

from tests.simulator.errors import VerbError

from .group_verbs import GroupVerbs
from .model import Bot, Json, Person
from .person_verbs import Id
from .provider import Telegram

CHANGEABLE = {field.name for field in fields(Bot)} - {"bot_id", "next_update"}
FIRST_USER = 7_100_000_001


class TelegramVerbs(GroupVerbs):
    """One method a verb; every argument is JSON, so that the control API can call each by name."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram

    async def add_bot_account(self, *, token: str, name: str, username: str = "", **settings: Any) -> Json:
        """Make a bot, as @BotFather does, or put another in its place; its id is what stands before the colon."""
        number = token.partition(":")[0]
        if not number.isdigit():
            raise VerbError("a token is <bot id>:<secret>")
        _check(settings)
        bot = Bot(int(number), token, name, username or f"thu_nghiem_{number}_bot", **settings)
        self.telegram.world.bots[bot.bot_id] = bot
        self.telegram.changed(bot)
        return self.bot(bot_id=bot.bot_id)

    async def set_bot(self, *, bot_id: Id, **settings: Any) -> Json:
        """Change settings of a bot, such as token, webhook_url, privacy, per_second, chat_burst."""
        bot = self.telegram.world.bot(bot_id)
        _check(settings)
        for key, value in settings.items():
            setattr(bot, key, value)
        self.telegram.updates.start(bot)
        self.telegram.changed(bot)
        return self.bot(bot_id=bot_id)

    def bot(self, *, bot_id: Id) -> Json:
        """Return what a bot is, token included: this is a simulator."""
        bot = self.telegram.world.bot(bot_id)
        return asdict(bot) | {"bot_id": str(bot.bot_id), "pending": len(self.telegram.updates.pending(bot))}

    async def person(self, *, name: str, user_id: Id = "", phone: str = "", username: str = "") -> Json:
        """Make somebody with Telegram on the phone, or return the one with this id."""
        world = self.telegram.world
        number = int(user_id) if user_id else max(world.people, default=FIRST_USER - 1) + 1
        if number not in world.people:
            own = phone or f"849000{10000 + len(world.people) + 1:05d}"
            world.people[number] = Person(number, name, own, username)
            world.touch("people", user_id=number)
        return _person(world.people[number])

    async def deactivate(self, *, user_id: Id, deactivated: bool = True) -> Json:
        """Delete somebody's account, or with deactivated=false bring it back."""
        person = self.telegram.world.person(user_id)
        person.deactivated = deactivated
        self.telegram.world.touch("people", user_id=person.user_id)
        return _person(person)

    async def raw(self, *, bot_id: Id, kind: str, payload: Any, lane: str = "raw") -> Json:
        """Send a bot an update of any kind and shape."""
        update = await self.telegram.updates.put(self.telegram.world.bot(bot_id), kind, payload, lane)
        return update.view() if update else {}

    async def fault(self, *, kind: str, **settings: Any) -> Json:
        """Switch a fault on."""
        made = asdict(self.telegram.faults.set(kind, **settings))
        self.telegram.world.touch("faults")
        return made

    async def clear_faults(self, *, kind: str = "", fault_id: str = "") -> Json:
        """Switch off what fits all given marks; everything without any."""
        number = self.telegram.faults.clear(kind=kind, fault_id=fault_id)
        self.telegram.world.touch("faults")
        return {"cleared": number}

    def history(self, *, chat: str) -> list[Json]:
        """Return what a chat shows, oldest first; `chat` is a group's id or <bot id>:<user id>."""
        world = self.telegram.world
        shown = []
        for message in world.thread(chat):
            if message.deleted:
                continue
            file = world.files.get(message.file)
            media = {"file_url": self.telegram.media.address(file.media), "file_name": file.name} if file else {}
            author = world.bots.get(message.sender) or world.people[message.sender]
            shown.append(message.view() | media | {"sender": str(message.sender), "author": author.name})
        return shown

    def taps(self, *, chat: str) -> list[Json]:
        """Return the taps in a chat, oldest first, with how the bot answered them."""
        return [
            asdict(tap) | {"user_id": str(tap.user_id)} for tap in self.telegram.world.taps.values() if tap.chat == chat
        ]

    def state(self) -> Json:
        """Return bots, people, chats and faults."""
        world = self.telegram.world
        groups = [self._shown(chat) for chat in world.chats.values() if chat.type != "private"]
        private = [chat for chat in world.chats.values() if chat.type == "private"]
        return {
            "bots": [self.bot(bot_id=bot_id) for bot_id in world.bots],
            "people": [_person(person) for person in world.people.values()],
            "groups": groups,
            "private": [{"key": it.key, "started": it.started, "blocked": it.blocked} for it in private],
            "keyboards": {chat.key: self.telegram.keyboard(chat) for chat in world.chats.values()},
            "faults": self.telegram.faults.view(),
            "now_ms": world.clock.now_ms(),
        }

    def calls(self, *, last: Id = 100) -> list[Json]:
        """Return the last calls, newest first."""
        return [call.view() for call in list(self.telegram.journal.calls)[-int(last) :][::-1]]

    def counts(self) -> Json:
        """Return counts of calls, and of messages delivered per chat."""
        return self.telegram.journal.counts()

    def updates(self, *, last: Id = 100) -> list[Json]:
        """Return the last updates, newest first."""
        return [update.view() for update in list(self.telegram.updates.log)[-int(last) :][::-1]]


def _check(settings: Json) -> None:
    if unknown := set(settings) - CHANGEABLE:
        raise VerbError(f"unknown bot setting {', '.join(sorted(unknown))}")


def _person(person: Person) -> Json:
    return asdict(person) | {"user_id": str(person.user_id)}
