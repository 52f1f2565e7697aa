"""Bulk work lets urgent work go first, but not for ever."""

import asyncio
import time

import pytest

from bot.urgency import Urgency


async def test_bulk_work_goes_on_at_once_when_nothing_is_urgent() -> None:
    await asyncio.wait_for(Urgency().give_way(60), 1)


async def test_bulk_work_waits_until_the_last_urgent_piece_is_done() -> None:
    urgency = Urgency()
    done: list[str] = []

    async def bulk() -> None:
        await urgency.give_way(60)
        done.append("bulk")

    with urgency.working():
        with urgency.working():
            waiting = asyncio.create_task(bulk())
            await asyncio.wait([waiting], timeout=0.01)
        assert urgency.under_way == 1
        await asyncio.wait([waiting], timeout=0.01)
        done.append("urgent")
    await asyncio.wait_for(waiting, 1)
    assert done == ["urgent", "bulk"]


async def test_bulk_work_is_not_kept_waiting_for_ever() -> None:
    urgency = Urgency()
    with urgency.working():
        began = time.monotonic()
        await asyncio.wait_for(urgency.give_way(0.05), 2)
        assert time.monotonic() - began >= 0.05


async def test_urgent_work_that_breaks_is_over() -> None:
    urgency = Urgency()
    with pytest.raises(ZeroDivisionError), urgency.working():
        _ = 1 // (urgency.under_way - 1)
    await asyncio.wait_for(urgency.give_way(60), 1)
