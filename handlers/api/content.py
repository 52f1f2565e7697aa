"""Read what a call carries: JSON within bounds, and nothing else."""

import json
from typing import Any, NoReturn

from aiohttp import web

from bot.channels.nesting import check_nesting
from bot.domain.dossier_exchange import Problem
from handlers.api.problem import MAX_BODY_MIB, ProblemError

_MEBIBYTE = 1024 * 1024


async def content_of(request: web.Request) -> tuple[bytes, dict[str, Any]]:
    """Return the content of a call as it came, and read; raises ProblemError for whatever is no JSON object."""
    charset = (request.charset or "utf-8").lower()
    if request.content_type != "application/json" or charset not in {"utf-8", "utf8"}:
        raise ProblemError("media_type")
    raw = await request.clone(client_max_size=MAX_BODY_MIB * _MEBIBYTE).read()
    try:
        check_nesting(raw)
        found = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse)
    except ValueError as error:
        raise ProblemError("not_json") from error
    if not isinstance(found, dict):
        raise ProblemError("invalid", [("", Problem("", "not_an_object"))])
    return raw, found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
