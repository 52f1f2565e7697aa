"""What a person can do in Telegram; every verb returns after the first attempt at its webhook.

Ids may be texts or numbers. `chat_id` names a group; without it the private chat with the bot `bot_id` is meant.
"""

import asyncio
from base64 import b64decode

from tests.simulator.errors import VerbError
from tests.simulator.pictures import SCENES

from . import files, views
from .markup import find_button
from .model import OUT, Bot, Chat, Json, Message, Person, StoredFile, Tap
from .provider import Telegram

Id = int | str


class PersonVerbs:
    """The verbs of the phones."""

    telegram: Telegram

    def _chat(self, bot_id: Id, user_id: Id, chat_id: Id = "") -> tuple[Chat, Person]:
        world = self.telegram.world
        person = world.person(user_id)
        if not chat_id:
            return world.private(world.bot(bot_id).bot_id, person.user_id), person
        group = world.group(chat_id)
        if group.migrated_to:
            raise VerbError(f"the group is the supergroup {group.migrated_to} now")
        if group.members.get(person.user_id, "") in OUT:
            raise VerbError(f"{person.name} is not in the group")
        return group, person

    async def _spread(self, chat: Chat, message: Message, kind: str = "message") -> Json:
        """Tell the bots that may see the message."""
        telegram, told = self.telegram, []
        for bot in telegram.world.bots_in(chat):
            if _sees(bot, chat, message, telegram.world.message(chat, message.reply_to)):
                payload = views.message(telegram.world, message, bot.bot_id)
                told.append(telegram.updates.put(bot, kind, payload, chat.key))
                message.taken_by = sorted({*message.taken_by, bot.bot_id})
        updates = [update for update in await asyncio.gather(*told) if update]
        return {
            "message_id": message.message_id,
            "chat_id": chat.chat_id,
            "updates": [{"bot_id": it.bot_id, "update_id": it.update_id, "state": it.state} for it in updates],
        }

    def _write(
        self, chat: Chat, person: Person, kind: str, text: str = "", reply_to: Id = 0, **more: object
    ) -> Message:
        """Put a message of a person into a chat."""
        world = self.telegram.world
        if chat.blocked:
            raise VerbError("this phone has blocked the bot")
        if int(reply_to) and world.message(chat, int(reply_to)) is None:
            raise VerbError(f"no message {reply_to} in this chat")
        chat.started = True
        message = Message(
            0, chat.key, person.user_id, from_bot=False, kind=kind, at_s=world.now_s(), text=text,
            entities=_commands(text), reply_to=int(reply_to),
        )  # fmt: skip
        for name, value in more.items():
            setattr(message, name, value)
        return world.add_message(message)

    async def text(self, *, user_id: Id, text: str, bot_id: Id = 0, chat_id: Id = "", reply_to: Id = 0) -> Json:
        """Type something; `reply_to` is the message that is answered."""
        if not text:
            raise VerbError("text is empty")
        chat, person = self._chat(bot_id, user_id, chat_id)
        return await self._spread(chat, self._write(chat, person, "text", text, reply_to))

    async def start(self, *, user_id: Id, bot_id: Id, payload: str = "") -> Json:
        """Open the chat with a bot and press Start (`payload` from a link t.me/<bot>?start=…)."""
        chat, _ = self._chat(bot_id, user_id)
        if chat.blocked:
            await self.block(bot_id=bot_id, user_id=user_id, blocked=False)
        return await self.text(user_id=user_id, bot_id=bot_id, text=f"/start {payload}".strip())

    async def _send_file(
        self, chat: Chat, person: Person, file: StoredFile, text: str = "", reply_to: Id = 0, album: str = ""
    ) -> Json:
        message = self._write(chat, person, file.kind, text, reply_to, file=file.key, album=album)
        return await self._spread(chat, message)

    async def photo(
        self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "", text: str = "", name: str = "", data: str = "",
        reply_to: Id = 0,
    ) -> Json:  # fmt: skip
        """Send a photo: a sample, a named one, or an own one as base64."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        return await self._send_file(chat, person, self._picture(name, data), text, reply_to)

    def _picture(self, name: str, data: str = "") -> StoredFile:
        if data:
            return files.keep(self.telegram, "photo", b64decode(data), "anh")
        return files.keep_named(self.telegram, "photo", name or f"{min(SCENES)}.png", "anh.png")

    async def album(
        self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "", count: int = 3, text: str = "",
        data: list[str] | None = None, reply_to: Id = 0,
    ) -> list[Json]:  # fmt: skip
        """Send 2 to 10 photos as one album: each is a message of its own, the first carries the text."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        scenes = sorted(SCENES)
        pictures = [self._picture("", item) for item in data or []]
        pictures = pictures or [self._picture(f"{scenes[n % len(scenes)]}.png") for n in range(int(count))]
        album = str(self.telegram.world.rng.randrange(10**16, 10**17))
        sends = [
            self._send_file(chat, person, picture, text if number == 0 else "", reply_to, album)
            for number, picture in enumerate(pictures)
        ]
        return list(await asyncio.gather(*sends))

    async def voice(self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "") -> Json:
        """Send a voice message."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        file = files.keep_named(self.telegram, "voice", "ghi-am.ogg", "ghi-am.ogg", duration=3)
        return await self._send_file(chat, person, file)

    async def video(self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "", text: str = "") -> Json:
        """Send a clip."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        file = files.keep_named(self.telegram, "video", "doan-phim.mp4", "doan-phim.mp4", duration=3)
        return await self._send_file(chat, person, file, text)

    async def document(
        self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "", name: str = "don-kien-nghi.pdf", data: str = "",
        size: Id = 0, text: str = "", reply_to: Id = 0,
    ) -> Json:  # fmt: skip
        """Send a file: the sample, or own bytes as base64; `size` tells another than the true one."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        stored = self.telegram.media.add(b64decode(data), name) if data else "don-kien-nghi.pdf"
        file = files.keep_named(self.telegram, "document", stored, name, size=int(size))
        return await self._send_file(chat, person, file, text, reply_to)

    async def gif(self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "") -> Json:
        """Send a moving picture."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        file = files.keep_named(self.telegram, "animation", "anh-dong.gif", "anh-dong.gif", duration=1)
        return await self._send_file(chat, person, file)

    async def sticker(self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "") -> Json:
        """Send a sticker."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        file = files.keep_named(self.telegram, "sticker", "nhan-dan.png", "nhan-dan.png")
        return await self._send_file(chat, person, file)

    async def location(
        self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "", latitude: float | str = 20.8532,
        longitude: float | str = 105.7689,
    ) -> Json:  # fmt: skip
        """Share a place."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        place = {"location": {"latitude": float(latitude), "longitude": float(longitude)}}
        return await self._spread(chat, self._write(chat, person, "location", details=place))

    async def share_contact(self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "", of: Id = 0) -> Json:
        """Share the own phone number, or with `of` somebody else's."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        shared = views.person(self.telegram.world.person(of)) if int(of) else views.person(person)
        contact = {"phone_number": self.telegram.world.person(int(of) or user_id).phone, "user_id": shared["id"]}
        contact |= {key: shared[key] for key in ("first_name", "last_name") if key in shared}
        return await self._spread(chat, self._write(chat, person, "contact", details={"contact": contact}))

    async def edit(self, *, user_id: Id, message_id: Id, text: str, bot_id: Id = 0, chat_id: Id = "") -> Json:
        """Change the words of an own message (the caption of a file)."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        message = self.telegram.world.message(chat, int(message_id))
        if message is None or message.sender != person.user_id:
            raise VerbError(f"no own message {message_id} in this chat")
        message.versions.append(message.text)
        message.text, message.entities = text, _commands(text)
        message.edited_s = self.telegram.world.now_s()
        self.telegram.world.changed(chat)
        return await self._spread(chat, message, "edited_message")

    async def delete(self, *, user_id: Id, message_id: Id, bot_id: Id = 0, chat_id: Id = "") -> Json:
        """Take a message away; bots are not told."""
        chat, _ = self._chat(bot_id, user_id, chat_id)
        message = self.telegram.world.message(chat, int(message_id))
        if message is None:
            raise VerbError(f"no message {message_id} in this chat")
        message.deleted = True
        self.telegram.world.changed(chat)
        return {}

    async def tap(
        self, *, user_id: Id, bot_id: Id = 0, chat_id: Id = "", data: str = "", label: str = "", message_id: Id = 0
    ) -> Json:
        """Tap a button under a message, found by its data or its words: the newest that has it, or the one named."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        message, button = find_button(self.telegram.world.thread(chat), int(message_id), data, label)
        if "callback_data" not in button:
            return {"url": button.get("url", "")}
        return await self._tapped(chat, person, message, str(button["callback_data"]))

    async def old_tap(self, *, user_id: Id, data: str, message_id: Id, bot_id: Id = 0, chat_id: Id = "") -> Json:
        """Tap a button that a screen still showed while the bot took it away: what it says comes all the same."""
        chat, person = self._chat(bot_id, user_id, chat_id)
        message = self.telegram.world.message(chat, int(message_id))
        if message is None or not message.from_bot:
            raise VerbError(f"no message {message_id} of a bot in this chat")
        return await self._tapped(chat, person, message, data)

    async def _tapped(self, chat: Chat, person: Person, message: Message, data: str) -> Json:
        world = self.telegram.world
        tap = Tap(
            str(world.rng.randrange(10**17, 10**18)), message.sender, person.user_id, chat.key, message.message_id,
            data, world.now_s(),
        )  # fmt: skip
        world.taps[tap.tap_id] = tap
        bot = world.bot(message.sender)
        update = await self.telegram.updates.put(bot, "callback_query", views.callback(world, tap), chat.key)
        return {"tap_id": tap.tap_id, "state": update.state if update else "", "update_id": update and update.update_id}

    async def press(self, *, user_id: Id, label: str, bot_id: Id = 0, chat_id: Id = "") -> Json:
        """Press a button of the keyboard that a bot has put in the place of the person's own."""
        chat, _ = self._chat(bot_id, user_id, chat_id)
        button = next((it for it in self.telegram.keyboard(chat) if it["text"] == label), None)
        if button is None:
            raise VerbError(f"no key {label} on this phone")
        if button.get("request_contact"):
            return await self.share_contact(user_id=user_id, bot_id=bot_id, chat_id=chat_id)
        if button.get("request_location"):
            return await self.location(user_id=user_id, bot_id=bot_id, chat_id=chat_id)
        return await self.text(user_id=user_id, bot_id=bot_id, chat_id=chat_id, text=label)

    async def block(self, *, user_id: Id, bot_id: Id, blocked: bool = True) -> Json:
        """Block a bot, or with blocked=false let it write again; the bot is told."""
        chat, person = self._chat(bot_id, user_id)
        if chat.blocked == blocked:
            return {"state": ""}
        chat.blocked = blocked
        world, bot = self.telegram.world, self.telegram.world.bot(bot_id)
        old, new = ("member", "kicked") if blocked else ("kicked", "member")
        world.changed(chat)
        payload = views.membership(world, chat, person.user_id, bot.bot_id, old, new)
        update = await self.telegram.updates.put(bot, "my_chat_member", payload, chat.key)
        return {"state": update.state if update else ""}


def _commands(text: str) -> list[Json]:
    """Find the command that a client would mark: a slash and letters at the beginning."""
    head = text.split(maxsplit=1)[0] if text.strip() else ""
    return [{"type": "bot_command", "offset": 0, "length": len(head)}] if len(head) > 1 and head[0] == "/" else []


def _sees(bot: Bot, chat: Chat, message: Message, quoted: Message | None) -> bool:
    """Whether a bot sees a person's message (https://core.telegram.org/bots/features#privacy-mode)."""
    if chat.type == "private" or not bot.privacy or chat.members.get(bot.bot_id) == "administrator":
        return True
    if message.kind == "service" or (quoted and quoted.sender == bot.bot_id):
        return True
    if not message.entities or message.entities[0]["type"] != "bot_command":
        return False
    named = message.text.split(maxsplit=1)[0].partition("@")[2]
    return named.lower() in {"", bot.username.lower()}
