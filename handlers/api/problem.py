"""Answer every error under /api/ as problem details (RFC 9457), whoever has raised it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.domain.dossier_exchange import Problem
from bot.errors import NotFoundError
from bot.logs import logger
from bot.store.database import DATABASE_ERRORS
from handlers.api.words import field_sentence, language_of, table
from handlers.keys import Handler

_log = logger("api")
PREFIX = "/api/"
TYPES = "/docs/api.md#"
"""Where the kinds of problems are described, followed by their code."""
MAX_BODY_MIB = 4
_AGAIN_SECONDS = 5
_CODES = {404: "not_found", 405: "method", 413: "too_large", 415: "media_type"}


class ProblemError(Exception):
    """A call that cannot be done; `code` names the problem in templates/api/words.toml, `values` fill its detail.

    `errors` are what is wrong with single fields, each named by its place in the content.
    """

    def __init__(
        self,
        code: str,
        errors: Sequence[tuple[str, Problem]] = (),
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(code)
        self.code, self.errors, self.headers, self.values = code, errors, dict(headers or {}), values


async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a call to its handler, and answer in problem details whatever goes wrong."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - the last line of defence: the caller learns that nothing was done
        return answered(request, _of(request, error))


def _of(request: web.Request, error: Exception) -> ProblemError:
    """Return what an error is to the caller; what nobody expected is logged."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, NotFoundError):
        return ProblemError("not_found")
    if isinstance(error, web.HTTPException):
        return _of_http(request, error)
    if isinstance(error, web.RequestPayloadError):
        return ProblemError("not_json")
    if isinstance(error, DATABASE_ERRORS):
        _log.warning("the database does not answer a call", error=type(error).__name__)
        again = {"Retry-After": str(_AGAIN_SECONDS)}
        return ProblemError("unavailable", headers=again, seconds=_AGAIN_SECONDS)
    _log.error("call failed", method=request.method, exc_info=error)
    return ProblemError("unexpected")


def _of_http(request: web.Request, error: web.HTTPException) -> ProblemError:
    code = _CODES.get(
        error.status, "bad_request" if error.status < web.HTTPInternalServerError.status_code else "unexpected"
    )
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return ProblemError(code, headers=headers, method=request.method, most=MAX_BODY_MIB)


def answered(request: web.Request, error: ProblemError) -> web.Response:
    """Return the answer to a call that cannot be done."""
    language = language_of(request)
    words = table()["problem"][error.code]
    title, detail = words[language]
    content: dict[str, Any] = {
        "type": f"{TYPES}{error.code}",
        "title": title,
        "status": words["status"],
        "detail": detail.format(**error.values),
        "instance": request.path,
    }
    if error.errors:
        content["errors"] = [{"pointer": place, **told(each, language)} for place, each in error.errors]
    return web.Response(
        body=written(content),
        status=words["status"],
        content_type="application/problem+json",
        headers={"Content-Language": language, "Cache-Control": "no-store", **error.headers},
    )


def told(problem: Problem, language: str) -> dict[str, Any]:
    """Return what is wrong with a field, as answers tell it."""
    return {"field": problem.field, "code": problem.code, "detail": field_sentence(problem.code, language)}


def written(content: object) -> bytes:
    """Return an answer's bytes; what is no character at all, as in an address, is replaced."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
