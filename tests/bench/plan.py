"""Measure how long it takes to freeze the audience of an announcement to a million people, and nothing else."""

from sqlalchemy import func
from sqlmodel import select

from bot import config
from bot.runtime import opened
from bot.store.broadcasts import DeliveryRow
from tests.bench import send, service
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median

_MANY = 1_000_000


@benchmark("plan.sqlite.s", "plan.postgres.s")
async def freeze(options: Options) -> list[Figure]:
    """Freeze a million contacts into rows, each run in a new database."""
    total = options.scaled(_MANY)

    async def once(kind: str) -> Run:
        configuration, _, _ = await service.prepared(kind, options, "http://127.0.0.1:9", embedded=kind == "sqlite")
        async with opened(config.load(configuration)) as runtime:
            account = await send.people(runtime, total)
            _, seconds = await send.begun(runtime, account)
            async with runtime.database.reading() as session:
                frozen = (await session.exec(select(func.count()).select_from(DeliveryRow))).one()
        if frozen != total:
            raise VoidError(f"{frozen} of {total} are frozen")
        return Run(round(seconds, 2), {"contacts": total})

    return [
        await median("plan.sqlite.s", "s", options, lambda _: once("sqlite")),
        await median("plan.postgres.s", "s", options, lambda _: once("postgres")),
    ]
