"""One call, one answer: which failures mean that nothing was sent, which leave it open, which are a plain no."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from bot.channels.zalo.client import RateNews, ZaloClient
from bot.channels.zalo.errors import TokenExpiredError, WrongEndpointError
from bot.domain.delivery import (
    AccountStoppedError,
    ConnectionFailedError,
    MessageInvalidError,
    RecipientGoneError,
    SendError,
    TemporaryError,
    ThrottledError,
    UnknownOutcomeError,
)
from tests.fakes.scripted_server import Answer, ScriptedServer

NOW = datetime(2026, 11, 23, 8, 1, 15, tzinfo=UTC)
TOKEN = "token-never-to-be-seen"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer(lambda _: Answer({"error": 0, "data": {}})).running() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[ZaloClient]:
    async with aiohttp.ClientSession() as session:
        yield ZaloClient(session, lambda: NOW, timeout=2.0)


async def refused(
    client: ZaloClient, server: ScriptedServer, answer: Answer, *, once: bool = True, method: str = "POST"
) -> SendError:
    server.script = lambda _: answer
    with pytest.raises(SendError) as caught:
        await client.call(method, f"{server.url}/x", TOKEN, account_id="a", body={}, once=once)
    assert TOKEN not in repr(caught.value)
    assert TOKEN not in str(caught.value)
    return caught.value


async def test_the_token_travels_bare_in_its_header_and_arguments_in_data(
    client: ZaloClient, server: ScriptedServer
) -> None:
    server.script = lambda _: Answer({"error": 0, "message": "Success", "data": {"name": "Phường"}})
    assert await client.call("GET", f"{server.url}/v2.0/oa/getoa", TOKEN, arguments={"a": "ê"}) == {"name": "Phường"}
    (asked,) = server.asked
    assert asked.headers["access_token"] == TOKEN
    assert "authorization" not in asked.headers
    assert asked.data == {"a": "ê"}


async def test_a_list_comes_under_items(client: ZaloClient, server: ScriptedServer) -> None:
    server.script = lambda _: Answer({"error": 0, "data": [1, 2]})
    assert await client.call("GET", f"{server.url}/x", TOKEN) == {"items": [1, 2]}


@pytest.mark.parametrize("status", [200, 400, 401, 500, 503])
async def test_the_body_is_read_before_the_status(client: ZaloClient, server: ScriptedServer, status: int) -> None:
    error = await refused(client, server, Answer({"error": -230, "message": "no"}, status))
    assert type(error) is RecipientGoneError
    assert error.provider_code == -230


@pytest.mark.parametrize(
    ("code", "kind"),
    [("-216", TokenExpiredError), (-220, TokenExpiredError), (-235, WrongEndpointError), (-201, MessageInvalidError)],
)
async def test_codes_become_errors_also_when_they_are_text(
    client: ZaloClient, server: ScriptedServer, code: Any, kind: type[SendError]
) -> None:
    assert type(await refused(client, server, Answer({"error": code, "message": ""}))) is kind


@pytest.mark.parametrize("code", ["odd", None, [], 99])
async def test_an_error_that_is_no_known_code_is_temporary(
    client: ZaloClient, server: ScriptedServer, code: Any
) -> None:
    error = await refused(client, server, Answer({"error": code, "message": 5}))
    assert (type(error), error.reason) == (TemporaryError, "unknown_code")


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (200, UnknownOutcomeError, "unreadable_answer"),
        (302, TemporaryError, "provider_redirect"),
        (400, MessageInvalidError, "provider_4xx"),
        (403, AccountStoppedError, "api_refused"),
        (404, AccountStoppedError, "api_not_found"),
        (408, TemporaryError, "provider_error"),
        (413, MessageInvalidError, "request_too_large"),
        (429, ThrottledError, "rate_limited"),
        (500, UnknownOutcomeError, "provider_5xx"),
        (502, UnknownOutcomeError, "provider_5xx"),
    ],
)
async def test_without_json_the_status_speaks(
    client: ZaloClient, server: ScriptedServer, status: int, kind: type[SendError], reason: str
) -> None:
    error = await refused(client, server, Answer(b"<html>empty or invalid API</html>", status))
    assert (type(error), error.reason) == (kind, reason)


async def test_a_wrong_path_is_for_a_person_also_when_it_is_told_in_json(
    client: ZaloClient, server: ScriptedServer
) -> None:
    error = await refused(client, server, Answer({"error": 404, "message": "empty or invalid API"}, 404))
    assert (type(error), error.reason) == (AccountStoppedError, "api_not_found")


@pytest.mark.parametrize("body", [b"", b"[1]", b'"ok"', b"\xff\xfe", b'{"message": "Success"}'])
async def test_a_success_that_cannot_be_read_leaves_the_outcome_open(
    client: ZaloClient, server: ScriptedServer, body: bytes
) -> None:
    assert type(await refused(client, server, Answer(body))) is UnknownOutcomeError


@pytest.mark.parametrize("answer", [Answer(b"", 502), Answer(hang_up=True), Answer({"error": -200, "message": ""})])
async def test_what_may_be_repeated_is_temporary_where_a_send_is_unknown(
    client: ZaloClient, server: ScriptedServer, answer: Answer
) -> None:
    assert type(await refused(client, server, answer)) is UnknownOutcomeError
    assert type(await refused(client, server, answer, once=False)) is TemporaryError


async def test_no_listener_means_that_nothing_was_sent(client: ZaloClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionFailedError) as caught:
        await client.call("POST", f"http://127.0.0.1:{port}/x", TOKEN, once=True)
    assert caught.value.reason == "provider_unreachable"


async def test_silence_after_the_bytes_left_is_an_unknown_outcome(server: ScriptedServer) -> None:
    never = asyncio.Event()
    server.script = lambda _: Answer({"error": 0, "data": {}}, wait=never)
    async with aiohttp.ClientSession() as session:
        client = ZaloClient(session, lambda: NOW, timeout=0.2)
        with pytest.raises(UnknownOutcomeError) as caught:
            await client.call("POST", f"{server.url}/x", TOKEN, body={}, once=True)
        assert caught.value.reason == "provider_timeout"
        with pytest.raises(TemporaryError):
            await client.call("GET", f"{server.url}/x", TOKEN)
    never.set()


async def test_waiting_for_a_free_connection_sends_nothing(server: ScriptedServer) -> None:
    never = asyncio.Event()
    server.script = lambda _: Answer({"error": 0, "data": {}}, wait=never)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        blocking = asyncio.create_task(ZaloClient(session, lambda: NOW).call("GET", f"{server.url}/x", TOKEN))
        while not server.asked:  # noqa: ASYNC110 -- the server is in this loop; pytest-timeout is the limit
            await asyncio.sleep(0)
        with pytest.raises(ConnectionFailedError):
            await ZaloClient(session, lambda: NOW, 0.2).call("POST", f"{server.url}/x", TOKEN, body={}, once=True)
        never.set()
        await blocking
    assert len(server.asked) == 1


async def test_too_many_requests_wait_for_the_next_minute(client: ZaloClient, server: ScriptedServer) -> None:
    error = await refused(client, server, Answer({"error": -32, "message": "Your OA reached limit call api"}))
    assert type(error) is ThrottledError
    assert error.retry_after == 45.0


async def test_a_wait_that_the_provider_names_wins(client: ZaloClient, server: ScriptedServer) -> None:
    for body in ({"error": -32, "message": ""}, b"slow down"):
        error = await refused(client, server, Answer(body, 429, {"Retry-After": "7"}))
        assert (type(error), error.retry_after) == (ThrottledError, 7.0)


async def test_429_always_throttles(client: ZaloClient, server: ScriptedServer) -> None:
    assert type(await refused(client, server, Answer({"error": -211, "message": ""}, 429))) is ThrottledError


async def test_the_rate_left_is_kept_per_account(client: ZaloClient, server: ScriptedServer) -> None:
    limits = {"X-RateLimit-Limit": "100", "X-RateLimit-Remain": "42"}
    server.script = lambda _: Answer({"error": 0, "data": {}}, headers=limits)
    await client.call("GET", f"{server.url}/x", TOKEN, account_id="a")
    server.script = lambda _: Answer({"error": 0, "data": {}}, headers={"X-RateLimit-Limit": "many"})
    await client.call("GET", f"{server.url}/x", TOKEN, account_id="b")
    assert client.rates == {"a": RateNews(100, 42, NOW)}


async def test_a_token_that_the_provider_repeats_is_cut_out(client: ZaloClient, server: ScriptedServer) -> None:
    error = await refused(client, server, Answer({"error": -216, "message": f"Access token {TOKEN} is invalid"}))
    assert error.detail == "Access token … is invalid"


async def test_an_address_that_is_none_is_for_a_person(client: ZaloClient) -> None:
    with pytest.raises(AccountStoppedError):
        await client.call("GET", "http://[broken", TOKEN)


async def test_a_form_is_made_for_each_call(client: ZaloClient, server: ScriptedServer) -> None:
    def form() -> aiohttp.FormData:
        data = aiohttp.FormData()
        data.add_field("file", b"abc", filename="a.jpg", content_type="image/jpeg")
        return data

    for _ in range(2):
        await client.call("POST", f"{server.url}/x", TOKEN, form=form)
    assert all(b"abc" in asked.body for asked in server.asked)
    assert (
        json.dumps([asked.content_type for asked in server.asked]) == '["multipart/form-data", "multipart/form-data"]'
    )
