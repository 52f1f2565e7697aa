"""A town for the simulator's tests: both kinds of account, a citizen each, a receiver for webhooks."""

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.simulator.simulator import Phone, Simulator
from tests.simulator.tests.receiver import Receiver

STATE, BUSINESS = "2222333344445555666", "2222333344445555777"
KINDS = {STATE: "state", BUSINESS: "business"}
PATHS = {STATE: "/v2.0/oa/message", BUSINESS: "/v3.0/oa/message/cs"}
DAY = 86_400
APP_ID, APP_SECRET = "1111222233334444555", "demo-app-secret"
Json = dict[str, Any]


@dataclass
class Town:
    """A running simulator and what tests do to it."""

    simulator: Simulator
    receiver: Receiver
    http: aiohttp.ClientSession

    def token(self, oa_id: str) -> str:
        return self.simulator.provider.world.oas[oa_id].access_token

    async def call(self, oa_id: str, path: str, body: Json, token: str | None = None) -> Json:
        """POST to the API as this OA."""
        headers = {"access_token": self.token(oa_id) if token is None else token}
        async with self.http.post(self.simulator.url + path, json=body, headers=headers) as answer:
            return dict(await answer.json())

    async def ask(self, oa_id: str, path: str, **data: Any) -> Json:
        """GET from the API as this OA, with arguments in the query's `data`."""
        query = {"data": json.dumps(data)}
        headers = {"access_token": self.token(oa_id)}
        async with self.http.get(self.simulator.url + path, params=query, headers=headers) as answer:
            return dict(await answer.json())

    async def send(self, phone: Phone, message: Json | str, path: str = "") -> Json:
        """Send a message to a phone through the OA's own endpoint."""
        body = {"text": message} if isinstance(message, str) else message
        recipient = {"user_id": phone.user_id}
        return await self.call(phone.oa_id, path or PATHS[phone.oa_id], {"recipient": recipient, "message": body})

    async def upload(self, oa_id: str, kind: str, name: str, data: bytes) -> Json:
        """Upload a file as this OA."""
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(data), filename=name)
        headers = {"access_token": self.token(oa_id)}
        url = f"{self.simulator.url}/v2.0/oa/upload/{kind}"
        async with self.http.post(url, data=form, headers=headers) as answer:
            return dict(await answer.json())

    async def refresh(self, oa_id: str, refresh_token: str = "", **changes: str) -> Json:
        """Ask the token endpoint for a new pair; `changes` replace fields of the form, `secret` the header."""
        token = refresh_token or self.simulator.provider.world.oas[oa_id].refresh_token
        headers = {"secret_key": changes.pop("secret", APP_SECRET)}
        form = {"app_id": APP_ID, "grant_type": "refresh_token", "refresh_token": token} | changes
        async with self.http.post(f"{self.simulator.url}/v4/oa/access_token", data=form, headers=headers) as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def control(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask the control API: POST with a body, else GET."""
        url = f"{self.simulator.url}/sim/{path}"
        asked = self.http.get(url) if body is None else self.http.post(url, json=body)
        async with asked as answer:
            return answer.status, await answer.json()

    async def later(self, seconds: float) -> None:
        """Let time pass, but not the life of the access tokens."""
        await self.simulator.verbs.advance(seconds=seconds)
        for oa in self.simulator.provider.world.oas.values():
            oa.access_expires_ms = self.simulator.provider.clock.now_ms() + DAY * 1000


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Receiver() as receiver, Simulator() as simulator, aiohttp.ClientSession() as http:
        for oa_id, kind in KINDS.items():
            await simulator.add_oa(oa_id, f"OA {kind}", kind, webhook_url=receiver.url)
        yield Town(simulator, receiver, http)


@pytest.fixture(params=[STATE, BUSINESS], ids=["state", "business"])
async def phone(town: Town, request: pytest.FixtureRequest) -> Phone:
    """Let a citizen write to the OA; every test runs for both kinds of OA."""
    phone = await town.simulator.phone(str(request.param))
    await phone.say("xin chào")
    return phone
