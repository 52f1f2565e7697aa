"""Send Telegram updates with the load generator of the benchmarks; it speaks the same language on its pipes."""

import asyncio
import json
import os
import sys
from dataclasses import asdict

import uvloop

from tests.bench.load import Generator, Load


def request(load: Load, number: int) -> bytes:
    """Return one update with an id of its own, headers and body; `load.key` is the secret of the webhook."""
    person = 4_000_000 + number % load.contacts
    text = "Bóng đèn đường trước nhà văn hoá thôn Kim Lâm hỏng ba hôm nay, buổi tối rất nguy hiểm cho người đi lại"
    update = {
        "update_id": number + 1,
        "message": {
            "message_id": number + 1,
            "from": {"id": person, "is_bot": False, "first_name": "Lan", "language_code": "vi"},
            "chat": {"id": person, "first_name": "Lan", "type": "private"},
            "date": 1795420861,
            "text": text,
        },
    }
    body = json.dumps(update, ensure_ascii=False, separators=(",", ":")).encode()
    head = (
        f"POST /webhooks/telegram HTTP/1.1\r\nHost: {load.host}:{load.port}\r\nContent-Type: application/json\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {load.key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _main() -> None:
    load = Load(**json.load(sys.stdin))
    if load.core is not None:
        os.sched_setaffinity(0, {load.core})
    generator = Generator(load)
    generator.requests = [request(load, number) for number in range(load.count)]
    print(json.dumps(asdict(await generator.run())))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())
