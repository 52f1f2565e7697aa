"""Look at what waits: updates, conversations, attachments, messages that are to leave, and those in doubt."""

from datetime import datetime, timedelta

from bot.health.line import Light, Line, light_of
from bot.queue import FETCH_ATTACHMENTS, HANDLE_UPDATES
from bot.store import inbox, outbox_figures, waiting
from bot.store.database import Session
from bot.store.health import JobRunRow
from bot.store.outbox import LANES
from bot.store.waiting import Waiting

SLOW_UPDATE = timedelta(minutes=1)
STUCK_UPDATE = timedelta(minutes=5)
LATE_MESSAGE = {"answer": timedelta(minutes=2), "notice": timedelta(minutes=10), "broadcast": timedelta(hours=2)}
STUCK_MESSAGE = {"answer": timedelta(minutes=15), "notice": timedelta(hours=1), "broadcast": timedelta(hours=24)}
LATE_DOUBT, STUCK_DOUBT = timedelta(minutes=3), timedelta(minutes=30)
LATE_CONVERSATION, STUCK_CONVERSATION = timedelta(minutes=1), timedelta(minutes=10)
LATE_ATTACHMENT, STUCK_ATTACHMENT = timedelta(minutes=10), timedelta(hours=2)
FAILURES_SHOWN = timedelta(days=7)
JUST_NOW = timedelta(minutes=5)


def _values(found: Waiting, now: datetime) -> dict[str, object]:
    return {"number": found.number, "oldest_at": found.since, "age": int(found.age(now).total_seconds())}


def ran_just_now(runs: dict[str, JobRunRow], job: str, now: datetime) -> bool:
    """Say whether a job has ended well within the last minutes."""
    run = runs.get(job)
    return run is not None and run.finished_at is not None and now - run.finished_at < JUST_NOW


async def inbox_lines(session: Session, runs: dict[str, JobRunRow], now: datetime) -> list[Line]:
    """Look at updates that wait, those that were parked, and those of accounts that are not set up."""
    counts = await inbox.open_counts(session)
    found = Waiting(counts.get("new", 0) + counts.get("handling", 0), await inbox.oldest_open(session))
    busy = bool(await waiting.handled_now(session, now)) or ran_just_now(runs, HANDLE_UPDATES.name, now)
    light = light_of(found.age(now), SLOW_UPDATE, STUCK_UPDATE, working=busy)
    parked = counts.get("parked", 0)
    lines = [
        Line("inbox", light, values=_values(found, now)),
        Line("parked", Light.BAD if parked else Light.OK, values={"number": parked}),
    ]
    for account, number, last_at in await inbox.unknown_accounts(session):
        lines.append(Line("unknown_account", Light.WARN, account, {"number": number, "last_at": last_at}))
    return lines


async def conversation_lines(session: Session, runs: dict[str, JobRunRow], now: datetime) -> list[Line]:
    """Look at conversations in which the bot should have gone on, and attachments that should have been fetched."""
    talks, files = await waiting.conversations_due(session, now), await waiting.attachments_due(session, now)
    fetching = ran_just_now(runs, FETCH_ATTACHMENTS.name, now)
    talk_light = light_of(talks.age(now), LATE_CONVERSATION, STUCK_CONVERSATION)
    file_light = light_of(files.age(now), LATE_ATTACHMENT, STUCK_ATTACHMENT, working=fetching)
    return [
        Line("conversations", talk_light, values=_values(talks, now)),
        Line("attachments", file_light, values=_values(files, now)),
    ]


async def outbox_lines(session: Session, now: datetime) -> list[Line]:
    """Look at each lane of messages, at those in doubt, and at those that failed lately."""
    counts = await outbox_figures.open_counts(session)
    oldest = await outbox_figures.oldest_due(session, now)
    busy = await waiting.sent_now(session, now)
    lines = []
    for name, lane in LANES.items():
        number = sum(counts.get((lane, state), 0) for state in ("queued", "sending"))
        found = Waiting(number, oldest.get(lane))
        light = light_of(found.age(now), LATE_MESSAGE[name], STUCK_MESSAGE[name], working=lane in busy)
        values = {**_values(found, now), "unknown": counts.get((lane, "unknown"), 0)}
        lines.append(Line("lane", light, name, values))
    doubt = await waiting.in_doubt(session, now)
    lines.append(Line("doubt", light_of(doubt.age(now), LATE_DOUBT, STUCK_DOUBT), values=_values(doubt, now)))
    for reason, number, last_at in await outbox_figures.failures(session, now - FAILURES_SHOWN):
        lines.append(Line("failures", Light.WARN, reason, {"number": number, "last_at": last_at}))
    return lines
