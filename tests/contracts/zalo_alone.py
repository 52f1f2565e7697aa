"""Serve one talk on Zalo in a process of its own: python -m tests.contracts.zalo_alone FOLDER; exits 1 with aiogram."""

import asyncio
import sys
from pathlib import Path

from bot.config import DatabaseSettings, FilesSettings, SecuritySettings, Settings, ZaloSettings
from tests.live import running
from tests.simulator.simulator import Simulator


async def serve(folder: Path) -> None:
    """Greet one citizen, on the database in the folder."""
    settings = Settings(
        database=DatabaseSettings(url=f"sqlite:///{folder}/loa.db"),
        security=SecuritySettings(secret_key="t" * 40, spool=f"{folder}/spool"),
        zalo=ZaloSettings(app_id="1111222233334444555", app_secret="demo-app-secret", media_hosts=("127.0.0.1",)),
        files=FilesSettings(url=f"file://{folder}/files"),
    )
    async with Simulator() as simulator, running(settings, simulator) as live:
        phone = await live.phone()
        await phone.follow()
        await phone.wait_for("Xin chào", timeout=40)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
    sys.exit("aiogram" in sys.modules)
