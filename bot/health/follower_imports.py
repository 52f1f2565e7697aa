"""Look at imports of followers: whether each gets on, and since when not."""

from datetime import datetime, timedelta

from bot.health.line import Light, Line, light_of
from bot.store import follower_imports
from bot.store.accounts import AccountRow
from bot.store.database import Session
from bot.store.follower_imports import FollowerImportRow

SLOW_IMPORT, STUCK_IMPORT = timedelta(minutes=10), timedelta(hours=1)
"""Without progress, not since the start: at the account's limit of requests an import may take hours."""


async def import_lines(session: Session, now: datetime) -> list[Line]:
    """Look at every import that is not through."""
    return [_line(row, account, now) for row, account in await follower_imports.running(session)]


def _line(row: FollowerImportRow, account: AccountRow, now: datetime) -> Line:
    age = max(now - row.progress_at, timedelta(0))
    stopped = account.state != "active"
    light = light_of(age, SLOW_IMPORT, STUCK_IMPORT, working=stopped)  # that it is stopped has a line of its own
    values = {
        "name": account.name,
        "age": int(age.total_seconds()),
        "told": row.told,
        "found": row.found,
        "stopped": stopped,
        "reason": row.error,
    }
    return Line("follower_import", Light.WARN if stopped else light, row.account_id, values)
