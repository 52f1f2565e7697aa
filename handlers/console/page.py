"""What every page of the console shares: who looks, what was typed, how a page is answered."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiMapping

from bot import render as templates
from bot import translations
from bot.clock import to_local
from bot.domain.access import Permission
from bot.domain.privacy import mask_identity
from bot.domain.text import clean
from bot.errors import InvalidInputError, NotFoundError
from bot.runtime import Runtime
from bot.store.unit_of_work import UnitOfWork
from handlers.keys import FORM, RUNTIME, VISIT, Visit
from handlers.static import ASSETS

Errors = dict[str, InvalidInputError]
"""What is wrong with a form, by field; templates turn codes into sentences."""
MAX_FIELD = 20_000
_MOST_PAGES = 200


def runtime_of(request: web.Request) -> Runtime:
    """Return what the process holds."""
    return request.app[RUNTIME]


def visit_of(request: web.Request) -> Visit:
    """Return who looks; only on pages behind the sign-in."""
    return request[VISIT]


def writing(request: web.Request) -> Any:
    """Open a unit of work in the name of whoever looks."""
    return runtime_of(request).units_of_work(visit_of(request).actor)


class Form:
    """What was typed, cleaned; a missing field is empty, never an error."""

    def __init__(self, fields: MultiMapping[Any]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """Return a field as clean text."""
        value = self._fields.get(name, "")
        return clean(value[:MAX_FIELD]) if isinstance(value, str) else ""

    def secret(self, name: str) -> str:
        """Return a password exactly as it was typed."""
        value = self._fields.get(name, "")
        return value if isinstance(value, str) else ""

    def has(self, name: str) -> bool:
        """Say whether a field was sent at all, empty or not."""
        return name in self._fields

    def texts(self, name: str) -> list[str]:
        """Return every value of a repeated field."""
        return [clean(v[:MAX_FIELD]) for v in self._fields.getall(name, []) if isinstance(v, str)]

    def number(self, name: str) -> int | None:
        """Return a whole number, or None."""
        text = self.text(name)
        return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 12 else None  # noqa: PLR2004 - longer is no number of ours

    def uploads(self, name: str) -> list[web.FileField]:
        """Return the files that were chosen."""
        return [v for v in self._fields.getall(name, []) if isinstance(v, web.FileField) and v.filename]


async def form_of(request: web.Request) -> Form:
    """Read the form of a request."""
    fields = await request.post()
    request[FORM] = fields
    return Form(fields)


def in_scope(request: web.Request, permission: Permission, path: str) -> None:
    """Raise NotFoundError when the permission does not reach a unit: what may not be seen does not exist."""
    if not visit_of(request).grants.over(permission, path):
        raise NotFoundError(path)


def render(request: web.Request, name: str, values: Mapping[str, Any] | None = None, status: int = 200) -> web.Response:
    """Answer with templates/console/<name>.html."""
    return web.Response(text=templates.page(name, context(request, values)), content_type="text/html", status=status)


def context(request: web.Request, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what every template may use, with the page's own values over it."""
    visit = request.get(VISIT)
    runtime = runtime_of(request)
    return {
        "asset": request.app[ASSETS].address,
        "csrf": visit.session.csrf if visit else "",
        "done": request.query.get("done", ""),
        "errors": {},
        "local": to_local,
        "language": translations.current(),
        "languages": translations.LANGUAGES,
        "mask": mask_identity,
        "may": _may(visit),
        "now": runtime.now(),
        "moment": datetime.fromisoformat,
        "path": request.path,
        "person": visit.person if visit else None,
        "query": request.query,
        "send_error": send_error,
        "today": to_local(runtime.now()).date(),
        **(values or {}),
    }


@cache
def _send_errors(language: str) -> dict[str, str]:
    path = templates.TEMPLATES / "messages" / language / "official" / "send_errors.toml"
    return {str(code): str(words) for code, words in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def send_error(reason: str) -> str:
    """Return the sentence that tells staff why a message did not leave and what to do; else the bare word."""
    return _send_errors(translations.current()).get(reason, reason)


def _may(visit: Visit | None) -> Any:
    def may(permission: str, path: str | None = None) -> bool:
        if visit is None:
            return False
        wanted = Permission(permission)
        return visit.grants.anywhere(wanted) if path is None else visit.grants.over(wanted, path)

    return may


def see_other(path: str, **query: str) -> web.Response:
    """Send the browser on after a form was taken, so that reloading repeats nothing."""
    location = f"{path}?{urlencode(query)}" if query else path
    return web.Response(status=303, headers={"Location": location})


def page_number(request: web.Request) -> int:
    """Return the page of a list that the address asks for, from 1 on."""
    text = request.query.get("page", "1")
    number = int(text[:9]) if text.isascii() and text.isdigit() else 1
    return min(max(number, 1), _MOST_PAGES)


def is_htmx(request: web.Request) -> bool:
    """Say whether a part of a page is asked for."""
    return request.headers.get("HX-Request") == "true"


def of(error: InvalidInputError) -> Errors:
    """Return one error by its field."""
    return {error.field: error}


__all__ = [
    "Errors",
    "Form",
    "UnitOfWork",
    "context",
    "form_of",
    "in_scope",
    "is_htmx",
    "of",
    "page_number",
    "render",
    "runtime_of",
    "see_other",
    "send_error",
    "visit_of",
    "writing",
]
