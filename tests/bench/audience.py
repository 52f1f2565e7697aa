"""Measure how long it takes to count an audience of a million while somebody composes for it."""

import time
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import insert, or_, update
from sqlmodel import col

from bot import config
from bot.domain.audience import Audience, Sender
from bot.runtime import opened
from bot.store import audience
from bot.store.audience import Rules
from bot.store.contacts import ContactRow
from bot.store.database import Database, Session
from bot.store.marks import MarkRow, TopicRow
from tests.bench import send, service
from tests.bench.harness import Figure, Options, VoidError, benchmark

_MANY = 1_000_000
_VILLAGES = 20
_TIMES = 5


def _rules() -> dict[str, Rules]:
    """Return what is counted: everybody, who has not turned a topic off, one village, several villages and a tag."""
    return {
        "all": Rules(),
        "topic": Rules(topic_id="topic"),
        "village": Rules(Audience(area_ids=("area0",)), topic_id="topic"),
        "villages": Rules(Audience(area_ids=tuple(f"area{n}" for n in range(5)), without_tags=("tag",))),
    }


async def _furnish(session: Session, number: int, unit_id: str) -> None:
    """Let a fifth be silent for ten days, a twentieth live in each village, and a thirtieth have turned a topic off."""
    silent = update(ContactRow).where(or_(col(ContactRow.id).like("%3"), col(ContactRow.id).like("%6")))
    await session.exec(silent.values(last_interaction_at=datetime.now(UTC) - timedelta(days=10)))
    session.add(TopicRow(id="topic", unit_id=unit_id, name="Họp thôn"))
    await session.flush()
    for first in range(0, number, 10_000):
        people = range(first, min(first + 10_000, number))
        areas = [("area", f"area{n % _VILLAGES}", n) for n in people]
        await _mark(session, areas + [("tag", "tag", n) for n in people if n % 50 == 0], chosen=True)
        await _mark(session, [("topic", "topic", n) for n in people if n % 30 == 0], chosen=False)


async def _mark(session: Session, marks: list[tuple[str, str, int]], *, chosen: bool) -> None:
    rows = [{"kind": kind, "value": value, "contact_id": f"C{n:025d}"} for kind, value, n in marks]
    if rows:
        await session.exec(insert(MarkRow).values(chosen=chosen, by="self", at=datetime.now(UTC)), params=rows)


@benchmark("audience.sqlite.ms", "audience.postgres.ms")
async def count(options: Options) -> list[Figure]:
    """Count audiences of a million contacts by way, as the page of composing does; the slowest rule is the figure."""
    return [figure for kind in ("sqlite", "postgres") for figure in await _counted(kind, options)]


async def _counted(kind: str, options: Options) -> list[Figure]:
    total = options.scaled(_MANY)
    configuration, _, _ = await service.prepared(kind, options, "http://127.0.0.1:9", embedded=True)
    async with opened(config.load(configuration)) as runtime:
        account_id = await send.people(runtime, total)
        async with runtime.units_of_work() as uow:
            await _furnish(uow.session, total, "commune")
        async with runtime.database.connection() as connection:
            await connection.exec_driver_sql("ANALYZE")
        fresh = await _all_times(runtime.database, account_id, total)
        if kind == "postgres":  # as it is left within a minute by PostgreSQL's own tidying
            async with runtime.database.engine.connect() as bare:
                await bare.execution_options(isolation_level="AUTOCOMMIT")
                await bare.exec_driver_sql("VACUUM ANALYZE")
        times = await _all_times(runtime.database, account_id, total)
    figures = [
        Figure(
            f"audience.{kind}.{name}_ms",
            round(median(found) * 1000, 1),
            "ms",
            _TIMES,
            {"contacts": total, "fresh_ms": round(median(fresh[name]) * 1000, 1)},
        )
        for name, found in times.items()
    ]
    worst = max(figures, key=lambda figure: figure.value)
    return [*figures, Figure(f"audience.{kind}.ms", worst.value, "ms", _TIMES, {**worst.detail, "rules": worst.name})]


async def _all_times(database: Database, account_id: str, total: int) -> dict[str, list[float]]:
    return {name: await _times(database, account_id, rules, total) for name, rules in _rules().items()}


async def _times(database: Database, account_id: str, rules: Rules, total: int) -> list[float]:
    now = datetime.now(UTC)
    sender = Sender(account_id, "zalo", now, True, now - timedelta(days=7), now - timedelta(days=2))
    found = []
    for _ in range(_TIMES):
        async with database.reading() as session:
            begun = time.perf_counter()
            reach = await audience.reach(session, [sender], rules)
            found.append(time.perf_counter() - begun)
        if not 0 < reach.reached < total:
            raise VoidError(f"{reach.reached} of {total} reached")
    return found
