"""The service as it runs in an office or a ministry: one process, or web and workers apart; to be killed and paused."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot import config
from bot.config import Settings
from tests.process import write_config
from tests.servers import started
from tests.servers.run import free_port
from tests.servers.started import Started

READY_SECONDS = 60
STOP_SECONDS = 40


@dataclass
class Member:
    """One process of the service: `role` is serve | web | worker."""

    role: str
    config: Path
    port: int
    log: Path
    bends: tuple[str, ...] = ()
    process: Started | None = None
    paused: bool = False
    log_from: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def serves_web(self) -> bool:
        return self.role != "worker"

    @property
    def works(self) -> bool:
        return self.role != "web"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Start it without waiting."""
        assert not self.alive
        environment = {
            "LOA__SERVER__PORT": str(self.port),
            "LOA__SERVER__PUBLIC_URL": self.url,
        }
        program = ["tests.chaos.bent", *self.bends, "--"] if self.bends else ["bot"]
        target = Path(os.devnull) if "--largest-file" in self.bends else self.log  # a full disk takes no log either
        with target.open("ab") as log:
            self.log_from = log.tell()
            self.process = await started.start(
                *program, self.role, "--config", str(self.config),
                output=log.fileno(), errors=log.fileno(), environment=environment,
            )  # fmt: skip
        self.paused = False

    async def ready(self) -> None:
        """Wait until it serves or works."""
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        async with aiohttp.ClientSession() as http:
            while not await self._is_ready(http):
                assert self.alive, f"{self.role} ended:\n{self.tail()}"
                assert asyncio.get_running_loop().time() < deadline, f"{self.role} is not ready:\n{self.tail()}"
                await asyncio.sleep(0.05)

    async def _is_ready(self, http: aiohttp.ClientSession) -> bool:
        if not self.serves_web:
            return b"ready" in self.log.read_bytes()[self.log_from :]
        try:
            async with http.get(f"{self.url}/healthz", timeout=aiohttp.ClientTimeout(total=2)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            await self.gone()

    async def gone(self) -> None:
        """Wait until it has ended."""
        assert self.process is not None
        await self.process.wait()
        self.paused = False

    def pause(self) -> None:
        """Stop its time."""
        if self.alive:
            os.kill(self.pid, signal.SIGSTOP)
            self.paused = True

    def resume(self) -> None:
        """Let its time go on."""
        if self.alive and self.paused:
            os.kill(self.pid, signal.SIGCONT)
        self.paused = False

    async def stop(self) -> int:
        """End it politely and return its exit code."""
        assert self.process is not None
        if self.alive:
            self.resume()
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), STOP_SECONDS)

    def tail(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


@dataclass
class Cluster:
    """All processes of one service, on one database and one queue."""

    settings: Settings
    folder: Path
    members: list[Member] = field(default_factory=list)

    @property
    def web(self) -> list[Member]:
        return [m for m in self.members if m.serves_web]

    @property
    def workers(self) -> list[Member]:
        return [m for m in self.members if m.works]

    def spooled(self) -> list[Path]:
        """Return what waits on the disk, or was set aside there."""
        folder = Path(self.settings.security.spool)
        return [path for path in folder.rglob("*") if path.suffix in {".json", ".jsonl", ".broken"}]

    def webhook_url(self, name: str) -> str:
        """Return where webhooks of a provider (or one of its accounts) go: to any of the web processes by chance."""
        return " ".join(f"{m.url}/webhooks/{name}" for m in self.web)

    async def heal(self) -> None:
        """Let everything run that should, and wait until it does."""
        for member in self.members:
            member.resume()
            if not member.alive:
                await member.start()
        await asyncio.gather(*(m.ready() for m in self.members))

    def logs(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(f"--- {m.role} {m.port}\n{m.tail()}" for m in self.members)


@contextlib.asynccontextmanager
async def cluster(
    folder: Path, database_url: str, queue_url: str, simulator_url: str, *, bends: tuple[str, ...] = (),
    roles: tuple[str, ...] = (), telegram: bool = True,
) -> AsyncIterator[Cluster]:  # fmt: skip
    """Give the processes of a service, not started yet; one `serve` when the queue is embedded, else two of each."""
    path = write_config(folder, database_url, queue_url, simulator_url, telegram=telegram).config
    roles = roles or (("serve",) if queue_url == "embedded" else ("web", "web", "worker", "worker"))
    made = Cluster(config.load(path, {}), folder)
    for number, role in enumerate(roles):
        made.members.append(Member(role, path, free_port(), folder / f"{role}-{number}.log", bends))
    try:
        yield made
    finally:
        await asyncio.gather(*(m.kill() for m in made.members))
