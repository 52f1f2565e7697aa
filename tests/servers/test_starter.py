"""A forked process of the service is one of its own: environment, output, signals, exit code; it ends with its test."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.process import ServiceProcess, write_config
from tests.runtime_fixtures import migrated
from tests.servers import started

pytestmark = pytest.mark.processes


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    url = f"sqlite:///{tmp_path}/loa.db"
    await migrated(url)
    made = write_config(tmp_path, url, "embedded", "http://127.0.0.1:1", telegram=False)
    yield made
    if made.process is not None:
        made.kill()
        await made.gone()


async def test_it_serves_ends_politely_and_starts_again_as_another_process(service: ServiceProcess) -> None:
    numbers = set()
    for _ in range(2):
        await service.start()
        assert service.process is not None
        numbers.add(service.process.pid)
        assert await service.stop() == 0
    assert len(numbers) == 2
    assert service.log.read_text().count("ready") == 2


async def test_it_is_killed_at_once(service: ServiceProcess) -> None:
    await service.start()
    service.kill()
    await service.gone()
    assert service.process is not None
    assert service.process.returncode == -signal.SIGKILL
    assert "stopping" not in service.log.read_text()


async def test_it_has_an_environment_and_an_exit_code_of_its_own(service: ServiceProcess, tmp_path: Path) -> None:
    for port in ("nine", "ten"):
        log = tmp_path / port
        with log.open("wb") as file:
            process = await started.start(
                "bot", "serve", "--config", str(service.config),
                output=file.fileno(), errors=file.fileno(), environment={"LOA__SERVER__PORT": port},
            )  # fmt: skip
            assert await process.wait() == 2, "a wrong configuration"
        assert f"not '{port}'" in log.read_text()


async def test_it_does_not_outlive_whoever_started_it(service: ServiceProcess) -> None:
    await service.start()
    assert service.process is not None
    service.process._ending.cancel()
    async with asyncio.timeout(10):
        while _is_there(service.process.pid):  # noqa: ASYNC110 - polled with a limit
            await asyncio.sleep(0.02)
    service.process = None


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
