"""What can be done in the simulated world: by people on phones, by staff in the OA tool, by whoever tests."""

from dataclasses import asdict
from typing import Any

from .model import Json, Person
from .office_verbs import OfficeVerbs
from .phone_verbs import PhoneVerbs
from .provider import Provider
from .template_verbs import TemplateVerbs

DAY_MS = 86_400_000


class Verbs(PhoneVerbs, OfficeVerbs, TemplateVerbs):
    """One method a verb; every argument is JSON, so that the control API can call each by name."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

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

    async def followers(self, *, oa_id: str, number: int, tag: str = "", days_ago: float = 30.0) -> Json:
        """Make people who began to follow an OA so long ago, without an event: they were there before the service."""
        world = self.provider.world
        oa = world.oa(oa_id)
        if tag and tag not in oa.tags:
            oa.tags.append(tag)
        at = self.provider.clock.now_ms() - int(days_ago * DAY_MS)
        for n in range(len(world.people) + 1, len(world.people) + number + 1):
            person = Person(world.new_number(), f"Người Theo Dõi {n}", f"84901{n:06d}", world.new_number())
            world.people[person.user_id] = person
            tie = world.tie(oa_id, person.user_id)
            tie.following, tie.last_interaction_ms, tie.tags = True, at, [tag] if tag else []
        world.touch("people", oa_id=oa_id)
        self.provider.save_now()
        return {"made": number}

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
        """Forget accounts, people, messages, faults and logs, and set the clock right."""
        await self.provider.webhooks.forget()
        await self.provider.telegram.reset()
        self.provider.world.clear()
        self.provider.journal.clear()
        self.provider.gateway.clear()
        self.provider.media.clear()
        self.provider.faults.clear()
        self.provider.clock.offset_s = 0.0
        self.provider.world.touch("reset")
        return {}

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
