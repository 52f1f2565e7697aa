"""Speak OAuth v4 with Zalo: the permission page, the code behind it, and single-use refresh tokens."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.channels.zalo.client import ZaloClient
from bot.channels.zalo.errors import send_error
from bot.channels.zalo.payload import integer_of, text_of
from bot.clock import Now
from bot.domain.delivery import SendError, TemporaryError

_VERIFIER_BYTES = 32
_LEAST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Grant:
    """A pair of tokens as Zalo issued it; `expires_at` (UTC) is the access token's end."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Pkce:
    """A PKCE pair: the verifier stays with us until the code is exchanged, the challenge goes into the link."""

    verifier: str = field(repr=False)
    challenge: str


def new_pkce(random_bytes: Callable[[int], bytes]) -> Pkce:
    """Make a PKCE pair: 43 characters of base64url, and the base64url of their SHA-256, no padding (api.md 2)."""
    verifier = _base64url(random_bytes(_VERIFIER_BYTES))
    return Pkce(verifier, _base64url(hashlib.sha256(verifier.encode()).digest()))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class OAuth:
    """Get and renew tokens for the OAs of one app."""

    def __init__(self, client: ZaloClient, app_id: str, app_secret: str, oauth_url: str, now: Now) -> None:
        self._client = client
        self._app_id = app_id
        self._app_secret = app_secret
        self._url = oauth_url.rstrip("/")
        self._now = now

    def permission_url(self, redirect_uri: str, state: str, challenge: str = "") -> str:
        """Return the page where an OA's administrator grants the app; `redirect_uri` must be the one saved at Zalo."""
        query = {"app_id": self._app_id, "redirect_uri": redirect_uri, "code_challenge": challenge, "state": state}
        return f"{self._url}/v4/oa/permission?{urlencode({k: v for k, v in query.items() if v})}"

    async def exchange_code(self, code: str, verifier: str = "") -> Grant:
        """Turn the code of the callback (10 minutes, one use) into tokens; raises the SendError family."""
        fields = {"code": code, "grant_type": "authorization_code"}
        return await self._token({**fields, "code_verifier": verifier} if verifier else fields)

    async def refresh(self, refresh_token: str) -> Grant:
        """Turn a refresh token, which dies by this, into a new pair.

        Raises AccountStoppedError for a dead token or a wrong app, TemporaryError for a refusal that may pass,
        ConnectionFailedError when nothing was sent, UnknownOutcomeError when the answer was lost.
        """
        return await self._token({"refresh_token": refresh_token, "grant_type": "refresh_token"})

    async def _token(self, fields: dict[str, str]) -> Grant:
        url, headers = f"{self._url}/v4/oa/access_token", {"secret_key": self._app_secret}
        answer = await self._client.post_form(url, {"app_id": self._app_id, **fields}, headers)
        access, refresh = text_of(answer.get("access_token")), text_of(answer.get("refresh_token"))
        # Refusals come with HTTP 200 and error or error_name; whatever lacks a token is a failure (R4).
        if not access or not refresh or answer.get("error") or answer.get("error_name"):
            secrets = (self._app_secret, *(value for key, value in fields.items() if key != "grant_type"))
            raise _refusal(answer, secrets)
        seconds = max(integer_of(answer.get("expires_in")) or 0, _LEAST_SECONDS)
        return Grant(access, refresh, self._now() + timedelta(seconds=seconds))


def _refusal(answer: dict[str, Any], secrets: tuple[str, ...]) -> SendError:
    words = (answer.get("error_name"), answer.get("error_description"), answer.get("message"))
    detail = ": ".join(filter(None, map(text_of, words)))
    for secret in secrets:
        detail = detail.replace(secret, "…") if secret else detail
    code = integer_of(answer.get("error"))
    if not code:
        return TemporaryError("refresh_failed", detail or "no token in the answer")
    return send_error("oauth", code, detail)
