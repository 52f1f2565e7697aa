"""One arq job per recipient: send to the fake Zalo, record the outcome; as a program: enqueue | work, NUMBER."""

import asyncio
import json
import os
import sys
import time
from typing import Any

import aiohttp
import asyncpg
import orjson
import uvloop
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker, func

REDIS = RedisSettings.from_dsn(os.environ["PEER_REDIS"])
DATABASE = os.environ["PEER_DATABASE"]
URL = os.environ["PEER_URL"]
AT_ONCE = 32
RECORD = "UPDATE messages SET state = 'sent', provider_id = $2, sent_at = now() WHERE id = $1"


async def send(ctx: dict[str, Any], message_id: int, user_id: str) -> None:
    """Send one message and record its outcome."""
    payload = {"recipient": {"user_id": user_id}, "message": {"text": "Xã sẽ cắt nước từ 8 giờ đến 11 giờ ngày mai."}}
    headers = {"access_token": "peer", "Content-Type": "application/json"}
    async with ctx["http"].post(URL, data=orjson.dumps(payload), headers=headers) as answer:
        sent = orjson.loads(await answer.read())
    await ctx["database"].execute(RECORD, message_id, sent["data"]["message_id"])
    ctx["clock"]["last"] = time.perf_counter()


async def startup(ctx: dict[str, Any]) -> None:
    """Open what all jobs share."""
    ctx["http"] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE))
    ctx["database"] = await asyncpg.create_pool(DATABASE, min_size=10, max_size=10)
    # Shared by all jobs, each of which has a context of its own.
    ctx["clock"] = {"first": time.perf_counter(), "cpu": time.process_time()}


async def shutdown(ctx: dict[str, Any]) -> None:
    """Close it and tell how long the jobs took."""
    await ctx["http"].close()
    await ctx["database"].close()
    clock = ctx["clock"]
    told = {"seconds": clock["last"] - clock["first"], "cpu_seconds": time.process_time() - clock["cpu"]}
    sys.stdout.write(json.dumps(told))


async def enqueue(number: int) -> None:
    """Queue one job per recipient, as many at a time as there are jobs at once."""
    redis = await create_pool(REDIS)
    begin = time.perf_counter()
    for start in range(0, number, AT_ONCE):
        ids = range(start, min(start + AT_ONCE, number))
        await asyncio.gather(*(redis.enqueue_job("send", i, str(10**18 + i), _job_id=f"m{i}") for i in ids))
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - begin}))
    await redis.aclose()


async def work() -> None:
    """Work until the queue is empty; results are not kept and the queue is read often, which is its fastest way."""
    worker = Worker(
        [func(send, name="send", keep_result=0)],
        redis_settings=REDIS,
        on_startup=startup,
        on_shutdown=shutdown,
        burst=True,
        max_jobs=AT_ONCE,
        queue_read_limit=1000,
        poll_delay=0.01,
        handle_signals=False,
    )
    await worker.main()
    await worker.close()


if __name__ == "__main__":
    uvloop.run(enqueue(int(sys.argv[2])) if sys.argv[1] == "enqueue" else work())
