"""Do one thing after another, so that one that fails neither holds up the rest nor goes unnoticed."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from bot.logs import logger

_log = logger("jobs")
Item = TypeVar("Item")


class SomeFailedError(Exception):
    """Some things failed; the rest is done. The health page shows the words beside the job."""


async def one_by_one(items: Iterable[Item], work: Callable[[Item], Awaitable[int]]) -> int:
    """Do `work` for each item and return the sum of what it says; raises SomeFailedError at the end if any failed."""
    done, all_of_them, failures = 0, 0, []
    for item in items:
        all_of_them += 1
        try:
            done += await work(item)
        except Exception as error:  # noqa: BLE001 - whatever breaks here must not keep the others
            _log.exception("left for the next round", item=item if isinstance(item, str) else type(item).__name__)
            failures.append(error)
    if failures:
        first = failures[0]
        msg = f"{len(failures)} of {all_of_them} failed, the first with {type(first).__name__}: {first}"
        raise SomeFailedError(msg) from first
    return done


def by_turns(items: Iterable[Item], owner: Callable[[Item], str]) -> list[Item]:
    """Put things in an order in which every owner has its turn before any has a second one; an owner's keep theirs."""
    turns: Counter[str] = Counter()
    placed: list[tuple[int, Item]] = []
    for item in items:
        turns[owner(item)] += 1
        placed.append((turns[owner(item)], item))
    return [item for _, item in sorted(placed, key=lambda one: one[0])]
