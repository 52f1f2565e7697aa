"""Take in what a provider tells of one delivery of a broadcast: echoed, delivered, seen."""

from datetime import datetime

from bot.domain.audience import Way
from bot.domain.broadcast import personal
from bot.domain.message import Message, fit
from bot.domain.template import can_be
from bot.domain.text import clean
from bot.store import delivery_outcomes
from bot.store.accounts import AccountRow
from bot.store.unit_of_work import UnitOfWork

_DOUBT = ("sending", "unknown")
_MAY_ARRIVE = ("sending", "unknown", "sent", "delivered")


async def told(
    uow: UnitOfWork,
    recipient: str,
    provider_id: str,
    *,
    seen: bool,
    tracking: tuple[str, int, int] | None = None,
) -> bool:
    """Move a delivery on to delivered or seen, never back; False when no delivery of ours has this id.

    With `tracking` (account, broadcast and number of the delivery) it is found by that instead of by its recipient, and
    what was in doubt, given up as unknown, or waits to be tried again is known to have arrived.
    """
    if tracking is not None:
        return await _tracked(uow, provider_id, tracking, seen=seen)
    row = await delivery_outcomes.by_provider_id(uow.session, recipient, provider_id)
    if row is None:
        return False
    if row.state in _MAY_ARRIVE:
        row.state = "seen" if seen else "delivered"
        row.delivered_at = row.delivered_at or uow.now
        row.seen_at = uow.now if seen else None
        row.sent_at = row.sent_at or uow.now
    return True


async def _tracked(uow: UnitOfWork, provider_id: str, tracking: tuple[str, int, int], *, seen: bool) -> bool:
    account_id, broadcast_id, n = tracking
    found = await delivery_outcomes.by_tracking(uow.session, broadcast_id, n)
    if found is None:
        return False
    row, broadcast = found
    if broadcast.account_id != account_id or broadcast.way == Way.CHAT:
        return False  # somebody else's tracking id of the same form
    if row.provider_id and provider_id and row.provider_id != provider_id:
        return False
    times = {"seen_at": uow.now} if seen else {}
    await delivery_outcomes.arrived(
        uow.session, row, provider_id, "seen" if seen else "delivered", {"delivered_at": uow.now, **times}
    )
    uow.announce(f"broadcast:{broadcast_id}")
    return True


async def is_ours(uow: UnitOfWork, recipient: str, provider_id: str) -> bool:
    """Say whether a message with this id is a delivery that we know to have left."""
    return await delivery_outcomes.by_provider_id(uow.session, recipient, provider_id) is not None


async def being_sent(uow: UnitOfWork, recipient: str, since: datetime) -> bool:
    """Say whether a delivery to somebody is on its way or in doubt."""
    return any(row.state in _DOUBT for row, _ in await delivery_outcomes.in_doubt_for(uow.session, recipient, since))


async def echoed(
    uow: UnitOfWork,
    account: AccountRow,
    recipient: str,
    text: str,
    provider_id: str,
    since: datetime,
    template: str = "",
) -> bool:
    """Settle the delivery in doubt, tried since then, that says what an echo says; False when there is none.

    `template` are the words that the provider has made of a template, "" for any other message.
    Of a message in several parts only the echo of the last one settles it: the others do not say that it is through.
    """
    for row, broadcast in await delivery_outcomes.in_doubt_for(uow.session, recipient, since):
        if broadcast.account_id != account.id:
            continue
        message = personal(Message.from_json(broadcast.message), row.merged)
        parts = fit(message, uow.capabilities(account))
        said = [clean(part.text) for part in parts]
        if broadcast.way == Way.CHAT and clean(text) in said[:-1]:
            return True
        # What a template says is put together by the provider: only the values that fill it are known here.
        by_template = broadcast.way == Way.TEMPLATE_USER and can_be(message.parameters, template)
        if by_template or (broadcast.way == Way.CHAT and clean(text) == said[-1]):
            if await is_ours(uow, recipient, provider_id):
                return True  # noted while we looked: this one says the same, but is another
            values = {
                "state": "sent",
                "provider_id": provider_id,
                "sent_at": uow.now,
                "reason": "",
                "failed_at": None,
                "part": len(parts),
            }
            return await delivery_outcomes.settle(uow.session, row.broadcast_id, row.n, **values)
    return False
