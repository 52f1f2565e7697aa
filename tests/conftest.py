"""What holds for every test: real servers on request, no connection that leaves this machine."""

import gc

import pytest

from tests.servers import compiled_once, network_guard, read_once, run

pytest_plugins = ["tests.servers.fixtures", "tests.servers.browser_fixtures", "tests.runtime_fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    """Close the network and, in the process that started pytest, open the run its workers share."""
    network_guard.install()
    compiled_once.install()
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
    """Spread the tests that take long among the others, so that no worker is left with most of them at the end."""
    kinds = ("processes", "browser")
    long = [item for item in items if any(item.get_closest_marker(kind) for kind in kinds)]
    found = set(long)
    short = [item for item in items if item not in found]
    if not long or not short:
        return
    items[:] = []
    for number, item in enumerate(long):
        items += short[number * len(short) // len(long) : (number + 1) * len(short) // len(long)]
        items.append(item)
