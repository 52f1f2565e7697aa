"""Files that phones and OAs send: kept here, served at /media/…, without a token as the provider does."""

import asyncio
import mimetypes
import re
from pathlib import Path

from aiohttp import web

from .errors import VerbError
from .faults import Faults
from .samples import FILES
from .world import World

HUGE_BYTES = 50 * 1024 * 1024
PICTURE_MARKS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}


def picture_type(data: bytes) -> str:
    """Return image/jpeg, image/png or image/gif by the first bytes, or an empty string."""
    return next((kind for mark, kind in PICTURE_MARKS.items() if data.startswith(mark)), "")


class Media:
    """Media by name; with a folder they survive a restart."""

    def __init__(self, world: World, faults: Faults, folder: Path | None = None) -> None:
        self._world, self._faults, self._folder = world, faults, folder
        self._kept: dict[str, tuple[str, bytes]] = {}
        self.url = ""

    def add(self, data: bytes, name: str = "anh.png", content_type: str = "") -> str:
        """Keep a file and return the name under which it is served."""
        kind = content_type or picture_type(data) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        stored = f"{self._world.new_hex(12)}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)[-60:]}"
        self._kept[stored] = (kind, data)
        if self._folder:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / stored).write_bytes(data)
        return stored

    def clear(self) -> None:
        """Forget what was added; the samples stay."""
        self._kept.clear()

    def address(self, name: str) -> str:
        """Return the full address of a file; a full address is returned as it is."""
        return name if name.startswith(("http://", "https://")) else f"{self.url}/media/{name}"

    def thumbnail(self, name: str) -> str:
        """Return the address of a picture's small version (the simulator serves the same bytes)."""
        return self.address(name) + ("" if name.startswith("http") else "?thumb=1")

    def read(self, name: str) -> tuple[str, bytes]:
        """Return content type and bytes; raises VerbError when there is no such file."""
        if name in FILES:
            kind, make = FILES[name]
            return kind, make()
        if name not in self._kept and self._folder and re.fullmatch(r"[0-9a-f]{12}-[\w.-]+", name):
            path = self._folder / name
            if path.is_file():
                data = path.read_bytes()
                guessed = picture_type(data) or mimetypes.guess_type(name)[0] or "application/octet-stream"
                self._kept[name] = (guessed, data)
        if name not in self._kept:
            raise VerbError(f"no media {name}")
        return self._kept[name]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /media/{name}. The page's own pictures (?view=1) are spared the faults."""
        if "view" not in request.query:
            spoiled = await self._spoil(request)
            if spoiled is not None:
                return spoiled
        try:
            kind, data = self.read(request.match_info["name"])
        except VerbError as missing:
            raise web.HTTPNotFound(text=str(missing)) from None
        return web.Response(body=data, content_type=kind)

    async def _spoil(self, request: web.Request) -> web.StreamResponse | None:
        if self._faults.take("media_404", ""):
            return web.Response(status=404, text="Not Found")
        if hang := self._faults.take("media_hang", ""):
            await asyncio.sleep(hang.seconds)
        if self._faults.take("media_not_image", ""):
            return web.Response(body=b"<html><body>Moved</body></html>", content_type="image/jpeg")
        if self._faults.take("media_huge", ""):
            return await self._stream(request)
        return None

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await answer.prepare(request)
        block = b"\xff\xd8\xff\xe0" + bytes(65536 - 4)
        for _ in range(HUGE_BYTES // len(block)):
            await answer.write(block)
        await answer.write_eof()
        return answer
