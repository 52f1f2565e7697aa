"""`loa reconcile`: check that nothing was lost: what came in and what was made, against what became of it."""

import argparse
import asyncio
import json
from datetime import date

from bot import config
from bot.clock import utc_now
from bot.config import Settings
from bot.reconcile import Account, Books, Difference, last_days, reconcile, usual_days
from bot.store.database import Database
from bot.store.schema import require_current

_MOST_DAYS = 3660
_BOOKS = {
    "in": "received on {}: {} stored",
    "out": "messages made on {}: {}",
    "broadcast": "broadcast {}: {} recipients",
}
_RULES = {
    "inbox_sum": "received on {0}: {1} were stored, but handled, parked, refused, waiting, forgotten and erased "
    "together are {2}",
    "inbox_state": "received on {0}: {2} updates stand in a state that does not exist",
    "outbox_sum": "made on {0}: conversations hold {1} messages of ours, but delivered, failed, unknown and waiting "
    "together are {2}",
    "not_made": "made on {0}: {2} messages stand in a conversation and were never put on their way",
    "not_said": "made on {0}: {2} messages were put on their way and stand in no conversation",
    "outbox_state": "made on {0}: {2} messages stand in a state that does not exist",
    "broadcast_sum": "broadcast {0}: {1} recipients were planned, but delivered, failed, unknown and waiting "
    "together are {2}",
    "broadcast_state": "broadcast {0}: {2} recipients stand in a state that does not exist",
    "broadcast_ranges": "broadcast {0}: {2} recipients stand in no range or in two",
    "broadcast_open": "broadcast {0}: it is finished, but {2} recipients have no final state",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Take the days to look at, and whether a machine reads the answer."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--day", type=_day, help="one day, YYYY-MM-DD, on the Vietnamese calendar")
    which.add_argument("--days", type=_number, help="so many days up to today (otherwise the recent ones)")
    parser.add_argument("--json", action="store_true", help="answer as JSON")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write YYYY-MM-DD") from error


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {_MOST_DAYS}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Check the books; 1 when they do not add up."""
    found = asyncio.run(_check(config.load(arguments.config), arguments))
    if arguments.json:
        print(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
    else:
        print(words(found))
    return 0 if found.add_up else 1


async def _check(settings: Settings, arguments: argparse.Namespace) -> Books:
    now = utc_now()
    days = usual_days(now, settings.privacy.inbox_days)
    if arguments.day is not None:
        days = [arguments.day]
    elif arguments.days is not None:
        days = last_days(now, arguments.days)
    database = Database(settings.database.url, pool_size=2)
    try:
        await require_current(database)
        return await reconcile(database, days, now)
    finally:
        await database.close()


def words(found: Books) -> str:
    """Say every line of the books, then what does not add up."""
    lines = [_line(account) for account in found.accounts] or ["nothing on the books in this time"]
    if found.add_up:
        return "\n".join([*lines, "the books add up"])
    return "\n".join([*lines, f"the books do not add up, {len(found.differences)} line(s) differ:", *_wrong(found)])


def _line(account: Account) -> str:
    parts = ", ".join(f"{number} {name}" for name, number in account.parts.items() if number) or "nothing else"
    again = f"; {account.duplicates} came more than once" if account.duplicates else ""
    aside = f"; {account.aside} could not be stored and were set aside in the spool" if account.aside else ""
    return _BOOKS[account.book].format(account.subject, account.total) + f" = {parts}{again}{aside}"


def _wrong(found: Books) -> list[str]:
    return [_difference(one) for one in found.differences]


def _difference(one: Difference) -> str:
    sentence = _RULES[one.what].format(one.subject, one.expected, one.found)
    named = f" (for example {', '.join(one.ids)})" if one.ids else ""
    return f"  {sentence}: {abs(one.found - one.expected)} too {'many' if one.found > one.expected else 'few'}{named}"
