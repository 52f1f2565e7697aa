"""The service as a real process, to be killed and started again."""

import asyncio
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.servers import started
from tests.servers.run import free_port
from tests.servers.started import Started

READY_SECONDS = 30


@dataclass
class ServiceProcess:
    """`loa serve` on a configuration file; its log is kept beside it."""

    config: Path
    port: int
    process: Started | None = None
    starts: int = 0
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.config.with_suffix(".log")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = await started.start(
                "bot", "serve", "--config", str(self.config), output=log.fileno(), errors=log.fileno()
            )
        self.starts += 1
        async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as http:
            while not await self._alive(http):
                assert self.process.returncode is None, self.log.read_text()[-3000:]
                await asyncio.sleep(0.05)

    async def _alive(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)

    async def stop(self) -> int:
        """End it politely and return its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 30)

    async def gone(self) -> None:
        """Wait until the process has ended."""
        assert self.process is not None
        await self.process.wait()


def write_config(
    folder: Path, database_url: str, queue_url: str, simulator_url: str, *, telegram: bool = True
) -> ServiceProcess:
    """Write a configuration for a service against the simulator.

    Without `telegram` it starts in a third of the time where there is a bot: bringing in its library is the rest.
    """
    port = free_port()
    path = folder / "config.toml"
    path.write_text(
        f"""
[server]
port = {port}
public_url = "http://127.0.0.1:{port}"
[database]
url = "{database_url}"
[queue]
url = "{queue_url}"
[security]
secret_key = "{"t" * 40}"
spool = "{folder}/spool"
[telegram]
api_url = "{simulator_url if telegram else ""}"
[zalo]
app_id = "1111222233334444555"
app_secret = "demo-app-secret"
api_url = "{simulator_url}"
template_url = "{simulator_url}"
oauth_url = "{simulator_url}"
media_hosts = ["127.0.0.1"]
[files]
url = "file://{folder}/files"
[conversation]
quiet_seconds = 0.3
undo_seconds = 0
"""
    )
    return ServiceProcess(path, port)


async def command(service: ServiceProcess, *arguments: str) -> str:
    """Run a `loa` command on the service's configuration and return what it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = await started.start(
            "bot", *arguments, "--config", str(service.config), output=out.fileno(), errors=errors.fileno()
        )
        code = await process.wait()
        out.seek(0)
        errors.seek(0)
        assert code == 0, errors.read().decode()
        return out.read().decode()
