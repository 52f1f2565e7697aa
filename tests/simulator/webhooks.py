"""Delivery of webhooks: signed, in parallel, repeated on the provider's schedule, switched off after the last try."""

import asyncio
import hashlib
import json
import random
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp

from .clock import Clock
from .faults import Fault, Faults
from .model import Json, OfficialAccount
from .world import World

RETRY_AFTER_S = (30, 300, 900, 1800, 3600)  # api.md section 1.1, row Repeat
DEADLINE_S = 2.0
HOLD_S = 1.0  # how long an out-of-order webhook waits for a successor


def sign(app_id: str, raw_body: bytes, timestamp: str, oa_secret_key: str) -> str:
    """Return the X-ZEvent-Signature value: plain SHA-256 over the four, hex (api.md section 1.3)."""
    return "mac=" + hashlib.sha256(app_id.encode() + raw_body + timestamp.encode() + oa_secret_key.encode()).hexdigest()


def compact(payload: Json) -> str:
    """Return the payload as the provider writes it: no blanks, letters unescaped."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class Delivery:
    """One webhook on its way. States: sending, waiting (for a repeat), held, delivered, given_up, dropped, lost."""

    delivery_id: int
    oa_id: str
    event_name: str
    body: str
    headers: dict[str, str]
    at_ms: int
    state: str = "sending"
    num_retry: int = 0
    next_ms: int = 0
    attempts: list[Json] = field(default_factory=list)

    @property
    def status(self) -> int | None:
        """HTTP status of the last attempt; None when nothing was answered yet."""
        return self.attempts[-1]["status"] if self.attempts else None

    def view(self) -> Json:
        """Return the delivery as the control API shows it."""
        return asdict(self) | {"status": self.status}


class Webhooks:
    """Sends events to the service; `time_scale` divides the waits between repeats.

    An address may be several, parted by blanks: each attempt goes to one of them by chance, as behind one name in DNS.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        faults: Faults,
        *,
        rng: random.Random | None = None,
        time_scale: float = 1.0,
        keep: int | None = 5000,
    ) -> None:
        self._world, self._clock, self._faults = world, clock, faults
        self._rng = rng or random.SystemRandom()
        self.time_scale = time_scale
        self.deliveries: deque[Delivery] = deque(maxlen=keep)
        self._made = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._released: dict[str, asyncio.Event] = {}
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Start to be able to send."""
        timeout = aiohttp.ClientTimeout(total=DEADLINE_S)
        self._http = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))

    async def close(self) -> None:
        """Stop all deliveries under way."""
        await self.forget()
        if self._http:
            await self._http.close()

    async def forget(self) -> None:
        """Drop what is under way and the log."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.deliveries.clear()
        self._released.clear()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background until it ends or the simulator stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def waiting(self) -> list[Delivery]:
        """Return what waits for a repeat."""
        return [delivery for delivery in self.deliveries if delivery.state == "waiting"]

    async def send(self, oa: OfficialAccount, payload: Json, *, server: str = "OA OpenAPI") -> Delivery:
        """Send an event and return after its first attempt (or when it is held, lost or dropped)."""
        return await self.send_raw(oa, compact(payload), payload, server=server)

    async def send_raw(
        self, oa: OfficialAccount, body: str, payload: Json, *, server: str = "OA OpenAPI", signing: str = "right"
    ) -> Delivery:
        """Send these very bytes; `signing` is right, wrong or none. Return as `send` does."""
        name = str(payload.get("event_name", ""))
        delivery = self._enter(oa, name, body)
        if self._faults.take("wrong_signature", oa.oa_id):
            signing = "wrong"
        delivery.headers = self._headers(oa, body, payload, server, signing)
        if not oa.webhook_url or not oa.webhook_on or name in oa.events_off:
            delivery.state = "dropped"
        elif self._faults.take("lost_webhooks", oa.oa_id):
            delivery.state = "lost"
        elif oa.oa_id not in self._released and self._faults.take("out_of_order_webhooks", oa.oa_id):
            self._hold(oa, delivery)
        else:
            await self._first(oa, delivery)
            self._release(oa)
        self._world.touch("webhook", oa_id=oa.oa_id)
        return delivery

    def _enter(self, oa: OfficialAccount, name: str, body: str) -> Delivery:
        self._made += 1
        delivery = Delivery(self._made, oa.oa_id, name, body, {}, self._clock.now_ms())
        self.deliveries.append(delivery)
        return delivery

    def _headers(self, oa: OfficialAccount, body: str, payload: Json, server: str, signing: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "ZaloWebhook"}
        if server:
            headers["X-ZEvent-Server"] = server
        if signing != "none":
            key = oa.oa_secret_key if signing == "right" else "not-" + oa.oa_secret_key
            timestamp = str(payload.get("timestamp", ""))
            headers["X-ZEvent-Signature"] = sign(oa.app_id, body.encode(), timestamp, key)
        return headers

    def _hold(self, oa: OfficialAccount, delivery: Delivery) -> None:
        delivery.state = "held"
        released = self._released.setdefault(oa.oa_id, asyncio.Event())

        async def deliver_late() -> None:
            try:
                async with asyncio.timeout(HOLD_S):
                    await released.wait()
            except TimeoutError:
                pass
            await self._first(oa, delivery)
            self._world.touch("webhook", oa_id=oa.oa_id)

        self.run(deliver_late())

    def _release(self, oa: OfficialAccount) -> None:
        released = self._released.pop(oa.oa_id, None)
        if released:
            released.set()

    async def _first(self, oa: OfficialAccount, delivery: Delivery) -> None:
        delivery.state = "sending"
        duplicate = self._faults.take("duplicate_webhooks", oa.oa_id)
        twins = [self._attempt(oa, twin) for twin in self._twins(oa, delivery, duplicate)]
        await asyncio.gather(self._attempt(oa, delivery), *twins)
        if delivery.state != "delivered":
            first_at = self._schedule(delivery)
            self.run(self._repeat(oa, delivery, first_at))

    def _twins(self, oa: OfficialAccount, delivery: Delivery, duplicate: Fault | None) -> list[Delivery]:
        twins = [
            self._enter(oa, delivery.event_name, delivery.body) for _ in range(duplicate.copies if duplicate else 0)
        ]
        for twin in twins:
            twin.headers = delivery.headers
        return twins

    async def _attempt(self, oa: OfficialAccount, delivery: Delivery) -> None:
        headers = delivery.headers | ({"num_retry": str(delivery.num_retry)} if delivery.num_retry else {})
        attempt: Json = {"at_ms": self._clock.now_ms(), "status": 0, "error": "", "num_retry": delivery.num_retry}
        started = time.perf_counter()
        assert self._http, "the simulator runs"
        try:
            address = self._rng.choice(oa.webhook_url.split())
            async with self._http.post(address, data=delivery.body.encode(), headers=headers) as answer:
                await answer.read()
                attempt["status"] = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            attempt["error"] = type(failure).__name__
        attempt["took_ms"] = round((time.perf_counter() - started) * 1000, 1)
        delivery.attempts.append(attempt)
        delivery.state = "delivered" if attempt["status"] == 200 else "failed"

    def resume(self, delivery: Delivery) -> None:
        """Go on with the repeats of a delivery that an earlier run of the simulator began."""
        oa = self._world.oas.get(delivery.oa_id)
        if oa:
            self._made = max(self._made, delivery.delivery_id)
            self.deliveries.append(delivery)
            self.run(self._repeat(oa, delivery, delivery.next_ms / 1000))

    def _schedule(self, delivery: Delivery) -> float:
        at = self._clock.now() + RETRY_AFTER_S[delivery.num_retry] / self.time_scale
        delivery.state, delivery.next_ms = "waiting", int(at * 1000)
        self._world.touch("webhook", oa_id=delivery.oa_id)
        return at

    async def _repeat(self, oa: OfficialAccount, delivery: Delivery, at: float) -> None:
        while True:
            await self._clock.sleep_until(at)
            if not oa.webhook_on:
                break
            delivery.num_retry += 1
            await self._attempt(oa, delivery)
            if delivery.state == "delivered":
                self._world.touch("webhook", oa_id=oa.oa_id)
                return
            if delivery.num_retry == len(RETRY_AFTER_S):
                oa.webhook_on = False
                break
            at = self._schedule(delivery)
        delivery.state = "given_up"
        self._world.touch("oas", oa_id=oa.oa_id)

    async def probe(self, oa: OfficialAccount) -> Delivery:
        """Do what saving the URL in the console does: an unsigned `{}`; 200 switches the webhook on."""
        delivery = self._enter(oa, "", "{}")
        delivery.headers = {"Content-Type": "application/json", "User-Agent": "ZaloWebhook"}
        await self._attempt(oa, delivery)
        oa.webhook_on = delivery.state == "delivered"
        self._world.touch("oas", oa_id=oa.oa_id)
        return delivery
