"""Start the simulator: python -m tests.simulator --port 8090 --service http://127.0.0.1:8080."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from .simulator import Simulator

DEFAULT_ACCOUNTS: list[dict[str, Any]] = [
    {
        "oa_id": "2222333344445555666",
        "name": "UBND xã Thanh Oai",
        "type": "state",
        "oa_secret_key": "demo-oa-secret-state",
        "access_token": "demo-access-state",
        "refresh_token": "demo-refresh-state",
    },
    {
        "oa_id": "2222333344445555777",
        "name": "Hợp tác xã dịch vụ Thanh Oai",
        "type": "business",
        "oa_secret_key": "demo-oa-secret-business",
        "access_token": "demo-access-business",
        "refresh_token": "demo-refresh-business",
    },
]
DEFAULT_BOTS: list[dict[str, Any]] = [
    {
        "token": "7000000001:demo-not-a-real-token",
        "name": "UBND xã Thanh Oai",
        "username": "xa_thanh_oai_thu_nghiem_bot",
    }
]
PHONES = (("3333444455556660001", "A"), ("3333444455556660002", "B"), ("3333444455556660003", "C"))
TELEGRAM_PHONES = (
    (7100000001, "Công dân Thử Nghiệm A", "84900000001"),
    (7100000002, "Công dân Thử Nghiệm B", "84900000002"),
    (7100000011, "Cán bộ Thử Nghiệm", "84900000011"),
    (7100000012, "Trưởng phòng Thử Nghiệm", "84900000012"),
)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator", description="A fake Zalo and Telegram with people's phones."
    )
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--service", default="http://127.0.0.1:8080", help="address of the service")
    parser.add_argument("--state", type=Path, help="JSON file in which everything survives a restart")
    parser.add_argument("--time-scale", type=float, default=1.0, help="divides the waits between webhook repeats")
    parser.add_argument("--accounts", type=Path, help="JSON list of Official Accounts instead of the two of the demo")
    parser.add_argument("--bots", type=Path, help="JSON list of Telegram bots instead of the one of the demo")
    return parser.parse_args()


async def run(given: argparse.Namespace) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    webhook = given.service.rstrip("/") + "/webhooks/zalo"
    accounts = json.loads(given.accounts.read_text(encoding="utf-8")) if given.accounts else DEFAULT_ACCOUNTS
    bots = json.loads(given.bots.read_text(encoding="utf-8")) if given.bots else DEFAULT_BOTS
    async with Simulator(given.port, time_scale=given.time_scale, state=given.state) as simulator:
        known = simulator.provider.world.oas
        for account in accounts:
            if account["oa_id"] in known:
                known[account["oa_id"]].webhook_url = webhook
            else:
                await simulator.verbs.add_oa(**account, webhook_url=webhook)
        if not simulator.provider.world.people:
            for user_id, letter in PHONES:
                await simulator.verbs.phone(name=f"Công dân Thử Nghiệm {letter}", user_id=user_id)
        await furnish_telegram(simulator, bots)
        sys.stdout.write(f"simulator: {simulator.url}\n")
        sys.stdout.flush()
        await stop.wait()


async def furnish_telegram(simulator: Simulator, bots: list[dict[str, Any]]) -> None:
    """Make the bots and people that are not there yet."""
    world = simulator.telegram.world
    for bot in bots:
        if int(bot["token"].partition(":")[0]) not in world.bots:
            await simulator.telegram_verbs.add_bot_account(**bot)
    if not world.people:
        for user_id, name, phone in TELEGRAM_PHONES:
            await simulator.telegram_verbs.person(name=name, user_id=user_id, phone=phone)


if __name__ == "__main__":
    try:
        asyncio.run(run(arguments()))
    except OSError as problem:
        sys.exit(f"simulator: {problem}")
