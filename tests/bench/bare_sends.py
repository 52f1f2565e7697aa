"""Send messages in a bare loop, without tokens, limits or rows: what the HTTP library alone can do."""

import asyncio
import sys
import time

import aiohttp
import orjson
import uvloop

AT_ONCE = 32


async def run(url: str, total: int) -> float:
    """Send `total` messages and return the seconds it took."""
    numbers = iter(range(total))
    headers = {"access_token": "access", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def worker() -> None:
            for n in numbers:
                body = orjson.dumps({"recipient": {"user_id": str(n)}, "message": {"text": "xin chào"}})
                async with http.post(f"{url}/v2.0/oa/message", data=body, headers=headers) as answer:
                    assert orjson.loads(await answer.read())["error"] == 0

        begun = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        return time.perf_counter() - begun


def main() -> None:
    """Send to the address and as often as the command line says."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.write(f"{runner.run(run(sys.argv[1], int(sys.argv[2])))}\n")


if __name__ == "__main__":
    main()
