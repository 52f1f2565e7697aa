"""Find out what became of a broadcast's deliveries whose outcome is unknown; none of them is ever sent again."""

from dataclasses import dataclass
from datetime import timedelta

from bot.channels.channel import FindsSent, Recipient
from bot.channels.rate_limit import BROADCAST, in_lane
from bot.domain.audience import Way
from bot.domain.broadcast import personal
from bot.domain.delivery import SETTLE_AFTER, UNKNOWN_PATIENCE, SendError
from bot.domain.message import Message, fit
from bot.logs import logger
from bot.one_by_one import by_turns, one_by_one
from bot.queue import SEND_BROADCASTS, SETTLE_DELIVERIES
from bot.runtime import Runtime, ref
from bot.store import accounts, broadcasts, delivery_outcomes, messages
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow

_log = logger("broadcast")


@dataclass(slots=True)
class _Doubtful:
    """A range with something in doubt: `left` deliveries of it have not been looked at in this run."""

    chunk: ChunkRow
    broadcast: BroadcastRow
    left: int


async def settle_deliveries(runtime: Runtime) -> int:
    """Ask the provider about each delivery in doubt, else wait for its echo; returns how many were settled."""
    doubts: dict[str, tuple[_Doubtful, DeliveryRow]] = {}
    for where in await _ranges(runtime, doubts):
        if not where.left:
            await _cleared(runtime, where.chunk)
    turns = by_turns(doubts, lambda name: doubts[name][0].broadcast.account_id)
    return await one_by_one(turns, lambda name: _looked_at(runtime, *doubts[name]))


async def _ranges(runtime: Runtime, doubts: dict[str, tuple[_Doubtful, DeliveryRow]]) -> list[_Doubtful]:
    """Return the ranges to look into, and put their deliveries in doubt into `doubts`, by names for the log."""
    found = []
    async with runtime.database.reading() as session:
        for chunk, broadcast in await delivery_outcomes.doubtful(session):
            rows = await delivery_outcomes.unknown(session, chunk.broadcast_id, chunk.first, chunk.last)
            found.append(_Doubtful(chunk, broadcast, len(rows)))
            doubts.update({f"{row.broadcast_id}/{row.n}": (found[-1], row) for row in rows})
    return found


async def _looked_at(runtime: Runtime, where: _Doubtful, row: DeliveryRow) -> bool:
    try:
        return await _one(runtime, where.broadcast, row)
    finally:
        where.left -= 1
        if not where.left:
            await _cleared(runtime, where.chunk)


async def _cleared(runtime: Runtime, chunk: ChunkRow) -> None:
    async with runtime.units_of_work() as uow:
        await delivery_outcomes.clear_doubt(uow.session, chunk.broadcast_id, chunk.first)
        uow.after_commit(SEND_BROADCASTS.name)  # which calls a broadcast finished when this was the last doubt


async def _one(runtime: Runtime, broadcast: BroadcastRow, row: DeliveryRow) -> bool:
    tried_at = row.sending_at or broadcast.created_at
    wait = SETTLE_AFTER - (runtime.now() - tried_at)
    if wait > timedelta(0):
        await runtime.queue.wake(SETTLE_DELIVERIES.name, wait.total_seconds())
        return False
    async with runtime.database.reading() as session:
        account = await accounts.account(session, broadcast.account_id)
        known = await messages.provider_ids(session, row.recipient)
        known |= await delivery_outcomes.provider_ids(session, row.recipient)
    assert account is not None
    channel = runtime.channel(account)
    parts = fit(personal(Message.from_json(broadcast.message), row.merged), channel.capabilities(ref(account)))
    part = parts[min(row.part, len(parts) - 1)]
    # What went by phone stands in no chat that could be asked, nor is anybody asked of who was erased since.
    chat = broadcast.way != Way.TEMPLATE_PHONE and row.address != ""
    if isinstance(channel, FindsSent) and account.state == "active" and chat:
        try:
            with in_lane(BROADCAST):
                found = await channel.find_sent(ref(account), Recipient(row.address), part, tried_at, known)
        except SendError as error:
            _log.warning("provider cannot say what became of a delivery", n=row.n, reason=error.reason)
        else:
            return await _write(runtime, row, found, len(parts))
    if runtime.now() - tried_at < UNKNOWN_PATIENCE:
        return False
    return await _write(runtime, row, None, len(parts))


async def _write(runtime: Runtime, row: DeliveryRow, provider_id: str | None, parts: int) -> bool:
    """Write what was found; after a part in the middle the rest may go, since that part has arrived."""
    async with runtime.units_of_work() as uow:
        if provider_id is None:
            values = {"state": "failed", "failed_at": uow.now, "reason": "outcome_unknown"}
        elif row.part + 1 < parts:
            values = {"state": "queued", "part": row.part + 1, "reason": ""}
            await broadcasts.reopen(uow.session, row.broadcast_id, row.n)
        else:
            values = {"state": "sent", "provider_id": provider_id, "sent_at": uow.now, "reason": "", "part": parts}
        return await delivery_outcomes.settle_unknown(uow.session, row, **values)
