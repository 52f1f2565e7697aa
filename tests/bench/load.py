"""Send signed webhooks over keep-alive connections, in a process of its own: as fast as answered, or paced.

Reads a specification as JSON from standard input and prints what was seen as JSON. Paced latencies count from the
moment at which a request was due, so that a server that stalls cannot hide it by holding up the generator.
"""

import asyncio
import collections
import hashlib
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

_TICK = 0.001
_TEXT = "Bóng đèn đường trước nhà văn hoá thôn Kim Lâm hỏng ba hôm nay, buổi tối rất nguy hiểm cho người đi lại"


@dataclass(frozen=True)
class Load:
    """What to send: `rate` requests a second, or as fast as they are answered when it is 0."""

    port: int
    count: int
    run: str
    app_id: str
    oa_id: str
    key: str
    rate: float = 0
    connections: int = 64
    contacts: int = 5000
    core: int | None = None
    limit_seconds: float = 120
    host: str = "127.0.0.1"


@dataclass
class Seen:
    """What came back; times in seconds, `latencies` of all but the first tenth."""

    acknowledged: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    measured: int = 0
    p50: float = 0.0
    p99: float = 0.0
    worst: float = 0.0
    broken: int = 0


def request(load: Load, number: int, sender: str = "", text: str = _TEXT) -> bytes:
    """Return one signed event with a message id of its own, headers and body."""
    person = number % load.contacts
    timestamp = str(int(time.time() * 1000))
    body = json.dumps(
        {
            "app_id": load.app_id,
            "user_id_by_app": str(7_000_000_000 + person),
            "event_name": "user_send_text",
            "timestamp": timestamp,
            "sender": {"id": sender or str(4_000_000_000 + person)},
            "recipient": {"id": load.oa_id},
            "message": {"msg_id": f"{load.run}{number:010x}", "text": text},
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    mac = hashlib.sha256(load.app_id.encode() + body + timestamp.encode() + load.key.encode()).hexdigest()
    head = (
        f"POST /webhooks/zalo HTTP/1.1\r\nHost: {load.host}:{load.port}\r\nUser-Agent: ZaloWebhook\r\n"
        f"Content-Type: application/json\r\nX-ZEvent-Server: OA OpenAPI\r\nX-ZEvent-Signature: mac={mac}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Generator:
    """Share the requests out over the connections."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.requests = [request(load, number) for number in range(load.count)]
        self.latencies = [0.0] * load.count
        self.seen = Seen()
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.idle: collections.deque[Connection] = collections.deque()
        self.due: collections.deque[int] = collections.deque()
        self.due_at: list[float] = []
        self.next = 0
        self.answered = 0
        self.warm = load.count // 10
        self.warm_at = 0.0

    def answer(self, number: int, sent_at: float, status: str) -> None:
        now = time.perf_counter()
        self.answered += 1
        self.latencies[number] = now - (self.due_at[number] if self.due_at else sent_at)
        if status == "200":
            self.seen.acknowledged += 1
        self.seen.statuses[status] = self.seen.statuses.get(status, 0) + 1
        if self.answered == self.warm:
            self.warm_at = now
        if self.answered == self.load.count:
            self.seen.seconds = now - self.warm_at
            self.finished.set_result(None)

    def go_on(self, connection: "Connection") -> None:
        """Give a free connection its next request, if one is due."""
        if self.load.rate:
            if self.due:
                connection.send(self.due.popleft())
            else:
                self.idle.append(connection)
        elif self.next < self.load.count:
            self.next += 1
            connection.send(self.next - 1)

    async def pace(self) -> None:
        """Let requests become due at their moments, whether or not a connection is free."""
        begun = time.perf_counter()
        self.due_at = [begun + number / self.load.rate for number in range(self.load.count)]
        number = 0
        while number < self.load.count:
            now = time.perf_counter()
            while number < self.load.count and self.due_at[number] <= now:
                if self.idle:
                    self.idle.popleft().send(number)
                else:
                    self.due.append(number)
                number += 1
            await asyncio.sleep(_TICK)

    async def run(self) -> Seen:
        """Send everything, wait for the answers at most as long as the limit says, and sum up."""
        loop = asyncio.get_running_loop()
        opened = [
            (await loop.create_connection(lambda: Connection(self), self.load.host, self.load.port))[1]
            for _ in range(self.load.connections)
        ]
        for connection in opened:
            self.go_on(connection)
        async with asyncio.timeout(self.load.limit_seconds):
            if self.load.rate:
                await self.pace()
            await self.finished
        times = sorted(self.latencies[self.warm :])
        self.seen.measured = self.load.count - self.warm
        self.seen.p50, self.seen.p99, self.seen.worst = times[len(times) // 2], times[len(times) * 99 // 100], times[-1]
        return self.seen


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._number = 0
        self._sent_at = 0.0
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._generator.seen.broken += not self._generator.finished.done()

    def send(self, number: int) -> None:
        self._number = number
        self._sent_at = time.perf_counter()
        self._transport.write(self._generator.requests[number])

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._buffer = b""
        self._generator.answer(self._number, self._sent_at, head[9:12].decode())
        self._generator.go_on(self)


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length: ") + 16  # uvicorn writes it in small letters
    return int(head[at:].split(b"\r\n", 1)[0])


async def _main() -> None:
    load = Load(**json.load(sys.stdin))
    if load.core is not None:
        os.sched_setaffinity(0, {load.core})
    generator = Generator(load)
    try:
        seen = await generator.run()
    except TimeoutError:
        seen = generator.seen
        seen.broken += load.count - generator.answered
    print(json.dumps(asdict(seen)))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())
