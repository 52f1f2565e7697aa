"""Groups: made, joined, left and turned into supergroups by people; a bot is put in and taken out."""

from tests.simulator.errors import VerbError

from . import views
from .model import OUT, Chat, Json, Message
from .person_verbs import Id, PersonVerbs


class GroupVerbs(PersonVerbs):
    """The verbs about groups."""

    async def group(self, *, title: str, members: list[Id], supergroup: bool = False) -> Json:
        """Make a group of these people; the first owns it."""
        people = [self.telegram.world.person(member).user_id for member in members]
        if not people:
            raise VerbError("a group needs somebody who makes it")
        roles = {user_id: "creator" if place == 0 else "member" for place, user_id in enumerate(people)}
        return self._shown(self.telegram.world.add_group(title, roles, supergroup=supergroup))

    def _shown(self, chat: Chat) -> Json:
        members = [{"id": str(member), "status": status} for member, status in chat.members.items()]
        return {"chat_id": str(chat.chat_id), "type": chat.type, "title": chat.title, "members": members} | {
            "migrated_to": str(chat.migrated_to or "")
        }

    async def add_member(self, *, chat_id: Id, user_id: Id, by: Id = 0) -> Json:
        """Add a person to a group."""
        chat, person = self.telegram.world.group(chat_id), self.telegram.world.person(user_id)
        chat.members[person.user_id] = "member"
        await self._service(chat, int(by) or _owner(chat), {"new_chat_members": [views.person(person)]})
        return self._shown(chat)

    async def remove_member(self, *, chat_id: Id, user_id: Id, by: Id = 0) -> Json:
        """Take a person out of a group."""
        chat, person = self.telegram.world.group(chat_id), self.telegram.world.person(user_id)
        chat.members[person.user_id] = "left"
        await self._service(chat, int(by) or _owner(chat), {"left_chat_member": views.person(person)})
        return self._shown(chat)

    async def add_bot(self, *, chat_id: Id, bot_id: Id, by: Id = 0, admin: bool = False) -> Json:
        """Put a bot into a group, or with `admin` make it an administrator, who sees every message."""
        chat, bot = self.telegram.world.group(chat_id), self.telegram.world.bot(bot_id)
        old, new = chat.members.get(bot.bot_id) or "left", "administrator" if admin else "member"
        chat.members[bot.bot_id] = new
        author = int(by) or _owner(chat)
        await self._membership(chat, author, bot.bot_id, old, new)
        if old in OUT:
            await self._service(chat, author, {"new_chat_members": [views.bot(bot)]})
        return self._shown(chat)

    async def remove_bot(self, *, chat_id: Id, bot_id: Id, by: Id = 0) -> Json:
        """Throw a bot out of a group."""
        chat, bot = self.telegram.world.group(chat_id), self.telegram.world.bot(bot_id)
        old, chat.members[bot.bot_id] = chat.members.get(bot.bot_id) or "left", "kicked"
        author = int(by) or _owner(chat)
        await self._service(chat, author, {"left_chat_member": views.bot(bot)})
        await self._membership(chat, author, bot.bot_id, old, "kicked")
        return self._shown(chat)

    async def mute_bot(self, *, chat_id: Id, bot_id: Id, muted: bool = True, by: Id = 0) -> Json:
        """Take from a bot the right to write in a supergroup, or with `muted` false give it back."""
        chat, bot = self.telegram.world.group(chat_id), self.telegram.world.bot(bot_id)
        if chat.type != "supergroup" or chat.members.get(bot.bot_id, "") in OUT:
            raise VerbError("only who is in a supergroup can be restricted there")
        old, new = chat.members[bot.bot_id], "restricted" if muted else "member"
        chat.members[bot.bot_id] = new
        await self._membership(chat, int(by) or _owner(chat), bot.bot_id, old, new)
        return self._shown(chat)

    async def migrate_group(self, *, chat_id: Id) -> Json:
        """Turn a group into a supergroup: another id, other message numbers, and a notice in both."""
        world, old = self.telegram.world, self.telegram.world.group(chat_id)
        if old.type != "group" or old.migrated_to:
            raise VerbError("only a basic group becomes a supergroup, and only once")
        new = world.add_group(old.title, dict(old.members), supergroup=True)
        owner = _owner(old)
        await self._service(old, owner, {"migrate_to_chat_id": new.chat_id})
        old.migrated_to = new.chat_id
        await self._service(new, owner, {"migrate_from_chat_id": old.chat_id})
        return self._shown(new)

    async def _service(self, chat: Chat, author: int, details: Json) -> None:
        world = self.telegram.world
        message = Message(0, chat.key, author, from_bot=False, kind="service", at_s=world.now_s(), details=details)
        await self._spread(chat, world.add_message(message))

    async def _membership(self, chat: Chat, author: int, bot_id: int, old: str, new: str) -> None:
        world = self.telegram.world
        payload = views.membership(world, chat, author, bot_id, old, new)
        await self.telegram.updates.put(world.bot(bot_id), "my_chat_member", payload, chat.key)
        world.changed(chat)


def _owner(chat: Chat) -> int:
    return next(member for member, status in chat.members.items() if status == "creator")
