"""Find out what became of a broadcast's deliveries whose outcome is unknown; none of them is ever sent again."""

from datetime import timedelta

from bot.channels.channel import FindsSent, Recipient
from bot.channels.rate_limit import BROADCAST, in_lane
from bot.domain.broadcast import personal
from bot.domain.delivery import SETTLE_AFTER, UNKNOWN_PATIENCE, SendError
from bot.domain.message import Message, fit
from bot.logs import logger
from bot.queue import SEND_BROADCASTS, SETTLE_DELIVERIES
from bot.runtime import Runtime, ref
from bot.store import accounts, broadcasts, delivery_outcomes, messages
from bot.store.accounts import AccountRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow

_log = logger("broadcast")


async def settle_deliveries(runtime: Runtime) -> int:
    """Ask the provider about each delivery in doubt, else wait for its echo; returns how many were settled."""
    async with runtime.database.reading() as session:
        ranges = await delivery_outcomes.doubtful(session)
    settled = 0
    for chunk in ranges:
        settled += await _range(runtime, chunk)
    return settled


async def _range(runtime: Runtime, chunk: ChunkRow) -> int:
    async with runtime.database.reading() as session:
        rows = await delivery_outcomes.unknown(session, chunk.broadcast_id, chunk.first, chunk.last)
        broadcast = await session.get(BroadcastRow, chunk.broadcast_id)
        assert broadcast is not None
        account = await accounts.account(session, broadcast.account_id)
        assert account is not None
    settled = 0
    for row in rows:
        settled += await _one(runtime, broadcast, account, row)
    async with runtime.units_of_work() as uow:
        await delivery_outcomes.clear_doubt(uow.session, chunk.broadcast_id, chunk.first)
        uow.after_commit(SEND_BROADCASTS.name)  # which calls a broadcast finished when this was the last doubt
    return settled


async def _one(runtime: Runtime, broadcast: BroadcastRow, account: AccountRow, row: DeliveryRow) -> bool:
    tried_at = row.sending_at or broadcast.created_at
    wait = SETTLE_AFTER - (runtime.now() - tried_at)
    if wait > timedelta(0):
        await runtime.queue.wake(SETTLE_DELIVERIES.name, wait.total_seconds())
        return False
    channel = runtime.channel(account)
    parts = fit(personal(Message.from_json(broadcast.message), row.merged), channel.capabilities(ref(account)))
    part = parts[min(row.part, len(parts) - 1)]
    if isinstance(channel, FindsSent) and account.state == "active":
        async with runtime.database.reading() as session:
            known = await messages.provider_ids(session, row.recipient)
            known |= await delivery_outcomes.provider_ids(session, row.recipient)
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
        return await delivery_outcomes.settle(uow.session, row.broadcast_id, row.n, **values)
