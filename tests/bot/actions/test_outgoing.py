"""What follows once it is known what became of a try: here that nobody gets by a second one what is not theirs."""

from sqlmodel import col, select

from bot.channels.rate_limit import NOTICE
from bot.runtime import Runtime
from bot.store.outbox import OutboxRow
from jobs.deliver_messages import deliver_messages
from jobs.settle_messages import settle_messages
from tests.jobs.test_deliver_messages import queue
from tests.jobs.test_send_broadcasts import Provider, clock_forward, people, provider, refusal, runtime

__all__ = ["provider", "runtime"]


async def list_and_notice(runtime: Runtime) -> None:
    """Queue a list of the desk and a notice, to people who have nothing to do with the office."""
    await people(runtime, 2)
    await queue(runtime, 2, lane=NOTICE)
    async with runtime.units_of_work() as uow:
        first = (await uow.session.exec(select(OutboxRow).order_by(col(OutboxRow.id)))).first()
        assert first is not None
        first.purpose = "work_list"


async def become(runtime: Runtime) -> dict[str, tuple[str, str]]:
    async with runtime.database.reading() as session:
        rows = (await session.exec(select(OutboxRow))).all()
    return {row.purpose: (row.state, row.reason if row.state == "cancelled" else "") for row in rows}


async def test_what_the_provider_puts_off_is_not_tried_again_for_whoever_left(
    runtime: Runtime, provider: Provider
) -> None:
    await list_and_notice(runtime)
    provider.judge = lambda _user, _text: refusal(-32, "Your OA reached limit call api")
    await deliver_messages(runtime)
    assert await become(runtime) == {"work_list": ("cancelled", "withdrawn"), "x": ("queued", "")}


async def test_what_nobody_knows_the_end_of_is_not_repeated_for_whoever_left(
    runtime: Runtime, provider: Provider
) -> None:
    await list_and_notice(runtime)
    provider.judge = lambda user, text: provider.take(user, text, hang_up=True)
    await deliver_messages(runtime)
    clock_forward(runtime, seconds=10)
    assert await settle_messages(runtime) == 2
    assert await become(runtime) == {"work_list": ("cancelled", "withdrawn"), "x": ("queued", "")}
