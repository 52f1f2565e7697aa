"""OAuth v4: links, PKCE, codes and refresh tokens, and answers that are refusals although HTTP says 200."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest

from bot.channels.zalo.client import ZaloClient
from bot.channels.zalo.oauth import OAuth, new_pkce
from bot.domain.delivery import AccountStoppedError, SendError, TemporaryError, UnknownOutcomeError
from tests.fakes.scripted_server import Answer, ScriptedServer

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECRET = "app-secret-for-tests"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    fresh = {"access_token": "a2", "refresh_token": "r2", "expires_in": "90000"}
    async with ScriptedServer(lambda _: Answer(fresh)).running() as running:
        yield running


@pytest.fixture
async def oauth(server: ScriptedServer) -> AsyncIterator[OAuth]:
    async with aiohttp.ClientSession() as session:
        yield OAuth(ZaloClient(session, lambda: NOW, 2.0), "1111", SECRET, server.url + "/", lambda: NOW)


async def test_refreshing_posts_a_form_with_the_secret_in_its_header(oauth: OAuth, server: ScriptedServer) -> None:
    grant = await oauth.refresh("r1")
    assert (grant.access_token, grant.refresh_token, grant.expires_at) == ("a2", "r2", NOW + timedelta(hours=25))
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["secret_key"]) == ("POST", "/v4/oa/access_token", SECRET)
    assert asked.content_type == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(asked.body.decode())) == {
        "app_id": "1111",
        "refresh_token": "r1",
        "grant_type": "refresh_token",
    }


async def test_a_code_is_exchanged_with_its_verifier(oauth: OAuth, server: ScriptedServer) -> None:
    await oauth.exchange_code("c1", "v1")
    await oauth.exchange_code("c2")
    first, second = (dict(parse_qsl(asked.body.decode())) for asked in server.asked)
    assert first == {"app_id": "1111", "code": "c1", "grant_type": "authorization_code", "code_verifier": "v1"}
    assert "code_verifier" not in second


def test_a_pkce_pair_is_43_characters_and_their_digest() -> None:
    pair = new_pkce(lambda n: bytes(range(200, 200 + n)))
    assert len(pair.verifier) == 43
    digest = hashlib.sha256(pair.verifier.encode()).digest()
    assert base64.urlsafe_b64decode(pair.challenge + "=") == digest
    assert "=" not in pair.challenge
    assert pair.verifier not in repr(pair)


async def test_the_permission_page_gets_what_zalo_asks_for(oauth: OAuth, server: ScriptedServer) -> None:
    address = urlsplit(oauth.permission_url("https://loa.example/zalo/callback", "s1", "ch"))
    assert f"{address.scheme}://{address.netloc}" == server.url
    assert address.path == "/v4/oa/permission"
    assert parse_qs(address.query) == {
        "app_id": ["1111"],
        "redirect_uri": ["https://loa.example/zalo/callback"],
        "code_challenge": ["ch"],
        "state": ["s1"],
    }
    assert "code_challenge" not in oauth.permission_url("https://x", "s")


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        ({"error": -14014, "error_name": "Invalid refresh token"}, AccountStoppedError, "refresh_token_dead"),
        ({"error": -14004, "error_name": "Invalid secret key"}, AccountStoppedError, "app_secret_invalid"),
        ({"error": -14005, "error_name": "Invalid code"}, AccountStoppedError, "authorization_code_invalid"),
        ({"error": -14999, "error_name": "Mystery"}, TemporaryError, "unknown_code"),
        ({"error_name": "Mystery", "access_token": "a", "refresh_token": "r"}, TemporaryError, "refresh_failed"),
        ({"access_token": "a"}, TemporaryError, "refresh_failed"),
        ({"access_token": "", "refresh_token": "r", "error": 0}, TemporaryError, "refresh_failed"),
        ({}, TemporaryError, "refresh_failed"),
    ],
)
async def test_http_200_without_a_pair_is_a_failure(
    oauth: OAuth, server: ScriptedServer, body: dict[str, Any], kind: type[SendError], reason: str
) -> None:
    server.script = lambda _: Answer(body)
    with pytest.raises(SendError) as caught:
        await oauth.refresh("r1")
    assert (type(caught.value), caught.value.reason) == (kind, reason)


@pytest.mark.parametrize("answer", [Answer(hang_up=True), Answer(b"<html>", 502)])
async def test_a_lost_answer_is_told_from_a_refusal(oauth: OAuth, server: ScriptedServer, answer: Answer) -> None:
    server.script = lambda _: answer
    with pytest.raises(UnknownOutcomeError):
        await oauth.refresh("r1")


async def test_secrets_that_the_provider_repeats_are_cut_out(oauth: OAuth, server: ScriptedServer) -> None:
    server.script = lambda _: Answer({"error": -14004, "error_description": f"{SECRET} with r1-secret is wrong"})
    with pytest.raises(AccountStoppedError) as caught:
        await oauth.refresh("r1-secret")
    assert caught.value.detail == "… with … is wrong"


@pytest.mark.parametrize("given", [None, "soon", -5, "0"])
async def test_a_life_that_cannot_be_read_is_taken_as_short(oauth: OAuth, server: ScriptedServer, given: Any) -> None:
    server.script = lambda _: Answer({"access_token": "a2", "refresh_token": "r2", "expires_in": given})
    assert (await oauth.refresh("r1")).expires_at == NOW + timedelta(seconds=60)
