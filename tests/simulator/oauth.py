"""The fake OAuth server of OAs: permission page, authorization codes, single-use refresh tokens (api.md section 2)."""

import asyncio
import base64
import hashlib
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from .errors import OAuthError
from .faults import Fault
from .gateway import broken_line, hang_up
from .journal import Call
from .model import ACCESS_LIFE_MS, REFRESH_LIFE_MS, AuthCode, Json, OfficialAccount

if TYPE_CHECKING:
    from .provider import Provider

CODE_LIFE_MS = 600_000


class OAuth:
    """Serves /v4/oa/permission and /v4/oa/access_token."""

    def __init__(self, provider: "Provider") -> None:
        self._provider = provider

    async def permission(self, request: web.Request) -> web.StreamResponse:
        """Grant at once when the OA is clear (`oa_id`, or the app has one OA only), else let a person choose."""
        try:
            candidates = self._candidates(request)
        except OAuthError as refusal:
            return _json(refusal.body())
        if len(candidates) == 1:
            raise web.HTTPFound(self._granted(request, candidates[0], request.query["redirect_uri"]))
        return _choice(request, candidates)

    def _candidates(self, request: web.Request) -> list[OfficialAccount]:
        app_id, wanted = request.query.get("app_id", ""), request.query.get("oa_id", "")
        oas = self._provider.world.oas.values()
        candidates = [oa for oa in oas if oa.app_id == app_id and wanted in {"", oa.oa_id}]
        if not candidates:
            raise OAuthError(-14002)
        redirect_uri = request.query.get("redirect_uri", "")
        if not redirect_uri or any(oa.callback_url not in {"", redirect_uri} for oa in candidates):
            raise OAuthError(-14003)
        return candidates

    def _granted(self, request: web.Request, oa: OfficialAccount, redirect_uri: str) -> str:
        world = self._provider.world
        expires = self._provider.clock.now_ms() + CODE_LIFE_MS
        code = AuthCode(world.new_hex(40), oa.oa_id, request.query.get("code_challenge", ""), expires)
        world.codes[code.code] = code
        world.touch("codes")
        answer = {"code": code.code, "oa_id": oa.oa_id}
        if "state" in request.query:
            answer["state"] = request.query["state"]
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}"

    async def access_token(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /v4/oa/access_token: always HTTP 200, errors with error_name (api.md section 2)."""
        provider = self._provider
        note = provider.journal.open(provider.clock.now_ms(), request.method, request.path)
        try:
            return await self._token(request, note)
        finally:
            provider.journal.close(note)
            provider.world.touch("call")

    async def _token(self, request: web.Request, note: Call) -> web.StreamResponse:
        form = {key: str(value) for key, value in (await request.post()).items()}
        note.params = {"grant_type": form.get("grant_type", ""), "app_id": form.get("app_id", "")}
        holder = self._holder(form)
        note.oa_id = oa_id = holder.oa_id if holder else ""
        faults = self._provider.faults
        broken = await broken_line(self._provider, request, note, oa_id)
        if broken:
            return broken
        if hang := faults.take("oauth_hang", oa_id):
            note.faults.append("oauth_hang")
            await asyncio.sleep(hang.seconds)
        note.status = 200
        try:
            fault = faults.take("oauth_error", oa_id)
            note.faults += ["oauth_error"] if fault else []
            oa = self._granted_oa(request, form, fault)
        except OAuthError as refusal:
            note.error, note.message = refusal.code, refusal.name
            return _json(refusal.body())
        answer = self._rotate(oa)
        note.error = 0
        if slow := faults.take("oauth_slow_answer", oa_id):
            note.faults.append("oauth_slow_answer")
            await asyncio.sleep(slow.ms / 1000)
        if faults.take("oauth_lose_answer", oa_id):
            return hang_up(request, note, "oauth_lose_answer")
        return _json(answer)

    def _holder(self, form: dict[str, str]) -> OfficialAccount | None:
        world = self._provider.world
        if form.get("grant_type") == "authorization_code":
            code = world.codes.get(form.get("code", ""))
            return world.oas.get(code.oa_id) if code else None
        token = form.get("refresh_token")
        return next((oa for oa in world.oas.values() if token and oa.refresh_token == token), None)

    def _granted_oa(self, request: web.Request, form: dict[str, str], fault: Fault | None) -> OfficialAccount:
        if fault:
            raise OAuthError(fault.code)
        if form.get("grant_type") not in {"authorization_code", "refresh_token"}:
            raise OAuthError(-14018)
        app_id = form.get("app_id", "")
        secrets = {oa.app_secret for oa in self._provider.world.oas.values() if oa.app_id == app_id}
        if not secrets:
            raise OAuthError(-14002)
        if request.headers.get("secret_key", "") not in secrets:
            raise OAuthError(-14004)
        oa = self._holder(form)
        now = self._provider.clock.now_ms()
        if form["grant_type"] == "refresh_token":
            if oa is None or oa.app_id != app_id or oa.refresh_expires_ms <= now:
                raise OAuthError(-14014)
            return oa
        code = self._provider.world.codes.pop(form.get("code", ""), None)
        if code is None or oa is None or oa.app_id != app_id or code.expires_ms <= now:
            raise OAuthError(-14005)
        if code.challenge and code.challenge != _challenge(form.get("code_verifier", "")):
            raise OAuthError(-14005)
        return oa

    def _rotate(self, oa: OfficialAccount) -> Json:
        # The old pair dies here and now; the state file has the new one before the answer leaves.
        now = self._provider.clock.now_ms()
        oa.access_token, oa.access_expires_ms = self._provider.world.new_hex(64), now + ACCESS_LIFE_MS
        oa.refresh_token, oa.refresh_expires_ms = self._provider.world.new_hex(64), now + REFRESH_LIFE_MS
        self._provider.faults.cure_token(oa.oa_id)
        self._provider.save_now()
        self._provider.world.touch("oas", oa_id=oa.oa_id)
        return {"access_token": oa.access_token, "refresh_token": oa.refresh_token, "expires_in": "90000"}


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _json(body: Json) -> web.Response:
    return web.Response(text=json.dumps(body, ensure_ascii=False), content_type="application/json")


def _choice(request: web.Request, candidates: list[OfficialAccount]) -> web.Response:
    items = []
    for oa in candidates:
        address = html.escape("?" + urlencode({**request.query, "oa_id": oa.oa_id}))
        mark, name = html.escape(f"grant-{oa.oa_id}"), html.escape(oa.name)
        items.append(f'<li><a data-testid="{mark}" href="{address}">{name}</a></li>')
    page = (
        '<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>Cấp quyền</title>'
        '<meta name="viewport" content="width=device-width">'
        '<link rel="stylesheet" href="/static/page.css"></head>'
        '<body class="grant"><main><h1>Chọn Official Account cấp quyền cho ứng dụng</h1>'
        f"<ul>{''.join(items)}</ul></main></body></html>"
    )
    return web.Response(text=page, content_type="text/html")
