"""The reports' figures against plain counting, at the edges of months in Vietnamese time, on both databases."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import delete

from bot.clock import new_id, to_local
from bot.domain.dossier import DONE, FINAL, Status, outcome
from bot.store import dossier_lists, dossier_reports, dossier_writing
from bot.store.database import Database
from bot.store.dossier_figures import FIGURES, Period
from bot.store.dossier_lists import LIGHTS, DossierFilter
from bot.store.dossier_reports import Scope
from bot.store.dossiers import DossierRow
from bot.store.units import UnitRow
from handlers.console.dossier_scope import months, period

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
FIRST, LAST = date(2026, 8, 15), date(2026, 12, 10)
UNITS = {"xa": "/xa/", "phong": "/xa/phong/", "khac": "/khac/"}
# Midnights of months and of the period's ends in Viet Nam, a second before and at them, and some moments between.
EDGES = [
    datetime(2026, month, day, 17, tzinfo=UTC) + timedelta(seconds=off)
    for month, day in ((7, 31), (8, 14), (8, 31), (9, 30), (10, 31), (11, 30), (12, 10))
    for off in (-1, 0)
]
MOMENTS = st.sampled_from([*EDGES, NOW, NOW - timedelta(days=2), datetime(2026, 9, 9, tzinfo=UTC)])


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """Return one dossier as a row; its dates are such as events could have made."""
    status = draw(st.sampled_from(list(Status)))
    received = draw(st.none() | MOMENTS)
    due = draw(st.none() | MOMENTS)
    finished = draw(MOMENTS) if status in DONE | FINAL else None
    rating = draw(st.sampled_from([None, 1, 2, 3]))
    unit = draw(st.sampled_from(list(UNITS)))
    late = _midnight_after(due) if due and draw(st.booleans()) else None
    code = new_id()
    values: dict[str, Any] = {
        "id": code, "code": code, "squeezed": code, "tail": "1", "unit_id": unit, "path": UNITS[unit],
        "field": draw(st.sampled_from(["", "Hộ tịch", "Đất đai"])), "status": int(status), "status_at": NOW,
        "received_at": received, "due_at": due, "late_at": late,
        "soon_at": late and late - timedelta(days=draw(st.integers(1, 5))), "finished_at": finished,
        "outcome": outcome(status, finished, due, lambda at: to_local(at).date()),
        "online": draw(st.sampled_from([None, True, False])), "rating": rating,
        "rated_at": draw(MOMENTS) if rating else None, "facts": {}, "pauses": [], "odd": [], "created_at": NOW,
        "updated_at": NOW,
    }  # fmt: skip
    return DossierRow(**values).model_dump()


def _midnight_after(at: datetime) -> datetime:
    local = to_local(at)
    return (local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)).astimezone(UTC)


def counted(found: Iterable[dict[str, Any]], span: Period) -> dict[str, int]:
    """Count every figure row by row."""
    total = dict.fromkeys(FIGURES, 0)
    for row in found:
        for name in figures(row, span):
            total[name] += 1
    return total


def figures(row: dict[str, Any], span: Period) -> list[str]:
    def within(name: str) -> bool:
        return row[name] is not None and span.low <= row[name] < span.high

    names = []
    if within("received_at"):
        names += ["received", *{True: ["online"], False: ["offline"], None: []}[row["online"]]]
    if within("finished_at"):
        ended = {3: "refused", 7: "withdrawn", 8: "stopped"}
        names += [row["outcome"] or "undated"] if row["status"] in (9, 10) else [ended[row["status"]]]
    waits = row["finished_at"] is None or row["finished_at"] >= span.end
    if row["received_at"] is not None and row["received_at"] < span.end and waits:
        late = row["late_at"] is not None and row["late_at"] <= span.end
        names.append("waiting_late" if late else "waiting_in_time")
    if within("rated_at"):
        names.append({1: "unsatisfied", 2: "satisfied", 3: "very_satisfied"}[row["rating"]])
    return names


def light(row: dict[str, Any]) -> str:
    if row["late_at"] is None or row["status"] in (5, 6):
        return "paused"
    return "late" if row["late_at"] <= NOW else "soon" if row["soon_at"] <= NOW else "calm"


@pytest.fixture
async def units(database: Database) -> Database:
    async with database.writing() as session:
        for unit, path in UNITS.items():
            row = UnitRow(id=unit, code=unit, name=unit, kind="commune", path=path, valid_from=date(2025, 7, 1))
            session.add(row)
        await session.commit()
    return database


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(rows(), max_size=40), field=st.sampled_from(["", "Hộ tịch"]), whole=st.booleans())
async def test_figures_are_what_plain_counting_finds(
    units: Database, found: list[dict[str, Any]], field: str, whole: bool
) -> None:
    paths = None if whole else ("/xa/", "/xa/phong/")
    seen = [row for row in found if (paths is None or row["path"] in paths) and (not field or row["field"] == field)]
    span, spans = period(FIRST, LAST, NOW), months(FIRST, LAST, NOW, 60)
    async with units.writing() as session:
        await session.exec(delete(DossierRow))
        await dossier_writing.add(session, DossierRow, found)
        await session.commit()
    async with units.reading() as session:
        lines = await dossier_reports.lines(session, Scope(paths, field), span)
        by_month = await dossier_reports.months(session, Scope(paths, field), spans)
        wanted = DossierFilter(now=NOW, paths=paths, field=field)
        lights = await dossier_lists.light_counts(session, wanted)
        first = await dossier_lists.search(session, wanted, 7)
        second = await dossier_lists.search(session, wanted, 40, 7)
        behind = {
            name: await dossier_lists.search(
                session, DossierFilter(now=NOW, paths=paths, field=field, figure=name, period=span), 50
            )
            for name in ("received", "waiting_late", "late", "satisfied")
        }
    for line in lines:
        mine = [row for row in seen if (row["path"], row["field"]) == (line.path, line.field)]
        assert line.counts == counted(mine, span)
    total = {name: sum(line.counts[name] for line in lines) for name in FIGURES}
    assert total == counted(seen, span)
    assert by_month == [counted(seen, one) for one in spans]
    assert [(one.low, one.high) for one in spans][-1][1] == period(FIRST, date(2026, 11, 30), NOW).high
    running = [row for row in seen if row["finished_at"] is None]
    assert lights == {name: sum(light(row) == name for row in running) for name in LIGHTS}
    shown = [*first, *second]
    dated = sorted((row["late_at"], row["id"]) for row in running if row["late_at"])
    assert [row.id for row in shown][: len(dated)] == [dossier_id for _, dossier_id in dated]
    assert {row.id for row in shown} == {row["id"] for row in running}
    for name, listed in behind.items():
        assert {row.id for row in listed} == {row["id"] for row in seen if name in figures(row, span)}


def _dossier(number: int, **told: Any) -> dict[str, Any]:
    values = {"unit_id": "xa", "path": "/xa/", "field": "", "status_at": NOW, "created_at": NOW, "updated_at": NOW}
    code = f"d{number:02}"
    return DossierRow(id=code, code=code, squeezed=code, tail="1", **{**values, **told}).model_dump()


async def test_fields_are_stepped_through_and_only_those_of_the_units_asked_for_found(units: Database) -> None:
    told = [
        ("Đất đai", "khac"),
        ("Hộ tịch", "xa"),
        ("Hộ tịch", "khac"),
        ("Hộ tịch", "xa"),
        ("", "xa"),
        ("Y tế", "phong"),
    ]
    found = [_dossier(n, field=name, unit_id=u, path=UNITS[u], status=2) for n, (name, u) in enumerate(told)]
    async with units.writing() as session:
        await dossier_writing.add(session, DossierRow, found)
        await session.commit()
    async with units.reading() as session:
        assert sorted(await dossier_lists.fields(session)) == ["Hộ tịch", "Y tế", "Đất đai"]
        assert await dossier_lists.fields(session, ["/xa/", "/xa/phong/"]) == ["Hộ tịch", "Y tế"]
        assert await dossier_lists.fields(session, []) == []


@contextmanager
def _asked(session: Any) -> Iterator[list[tuple[str, Any]]]:
    """Collect what is asked meanwhile."""
    seen: list[tuple[str, Any]] = []

    def keep(_1: Any, _2: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, values))

    engine = session.bind.sync_engine
    event.listen(engine, "before_cursor_execute", keep)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", keep)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_list_by_status_of_all_units_is_read_off_its_index_and_no_other_list_is(units: Database) -> None:
    found = [_dossier(n, status=2 + n % 2, status_at=NOW - timedelta(hours=n % 7)) for n in range(20)]
    async with units.writing() as session:
        await dossier_writing.add(session, DossierRow, found)
        await session.commit()
    everything = DossierFilter(now=NOW, status=2)
    expected = sorted(
        (row for row in found if row["status"] == 2), key=lambda r: (r["status_at"], r["id"]), reverse=True
    )
    async with units.reading() as session:
        for wanted, used in ((everything, True), (replace(everything, open_only=True), False),
                             (replace(everything, paths=("/xa/",)), False)):  # fmt: skip
            with _asked(session) as seen:
                listed = await dossier_lists.search(session, wanted, 25)
                await dossier_lists.light_counts(session, wanted)
            plans = []
            for statement, values in list(seen):
                explained = await (await session.connection()).exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", values
                )
                plans.append("; ".join(str(row[-1]) for row in explained.all()))
            assert ("ix_dossiers_status" in plans[0]) == used, plans
            assert not any("ix_dossiers_status" in plan for plan in plans[1:]), plans
            assert not used or "TEMP B-TREE" not in plans[0], plans
            if used:
                assert [row.id for row in listed] == [row["id"] for row in expected]
