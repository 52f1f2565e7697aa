"""Do what another system asks once for each Idempotency-Key: begun, answered, or given up (reliability R23)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import ConflictError, InvalidInputError
from bot.store import api_keys
from bot.store.unit_of_work import UnitOfWork

KEPT = timedelta(hours=24)
"""So long an answer is given again."""
LEASE = timedelta(minutes=2)
"""After so long a call that has not ended is given up: whoever worked on it is dead, or can no longer end it."""
_ASK_AGAIN = 5
"""Seconds after which one asks again: few calls take longer, and the lease is for those whose process died."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call with a key: begun by us when `status` is None, else answered before."""

    key_id: str
    idempotency_key: str
    lease: datetime
    status: int | None = None
    body: bytes = b""


class StillRunningError(ConflictError):
    """The same call is being worked on; `seconds` until one asks again."""

    def __init__(self, seconds: int) -> None:
        super().__init__("the call is being worked on")
        self.seconds = seconds


async def begin(uow: UnitOfWork, key_id: str, idempotency_key: str, digest: str) -> Call:
    """Begin a call or return what was answered to it before.

    Raises StillRunningError while another process works on it, and InvalidInputError idempotency_key other_call when
    something else was asked under this key.
    """
    until = uow.now + LEASE
    row = await api_keys.claim_call(uow.session, key_id, idempotency_key, digest, uow.now, until)
    if row is None:
        return Call(key_id, idempotency_key, until)
    if row.at > uow.now - KEPT:
        if row.digest != digest:
            raise InvalidInputError("idempotency_key", "other_call")
        if row.status is not None:
            return Call(key_id, idempotency_key, row.at, row.status, row.body or b"")
        if row.lease_until is not None and row.lease_until > uow.now:
            raise StillRunningError(min(int((row.lease_until - uow.now).total_seconds()) + 1, _ASK_AGAIN))
    row.digest, row.at, row.lease_until = digest, uow.now, until
    row.status = row.body = None
    return Call(key_id, idempotency_key, until)


async def end(uow: UnitOfWork, call: Call, status: int, body: bytes) -> None:
    """Keep the answer, in the transaction that did the work; raises StillRunningError when another has taken over."""
    if not await api_keys.end_call(uow.session, call.key_id, call.idempotency_key, call.lease, status, body):
        raise StillRunningError(_ASK_AGAIN)


async def give_up(uow: UnitOfWork, call: Call) -> None:
    """Let a call that came to nothing be made again at once."""
    await api_keys.drop_call(uow.session, call.key_id, call.idempotency_key, call.lease)


async def forget_old(uow: UnitOfWork) -> int:
    """Forget calls whose answers are no longer given again; returns how many."""
    return await api_keys.forget_calls(uow.session, uow.now - KEPT)
