"""What stands at the door by itself: every error told in problem details, and the minutes of keys."""

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.errors import NotFoundError
from handlers.api.entrance import Calls
from handlers.api.problem import guarded


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("Nguyễn Văn Mẫu"), 500, "unexpected"), (OSError("refused"), 503, "unavailable"),
        (web.HTTPForbidden(), 400, "bad_request"), (web.HTTPInternalServerError(), 500, "unexpected"),
        (NotFoundError("dossier"), 404, "not_found"), (web.RequestPayloadError("gzip"), 400, "not_json"),
    ],
)  # fmt: skip
async def test_whatever_is_raised_is_told_as_a_problem(error: Exception, status: int, code: str) -> None:
    async def failing(_request: web.Request) -> web.StreamResponse:
        raise error

    answer = await guarded(make_mocked_request("POST", "/api/v1/x"), failing)
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    content = json.loads(answer.body)
    assert (answer.status, content["type"]) == (status, f"/docs/api.md#{code}")
    assert "Mẫu" not in answer.body.decode()
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_the_minute_of_a_key_ends() -> None:
    calls = Calls(limit=2)
    assert [calls.wait("a", 0), calls.wait("a", 1), calls.wait("a", 30.5)] == [0, 0, 30]
    assert calls.wait("a", 60) == 0
