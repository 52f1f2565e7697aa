"""What holds for every test: real servers on request, no connection that leaves this machine."""

import gc
import os

import pytest

from tests.servers import cheap_passwords, compiled_once, network_guard, plain_logs, read_once, run

pytest_plugins = ["tests.servers.fixtures", "tests.servers.browser_fixtures", "tests.runtime_fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    """Close the network and, in the process that started pytest, open the run its workers share."""
    network_guard.install()
    compiled_once.install()
    cheap_passwords.install()
    plain_logs.install()
    if not hasattr(config, "workerinput"):
        run.begin()
    read_once.install()


def pytest_collection_finish() -> None:
    """Keep the collector from looking, again and again, through all that stays for the whole run."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's servers."""
    if not hasattr(config, "workerinput"):
        run.end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the tests that take long among the others in each worker's share, and let short ones end it.

    xdist deals the list out in equal shares and lets whoever is done take from the ends of the others': a long test
    that stood there would keep one worker busy while all others have ended.
    """
    kinds = ("processes", "browser")
    long = [item for item in items if any(item.get_closest_marker(kind) for kind in kinds)]
    found = set(long)
    short = [item for item in items if item not in found]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = [item for n in range(workers) for item in _share(_part(short, n, workers), _part(long, n, workers))]


def _share(short: list[pytest.Item], long: list[pytest.Item]) -> list[pytest.Item]:
    """Return both in one list whose last quarter is short."""
    among, end = short[: len(short) * 3 // 4], short[len(short) * 3 // 4 :]
    spread = ([*_part(among, n, len(long)), item] for n, item in enumerate(long))
    return [item for some in spread for item in some] + ([] if long else among) + end


def _part(items: list[pytest.Item], number: int, parts: int) -> list[pytest.Item]:
    return items[number * len(items) // parts : (number + 1) * len(items) // parts]
