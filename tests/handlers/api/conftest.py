"""The interface in this process over HTTP, with the key of a commune's one-stop system."""

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from bot.actions import api_keys
from bot.runtime import Runtime
from bot.store.api_keys import ApiKeyRow
from handlers.api.entrance import CALLS, Calls
from handlers.app import build_app
from tests import commune

CODE = "000.00.15.H26-261123-0007"
BATCH = "/api/v1/dossiers:batch"


def item(**more: Any) -> dict[str, Any]:
    """Return an item as a one-stop system sends it."""
    return {
        "MaHoSo": CODE, "TrangThaiHoSo": 2, "ThoiGian": "2026-11-23T08:30:00+07:00", "NgayHenTra": "30/11/2026 17:00",
        "ChuHoSo": "Nguyễn Văn Mẫu", "SoDienThoai": "0900000001", "MaTTHC": "1.000894.000.00.00.H26", **more,
    }  # fmt: skip


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Any
    content: Any

    @property
    def problem(self) -> str:
        """Return the kind of problem; the answer has to be problem details of it."""
        assert self.headers["Content-Type"] == "application/problem+json", self.content
        assert self.content["status"] == self.status
        return str(self.content["type"]).removeprefix("/docs/api.md#")


@dataclass
class System:
    """A system that calls with a key."""

    http: aiohttp.ClientSession
    url: str
    runtime: Runtime
    calls: Calls
    key: str = ""
    key_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = {**sent, **self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.http.request(
            method, self.url + path, data=io.BytesIO(raw) if raw else None, headers=given
        ) as answer:
            content = await answer.read()
            read = json.loads(content) if "json" in answer.headers.get("Content-Type", "") else content
            return Answer(answer.status, answer.headers, read)

    async def push(self, *items: Any, **headers: str) -> Answer:
        return await self.call("POST", BATCH, {"items": list(items)}, **headers)

    async def other(self, unit_id: str, name: str = "Phần mềm khác") -> "System":
        """Return another system, of another unit."""
        async with self.runtime.units_of_work() as uow:
            row, key = await api_keys.make(uow, self.runtime.box, unit_id, name)
        return System(self.http, self.url, self.runtime, self.calls, key, row.id)

    async def row(self) -> ApiKeyRow:
        """Return the row of this system's key."""
        rows: list[ApiKeyRow] = await self.rows(ApiKeyRow)
        return next(row for row in rows if row.id == self.key_id)

    async def rows(self, table: Any) -> list[Any]:
        from sqlmodel import select

        async with self.runtime.database.reading() as session:
            return list((await session.exec(select(table))).all())


@pytest.fixture
async def system(runtime: Runtime) -> AsyncIterator[System]:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    app = build_app(runtime)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        nobody = System(http, str(server.make_url("")).rstrip("/"), runtime, app[CALLS])
        yield await nobody.other("commune", "Một cửa")
