"""Work in the console over HTTP, as a browser would, without one."""

import html
import re
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_VERSION = re.compile(r'name="version" value="(\d+)"')


@dataclass
class Console:
    """One signed-in person."""

    url: str
    email: str
    password: str = "loa-demo-2026"
    http: aiohttp.ClientSession = field(init=False)

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        await self.sign_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    async def sign_in(self) -> None:
        """Sign in; the cookie is kept."""
        fields = {"email": self.email, "password": self.password, "next": "/"}
        origin = {"Origin": self.url}
        async with self.http.post(f"{self.url}/login", data=fields, headers=origin) as answer:
            assert answer.status == 200, await answer.text()
            assert "/login" not in str(answer.url), "signed in"

    async def get(self, path: str) -> str:
        """Return a page."""
        async with self.http.get(f"{self.url}{path}") as answer:
            text = await answer.text()
            assert answer.status == 200, (answer.status, path)
            return html.unescape(text)

    async def find(self, code: str) -> str:
        """Return the path of the case with this public code."""
        page = await self.get(f"/?view=all&q={code}")
        found = re.search(r'href="(/cases/[0-9A-Z]{26})', page)
        assert found, f"{code} is not in the list"
        return found.group(1)

    async def do(self, case: str, verb: str, expect: int = 200, photo: bytes | None = None, **fields: str) -> str:
        """Press one button of a case page; `photo` is attached as proof."""
        page = await self.get(case)
        csrf, version = _CSRF.search(page), _VERSION.search(page)
        assert csrf
        sent = {"csrf": csrf.group(1), "version": version.group(1) if version else "", **fields}
        form = aiohttp.FormData(sent, default_to_multipart=photo is not None)
        if photo is not None:
            form.add_field("files", photo, filename="sau.png", content_type="image/png")
        async with self.http.post(f"{self.url}{case}/{verb}", data=form, headers={"Origin": self.url}) as answer:
            text = await answer.text()
            assert answer.status == expect, (answer.status, text[:500])
            return html.unescape(text)
