"""Let other systems in by their keys: unknown ones are slowed down, known ones held to so many calls a minute."""

import time
from dataclasses import dataclass, field

from aiohttp import web

from bot.actions import api_keys
from bot.store.api_keys import ApiKeyRow
from handlers.api.problem import ProblemError
from handlers.keys import RUNTIME
from handlers.middlewares import client_address

CALLS_PER_MINUTE = 300
_MINUTE = 60.0
_MOST_KEYS = 10_000


@dataclass(slots=True)
class Calls:
    """Count the calls of each key in this process, minute by minute."""

    limit: int = CALLS_PER_MINUTE
    _begun: dict[str, tuple[float, int]] = field(default_factory=dict)

    def wait(self, key_id: str, now: float) -> int:
        """Count a call and return 0, or return the seconds until the next one may be made; `now` in seconds."""
        since, number = self._begun.get(key_id, (now, 0))
        if now - since >= _MINUTE:
            since, number = now, 0
        if number >= self.limit:
            return int(since + _MINUTE - now) + 1
        if len(self._begun) >= _MOST_KEYS:
            self._begun.clear()
        self._begun[key_id] = (since, number + 1)
        return 0


CALLS = web.AppKey("calls", Calls)


async def caller(request: web.Request) -> ApiKeyRow:
    """Return the key that a call is made with; raises ProblemError for none, a wrong one, and too many calls."""
    runtime = request.app[RUNTIME]
    scheme, _, key = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise ProblemError("no_key", headers={"WWW-Authenticate": 'Bearer realm="loa"'})
    async with runtime.database.reading() as session:
        row = await api_keys.known(session, runtime.box, key.strip())
    if row is None:
        raise await _refused(request)
    if wait := request.app[CALLS].wait(row.id, time.monotonic()):
        most = request.app[CALLS].limit
        raise ProblemError("too_many_calls", headers={"Retry-After": str(wait)}, seconds=wait, most=most)
    if row.used_at is None or runtime.now() - row.used_at >= api_keys.USED_EVERY:
        async with runtime.units_of_work() as uow:
            await api_keys.note_use(uow, row)
    return row


async def _refused(request: web.Request) -> ProblemError:
    runtime, address = request.app[RUNTIME], client_address(request)
    async with runtime.database.reading() as session:  # whoever hammers at the door is not to hold up who writes
        wait = await api_keys.seconds_to_wait(session, address, runtime.now())
    if not wait:
        async with runtime.units_of_work() as uow:
            wait = await api_keys.tried_wrong(uow, address)
    if wait:
        return ProblemError("too_many_wrong_keys", headers={"Retry-After": str(wait)}, seconds=wait)
    return ProblemError("wrong_key", headers={"WWW-Authenticate": 'Bearer realm="loa", error="invalid_token"'})
