"""Answer every send at once, as a provider without delay would, and count what was taken."""

import argparse
import asyncio
import itertools
import sys
import time
from typing import Final, cast

import orjson

_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "


class FakeZalo(asyncio.Protocol):
    """Speak just enough HTTP/1.1 for keep-alive POSTs with a Content-Length.

    `GET /count` returns how many messages were taken and how many recipients were addressed more than once.
    `GET /reached` returns when (seconds of the machine's monotonic clock) the first message came for each recipient
    whose id is not a number: a benchmark's own people, as against the many of a broadcast.
    """

    taken = itertools.count(1)
    addressed: dict[str, int] = {}  # noqa: RUF012 - one tally for all connections of this process
    reached: dict[str, float] = {}  # noqa: RUF012 - likewise

    def __init__(self) -> None:
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            length = _length(head)
            if len(self._buffer) < end + 4 + length:
                return
            body = bytes(self._buffer[end + 4 : end + 4 + length])
            del self._buffer[: end + 4 + length]
            self._transport.write(self._answer(head, body))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET /count"):
            doubles = sum(n - 1 for n in self.addressed.values() if n > 1)
            content = orjson.dumps({"taken": sum(self.addressed.values()), "doubles": doubles})
        elif head.startswith(b"GET /reached"):
            content = orjson.dumps(self.reached)
        elif b"/access_token" in head.split(b"\r\n", 1)[0]:
            content = b'{"access_token":"access","refresh_token":"refresh","expires_in":"90000"}'
        elif not body:
            content = b'{"error":-201,"message":"only sends are known here"}'
        else:
            user = orjson.loads(body)["recipient"]["user_id"]
            if user.isdigit():
                self.addressed[user] = self.addressed.get(user, 0) + 1
            else:
                self.reached.setdefault(user, time.monotonic())
            number = next(self.taken)
            content = b'{"error":0,"message":"Success","data":{"message_id":"m%d","user_id":"%s"}}' % (
                number,
                user.encode(),
            )
        return b"%s%d\r\n\r\n%s" % (_HEAD, len(content), content)


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at < 0:
        return 0
    return int(lower[at + 15 :].split(b"\r\n", 1)[0])


async def serve(port: int) -> None:
    """Serve until cancelled."""
    server = await asyncio.get_running_loop().create_server(FakeZalo, "127.0.0.1", port, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Serve on the port given; 0 chooses one and prints it."""
    import uvloop

    parser = argparse.ArgumentParser(description="A provider that answers at once.")
    parser.add_argument("--port", type=int, default=0)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
