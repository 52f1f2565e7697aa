"""What a citizen can do on a phone; every verb returns after the first attempt at its webhook."""

import asyncio
import hashlib
from base64 import b64decode
from dataclasses import asdict

from . import events
from .errors import VerbError
from .model import Json, Message, OfficialAccount, Person, Tie
from .pictures import SCENES
from .provider import Provider

INFO_DEFAULT = {"user_city": "Thành phố Hà Nội", "user_ward": "Xã Thanh Oai", "user_address": "Thôn Kim Lâm"}


class PhoneVerbs:
    """The verbs of the phones."""

    provider: Provider

    def _parties(self, oa_id: str, user_id: str) -> tuple[OfficialAccount, Person, Tie]:
        world = self.provider.world
        return world.oa(oa_id), world.person(user_id), world.tie(oa_id, user_id)

    def _present(self, oa_id: str, user_id: str) -> tuple[OfficialAccount, Person, Tie]:
        oa, person, tie = self._parties(oa_id, user_id)
        if tie.blocked:
            raise VerbError("this phone has blocked the OA")
        return oa, person, tie

    def _interacts(self, tie: Tie, *, writes: bool = False) -> None:
        now = self.provider.clock.now_ms()
        tie.last_interaction_ms, tie.left = now, False
        if writes:
            tie.last_message_ms = now

    async def follow(self, *, oa_id: str, user_id: str, source: str = "oa_profile") -> Json:
        """Follow an OA."""
        self._present(oa_id, user_id)
        return await self._tie_event(oa_id, user_id, "follow", source)

    async def unfollow(self, *, oa_id: str, user_id: str, source: str = "oa_profile") -> Json:
        """Stop following."""
        return await self._tie_event(oa_id, user_id, "unfollow", source)

    async def _tie_event(self, oa_id: str, user_id: str, name: str, source: str) -> Json:
        oa, person, tie = self._parties(oa_id, user_id)
        tie.following = name == "follow"
        if tie.following:
            self._interacts(tie)
        else:
            tie.left = True
        self.provider.world.touch("tie", oa_id=oa_id, user_id=user_id)
        self.provider.save_now()
        payload = events.follow(oa, person, name, source, self.provider.clock.now_ms())
        return (await self.provider.webhooks.send(oa, payload)).view()

    async def chat_now(self, *, oa_id: str, user_id: str) -> Json:
        """Press the chat button of an OA's page; only the first time is an event (api.md section 1.5)."""
        _, _, tie = self._present(oa_id, user_id)
        self._interacts(tie)
        if tie.clicked_chat:
            return {}
        tie.clicked_chat = True
        return await self._about(oa_id, user_id, "user_click_chatnow")

    async def withdraw(self, *, oa_id: str, user_id: str) -> Json:
        """Withdraw from the app: a data-subject request."""
        return await self._about(oa_id, user_id, "user_withdraw")

    async def _about(self, oa_id: str, user_id: str, name: str) -> Json:
        oa, person, _ = self._parties(oa_id, user_id)
        payload = events.about_user(oa, person, name, self.provider.clock.now_ms())
        return (await self.provider.webhooks.send(oa, payload)).view()

    async def _user_sends(
        self, oa_id: str, user_id: str, kind: str, text: str = "", attachment: Json | None = None, quote: str = "",
        hidden: bool = False,
    ) -> Json:  # fmt: skip
        oa, person, tie = self._present(oa_id, user_id)
        if quote and quote not in {m.msg_id for m in self.provider.world.thread(oa_id, user_id)}:
            raise VerbError(f"no message {quote} in this conversation")
        self._interacts(tie, writes=True)
        now = self.provider.clock.now_ms()
        message = Message(
            self.provider.world.new_hex(), oa_id, user_id, from_oa=False, kind=kind, at_ms=now, text=text,
            attachments=[attachment] if attachment else [], quote_msg_id=quote, hidden=hidden,
        )  # fmt: skip
        self.provider.world.add_message(message)
        payload = events.user_message(oa, person, message, now)
        delivery = await self.provider.webhooks.send(oa, payload)
        return {"msg_id": message.msg_id, "delivery": delivery.view()}

    async def text(self, *, oa_id: str, user_id: str, text: str, quote_msg_id: str = "") -> Json:
        """Type something."""
        if not text:
            raise VerbError("text is empty")
        return await self._user_sends(oa_id, user_id, "text", text, quote=quote_msg_id)

    async def images(
        self, *, oa_id: str, user_id: str, count: int = 1, names: list[str] | None = None, text: str = "",
        data: list[str] | None = None,
    ) -> list[Json]:  # fmt: skip
        """Send photos: samples, named ones, or own as base64. Each is an event of its own, all at once."""
        media = self.provider.media
        chosen = [media.add(b64decode(item), "anh") for item in data or []]
        scenes = sorted(SCENES)
        chosen = chosen or names or [f"{scenes[n % len(scenes)]}.png" for n in range(count)]
        sends = [
            self._user_sends(
                oa_id, user_id, "image", text if number == 0 else "",
                {"payload": {"thumbnail": media.thumbnail(name), "url": media.address(name)}, "type": "image"},
            )
            for number, name in enumerate(chosen)
        ]  # fmt: skip
        return list(await asyncio.gather(*sends))

    async def gif(self, *, oa_id: str, user_id: str) -> Json:
        """Send a moving picture."""
        url = self.provider.media.address("anh-dong.gif")
        return await self._user_sends(
            oa_id, user_id, "gif", attachment={"payload": {"thumbnail": url, "url": url}, "type": "gif"}
        )

    async def file(
        self, *, oa_id: str, user_id: str, name: str = "don-kien-nghi.pdf", data: str = "", size: str = ""
    ) -> Json:
        """Send a file: the sample, or own bytes as base64."""
        media = self.provider.media
        stored = media.add(b64decode(data), name) if data else "don-kien-nghi.pdf"
        content = media.read(stored)[1]
        details = {
            "size": size or str(len(content)),
            "name": name,
            "checksum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "type": name.rpartition(".")[2].lower(),
            "url": media.address(stored),
        }
        return await self._user_sends(oa_id, user_id, "file", attachment={"payload": details, "type": "file"})

    async def audio(self, *, oa_id: str, user_id: str) -> Json:
        """Send a voice message."""
        url = self.provider.media.address("ghi-am.amr")
        return await self._user_sends(oa_id, user_id, "audio", attachment={"payload": {"url": url}, "type": "audio"})

    async def video(self, *, oa_id: str, user_id: str) -> Json:
        """Send a clip."""
        media = self.provider.media
        details = {
            "thumbnail": media.address(f"{min(SCENES)}.png"),
            "description": "",
            "url": media.address("doan-phim.mp4"),
        }
        return await self._user_sends(oa_id, user_id, "video", attachment={"payload": details, "type": "video"})

    async def sticker(self, *, oa_id: str, user_id: str) -> Json:
        """Send a sticker."""
        details = {"id": "46998", "url": self.provider.media.address("nhan-dan.png")}
        return await self._user_sends(oa_id, user_id, "sticker", attachment={"payload": details, "type": "sticker"})

    async def location(
        self, *, oa_id: str, user_id: str, latitude: str = "20.8532", longitude: str = "105.7689"
    ) -> Json:
        """Share a place."""
        details = {"coordinates": {"latitude": str(latitude), "longitude": str(longitude)}}
        return await self._user_sends(oa_id, user_id, "location", attachment={"payload": details, "type": "location"})

    async def business_card(self, *, oa_id: str, user_id: str) -> Json:
        """Send a business card: a link whose description is JSON text."""
        person = self.provider.world.person(user_id)
        picture = self.provider.media.address("nhan-dan.png")
        details = {
            "thumbnail": picture,
            "description": f'{{"phone": "{person.phone}", "qrCodeUrl": "{picture}"}}',
            "url": "https://zaloapp.com/qr/p/demo",
        }
        return await self._user_sends(oa_id, user_id, "business_card", attachment={"payload": details, "type": "link"})

    async def link(self, *, oa_id: str, user_id: str, url: str = "https://dichvucong.gov.vn/") -> Json:
        """Send a link."""
        details = {"thumbnail": "", "description": "Cổng Dịch vụ công quốc gia", "url": url}
        return await self._user_sends(oa_id, user_id, "link", url, {"payload": details, "type": "link"})

    async def tap(self, *, oa_id: str, user_id: str, payload: str, hidden: bool = False) -> Json:
        """Tap a query button: the payload comes as ordinary text (api.md section 1.6); `hidden` for oa.query.hide."""
        return await self._user_sends(oa_id, user_id, "text", payload, hidden=hidden)

    async def submit_info(self, *, oa_id: str, user_id: str, legacy: bool = False) -> Json:
        """Hand over name, phone and address on request."""
        oa, person, tie = self._present(oa_id, user_id)
        self._interacts(tie)
        info: Json = {
            "name": person.name,
            "phone": person.phone,
            "user_dob": "30/10/1989",
            "gender": "Nữ",
            "full_address": INFO_DEFAULT,
        }
        if legacy:
            info = {"address": "Thôn Kim Lâm", "phone": int(person.phone), "city": "Hà Nội", "district": "Thanh Oai"}
            info["name"] = person.name
        tie.shared_info = info
        payload = events.submit_info(oa, person, info, self.provider.clock.now_ms())
        return (await self.provider.webhooks.send(oa, payload)).view()

    async def react(self, *, oa_id: str, user_id: str, msg_id: str, icon: str = "/-heart") -> Json:
        """React to a message."""
        oa, person, tie = self._present(oa_id, user_id)
        message = self.provider.world.messages.get(msg_id)
        if message is None or (message.oa_id, message.user_id) != (oa_id, user_id):
            raise VerbError(f"no message {msg_id} in this conversation")
        self._interacts(tie)
        message.reactions.append(icon)
        self.provider.world.touch("message", oa_id=oa_id, user_id=user_id)
        payload = events.user_reacted(oa, person, msg_id, icon, self.provider.clock.now_ms())
        return (await self.provider.webhooks.send(oa, payload)).view()

    async def seen(self, *, oa_id: str, user_id: str) -> Json:
        """Open the chat: everything from the OA that was not seen is."""
        oa, person, _ = self._parties(oa_id, user_id)
        now = self.provider.clock.now_ms()
        fresh = [m for m in self.provider.world.thread(oa_id, user_id) if m.from_oa and not m.seen_ms]
        for message in fresh:
            message.seen_ms = now
        if not fresh:
            return {"msg_ids": []}
        self.provider.world.touch("message", oa_id=oa_id, user_id=user_id)
        # Seen goes only to the app that sent (api.md section 1.5): not for what staff typed in the OA tool.
        msg_ids = [m.msg_id for m in fresh if not m.admin_id]
        if msg_ids and oa.receipts:
            await self.provider.webhooks.send(oa, events.seen(oa, person, msg_ids, now))
        return {"msg_ids": msg_ids}

    async def online(self, *, user_id: str, on: bool = True, oa_id: str = "") -> Json:  # noqa: ARG002 - Phone names both ids
        """Switch the phone on, or off: then messages of all OAs wait until it is on again."""
        world = self.provider.world
        person = world.person(user_id)
        person.online = on
        world.touch("people", user_id=user_id)
        waiting = [m for m in world.messages.values() if m.user_id == user_id and m.from_oa and not m.received_ms]
        for message in waiting if on else []:
            await self.provider.receive(world.oa(message.oa_id), person, message)
        return asdict(person)

    async def block(self, *, oa_id: str, user_id: str, blocked: bool = True) -> Json:
        """Block an OA, or with blocked=false let it write again."""
        _, _, tie = self._parties(oa_id, user_id)
        tie.blocked = blocked
        self.provider.world.touch("tie", oa_id=oa_id, user_id=user_id)
        return asdict(tie)
