"""Pushed in any order, again and again, one by one or in batches, at the same moment: one state, one set of notices."""

import asyncio
import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierEventRow, DossierRow
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


async def picture(system: System, items: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return all about the dossiers of the items that does not depend on who reported it when.

    But for late ones: that a date was put off is told when it is, whatever is heard of the past afterwards.
    """
    codes = dict.fromkeys(each["MaHoSo"] for each in items)
    rows = {row.code: row for row in await system.rows(DossierRow)}
    notices, events = await system.rows(DossierNoticeRow), await system.rows(DossierEventRow)
    found: list[tuple[Any, ...]] = []
    for code in codes:
        row, opened = rows[code], system.runtime.box.open
        person = [opened(sealed) if sealed else "" for sealed in (row.applicant, row.phone)]
        told = sorted((n.kind, n.round) for n in notices if n.dossier_id == row.id and n.kind != "late")
        happened = sorted((e.at, e.status, sorted(e.facts.items())) for e in events if e.dossier_id == row.id)
        state = (row.status, row.status_at, row.received_at, row.due_at, row.first_due_at, row.finished_at, row.facts)
        found.append((*state, row.outcome, row.odd, row.pauses, person, told, happened))
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_steps, st.randoms(use_true_random=False))
async def test_any_order_and_repetition_ends_the_same(
    system: System, steps: Sequence[Step], chance: random.Random
) -> None:
    system.calls.limit = 1_000_000
    start = system.runtime.now() - timedelta(hours=250)
    straight = items_of(steps, start)
    assert (await system.push(*straight)).status == 200
    mixed = items_of(steps, start)
    for batch in calls_of(mixed, chance):
        if len(batch) == 1:
            answer = await system.call("POST", f"/api/v1/dossiers/{batch[0]['MaHoSo']}/events", batch[0])
        else:
            answer = await system.push(*batch)
        assert answer.status == 200, answer.content
    at_once = items_of(steps, start)
    batches = list(calls_of(at_once, chance))
    answers = await asyncio.gather(*(system.push(*batch) for batch in batches))
    assert {answer.status for answer in answers} == {200}
    expected = await picture(system, straight)
    assert await picture(system, mixed) == expected
    assert await picture(system, at_once) == expected
