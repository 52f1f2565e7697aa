"""Whatever is signed correctly is answered by the contract and kept exactly once; nothing makes the door fall."""

import asyncio
import gzip
import hashlib
import io
import json
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlmodel import col, func, select

from bot.channels.nesting import MAX_DEPTH
from bot.channels.zalo.envelope import raw_event
from bot.channels.zalo.payload import id_of, read_object
from bot.config import Settings
from bot.runtime import Runtime, opened
from bot.store.database import Database
from bot.store.inbox import InboxRow
from handlers.app import build_app
from handlers.webhooks import MAX_BYTES
from tests.bot.channels.zalo.recorded import BODIES
from tests.bot.store.seed import NOW
from tests.runtime_fixtures import APP_ID
from tests.servers.run import free_port

KEY = "demo-oa-secret"
EXAMPLES = examples(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

texts = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(codec=None, categories=None), max_size=20),  # lone surrogates, NULs and all
    st.sampled_from(
        ["", "\x00", "\ud800", "\udfff\x00", "x" * 70_000, "ﷺ" * 300, unicodedata.normalize("NFD", "đường ngập")]
    ),
    st.text(max_size=20).map(lambda text: unicodedata.normalize("NFD", f"Hoà Bình {text}")),
)
numbers = st.one_of(
    st.integers(), st.floats(allow_nan=False), st.sampled_from([10**19, -(10**30), 10**4000, 1e308, 2**63, 2**64, -0.0])
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
FIELDS = (
    "app_id", "event_name", "timestamp", "sender", "recipient", "message", "oa_id", "oaId", "user_id_by_app",
    "group_id", "follower", "users", "user_id", "data", "info",
)  # fmt: skip
events = [json.loads(body) for body in BODIES.values()]


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every place of a document that could be something else."""
    found = [path] if path else []
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return found + [place for key, value in inner for place in places(value, (*path, key))]


@st.composite
def twisted(draw: st.DrawFn) -> dict[str, Any]:
    """Take a recorded event and put something else, or nothing, in some of its places."""
    data = json.loads(json.dumps(draw(st.sampled_from(events))))
    for _ in range(draw(st.integers(1, 4))):
        candidates = places(data)
        if not candidates:
            break
        *way, last = draw(st.sampled_from(candidates))
        holder = data
        for step in way:
            holder = holder[step]
        if draw(st.booleans()):
            holder[last] = draw(values)
        else:
            del holder[last]
    return dict(data)


invented = st.dictionaries(st.sampled_from(FIELDS) | texts, values, max_size=8)
deep = (st.integers(1, 3000) | st.integers(MAX_DEPTH - 5, MAX_DEPTH + 5)).map(
    lambda depth: b'{"event_name":"user_send_text","message":' + b"[" * depth + b"]" * depth + b"}"
)
documents = st.one_of(twisted(), invented).flatmap(
    lambda data: st.booleans().map(lambda ascii_only: _encoded(data, ascii_only=ascii_only))
)
noise = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(sorted(BODIES.values())).flatmap(lambda body: st.integers(0, len(body)).map(lambda n: body[:n])),
    st.builds(
        lambda body, at, byte: body[:at] + bytes([byte]) + body[at:],
        documents,
        st.integers(0, 400),
        st.integers(0, 255),
    ),
)


def _encoded(data: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(data, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def signed(body: bytes) -> dict[str, str]:
    """Return the header that makes a body ours, as far as it can be read at all."""
    try:
        data = read_object(body)
    except ValueError:
        data = {}
    app, stamp = id_of(data.get("app_id")) or APP_ID, id_of(data.get("timestamp"))
    terms = app.encode("utf-8", "replace") + body + stamp.encode("utf-8", "replace") + KEY.encode()
    return {"X-ZEvent-Signature": f"mac={hashlib.sha256(terms).hexdigest()}"}


class Door:
    """The web application of a runtime, and what went through it."""

    def __init__(self, runtime: Runtime, url: str, http: aiohttp.ClientSession) -> None:
        self.database: Database = runtime.database
        self.url, self.http = url, http

    async def rows(self, body: bytes | None = None) -> int:
        """Count all stored webhooks, or those that are this one."""
        query = select(func.count()).select_from(InboxRow)
        if body is not None:
            event = raw_event(body, NOW)
            query = query.where(col(InboxRow.account) == event.account, col(InboxRow.key) == event.key)
        async with self.database.reading() as session:
            return int((await session.exec(query)).one())

    async def post(self, body: bytes) -> int:
        async with self.http.post(self.url, data=io.BytesIO(body), headers=signed(body)) as answer:
            await answer.read()
            return answer.status

    async def takes(self, body: bytes) -> None:
        """Post a body twice; check what is answered and what is stored."""
        before = await self.rows()
        status = await self.post(body)
        try:
            data = read_object(body)
        except ValueError:
            assert status == 400
            assert await self.rows() == before
            return
        assert status == 200
        if not data:
            assert await self.rows() == before
            return
        assert await self.rows(body) == 1
        assert await self.rows() <= before + 1
        assert await self.post(body) == 200
        assert await self.rows(body) == 1


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    mine = replace(settings, zalo=replace(settings.zalo, oa_secret_key=KEY))
    async with opened(mine) as runtime, aiohttp.ClientSession() as http:
        runtime.intake.start()
        runner = web.AppRunner(build_app(runtime), access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield Door(runtime, f"http://127.0.0.1:{port}/webhooks/zalo", http)
        await runner.cleanup()
        assert list(runtime.intake.spool.folder.rglob("*.broken")) == [], "nothing that the database could not hold"
        await runtime.intake.stop()


@given(body=documents)
@EXAMPLES
async def test_a_signed_document_is_stored_once_whatever_it_says(door: Door, body: bytes) -> None:
    await door.takes(body)


@given(body=deep)
@EXAMPLES
async def test_deep_nesting_is_stored_or_refused_as_unreadable(door: Door, body: bytes) -> None:
    await door.takes(body)


@given(body=noise)
@EXAMPLES
async def test_noise_is_refused_or_stored_and_never_an_error_of_ours(door: Door, body: bytes) -> None:
    await door.takes(body)


def _unsigned(body: bytes) -> int:
    """Return what a body is answered that nobody signed: the probe is welcome, what is no JSON says so."""
    try:
        return 200 if read_object(body) == {} else 401
    except ValueError:
        return 400


@given(body=documents, header=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=90))
@EXAMPLES
@example(body=b'{"app_id": Infinity}', header="")
async def test_an_invented_signature_is_refused_and_stores_nothing(door: Door, body: bytes, header: str) -> None:
    async with door.http.post(door.url, data=io.BytesIO(body), headers={"X-ZEvent-Signature": header}) as answer:
        assert answer.status == _unsigned(body)
    assert await door.rows() == 0


async def test_what_is_one_byte_too_large_is_413_and_what_just_fits_is_stored(door: Door) -> None:
    frame = json.dumps({"app_id": APP_ID, "event_name": "x", "timestamp": "1", "text": ""}).encode()
    fits = frame.replace(b'""', b'"' + b"a" * (MAX_BYTES - len(frame)) + b'"')
    assert len(fits) == MAX_BYTES
    assert await door.post(fits) == 200
    assert await door.post(fits.replace(b'a"', b'aa"')) == 413
    assert await door.rows() == 1


async def test_packed_bodies_are_measured_unpacked_and_broken_ones_refused(door: Door) -> None:
    body = BODIES["user_send_text"]
    bomb = json.dumps({"app_id": APP_ID, "text": "a" * 20 * MAX_BYTES}).encode()
    packed = [(gzip.compress(body), 200), (gzip.compress(bomb), 413), (b"\x1f\x8b\x08 no gzip", 400)]
    for sent, expected in packed:
        headers = signed(body) | {"Content-Encoding": "gzip"}
        async with door.http.post(door.url, data=io.BytesIO(sent), headers=headers) as answer:
            assert answer.status == expected
    assert await door.rows() == 1


async def test_a_body_in_many_pieces_is_one_webhook(door: Door) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(BODIES["user_send_text"]), 50):
            yield BODIES["user_send_text"][at : at + 50]
            await asyncio.sleep(0)

    headers = signed(BODIES["user_send_text"])
    async with door.http.post(door.url, data=pieces(), headers=headers) as answer:
        assert answer.status == 200
    assert await door.rows() == 1
