"""R4: a refresh token works once; four processes that need it at the same moment renew once and all go on."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bot import config
from bot.runtime import opened, ref
from bot.store import accounts
from bot.store.accounts import AccountRow
from bot.store.credentials import CredentialRow
from tests.chaos import town
from tests.chaos.rounds import TIME_SCALE
from tests.live import running
from tests.process import write_config
from tests.simulator.simulator import Simulator

PROCESSES = 4
OAUTH = "/v4/oa/access_token"


@pytest.mark.processes
async def test_four_processes_renew_once_and_none_is_locked_out(database_url: str, tmp_path: Path) -> None:
    async with Simulator(time_scale=TIME_SCALE) as simulator:
        path = write_config(tmp_path, database_url, "embedded", simulator.url).config
        settings = config.load(path, {})
        await town.found(settings, simulator)
        oa = town.OAS[0].oa_id
        command = (sys.executable, "-m", "tests.chaos.renew", str(path), oa)
        processes = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for _ in range(PROCESSES)]
        for process in processes:
            assert process.stdout
            assert await process.stdout.readline() == b"ready\n"
        await simulator.fault("slow", ms=300)
        told = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
        assert [out.decode().splitlines()[-1] for out, _ in told] == [f"OA {oa}"] * PROCESSES
        renewals = [call for call in simulator.provider.journal.calls if call.path == OAUTH]
        assert [call.error for call in renewals] == [0]
        await simulator.clear_faults()
        async with running(settings, simulator, seeded=True) as live:
            [mine] = [row for row in await live.rows(AccountRow) if row.external_id == oa]
            assert mine.state == "active"
            [kept] = [row for row in await live.rows(CredentialRow) if row.account_id == mine.id]
            world = simulator.provider.world.oas[oa]
            assert live.runtime.box.open(kept.access_token or b"") == world.access_token
            assert live.runtime.box.open(kept.refresh_token or b"") == world.refresh_token


async def test_a_pair_on_its_way_is_kept_though_the_process_is_told_to_end(database_url: str, tmp_path: Path) -> None:
    """Zalo has renewed, its answer comes slowly, and who asked for it is gone: without it a person must grant again."""
    async with Simulator(time_scale=TIME_SCALE) as simulator:
        settings = config.load(write_config(tmp_path, database_url, "embedded", simulator.url).config, {})
        await town.found(settings, simulator)
        oa = town.OAS[0].oa_id
        async with opened(settings) as runtime:
            async with runtime.units_of_work() as uow:
                account = await accounts.by_external_id(uow.session, "zalo", oa)
                assert account is not None
            world, before = simulator.provider.world.oas[oa], simulator.provider.world.oas[oa].refresh_token
            await simulator.fault("oauth_slow_answer", ms=300)
            asking = asyncio.create_task(runtime.channel(account).refresh(ref(account)))  # type: ignore[attr-defined] # an ability of this channel
            await simulator.wait(lambda: world.refresh_token != before, 10)
            asking.cancel()
        async with opened(settings) as runtime, runtime.units_of_work() as uow:
            kept = await uow.session.get(CredentialRow, account.id)
            assert kept is not None
            assert runtime.box.open(kept.refresh_token or b"") == world.refresh_token
