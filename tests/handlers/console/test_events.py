"""News for open pages."""

import asyncio

from aiohttp import ClientResponse

from handlers.console.events import end_streams
from tests.handlers.console.visitor import Office


async def read_until(answer: ClientResponse, wanted: bytes) -> bytes:
    found = b""
    async with asyncio.timeout(10):
        while wanted not in found:
            found += await answer.content.readany()
    return found


async def test_a_new_case_is_told_to_open_pages_without_saying_what(office: Office) -> None:
    visitor = await office.enter("official")
    answer = await visitor.get("/events?topics=cases")
    assert answer.headers["Content-Type"] == "text/event-stream"
    await read_until(answer, b"welcome")
    case = await office.make_case()
    heard = await read_until(answer, b"event: cases\ndata: 1\n\n")
    assert case.code.encode() not in heard
    answer.close()


async def test_only_topics_that_one_may_know_are_heard(office: Office) -> None:
    case = await office.make_case()
    stranger = await office.enter("stranger")
    assert (await stranger.get(f"/events?topics=case:{case.id}")).status == 404
    assert (await stranger.get("/events?topics=health")).status == 404
    assert (await stranger.get("/events?topics=")).status == 404
    visitor = await office.enter("official")
    answer = await visitor.get(f"/events?topics=case:{case.id},nonsense")
    await read_until(answer, b"welcome")
    await (await office.enter("head")).post(f"/cases/{case.id}/notes", {"note": "Đã gọi"})
    heard = await read_until(answer, f"event: case:{case.id}\n".encode())
    assert b"event: cases" not in heard
    answer.close()


async def test_streams_end_when_the_service_stops(office: Office) -> None:
    visitor = await office.enter("official")
    answer = await visitor.get("/events?topics=cases")
    await read_until(answer, b"welcome")
    server = office.client.server
    async with asyncio.timeout(5):
        await end_streams(server.app)  # type: ignore[attr-defined]  # the test server knows its application
        assert await answer.content.read() == b""
