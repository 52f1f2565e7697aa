"""What goes wrong while people write: processes die and stand still, the provider fails, Redis forgets; all by seed."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.chaos.cluster import Cluster, Member
from tests.chaos.servers import OwnRedis
from tests.chaos.town import BOT, OAS
from tests.simulator.simulator import Simulator

Deed = Callable[[], Awaitable[None]]


@dataclass
class Storm:
    """Faults one after the other at random moments; `happened` tells which, for whoever looks into a round."""

    cluster: Cluster
    simulator: Simulator
    rng: random.Random
    lease_seconds: float
    redis: OwnRedis | None = None
    throttles: bool = False
    happened: list[str] = field(default_factory=list)
    _later: list["asyncio.Task[None]"] = field(default_factory=list)

    async def rage(self, seconds: float, first: int) -> None:
        """Let things go wrong for so long; `first` says which of all deeds begins, so that rounds meet every one."""
        deeds = self.deeds()
        await self.weather()
        ends = asyncio.get_running_loop().time() + seconds
        deed = deeds[first % len(deeds)]
        while True:
            await asyncio.sleep(0.2 + self.rng.random() * 0.8)
            if asyncio.get_running_loop().time() > ends:
                break
            self.happened.append(deed.__name__)
            await deed()
            deed = self.rng.choice(deeds)
        await asyncio.gather(*self._later)

    def deeds(self) -> list[Deed]:
        """Return everything that can go wrong here."""
        deeds: list[Deed] = [
            self.kill, self.kill_in_answer, self.slow_provider, self.failing_provider, self.broken_line,
            self.dropped_answers, self.late_refusal, self.token_expires, self.token_taken, self.grant_dies, self.kill,
            self.flood, self.bot_token_changes,
        ]  # fmt: skip
        if self.throttles:
            deeds.append(self.throttle)
        if self.redis is not None:
            deeds += [self.pause_worker, self.flush_redis, self.restart_redis, self.kill_all_workers]
        return deeds

    async def weather(self) -> None:
        """Double and swap webhooks all the time."""
        await self.simulator.fault("duplicate_webhooks", probability=0.3, copies=self.rng.randint(1, 2))
        await self.simulator.fault("out_of_order_webhooks", probability=0.1)
        await self._on_telegram("duplicate_updates", probability=0.3, copies=self.rng.randint(1, 2))
        await self._on_telegram("out_of_order_updates", probability=0.1)

    async def _on_telegram(self, kind: str, **settings: float | str) -> None:
        await self.simulator.telegram_verbs.fault(kind=kind, **settings)

    async def kill(self) -> None:
        """SIGKILL a process, and start it again soon."""
        member = self.rng.choice(self.cluster.members)
        await self._kill(member)

    async def kill_in_answer(self) -> None:
        """SIGKILL at the moment when the provider has taken a message and not said so yet."""
        seen = len(self.simulator.provider.world.messages)
        member = self.rng.choice(self.cluster.workers)
        try:
            await self.simulator.wait(lambda: len(self.simulator.provider.world.messages) > seen, 1)
        except TimeoutError:
            return
        await self._kill(member)

    async def kill_all_workers(self) -> None:
        """SIGKILL every worker at once."""
        for member in self.cluster.workers:
            await self._kill(member)

    async def _kill(self, member: Member) -> None:
        if not member.alive or member.paused:
            return
        await member.kill()

        async def again(seconds: float) -> None:
            await asyncio.sleep(seconds)
            await member.start()

        self._later.append(asyncio.create_task(again(self.rng.random())))

    async def pause_worker(self) -> None:
        """Stop a worker's time until its leases have run out."""
        member = self.rng.choice(self.cluster.workers)
        if not member.alive or member.paused:
            return
        member.pause()

        async def on() -> None:
            await asyncio.sleep(self.lease_seconds * (1.2 + self.rng.random() / 2))
            member.resume()

        self._later.append(asyncio.create_task(on()))

    async def slow_provider(self) -> None:
        """Let some answers take their time, but not as long as no client would wait."""
        longest = int(min(8.0, self.lease_seconds / 5) * 1000)
        await self.simulator.fault("slow", ms=self.rng.randint(100, longest), count=self.rng.randint(1, 8))
        await self._on_telegram("slow", ms=self.rng.randint(100, longest), count=self.rng.randint(1, 4))

    async def failing_provider(self) -> None:
        """Answer some calls with an error of the provider's own."""
        code = self.rng.choice((-200, 12010, 12011))
        await self.simulator.fault("error_any", code=code, count=self.rng.randint(1, 5))
        words = "Internal Server Error"
        await self._on_telegram("error_any", code=500, description=words, count=self.rng.randint(1, 3))

    async def broken_line(self) -> None:
        """Close connections, or let a proxy answer."""
        mode = self.rng.choice(("close", "502"))
        await self.simulator.fault("down", mode=mode, count=self.rng.randint(1, 5))
        await self._on_telegram("down", mode=mode, count=self.rng.randint(1, 3))

    async def dropped_answers(self) -> None:
        """Take messages and close the line."""
        await self.simulator.fault("drop_after_accept", count=self.rng.randint(1, 4))
        await self._on_telegram("drop_after_accept", count=self.rng.randint(1, 2))

    async def late_refusal(self) -> None:
        """Take messages and then say that they were refused."""
        await self.simulator.fault("error_after_accept", count=1)

    async def throttle(self) -> None:
        """Say -32 a few times."""
        await self.simulator.fault("rate_limited", count=self.rng.randint(1, 3))

    async def token_expires(self) -> None:
        """Say -220 until the token is renewed."""
        await self.simulator.fault("token_expired", oa_id=self.rng.choice(OAS).oa_id)

    async def token_taken(self) -> None:
        """Let an access token be replaced behind the service's back: -216; the refresh token still works."""
        await self.simulator.verbs.set_oa(oa_id=self.rng.choice(OAS).oa_id, access_token=f"x{self.rng.random()}")

    async def grant_dies(self) -> None:
        """Let both tokens die, -14014: only a person can help."""
        tokens = {"access_token": f"x{self.rng.random()}", "refresh_token": f"y{self.rng.random()}"}
        await self.simulator.verbs.set_oa(oa_id=self.rng.choice(OAS).oa_id, **tokens)

    async def flood(self) -> None:
        """Say 429 a few times."""
        await self._on_telegram("rate_limited", retry_after=1, count=self.rng.randint(1, 3))

    async def bot_token_changes(self) -> None:
        """Let @BotFather make another token: 401 until an administrator enters it."""
        token = f"{BOT.oa_id}:demo-{self.rng.getrandbits(40):x}"
        await self.simulator.telegram_verbs.set_bot(bot_id=BOT.oa_id, token=token)

    async def flush_redis(self) -> None:
        """Let Redis forget everything."""
        assert self.redis is not None
        await asyncio.to_thread(self.redis.flush)

    async def restart_redis(self) -> None:
        """Cut Redis' power for a moment."""
        assert self.redis is not None
        await asyncio.to_thread(self.redis.stop)
        await asyncio.sleep(self.rng.random())
        await asyncio.to_thread(self.redis.start)
