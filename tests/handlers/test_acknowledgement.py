"""The ready-made 200 is the answer that any other way of making it would give."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from aiohttp import web

from bot.clock import utc_now
from bot.runtime import Runtime
from handlers.app import build_app
from handlers.middlewares import CONTENT_SECURITY_POLICY
from tests.servers.run import free_port

PROBE = b"POST /webhooks/zalo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
async def port(runtime: Runtime) -> AsyncIterator[int]:
    runner = web.AppRunner(build_app(runtime), access_log=None)
    await runner.setup()
    number = free_port()
    await web.TCPSite(runner, "127.0.0.1", number).start()
    yield number
    await runner.cleanup()


@contextlib.asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def answer_of(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read one answer with a Content-Length."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return head, await reader.readexactly(length)


async def test_it_carries_what_every_answer_carries(port: int) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"http://127.0.0.1:{port}/webhooks/zalo", json={}) as ready,
        http.get(f"http://127.0.0.1:{port}/healthz") as usual,
    ):
        assert ready.status == 200
        assert await ready.json() == {}
        assert ready.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        leave_out = {"Date", "Content-Length", "Server"}
        assert dict(ready.headers).keys() - leave_out == dict(usual.headers).keys() - leave_out
        for name in ready.headers.keys() - leave_out:
            assert ready.headers[name] == usual.headers[name]
        assert abs((parsedate_to_datetime(ready.headers["Date"]) - utc_now()).total_seconds()) < 60


async def test_requests_of_one_connection_are_answered_one_after_the_other(port: int) -> None:
    async with connection(port) as (reader, writer):
        writer.write(PROBE * 5)
        for _ in range(5):
            head, body = await answer_of(reader)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert body == b"{}"


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        (PROBE.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n"), b"connection: close"),
        (PROBE.replace(b"HTTP/1.1", b"HTTP/1.0"), b"http/1.0 200"),
    ],
)
async def test_a_client_that_closes_is_told_so(port: int, probe: bytes, says: bytes) -> None:
    async with connection(port) as (reader, writer):
        writer.write(probe)
        head, body = await answer_of(reader)
        assert says in head.lower()
        assert body == b"{}"
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_a_client_that_has_gone_harms_nobody(port: int) -> None:
    for _ in range(3):
        async with connection(port) as (_reader, writer):
            writer.write(PROBE * 3)
            writer.transport.abort()
    async with connection(port) as (reader, writer):
        writer.write(PROBE)
        assert (await answer_of(reader))[1] == b"{}"
