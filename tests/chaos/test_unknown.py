"""R7: a send whose outcome is unknown is cleared up before anything is repeated, and never stays unknown."""

from bot.store.outbox import OutboxRow
from tests.live import Live


async def rows(live: Live) -> list[OutboxRow]:
    return sorted(await live.rows(OutboxRow), key=lambda row: row.id)


async def settled(live: Live) -> bool:
    return all(row.state in {"sent", "delivered", "seen", "failed"} for row in await rows(live))


async def test_a_message_that_never_arrived_is_not_taken_for_an_equal_one_before_it(live: Live) -> None:
    phone = await live.phone()
    await phone.say("menu")
    await live.until(lambda: settled_with(live, 1))
    await live.simulator.fault("error", code=-200, count=1)
    await phone.say("menu")
    await live.until(lambda: settled_with(live, 2), 30)
    first, second = await rows(live)
    assert first.text == second.text
    assert first.provider_id != second.provider_id
    assert (second.state in {"sent", "delivered"}, second.repeated) == (True, 1)
    assert len(phone.inbox) == 2


async def settled_with(live: Live, number: int) -> bool:
    return len(await rows(live)) == number and await settled(live)
