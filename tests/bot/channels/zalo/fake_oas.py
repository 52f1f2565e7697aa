"""Two Official Accounts behind a scripted server: a state agency and a business, with Zalo's rules for each."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import aiohttp

from bot.channels.channel import AccountRef, FileContent, Recipient
from bot.channels.rate_limit import RateBudget
from bot.channels.zalo.oa import ZaloOA
from bot.errors import NotFoundError
from tests.fakes.scripted_server import Answer, Asked, ScriptedServer
from tests.fakes.vault import MemoryVault

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
STATE, BUSINESS = "2222333344445555666", "7777333344445555666"
CITIZEN = Recipient("3333444455556666777")
STATE_OA = AccountRef("state-row", STATE, "state")
BUSINESS_OA = AccountRef("business-row", BUSINESS, "business")

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 64
GIF = b"GIF89a" + (320).to_bytes(2, "little") + (200).to_bytes(2, "little") + b"0" * 64
PDF = b"%PDF-1.7" + b"0" * 64


@dataclass
class FakeOAs:
    """What the two accounts hold; `before` and `after` may answer in the place of the rules."""

    tokens: dict[str, str] = field(default_factory=lambda: {"access1": STATE, "business1": BUSINESS})
    refresh: dict[str, str] = field(default_factory=lambda: {"r1": "access"})
    sent: list[dict[str, Any]] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    dead_uploads: set[str] = field(default_factory=set)
    conversation: list[dict[str, Any]] = field(default_factory=list)
    before: Callable[[Asked], Answer | None] = lambda _: None
    after: Callable[[Asked], Answer | None] = lambda _: None
    quota: dict[str, Any] | None = field(default_factory=lambda: {"quota_type": "reply", "remain": "8"})
    headers: dict[str, str] = field(default_factory=dict)
    renewals: int = 0

    def __call__(self, asked: Asked) -> Answer:
        special = self.before(asked)
        if special is not None:
            return special
        if asked.path == "/v4/oa/access_token":
            return self._renew(dict(parse_qsl(asked.body.decode())))
        oa = self.tokens.get(asked.headers.get("access_token", ""))
        if oa is None:
            return Answer({"error": -216, "message": "Access token is invalid"})
        answer = self._route(asked, oa)
        answer.headers = self.headers
        return self.after(asked) or answer

    def _renew(self, form: dict[str, str]) -> Answer:
        name = self.refresh.pop(form["refresh_token"], None)
        if name is None:
            return Answer({"error": -14014, "error_name": "Invalid refresh token"})
        self.renewals += 1
        number = self.renewals + 1
        owner = next(oa for token, oa in self.tokens.items() if token.startswith(name))
        self.tokens = {token: oa for token, oa in self.tokens.items() if oa != owner} | {f"{name}{number}": owner}
        self.refresh[f"r{number}"] = name
        return Answer({"access_token": f"{name}{number}", "refresh_token": f"r{number}", "expires_in": "90000"})

    def _route(self, asked: Asked, oa: str) -> Answer:
        if asked.path == "/v3.0/oa/message/cs":
            return self._send(asked, oa) if oa == BUSINESS else refusal(-235)
        if asked.path == "/v2.0/oa/message":
            return self._send(asked, oa) if oa == STATE else refusal(-240)
        if asked.path.startswith("/v2.0/oa/upload/"):
            self.uploads.append(asked.path.rpartition("/")[2])
            name = f"up{len(self.uploads)}"
            return success({"token": name} if self.uploads[-1] == "file" else {"attachment_id": name})
        return self._read(asked, oa)

    def _read(self, asked: Asked, oa: str) -> Answer:
        if asked.path == "/v2.0/oa/conversation":
            first = asked.data["offset"]
            return Answer({"error": 0, "data": self.conversation[first : first + asked.data["count"]]})
        if asked.path == "/v3.0/oa/user/detail":
            return success(
                {"display_name": "Nguye\u0302\u0303n An", "avatar": "https://a/b.png", "user_is_follower": True}
            )
        if asked.path == "/v2.0/oa/getoa":
            kind = 4 if oa == STATE else 2
            return success({"oaid": oa, "name": "UBND xã Bình Minh", "oa_type": kind, "package_name": "Toàn diện"})
        return Answer(b"empty or invalid API", 404)

    def _send(self, asked: Asked, oa: str) -> Answer:
        body = asked.json
        if any(name in json.dumps(body) for name in self.dead_uploads):
            return refusal(-100)
        self.sent.append(body | {"oa": oa})
        data = {"message_id": f"m{len(self.sent)}", "user_id": CITIZEN.external_id}
        return success(data | ({"quota": self.quota} if self.quota else {}))


def success(data: dict[str, Any]) -> Answer:
    """Answer as Zalo does when all is well."""
    return Answer({"error": 0, "message": "Success", "data": data})


def refusal(code: int, message: str = "no") -> Answer:
    """Answer as Zalo does when it refuses."""
    return Answer({"error": code, "message": message})


@dataclass
class Scene:
    """A server, a vault, files, and as many processes as a test wants."""

    server: ScriptedServer
    zalo: FakeOAs
    session: aiohttp.ClientSession
    now: datetime = START
    learnt: list[tuple[str, str, str]] = field(default_factory=list)
    files: dict[str, FileContent] = field(default_factory=dict)
    loads: int = 0
    store_away: bool = False

    def __post_init__(self) -> None:
        self.vault = MemoryVault(self.clock)
        self.vault.put("state-row", "access1", "r1", START + timedelta(hours=20))
        self.vault.put("business-row", "business1", "", START + timedelta(hours=20))
        self.files["png"] = FileContent("anh.png", "image/png", PNG)
        self.files["jpg"] = FileContent("anh", "image/jpeg", JPEG)
        self.files["gif"] = FileContent("anh.gif", "image/gif", GIF)
        self.files["pdf"] = FileContent("Biên bản.pdf", "application/pdf", PDF)

    def clock(self) -> datetime:
        return self.now

    async def load_file(self, file_id: str) -> FileContent:
        self.loads += 1
        self._reach()
        if file_id not in self.files:
            raise NotFoundError(file_id)
        return self.files[file_id]

    async def learn(self, account_id: str, key: str, value: str) -> None:
        self._reach()
        self.learnt.append((account_id, key, value))

    def _reach(self) -> None:
        if self.store_away:
            raise OSError("store away")

    def process(
        self,
        *,
        timeout: float = 2.0,
        session: aiohttp.ClientSession | None = None,
        budget: RateBudget | None = None,
        app_per_minute: int = 4000,
        oa_per_minute: int = 100,
        template_per_minute: int = 0,
        template_url: str = "",
        hash_phone: bool = False,
    ) -> ZaloOA:
        return ZaloOA(
            session or self.session,
            app_id="1111222233334444555",
            app_secret="app-secret-for-tests",
            api_url=self.server.url,
            oauth_url=self.server.url,
            default_secret_key="k",
            secret_keys=dict,
            vault=self.vault,
            load_file=self.load_file,
            learn=self.learn,
            now=self.clock,
            timeout=timeout,
            budget=budget,
            app_per_minute=app_per_minute,
            oa_per_minute=oa_per_minute,
            template_url=template_url,
            template_per_minute=template_per_minute,
            hash_phone=hash_phone,
        )
