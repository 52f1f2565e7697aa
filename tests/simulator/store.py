"""The state file: written shortly after each change, and at once when tokens rotate."""

import asyncio
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from .model import Json
from .webhooks import Delivery

if TYPE_CHECKING:
    from .provider import Provider

QUIET_S = 0.2


class Store:
    """Keeps the provider's state in one JSON file."""

    def __init__(self, provider: "Provider", path: Path) -> None:
        self._provider, self._path = provider, path
        self._dirty = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[Delivery] = []

    def load(self) -> bool:
        """Take over the file's state; return whether there was one."""
        if not self._path.is_file():
            return False
        state = json.loads(self._path.read_text("utf-8"))
        self._provider.clock.offset_s = state["clock_offset_s"]
        self._provider.world.load(state["world"])
        if "telegram" in state:  # an older file knows none
            self._provider.telegram.load(state["telegram"])
        self._waiting = [Delivery(**item) for item in state["waiting"]]
        return True

    def open(self) -> None:
        """Begin to write changes; repeats that were pending go on."""
        self._provider.world.listeners.append(self._note)
        self._task = asyncio.create_task(self._write_changes())
        for delivery in self._waiting:
            self._provider.webhooks.resume(delivery)

    async def close(self) -> None:
        """Write the last state and stop."""
        self._provider.world.listeners.remove(self._note)
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self.save()

    def save(self) -> None:
        """Write the file: a new one beside it, then in its place."""
        waiting = [asdict(delivery) for delivery in self._provider.webhooks.waiting()]
        offset = self._provider.clock.offset_s
        state = {"clock_offset_s": offset, "world": self._provider.world.dump(), "waiting": waiting}
        state["telegram"] = self._provider.telegram.dump()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(json.dumps(state, ensure_ascii=False), "utf-8")
        fresh.replace(self._path)

    def _note(self, change: Json) -> None:
        if "call" not in {change["change"], change.get("what")}:
            self._dirty.set()

    async def _write_changes(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(QUIET_S)
            self._dirty.clear()
            self.save()
