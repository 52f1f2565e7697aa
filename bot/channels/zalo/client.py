"""Speak HTTP with Zalo: one call, one answer, every failure as one of the send errors."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import aiohttp
import orjson
from multidict import CIMultiDict, istr

from bot.channels.zalo.error_codes import Scope
from bot.channels.zalo.errors import send_error
from bot.channels.zalo.payload import integer_of, object_of, read_json
from bot.clock import Now
from bot.domain.delivery import (
    AccountStoppedError,
    ConnectionFailedError,
    MessageInvalidError,
    SendError,
    TemporaryError,
    ThrottledError,
    UnknownOutcomeError,
)

TIMEOUT = 10.0
"""Seconds for a whole call. Getting a connection has half of it, so that what runs out later has left this machine."""

_MINUTE = 60.0
_LIMIT, _REMAIN = istr("X-RateLimit-Limit"), istr("X-RateLimit-Remain")
_RETRY_AFTER = istr("Retry-After")
_TOKEN, _CONTENT_TYPE = istr("access_token"), istr("Content-Type")
# A broadcast passes here a million times: names of headers are prepared once, values are looked at when needed.
_EARLY = 1.0
_SERVER_ERROR = 500
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class RateNews:
    """What an answer said of the requests left in this calendar minute (`X-RateLimit-*`), and when."""

    limit: int
    remain: int
    at: datetime


class _Answer(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def retry_after(self) -> float | None:
        return _seconds(self.headers.get(_RETRY_AFTER))


class ZaloClient:
    """Call Zalo's APIs over one HTTP session for all accounts.

    Tokens and secrets travel in headers or forms and are cut out of every error's text.
    """

    def __init__(self, session: aiohttp.ClientSession, now: Now, timeout: float = TIMEOUT) -> None:
        self._session = session
        self._now = now
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=timeout / 2)
        self.rates: dict[str, RateNews] = {}

    async def call(
        self,
        method: str,
        url: str,
        token: str,
        *,
        account_id: str = "",
        arguments: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        once: bool = False,
        scope: Scope = "oa",
    ) -> dict[str, Any]:
        """Call an endpoint and return its `data` object (a list comes as `{"items": […]}`).

        `arguments` become the query parameter `data` (api.md 3.1), `query` parameters of their own as the template
        host wants them (api.md 4), `body` JSON, `form` multipart. `once` marks a call
        whose repeat would reach a citizen twice: if its outcome cannot be known, UnknownOutcomeError is raised, while
        for other calls that is a TemporaryError. Raises the SendError family.
        """
        headers = CIMultiDict({_TOKEN: token})
        content: dict[str, Any] = {}
        if body is not None:
            headers[_CONTENT_TYPE] = "application/json"
            content["data"] = orjson.dumps(body)
        elif form is not None:
            content["data"] = form()
        if arguments is not None:
            content["params"] = {"data": json.dumps(arguments, ensure_ascii=False)}
        elif query is not None:
            content["params"] = query
        try:
            answer = await self._exchange(method, url, headers, account_id, **content)
            return self._data(answer, scope, token)
        except UnknownOutcomeError as error:
            if once:
                raise
            raise TemporaryError(error.reason, error.detail, provider_code=error.provider_code) from None

    async def post_form(self, url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        """Post a form and return the JSON object of the answer, whatever its HTTP status says.

        Raises ConnectionFailedError when nothing was sent, UnknownOutcomeError when no readable answer came.
        """
        answer = await self._exchange("POST", url, headers, "", data=dict(fields))
        try:
            found = read_json(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise _unreadable(answer)
        return found

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], account_id: str, **content: Any
    ) -> _Answer:
        try:
            response = await self._session.request(
                method, url, headers=headers, timeout=self._timeout, allow_redirects=False, **content
            )
            try:
                answered = response.headers
                if account_id and _LIMIT in answered:
                    self._note_rate(account_id, answered)
                return _Answer(response.status, await response.read(), answered)
            finally:
                response.release()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ConnectionFailedError("provider_unreachable", type(error).__name__) from None
        except aiohttp.InvalidURL:
            raise AccountStoppedError("api_not_found", "invalid address") from None
        except TimeoutError:
            raise UnknownOutcomeError("provider_timeout") from None
        except aiohttp.ClientError as error:
            raise UnknownOutcomeError("provider_disconnected", type(error).__name__) from None

    def _note_rate(self, account_id: str, headers: Mapping[str, str]) -> None:
        limit, remain = integer_of(headers.get(_LIMIT)), integer_of(headers.get(_REMAIN))
        if limit is not None and remain is not None and limit > 0:
            self.rates[account_id] = RateNews(limit, max(remain, 0), self._now())

    def _data(self, answer: _Answer, scope: Scope, token: str) -> dict[str, Any]:
        # Refusals usually come as HTTP 200 with `error`, sometimes as 4xx or 5xx with the same JSON (api.md 3.1).
        try:
            envelope = object_of(read_json(answer.body))
        except ValueError:
            envelope = {}
        data = envelope.get("data")
        if "error" not in envelope and not (isinstance(data, dict) and answer.status < _SERVER_ERROR):
            raise _unreadable(answer)
        given = envelope.get("error", 0)
        code = given if type(given) is int else integer_of(given)
        if code == 0:
            return {"items": data} if isinstance(data, list) else object_of(data)
        message = str(envelope.get("message") or "")
        error = send_error(scope, code if code is not None else 1, message.replace(token, "…") if token else message)
        if error.reason == "unknown_code" and answer.status in _BY_STATUS:
            raise _unreadable(answer)  # such as 404 "empty or invalid API": the status says more than the number
        if answer.status == _TOO_MANY and not isinstance(error, ThrottledError):
            error = ThrottledError(error.reason, error.detail, provider_code=error.provider_code)
        if isinstance(error, ThrottledError):
            error.retry_after = answer.retry_after or _to_next_minute(self._now())
        raise error


_BY_STATUS: dict[int, tuple[type[SendError], str]] = {
    401: (AccountStoppedError, "api_refused"),
    403: (AccountStoppedError, "api_refused"),
    404: (AccountStoppedError, "api_not_found"),
    407: (AccountStoppedError, "api_refused"),
    408: (TemporaryError, "provider_error"),
    410: (AccountStoppedError, "api_not_found"),
    413: (MessageInvalidError, "request_too_large"),
    425: (TemporaryError, "provider_error"),
}
_BY_CLASS: dict[int, tuple[type[SendError], str]] = {
    3: (TemporaryError, "provider_redirect"),
    4: (MessageInvalidError, "provider_4xx"),
    5: (UnknownOutcomeError, "provider_5xx"),
}


def _unreadable(answer: _Answer) -> SendError:
    """Judge an answer without JSON by its status alone.

    4xx is an explicit no: nothing was sent. A wrong path (404) or a closed door (401, 403) meets every message of the
    account and is for a person to mend; other 4xx are about this request. 2xx and 5xx leave the outcome open.
    """
    status = answer.status
    if status == _TOO_MANY:
        return ThrottledError("rate_limited", f"HTTP {status}", retry_after=answer.retry_after)
    unclear = (UnknownOutcomeError, "unreadable_answer")
    error, reason = _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, unclear)
    return error(reason, f"HTTP {status}, {len(answer.body)} bytes")


def _to_next_minute(now: datetime) -> float:
    """Return the seconds to the next window, which is the calendar minute (api.md 3.1).

    A refusal in the first moments of a minute most likely belongs to the one before.
    """
    seconds = now.second + now.microsecond / 1e6
    return _MINUTE - seconds if seconds >= _EARLY else _EARLY


def _seconds(value: str | None) -> float | None:
    seconds = integer_of(value)
    return float(seconds) if seconds is not None and seconds >= 0 else None
