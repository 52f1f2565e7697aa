"""The state of the fake platform and how it is looked up; everybody who watches is told of each change."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import asdict

from .clock import Clock
from .errors import VerbError
from .model import (
    ACCESS_LIFE_MS,
    REFRESH_LIFE_MS,
    AuthCode,
    Json,
    Message,
    OfficialAccount,
    Person,
    Template,
    Tie,
    Upload,
)

Listener = Callable[[Json], None]


class World:
    """Accounts, people, ties, messages and uploads, in memory."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self.clock = clock
        self.rng = rng
        self.listeners: list[Listener] = []
        self._changed = asyncio.Event()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.oas: dict[str, OfficialAccount] = {}
        self.people: dict[str, Person] = {}
        self.ties: dict[tuple[str, str], Tie] = {}
        self.messages: dict[str, Message] = {}
        self.threads: dict[tuple[str, str], list[Message]] = {}
        self.uploads: dict[str, Upload] = {}
        self.codes: dict[str, AuthCode] = {}

    def new_hex(self, digits: int = 20) -> str:
        """Make an id of lower-case hex digits."""
        return f"{self.rng.getrandbits(digits * 4):0{digits}x}"

    def new_number(self) -> str:
        """Make an id of 19 decimal digits, as people and accounts have."""
        return str(self.rng.randrange(10**18, 9 * 10**18))

    def touch(self, change: str, **info: str) -> None:
        """Tell the watchers that something changed."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        for listener in self.listeners:
            listener({"change": change, **info})

    async def next_change(self) -> None:
        """Return after the next change."""
        await self._changed.wait()

    def oa(self, oa_id: str) -> OfficialAccount:
        """Return the OA or raise VerbError."""
        if oa_id not in self.oas:
            raise VerbError(f"no OA {oa_id}")
        return self.oas[oa_id]

    def person(self, user_id: str) -> Person:
        """Return the person or raise VerbError."""
        if user_id not in self.people:
            raise VerbError(f"no phone {user_id}")
        return self.people[user_id]

    def person_by_phone(self, phone: str) -> Person | None:
        """Return who has this phone number (84…), if anybody."""
        return next((person for person in self.people.values() if person.phone == phone), None)

    def tie(self, oa_id: str, user_id: str) -> Tie:
        """Return the tie of the two, an empty one when they never met."""
        return self.ties.setdefault((oa_id, user_id), Tie(oa_id, user_id))

    def thread(self, oa_id: str, user_id: str) -> list[Message]:
        """Return the conversation of the two, oldest first."""
        return self.threads.get((oa_id, user_id), [])

    def add_oa(self, account: OfficialAccount) -> None:
        """Put an OA in (or in the place of its former self); its tokens start to live now."""
        now = self.clock.now_ms()
        account.access_expires_ms = account.access_expires_ms or now + ACCESS_LIFE_MS
        account.refresh_expires_ms = account.refresh_expires_ms or now + REFRESH_LIFE_MS
        self.oas[account.oa_id] = account
        self.touch("oas")

    def oa_by_token(self, access_token: str) -> OfficialAccount | None:
        """Return the OA whose current access token this is."""
        if not access_token:
            return None
        return next((oa for oa in self.oas.values() if oa.access_token == access_token), None)

    def add_message(self, message: Message) -> None:
        """Append a message to its conversation."""
        self.messages[message.msg_id] = message
        self.threads.setdefault((message.oa_id, message.user_id), []).append(message)
        self.touch("message", oa_id=message.oa_id, user_id=message.user_id)

    def dump(self) -> Json:
        """Return everything as JSON values."""
        return {
            "oas": [asdict(oa) for oa in self.oas.values()],
            "people": [asdict(person) for person in self.people.values()],
            "ties": [asdict(tie) for tie in self.ties.values()],
            "messages": [asdict(message) for thread in self.threads.values() for message in thread],
            "uploads": [asdict(upload) for upload in self.uploads.values()],
            "codes": [asdict(code) for code in self.codes.values()],
        }

    def load(self, state: Json) -> None:
        """Take over what `dump` once returned."""
        self.clear()
        for item in state["oas"]:
            templates = {key: Template(**value) for key, value in item["templates"].items()}
            self.oas[item["oa_id"]] = OfficialAccount(**(item | {"templates": templates}))
        self.people = {item["user_id"]: Person(**item) for item in state["people"]}
        self.ties = {(item["oa_id"], item["user_id"]): Tie(**item) for item in state["ties"]}
        for item in state["messages"]:
            self.add_message(Message(**item))
        self.uploads = {item["upload_id"]: Upload(**item) for item in state["uploads"]}
        self.codes = {item["code"]: AuthCode(**item) for item in state["codes"]}
