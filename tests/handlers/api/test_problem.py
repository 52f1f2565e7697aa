"""Problem details for whatever goes wrong under /api/, in two languages."""

import pytest

from tests.handlers.api.conftest import BATCH, CODE, System

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # none of it reaches the database

ADDRESSES = [
    ("GET", "/api/v1/nothing", 404, "not_found"), ("GET", "/api/", 404, "not_found"), ("GET", BATCH, 405, "method"),
    ("DELETE", f"/api/v1/dossiers/{CODE}", 405, "method"), ("PUT", "/api/v1/openapi.json", 405, "method"),
    ("GET", "/api/v1/dossiers/%00", 404, "not_found"), ("GET", "/api/v1/dossiers/%ff%fe", 404, "not_found"),
]  # fmt: skip
CONTENT = [
    (b"", "not_json"), (b"{", "not_json"), (b'{"items": NaN}', "not_json"), (b"\xff{}", "not_json"),
    (b'{"items": ' + b"[" * 5000 + b"]" * 5000 + b"}", "not_json"), (b'{"items": 1' + b"0" * 5000 + b"}", "not_json"),
    (b"[" * 200_000, "not_json"), (b"null", "invalid"), (b'{"items": [' + b"1," * 2_200_000 + b"1]}", "too_large"),
]  # fmt: skip
LANGUAGES = [
    ("", "vi"),
    ("en", "en"),
    ("vi, en;q=0.5", "vi"),
    ("en-GB, vi;q=0.8", "en"),
    ("fr", "vi"),
    ("en;q=x", "vi"),
]


async def test_addresses_and_methods(system: System) -> None:
    for method, path, status, code in ADDRESSES:
        answer = await system.call(method, path)
        assert (answer.status, answer.problem) == (status, code), path
        assert set(answer.content) == {"type", "title", "status", "detail", "instance"}
        assert ("Allow" in answer.headers) == (status == 405)


async def test_what_is_said_is_vietnamese_unless_english_is_asked_for(system: System) -> None:
    for asked, language in LANGUAGES:
        answer = await system.call("GET", "/api/v1/nothing", **({"Accept_Language": asked} if asked else {}))
        assert answer.headers["Content-Language"] == language
        assert answer.content["title"] == ("Not found" if language == "en" else "Không tìm thấy")
    pushed = await system.push({}, Accept_Language="en")
    assert pushed.content["results"][0]["problems"][0]["detail"] == "It is required."


async def test_content_that_is_no_batch(system: System) -> None:
    for body, code in CONTENT:
        assert (await system.call("POST", BATCH, body)).problem == code, body[:40]


async def test_other_kinds_of_content(system: System) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"):
        answer = await system.call("POST", BATCH, b"{}", Content_Type=kind)
        assert (answer.status, answer.problem) == (415, "media_type")


async def test_a_byte_order_mark_does_no_harm(system: System) -> None:
    body = b'\xef\xbb\xbf{"items": [{}]}'
    assert (await system.call("POST", BATCH, body)).content["counts"] == {"refused": 1}
