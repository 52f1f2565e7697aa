"""Give back what a worker that died was holding: the sweeper behind every lease."""

from bot.runtime import Runtime
from bot.store import inbox, outbox


async def requeue_stuck(runtime: Runtime) -> int:
    """Free updates and doubt messages whose lease ran out, and wake whoever works on them; returns how many."""
    async with runtime.units_of_work() as uow:
        freed = await inbox.release_leases(uow.session, uow.now)
        doubted = await outbox.doubt_expired(uow.session, uow.now)
        await outbox.expire(uow.session, uow.now)
    if freed:
        await runtime.queue.wake("handle_updates")
    if doubted:
        await runtime.queue.wake("settle_messages")
    return freed + doubted
