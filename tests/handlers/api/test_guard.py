"""Whatever is raised on the way of a call, the caller is told in problem details."""

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.errors import NotFoundError
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
