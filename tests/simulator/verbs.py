"""What can be done in the simulated world: by people on phones, by staff in the OA tool, by whoever tests."""

import asyncio
from base64 import b64decode
from dataclasses import asdict, fields
from typing import Any

from . import events
from .errors import VerbError
from .model import BUSINESS, STATE, Json, Message, OfficialAccount, Person, Template, Tie
from .pictures import SCENES
from .provider import Provider

KINDS = {"state": STATE, "business": BUSINESS}
ADMIN = "5555666677778888999"
INFO_DEFAULT = {"user_city": "Thành phố Hà Nội", "user_ward": "Xã Thanh Oai", "user_address": "Thôn Kim Lâm"}


class Verbs:
    """One method a verb; every argument is JSON, so that the control API can call each by name."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    # -- accounts and people

    async def add_oa(self, *, oa_id: str, name: str, type: str = "business", **settings: Any) -> Json:  # noqa: A002 - the field's name
        """Add an OA or put another in its place; `type` is state or business."""
        if type not in KINDS:
            raise VerbError("type must be state or business")
        known = {f.name for f in fields(OfficialAccount)}
        unknown = set(settings) - known
        if unknown:
            raise VerbError(f"unknown OA setting {', '.join(sorted(unknown))}")
        defaults = {
            "app_id": "1111222233334444555",
            "app_secret": "demo-app-secret",
            "oa_secret_key": f"secret-{oa_id}",
            "access_token": f"access-{oa_id}",
            "refresh_token": f"refresh-{oa_id}",
        }
        self.provider.world.add_oa(OfficialAccount(oa_id, name, KINDS[type], **(defaults | settings)))
        return self.oa(oa_id=oa_id)

    async def set_oa(self, *, oa_id: str, **settings: Any) -> Json:
        """Change settings of an OA, such as webhook_url, webhook_on, rate_limit, echo, receipts."""
        oa = self.provider.world.oa(oa_id)
        for key, value in settings.items():
            if not hasattr(oa, key):
                raise VerbError(f"unknown OA setting {key}")
            setattr(oa, key, value)
        self.provider.world.touch("oas", oa_id=oa_id)
        return self.oa(oa_id=oa_id)

    async def add_template(self, *, oa_id: str, **template: Any) -> Json:
        """Give an OA an approved template."""
        made = Template(**template)
        self.provider.world.oa(oa_id).templates[made.template_id] = made
        return asdict(made)

    async def phone(self, *, name: str, user_id: str = "", phone: str = "") -> Json:
        """Make a citizen's phone, or return the one with this user id."""
        world = self.provider.world
        if user_id and user_id in world.people:
            return asdict(world.people[user_id])
        number = phone or f"849000{len(world.people) + 1:05d}"
        person = Person(user_id or world.new_number(), name, number, world.new_number())
        world.people[person.user_id] = person
        world.touch("people", user_id=person.user_id)
        self.provider.save_now()
        return asdict(person)

    # -- what a citizen does

    def _parties(self, oa_id: str, user_id: str) -> tuple[OfficialAccount, Person, Tie]:
        world = self.provider.world
        return world.oa(oa_id), world.person(user_id), world.tie(oa_id, user_id)

    def _interacts(self, tie: Tie, *, writes: bool = False) -> None:
        now = self.provider.clock.now_ms()
        tie.last_interaction_ms, tie.left = now, False
        if writes:
            tie.last_message_ms = now

    async def follow(self, *, oa_id: str, user_id: str, source: str = "oa_profile") -> Json:
        """Follow an OA."""
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
        """Press the chat button of an OA's page for the first time."""
        return await self._about(oa_id, user_id, "user_click_chatnow")

    async def withdraw(self, *, oa_id: str, user_id: str) -> Json:
        """Withdraw from the app: a data-subject request."""
        return await self._about(oa_id, user_id, "user_withdraw")

    async def _about(self, oa_id: str, user_id: str, name: str) -> Json:
        oa, person, tie = self._parties(oa_id, user_id)
        if name == "user_click_chatnow":
            tie.clicked_chat = True
            self._interacts(tie)
        payload = events.about_user(oa, person, name, self.provider.clock.now_ms())
        return (await self.provider.webhooks.send(oa, payload)).view()

    async def _user_sends(
        self, oa_id: str, user_id: str, kind: str, text: str = "", attachment: Json | None = None, quote: str = ""
    ) -> Json:
        oa, person, tie = self._parties(oa_id, user_id)
        self._interacts(tie, writes=True)
        now = self.provider.clock.now_ms()
        message = Message(
            self.provider.world.new_hex(), oa_id, user_id, from_oa=False, kind=kind, at_ms=now, text=text,
            attachments=[attachment] if attachment else [], quote_msg_id=quote,
        )  # fmt: skip
        self.provider.world.add_message(message)
        payload = events.user_message(oa, person, message, now)
        delivery = await self.provider.webhooks.send(oa, payload)
        return {"msg_id": message.msg_id, "delivery": delivery.view()}

    async def text(self, *, oa_id: str, user_id: str, text: str, quote_msg_id: str = "") -> Json:
        """Type something."""
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
            "checksum": "0" * 32,
            "type": name.rpartition(".")[2],
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

    async def tap(self, *, oa_id: str, user_id: str, payload: str) -> Json:
        """Tap a query button: the payload comes as ordinary text (api.md section 1.6)."""
        return await self._user_sends(oa_id, user_id, "text", payload)

    async def submit_info(self, *, oa_id: str, user_id: str, legacy: bool = False) -> Json:
        """Hand over name, phone and address on request."""
        oa, person, tie = self._parties(oa_id, user_id)
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
        oa, person, _ = self._parties(oa_id, user_id)
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
        msg_ids = [m.msg_id for m in fresh]
        await self.provider.webhooks.send(oa, events.seen(oa, person, msg_ids, now))
        return {"msg_ids": msg_ids}

    async def block(self, *, oa_id: str, user_id: str, blocked: bool = True) -> Json:
        """Block an OA, or with blocked=false let it write again."""
        _, _, tie = self._parties(oa_id, user_id)
        tie.blocked = blocked
        self.provider.world.touch("tie", oa_id=oa_id, user_id=user_id)
        return asdict(tie)

    # -- what staff do in the OA tool and in the developers' console

    async def staff_reply(self, *, oa_id: str, user_id: str, text: str, admin_id: str = ADMIN) -> Json:
        """Type an answer in the OA tool, as a person of the office would."""
        oa, person, _ = self._parties(oa_id, user_id)
        message = Message(
            self.provider.world.new_hex(), oa_id, user_id, from_oa=True, kind="text",
            at_ms=self.provider.clock.now_ms(), text=text, admin_id=admin_id, via="oa_tool",
        )  # fmt: skip
        self.provider.deliver(oa, person, message)
        return {"msg_id": message.msg_id}

    async def probe(self, *, oa_id: str) -> Json:
        """Save the webhook URL in the console: an unsigned `{}`."""
        return (await self.provider.webhooks.probe(self.provider.world.oa(oa_id))).view()

    async def test_button(self, *, oa_id: str) -> Json:
        """Press Test in the console."""
        oa = self.provider.world.oa(oa_id)
        payload = events.console_test(oa, self.provider.clock.now_ms())
        return (await self.provider.webhooks.send(oa, payload)).view()

    async def raw(
        self,
        *,
        oa_id: str,
        payload: Json | None = None,
        body: str = "",
        signing: str = "right",
        server: str = "OA OpenAPI",
    ) -> Json:
        """Send any event: a payload, or these very bytes; `signing` is right, wrong or none."""
        oa = self.provider.world.oa(oa_id)
        if payload is not None and not body:
            delivery = await self.provider.webhooks.send(oa, payload, server=server)
        else:
            delivery = await self.provider.webhooks.send_raw(oa, body, payload or {}, server=server, signing=signing)
        return delivery.view()

    # -- faults, time, looking

    async def fault(self, *, kind: str, **settings: Any) -> Json:
        """Switch a fault on."""
        made = asdict(self.provider.faults.set(kind, **settings))
        self.provider.world.touch("faults")
        return made

    async def clear_faults(self, *, kind: str = "", oa_id: str | None = None, fault_id: str = "") -> Json:
        """Switch off what fits all given marks; everything without any."""
        number = self.provider.faults.clear(kind=kind, oa_id=oa_id, fault_id=fault_id)
        self.provider.world.touch("faults")
        return {"cleared": number}

    async def advance(self, *, seconds: float) -> Json:
        """Move the simulated clock."""
        self.provider.clock.advance(seconds)
        return {"now_ms": self.provider.clock.now_ms()}

    async def reset(self) -> Json:
        """Forget everything."""
        await self.provider.webhooks.forget()
        self.provider.world.clear()
        self.provider.journal.clear()
        self.provider.gateway.clear()
        self.provider.media.clear()
        self.provider.faults.clear()
        self.provider.world.touch("reset")
        return {}

    def oa(self, *, oa_id: str) -> Json:
        """Return what an OA is, tokens included: this is a simulator."""
        return asdict(self.provider.world.oa(oa_id)) | {"is_state": self.provider.world.oa(oa_id).is_state}

    def history(self, *, oa_id: str, user_id: str) -> list[Json]:
        """Return everything the phone shows of one OA, oldest first."""
        return [m.view() for m in self.provider.world.thread(oa_id, user_id) if not m.hidden]

    def state(self) -> Json:
        """Return accounts, people, ties and faults."""
        world = self.provider.world
        return {
            "oas": [self.oa(oa_id=oa_id) for oa_id in world.oas],
            "people": [asdict(p) for p in world.people.values()],
            "ties": [asdict(t) for t in world.ties.values()],
            "faults": self.provider.faults.view(),
            "now_ms": self.provider.clock.now_ms(),
        }

    def calls(self, *, last: int = 100) -> list[Json]:
        """Return the last API calls, newest first."""
        return [c.view() for c in list(self.provider.journal.calls)[-int(last) :][::-1]]

    def counts(self) -> Json:
        """Return counts of calls and of messages delivered per person."""
        return self.provider.journal.counts()

    def deliveries(self, *, last: int = 100) -> list[Json]:
        """Return the last webhooks, newest first."""
        return [d.view() for d in list(self.provider.webhooks.deliveries)[-int(last) :][::-1]]
