"""What citizens do on their phones. Every verb takes OA and person, and returns after the webhook's first attempt."""

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any

from . import events
from .errors import VerbError
from .model import Json, Message, OfficialAccount, Person, Tie
from .pictures import SCENES
from .webhooks import Delivery

if TYPE_CHECKING:
    from .provider import Provider


class Phones:
    """The verbs of the phones."""

    def __init__(self, provider: "Provider") -> None:
        self._provider = provider
        self._world = provider.world
        self._next_scene = 0

    def add(self, name: str = "", phone: str = "", user_id: str = "") -> Person:
        """Give a citizen a phone; ids and number (84…) are made up when not given."""
        world = self._world
        user_id = user_id or world.new_number()
        number = str(phone).lstrip("+") or f"849{world.rng.randrange(10**7, 10**8):08d}"
        if number.startswith("0"):
            number = "84" + number[1:]
        person = Person(user_id, name or f"Công dân {user_id[-4:]}", number, world.new_number())
        world.people[user_id] = person
        world.touch("phones")
        return person

    def _meet(self, oa_id: str, user_id: str) -> tuple[OfficialAccount, Person, Tie]:
        oa, person, tie = self._world.oa(oa_id), self._world.person(user_id), self._world.tie(oa_id, user_id)
        if tie.blocked:
            raise VerbError("this phone has blocked the OA")
        return oa, person, tie

    def _interact(self, tie: Tie, *, wrote: bool = False) -> int:
        now = self._provider.clock.now_ms()
        tie.last_interaction_ms, tie.left = now, False
        if wrote:
            tie.last_message_ms = now
        return now

    async def _tell(self, oa: OfficialAccount, payload: Json) -> Json:
        self._world.touch("tie", oa_id=oa.oa_id)
        return _result([await self._provider.webhooks.send(oa, payload)])

    async def follow(self, oa_id: str, user_id: str, source: str = "oa_profile") -> Json:
        """Follow the OA."""
        oa, person, tie = self._meet(oa_id, user_id)
        tie.following = True
        return await self._tell(oa, events.follow(oa, person, "follow", source, self._interact(tie)))

    async def unfollow(self, oa_id: str, user_id: str, source: str = "oa_profile") -> Json:
        """Stop following; the OA may write again only after another sign of life."""
        oa, person, tie = self._world.oa(oa_id), self._world.person(user_id), self._world.tie(oa_id, user_id)
        tie.following, tie.left = False, True
        return await self._tell(oa, events.follow(oa, person, "unfollow", source, self._provider.clock.now_ms()))

    async def block(self, oa_id: str, user_id: str) -> Json:
        """Block the OA: no webhook tells it, its sends get -213."""
        self._meet(oa_id, user_id)[2].blocked = True
        self._world.touch("tie", oa_id=oa_id)
        return _result([])

    async def unblock(self, oa_id: str, user_id: str) -> Json:
        """Let the OA in again."""
        self._world.oa(oa_id), self._world.person(user_id)
        self._world.tie(oa_id, user_id).blocked = False
        self._world.touch("tie", oa_id=oa_id)
        return _result([])

    async def click_chat(self, oa_id: str, user_id: str) -> Json:
        """Press the chat button: once per person and OA an event; opens the right to write."""
        oa, person, tie = self._meet(oa_id, user_id)
        now = self._interact(tie)
        if tie.clicked_chat:
            return _result([])
        tie.clicked_chat = True
        return await self._tell(oa, events.about_user(oa, person, "user_click_chatnow", now))

    async def withdraw(self, oa_id: str, user_id: str) -> Json:
        """Ask for erasure of one's data (`user_withdraw`)."""
        oa, person = self._world.oa(oa_id), self._world.person(user_id)
        return await self._tell(oa, events.about_user(oa, person, "user_withdraw", self._provider.clock.now_ms()))

    async def text(self, oa_id: str, user_id: str, text: str, quote_msg_id: str = "") -> Json:
        """Write; with `quote_msg_id` as a reply to that message."""
        if not text:
            raise VerbError("text is empty")
        return await self._send(oa_id, user_id, "text", [], text=str(text), quote=quote_msg_id)

    async def images(
        self,
        oa_id: str,
        user_id: str,
        count: int = 1,
        media: list[str] | None = None,
        text: str = "",
        quote_msg_id: str = "",
        together: bool = False,
    ) -> Json:
        """Send photos, each as an event of its own, in parallel; `together` puts all into one event.

        `media`: names or addresses (samples, or what /sim/media answered); without it `count` samples, taken in turn.
        """
        names = media or [self._scene() for _ in range(int(count))]
        attachments = [{"payload": self._picture(name), "type": "image"} for name in names]
        if together:
            return await self._send(oa_id, user_id, "image", attachments, text=text, quote=quote_msg_id)
        captions = [text] + [""] * (len(attachments) - 1)
        sends = [
            self._send(oa_id, user_id, "image", [attachment], text=caption, quote=quote_msg_id)
            for attachment, caption in zip(attachments, captions, strict=True)
        ]
        results = await asyncio.gather(*sends)
        msg_ids = [msg_id for result in results for msg_id in result["msg_ids"]]
        webhooks = [webhook for result in results for webhook in result["webhooks"]]
        return {"msg_id": msg_ids[0], "msg_ids": msg_ids, "webhooks": webhooks}

    def _scene(self) -> str:
        name = list(SCENES)[self._next_scene % len(SCENES)]
        self._next_scene += 1
        return f"{name}.png"

    def _picture(self, name: str) -> Json:
        media = self._provider.media
        if not name.startswith(("http://", "https://")):
            media.read(name)
        return {"thumbnail": media.thumbnail(name), "url": media.address(name)}

    async def gif(self, oa_id: str, user_id: str, media: str = "anh-dong.gif") -> Json:
        """Send a moving picture."""
        return await self._send(oa_id, user_id, "gif", [{"payload": self._picture(media), "type": "gif"}])

    async def audio(self, oa_id: str, user_id: str, media: str = "ghi-am.amr") -> Json:
        """Send a voice message."""
        payload = {"url": self._provider.media.address(media)}
        return await self._send(oa_id, user_id, "audio", [{"payload": payload, "type": "audio"}])

    async def video(self, oa_id: str, user_id: str, media: str = "doan-phim.mp4", description: str = "") -> Json:
        """Send a clip."""
        addresses = self._provider.media
        thumbnail = addresses.thumbnail("canh-dong.png")
        payload = {"thumbnail": thumbnail, "description": description, "url": addresses.address(media)}
        return await self._send(oa_id, user_id, "video", [{"payload": payload, "type": "video"}])

    async def file(self, oa_id: str, user_id: str, media: str = "don-kien-nghi.pdf", name: str = "") -> Json:
        """Send a document; size as a string and MD5 are those of the real bytes."""
        data = self._provider.media.read(media)[1]
        name = name or (media if len(media) < 14 or media[12] != "-" else media[13:])
        payload = {
            "size": str(len(data)),
            "name": name,
            "checksum": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            "type": name.rpartition(".")[2].lower(),
            "url": self._provider.media.address(media),
        }
        return await self._send(oa_id, user_id, "file", [{"payload": payload, "type": "file"}])

    async def sticker(self, oa_id: str, user_id: str, sticker_id: str = "46998") -> Json:
        """Send a sticker."""
        payload = {"id": str(sticker_id), "url": self._provider.media.address("nhan-dan.png")}
        return await self._send(oa_id, user_id, "sticker", [{"payload": payload, "type": "sticker"}])

    async def location(self, oa_id: str, user_id: str, latitude: float = 20.8573, longitude: float = 105.7684) -> Json:
        """Share a place; the coordinates travel as strings."""
        payload = {"coordinates": {"latitude": str(latitude), "longitude": str(longitude)}}
        return await self._send(oa_id, user_id, "location", [{"payload": payload, "type": "location"}])

    async def card(self, oa_id: str, user_id: str, phone: str = "") -> Json:
        """Send a business card, by default one's own: a link whose description is JSON text."""
        number = phone or self._world.person(user_id).phone
        code = self._provider.media.address("nhan-dan.png")
        description = json.dumps({"phone": number, "qrCodeUrl": code}, ensure_ascii=False)
        payload = {"thumbnail": code, "description": description, "url": f"https://zaloapp.com/qr/p/{number[-8:]}"}
        return await self._send(oa_id, user_id, "business_card", [{"payload": payload, "type": "link"}])

    async def link(self, oa_id: str, user_id: str, url: str, description: str = "") -> Json:
        """Send a link."""
        thumbnail = self._provider.media.thumbnail("canh-dong.png")
        payload = {"thumbnail": thumbnail, "description": description, "url": url}
        return await self._send(oa_id, user_id, "link", [{"payload": payload, "type": "link"}], text=url)

    async def _send(
        self, oa_id: str, user_id: str, kind: str, attachments: list[Json], text: str = "", quote: str = "", hidden: bool = False
    ) -> Json:
        oa, person, tie = self._meet(oa_id, user_id)
        if quote and quote not in {message.msg_id for message in self._world.thread(oa_id, user_id)}:
            raise VerbError(f"no message {quote} in this conversation")
        now = self._interact(tie, wrote=True)
        message = Message(
            self._world.new_hex(),
            oa_id,
            user_id,
            from_oa=False,
            kind=kind,
            at_ms=now,
            text=text,
            attachments=attachments,
            quote_msg_id=quote,
            hidden=hidden,
        )
        self._world.add_message(message)
        delivery = await self._provider.webhooks.send(oa, events.user_message(oa, person, message, now))
        return _result([delivery], message.msg_id)

    async def tap(
        self,
        oa_id: str,
        user_id: str,
        msg_id: str = "",
        button: int | None = None,
        element: int | None = None,
        title: str = "",
    ) -> Json:
        """Tap a button or a list element, by number or by (part of) its title; without `msg_id` the latest that fits.

        oa.query.show and oa.query.hide send their payload as an ordinary text; the others answer what the phone opens.
        """
        action = self._action(oa_id, user_id, msg_id, button, element, title)
        kind, payload = str(action.get("type", "")), action.get("payload")
        self._interact(self._meet(oa_id, user_id)[2])
        if kind.startswith("oa.query."):
            return await self._send(oa_id, user_id, "text", [], text=str(payload), hidden=kind == "oa.query.hide")
        opened = payload if isinstance(payload, dict) else {key: action[key] for key in action if key != "type"}
        return _result([]) | {"opens": {"type": kind} | opened}

    def _action(
        self, oa_id: str, user_id: str, msg_id: str, button: int | None, element: int | None, title: str
    ) -> Json:
        for message in reversed(self._world.thread(oa_id, user_id)):
            if not message.from_oa or (msg_id and message.msg_id != msg_id):
                continue
            found = _matching(message, button, element, title)
            if found is not None:
                return found
        raise VerbError("no such button")

    async def submit_info(self, oa_id: str, user_id: str, legacy: bool = False, **info: Any) -> Json:
        """Share one's contact data: name, phone, address and more.

        New shape: name, phone, user_dob, gender, full_address{…}; `legacy`: address, phone (a number), city, district,
        ward, name. Given fields replace or join the made-up ones.
        """
        oa, person, tie = self._meet(oa_id, user_id)
        now = self._interact(tie)
        block: Json
        if legacy:
            block = {"address": "12 đường 21B", "phone": int(person.phone), "city": "Hà Nội", "district": "Thanh Oai"}
            block |= {"name": person.name, "ward": "Thị trấn Kim Bài"}
        else:
            block = {"name": person.name, "phone": person.phone, "user_dob": "30/10/1989", "gender": "Nữ"}
            address = {"user_city": "Thành phố Hà Nội", "user_ward": "Xã Thanh Oai", "user_address": "12 đường 21B"}
            block["full_address"] = address
        block |= info
        tie.shared_info = block
        return await self._tell(oa, events.submit_info(oa, person, block, now))

    async def seen(self, oa_id: str, user_id: str) -> Json:
        """Look at the conversation: everything the API sent is now seen, told in one event."""
        oa, person, _ = self._meet(oa_id, user_id)
        now = self._provider.clock.now_ms()
        fresh = [message for message in self._world.thread(oa_id, user_id) if message.from_oa and not message.seen_ms]
        for message in fresh:
            message.seen_ms = now
        by_api = [message.msg_id for message in fresh if not message.admin_id]
        if not by_api or not oa.receipts:
            return _result([])
        return await self._tell(oa, events.seen(oa, person, by_api, now))

    async def react(self, oa_id: str, user_id: str, msg_id: str, icon: str = "/-heart") -> Json:
        """Put a reaction on a message."""
        oa, person, tie = self._meet(oa_id, user_id)
        message = self._world.messages.get(msg_id)
        if message is None or (message.oa_id, message.user_id) != (oa_id, user_id):
            raise VerbError(f"no message {msg_id}")
        message.reactions.append(icon)
        return await self._tell(oa, events.user_reacted(oa, person, msg_id, icon, self._interact(tie)))

    async def online(self, user_id: str, on: bool = True) -> Json:
        """Switch the phone off or on; while it is off messages are accepted but not received."""
        person = self._world.person(user_id)
        person.online = bool(on)
        self._world.touch("phones")
        if on:
            waiting = [m for m in self._world.messages.values() if m.user_id == user_id and m.from_oa and not m.received_ms]
            for message in waiting:
                await self._provider.receive(self._world.oa(message.oa_id), person, message)
        return _result([])

    def history(self, oa_id: str, user_id: str) -> list[Message]:
        """Return what the phone shows of a conversation, oldest first."""
        return [message for message in self._world.thread(oa_id, user_id) if not message.hidden]


def _matching(message: Message, button: int | None, element: int | None, title: str) -> Json | None:
    buttons = message.buttons
    actions = [item | (item.get("default_action") or {}) for item in message.elements]
    if title:
        fitting = [item for item in [*buttons, *actions] if title in item["title"] and "type" in item]
        return fitting[0] if fitting else None
    if element is not None:
        return actions[element] if 0 <= element < len(actions) and "type" in actions[element] else None
    number = button or 0
    return buttons[number] if 0 <= number < len(buttons) else None


def _result(deliveries: list[Delivery], msg_id: str = "") -> Json:
    webhooks = [{"id": item.delivery_id, "state": item.state, "status": item.status} for item in deliveries]
    return {"msg_id": msg_id, "msg_ids": [msg_id] if msg_id else [], "webhooks": webhooks}
