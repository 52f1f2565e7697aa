"""Say 200 to a webhook in one write of bytes that are ready: the same answer goes out thousands of times a second."""

import time
from collections.abc import Mapping
from email.utils import formatdate

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

BODY = b"{}"
CONTENT_TYPE = "application/json; charset=utf-8"


class Acknowledgement(web.Response):
    """One answer for every request of a keep-alive connection; it holds nothing of any of them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(body=BODY, headers={**headers, "Content-Type": CONTENT_TYPE})
        lines = [f"{name}: {value}" for name, value in (*self.headers.items(), ("Content-Length", str(len(BODY))))]
        self._head = "\r\n".join(("HTTP/1.1 200 OK", *lines, "Date: ")).encode()
        self._second = 0
        self._ready = b""

    @property
    def keep_alive(self) -> bool:
        """Only connections that stay open get this answer."""
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write the answer; raises ConnectionResetError when nobody is there any more."""
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._ready = self._head + formatdate(second, usegmt=True).encode() + b"\r\n\r\n" + BODY
        transport.write(self._ready)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to be written."""

    def to(self, request: web.Request) -> web.Response:
        """Return this answer, or for a client that closes after it a response of its own."""
        if request.version == HttpVersion11 and request.keep_alive:
            return self
        return web.Response(body=BODY, headers={"Content-Type": CONTENT_TYPE})
