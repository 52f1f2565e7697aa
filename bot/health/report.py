"""Put everything that is looked at into one report; what is down becomes a line of it, not a failure."""

import asyncio
from datetime import datetime

from bot.health import accounts, broadcasts, dossiers, follower_imports, machine, templates, work
from bot.health.line import HealthReport, Light, Line
from bot.runtime import Runtime
from bot.store import health
from bot.store.database import DATABASE_ERRORS, Session

_DATABASE_SECONDS = 9


async def report(runtime: Runtime) -> HealthReport:
    """Look at everything; never raises for something that is down, since saying so is its job."""
    now = runtime.now()
    lines = await machine.machine_lines(runtime)
    try:
        async with asyncio.timeout(_DATABASE_SECONDS), runtime.database.reading() as session:
            lines += await database_lines(session, now)
    except DATABASE_ERRORS as error:
        lines.insert(0, Line("database", Light.BAD, values={"error": type(error).__name__}))
    return HealthReport(now, tuple(lines))


async def database_lines(session: Session, now: datetime) -> list[Line]:
    """Look at everything that the database knows of."""
    runs = await health.job_runs(session)
    lines = [Line("database", Light.OK)]
    lines += await work.inbox_lines(session, runs, now)
    lines += await work.conversation_lines(session, runs, now)
    lines += await work.outbox_lines(session, now)
    lines += await broadcasts.broadcast_lines(session, now)
    lines += await templates.template_lines(session)
    lines += await accounts.refusal_lines(session, now)
    lines += await accounts.account_lines(session, now)
    lines += await follower_imports.import_lines(session, now)
    lines += await dossiers.guess_lines(session, now)
    lines += await dossiers.notice_lines(session, now)
    lines += await machine.process_lines(session, now)
    lines.append(await machine.books_line(session, now))
    return lines + machine.job_lines(runs, now)
