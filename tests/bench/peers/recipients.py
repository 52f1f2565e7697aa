"""Measure one queued job per recipient: arq with a send and an update each, Celery with nothing to do."""

import asyncio
import json
import time
from pathlib import Path

import asyncpg

from tests.bench.harness import Figure, Options, Run, UnavailableError, VoidError, benchmark, median
from tests.bench.peers.environments import environment, versions
from tests.bench.peers.program import empty_redis, new_folder, output_of, running
from tests.bench.send import fake_zalo
from tests.servers import postgres_server

COUNT = 10_000
LIMIT_SECONDS = 120
POLL_SECONDS = 0.005
TABLE = """
CREATE TABLE messages (id bigint PRIMARY KEY, user_id text NOT NULL, state text NOT NULL, provider_id text,
                       sent_at timestamptz);
"""


async def _arq_once(options: Options, database_url: str) -> Run:
    folder, number = new_folder(options), options.scaled(COUNT)
    python = str(environment("arq") / "python")
    connection = await asyncpg.connect(database_url)
    try:
        async with fake_zalo() as zalo:
            await connection.execute(TABLE)
            await connection.execute(
                "INSERT INTO messages SELECT n, (1000000000000000000 + n)::text, 'queued' "
                "FROM generate_series(0, $1::bigint - 1) AS n", number,
            )  # fmt: skip
            url = f"{zalo.url}/v3.0/oa/message/cs"
            settings = {"PEER_REDIS": empty_redis(), "PEER_DATABASE": database_url, "PEER_URL": url}
            command = [python, "arq_jobs.py"]
            enqueued = json.loads(await output_of([*command, "enqueue", str(number)], settings, folder, LIMIT_SECONDS))
            worked = json.loads(await output_of([*command, "work"], settings, folder, LIMIT_SECONDS))
            taken, doubles = await zalo.count()
        query = "SELECT count(*) FROM messages WHERE state = 'sent' AND provider_id IS NOT NULL"
        recorded = await connection.fetchval(query)
    finally:
        await connection.close()
    if not recorded == taken == number or doubles:
        raise VoidError(f"{number} queued, {recorded} recorded, {taken} sent, {doubles} twice")
    return _run(number, enqueued["seconds"], worked["seconds"], cpu=worked["cpu_seconds"])


@benchmark("peer.arq.per_s")
async def arq(options: Options) -> list[Figure]:
    """One arq job per recipient: queued, sent by one POST, recorded by one UPDATE and commit; one worker process."""

    async def once(number: int) -> Run:
        server, name = postgres_server.durable(), f"peer_arq_{number}"
        url = await server.create(name, "template0")
        try:
            return await _arq_once(options, url)
        finally:
            await server.drop(name)

    figure = await median("peer.arq.per_s", "1/s", options, once)
    figure.detail["versions"] = versions("arq", "arq", "redis", "aiohttp", "asyncpg", "uvloop")
    return [figure]


@benchmark("peer.celery.per_s")
async def celery(options: Options) -> list[Figure]:
    """One Celery task per recipient that does nothing: queued, then worked off by two processes."""

    async def once(_: int) -> Run:
        folder, number = new_folder(options), options.scaled(COUNT)
        done = folder / "done"
        done.touch()
        programs = environment("celery")
        settings = {"PEER_REDIS": empty_redis(), "PEER_DONE": str(done)}
        enqueue = [str(programs / "python"), "celery_tasks.py", str(number)]
        enqueued = json.loads(await output_of(enqueue, settings, folder, LIMIT_SECONDS))
        worker = [
            str(programs / "celery"), "--app", "celery_tasks", "worker", "--concurrency", "2", "--loglevel", "WARNING",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        ]  # fmt: skip
        async with running(worker, settings, folder) as program:
            await _grown(done, 1)
            begin, cpu = time.perf_counter(), program.cpu_seconds()
            await _grown(done, number)
            seconds, cpu = time.perf_counter() - begin, program.cpu_seconds() - cpu
        if (processed := _size(done)) != number:
            raise VoidError(f"{number} queued, {processed} processed")
        return _run(number, enqueued["seconds"], seconds, cpu=cpu)

    figure = await median("peer.celery.per_s", "1/s", options, once)
    figure.detail["versions"] = versions("celery", "celery", "kombu", "redis")
    return [figure]


def _size(file: Path) -> int:
    return file.stat().st_size


async def _grown(file: Path, size: int) -> None:
    """Wait until the file holds a byte for each task processed."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while (grown := _size(file)) < size:
        if time.monotonic() > deadline:
            log = (file.parent / "peer.log").read_text()[-2000:]
            raise UnavailableError(f"{grown} of {size} tasks after {LIMIT_SECONDS} s\n{log}")
        await asyncio.sleep(POLL_SECONDS)


def _run(number: int, enqueueing: float, processing: float, *, cpu: float) -> Run:
    """Sum up: messages over the time of queueing and of processing, each also alone."""
    detail = {
        "messages": number, "enqueue_per_s": round(number / enqueueing), "process_per_s": round(number / processing),
        "cpu_us_per_send": round(cpu / number * 1e6, 1),
    }  # fmt: skip
    return Run(number / (enqueueing + processing), detail)
