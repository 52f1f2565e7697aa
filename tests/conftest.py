"""What holds for every test: real servers on request, no connection that leaves this machine."""

import pytest

from tests.servers import network_guard, run

pytest_plugins = ["tests.servers.fixtures", "tests.servers.browser_fixtures", "tests.runtime_fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    """Close the network and, in the process that started pytest, open the run its workers share."""
    network_guard.install()
    if not hasattr(config, "workerinput"):
        run.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's servers."""
    if not hasattr(config, "workerinput"):
        run.end()
