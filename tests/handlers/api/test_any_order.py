"""Pushed in any order, again and again, one by one or in batches, at the same moment: one state, one set of notices."""

import asyncio
import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from bot.store import dossier_notices, dossiers
from tests.handlers.api.conftest import System

Step = tuple[int, int, int, int | None, str, str]
_numbers = itertools.count(1)
_steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 240),
        st.integers(1, 10),
        st.none() | st.integers(100, 400),
        st.sampled_from(["", "0900000001", "0900000002"]),
        st.sampled_from(["", "Nguyễn Văn Mẫu", "Trần Thị Thử"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda step: step[:3],
)


def items_of(steps: Sequence[Step], start: datetime) -> list[dict[str, Any]]:
    """Return the items of steps, of two dossiers that no other run has."""
    codes = [f"000.00.15.H26-261123-{next(_numbers):07}" for _ in range(2)]
    return [
        {
            "MaHoSo": codes[which], "TrangThaiHoSo": status, "ThoiGian": (start + timedelta(hours=hours)).isoformat(),
            "NgayHenTra": None if due is None else (start + timedelta(hours=due)).isoformat(), "SoDienThoai": phone,
            "ChuHoSo": name,
        }
        for which, hours, status, due, phone, name in steps
    ]  # fmt: skip


def calls_of(items: list[dict[str, Any]], chance: random.Random) -> Iterator[list[dict[str, Any]]]:
    """Yield the items shuffled and some of them twice, in batches of any size."""
    waiting = chance.sample(items, len(items)) + chance.sample(items, len(items) // 2)
    while waiting:
        size = chance.randint(1, len(waiting))
        yield waiting[:size]
        del waiting[:size]


class Backwards(random.Random):
    """No chance at all: the last first, one by one."""

    def sample(self, population: Sequence[Any], k: int, **_: Any) -> list[Any]:
        return list(population)[::-1][:k]

    def randint(self, a: int, b: int) -> int:
        return min(a, b)


async def picture(system: System, items: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return all about the dossiers of the items that does not depend on who reported it when.

    Of notices that is what is told, and of late ones by which date; their numbers have gaps where some were taken back.
    """
    codes = list(dict.fromkeys(each["MaHoSo"] for each in items))
    found: list[tuple[Any, ...]] = []
    async with system.runtime.database.reading() as session:
        rows = await dossiers.by_codes(session, codes)
        events = await dossiers.events(session, [row.id for row in rows.values()])
        notices = {row.id: await dossier_notices.of_dossier(session, row.id) for row in rows.values()}
    for code in codes:
        row, opened = rows[code], system.runtime.box.open
        person = [opened(sealed) if sealed else "" for sealed in (row.applicant, row.phone)]
        told = sorted((each.kind, each.facts["due_at"] if each.kind == "late" else "") for each in notices[row.id])
        happened = sorted((each.at, each.status, sorted(each.facts.items())) for each in events[row.id])
        state = (row.status, row.status_at, row.received_at, row.due_at, row.first_due_at, row.finished_at, row.facts)
        found.append((*state, row.outcome, row.odd, row.pauses, person, told, happened))
    return found


# Nothing is reduced: each try costs three rounds of calls, and what a failure names is eight events at most.
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example([(0, 0, 1, None, "", ""), (0, 83, 1, None, "", "")], Backwards())
@example([(0, 210, 5, None, "", ""), (0, 220, 4, 400, "", ""), (0, 200, 2, 300, "", "")], Backwards())
@given(_steps, st.randoms(use_true_random=False))
async def test_any_order_and_repetition_ends_the_same(
    system: System, steps: Sequence[Step], chance: random.Random
) -> None:
    """The steps lie on both sides of the seven days within which a beginning is told, and some put a date off.

    No notice leaves while the test runs. Of one that has left nothing could be promised: who hears first that a status
    was taken yesterday is told so, whatever is heard of last month afterwards.
    """
    system.calls.limit = 1_000_000
    start = system.runtime.now() - timedelta(hours=250)
    straight, mixed, at_once = (items_of(steps, start) for _ in range(3))
    assert (await system.push(*straight)).status == 200
    expected = await picture(system, straight)
    batches = list(calls_of(mixed, chance))
    for batch in batches:
        if len(batch) == 1:
            answer = await system.call("POST", f"/api/v1/dossiers/{batch[0]['MaHoSo']}/events", batch[0])
        else:
            answer = await system.push(*batch)
        assert answer.status == 200, answer.content
    assert await picture(system, mixed) == expected, f"one by one: {batches}"
    batches = list(calls_of(at_once, chance))
    answers = await asyncio.gather(*(system.push(*batch) for batch in batches))
    assert {answer.status for answer in answers} == {200}
    assert await picture(system, at_once) == expected, f"at once: {batches}"
