"""What is reported of a dossier reaches whose it is: each news is on their phone, once, whoever dies meanwhile."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from bot import config
from bot.actions import dossier_settings
from bot.actions.dossiers import News, take_in
from bot.domain.dossier import Status
from bot.runtime import Runtime, opened
from bot.store.contacts import ContactRow
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierPersonRow, DossierRow
from bot.store.units import UnitRow
from tests.live import BOT, STATE_OA, Live
from tests.process import command, write_config
from tests.simulator.__main__ import DEFAULT_ACCOUNTS
from tests.simulator.simulator import Phone, Simulator

CODE = "000.00.01.H26-261120-00{:02d}"
ACCOUNTS = pytest.mark.parametrize("account", [STATE_OA, BOT], ids=["zalo", "telegram"])
KINDS: tuple[tuple[int, dict[str, Any], str], ...] = (
    (1, {"online": True}, "nộp trực tuyến"),
    (2, {"due_at": "2027-12-01T03:00:00+00:00"}, "01/12/2027"),
    (3, {"reason": "Không đúng thẩm quyền"}, "Không đúng thẩm quyền"),
    (5, {"papers": "Giấy chứng sinh"}, "Giấy chứng sinh"),
    (6, {"fee": 150000}, "150.000 đồng"),
    (8, {"reason": "Người nộp yêu cầu"}, "dừng giải quyết"),
    (9, {"post_code": "EB000000001VN"}, "EB000000001VN"),
    (9, {"appointment_place": "Bàn số 3"}, "Bàn số 3"),
    (10, {}, "đánh giá việc giải quyết"),
)
WAIT = 60


async def take(
    runtime: Runtime, unit: UnitRow, code: str, *statuses: tuple[int, dict[str, Any]], late: int = 0
) -> None:
    """Report statuses of a dossier, a second apart, the last of them a second ago."""
    async with runtime.units_of_work() as uow:
        begun = uow.now - timedelta(seconds=len(statuses) + late)
        news = [
            News(code, Status(status), begun + timedelta(seconds=n), unit.id, unit.path, facts)
            for n, (status, facts) in enumerate(statuses)
        ]
        await take_in(uow, runtime.box, news, "import:1")


async def bind(runtime: Runtime, unit: UnitRow, user_id: str, *codes: str) -> None:
    """Make dossiers of which nothing is told yet, and make them somebody's."""
    for code in codes:
        await take(runtime, unit, code, (4, {}), late=9)
    async with runtime.units_of_work() as uow:
        person = (await uow.session.exec(select(ContactRow).where(ContactRow.external_id == user_id))).one()
        for row in (await uow.session.exec(select(DossierRow).where(col(DossierRow.code).in_(codes)))).all():
            uow.session.add(DossierPersonRow(dossier_id=row.id, contact_id=person.id, how="code", at=uow.now))


async def unit_of(runtime: Runtime, unit_id: str = "economy") -> UnitRow:
    async with runtime.database.reading() as session:
        row = await session.get(UnitRow, unit_id)
    assert row is not None
    return row


async def states(runtime: Runtime) -> Counter[str]:
    async with runtime.database.reading() as session:
        return Counter((await session.exec(select(DossierNoticeRow.state))).all())


@ACCOUNTS
async def test_each_news_is_on_the_phone_once(live: Live, account: str) -> None:
    """A bot writes to each person once a second: there a few kinds are enough, the words being the same."""
    kinds = KINDS if account == STATE_OA else KINDS[4:5] + KINDS[-1:]
    phone = await live.citizen(account)
    await phone.follow()
    await phone.wait_for("Xin chào")
    unit = await unit_of(live.runtime)
    codes = [CODE.format(n) for n in range(1, len(kinds) + 1)]
    await bind(live.runtime, unit, str(phone.user_id), *codes)
    async with live.runtime.units_of_work() as uow:
        bank = {"bin": "970403", "account": "0011012345678", "name": "UBND XA THANH OAI"}
        await dossier_settings.change(uow, "commune", bank)
    for code, (status, facts, words) in zip(codes, kinds, strict=True):
        for _ in range(2):
            await take(live.runtime, unit, code, (status, facts))
        said = await phone.wait_for(words)
        assert code in said.text or status == 6
    put_off = [(2, {"due_at": "2027-12-01T03:00:00+00:00"}), (4, {"due_at": "2027-12-09T03:00:00+00:00"})]
    await bind(live.runtime, unit, str(phone.user_id), CODE.format(50))
    await take(live.runtime, unit, CODE.format(50), *put_off)
    await phone.wait_for("xin lỗi")
    await phone.wait_for("Ngày hẹn mới: 09/12/2027")

    async def all_told() -> bool:
        return not (await states(live.runtime)).keys() - {"told", "silent"}

    await live.until(all_told)
    told = [m.text for m in phone.inbox if m.text]
    assert len(told) == len(set(told))
    shown: list[Any] = list(phone.inbox)
    assert any(m.attachments if isinstance(phone, Phone) else m.file for m in shown), "the fee has its code"
    await phone.tap(payload=f"#danhgiahs {codes[-1]} 3")
    await phone.wait_for("Cảm ơn Ông/Bà đã đánh giá")


@pytest.fixture
async def town() -> Any:
    async with Simulator(time_scale=60) as it:
        for account in DEFAULT_ACCOUNTS:
            await it.verbs.add_oa(**account)
        yield it


@pytest.mark.processes
@pytest.mark.timeout(200)
async def test_a_notice_is_told_once_whenever_the_process_is_killed(
    town: Simulator, database_url: str, tmp_path: Path
) -> None:
    made = write_config(tmp_path, database_url, "embedded", town.url, telegram=False)
    await command(made, "demo")
    for oa in town.provider.world.oas.values():
        oa.webhook_url = f"{made.url}/webhooks/zalo"
    await made.start()
    phone = await town.phone(STATE_OA)
    await phone.follow()
    await phone.wait_for("Xin chào", timeout=WAIT)
    made.kill()
    await made.gone()
    codes = [CODE.format(n) for n in range(1, 6)]
    async with opened(config.load(made.config)) as runtime:
        async with runtime.database.reading() as session:
            unit = (await session.exec(select(UnitRow).order_by(col(UnitRow.path).desc()))).first()
        assert unit is not None
        await bind(runtime, unit, phone.user_id, *codes)
        for code in codes:
            await take(runtime, unit, code, (2, {}))
    died = 0

    def happened(change: dict[str, Any]) -> None:
        nonlocal died
        if change["change"] == "message" and died < 2 and sum(CODE[:16] in m.text for m in phone.inbox) > 2 * died:
            died += 1
            made.kill()

    town.provider.world.listeners.append(happened)
    async with asyncio.timeout(WAIT):
        while len({m.text for m in phone.inbox if CODE[:16] in m.text}) < len(codes):
            if made.process is None or made.process.returncode is not None:
                await made.start()
            await asyncio.sleep(0.05)
    if made.process is not None and made.process.returncode is not None:
        await made.start()
    async with opened(config.load(made.config)) as runtime, asyncio.timeout(WAIT):
        while (await states(runtime)) != {"told": len(codes)}:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.1)
    made.kill()
    await made.gone()
    assert died == 2
    assert Counter(m.text for m in phone.inbox if CODE[:16] in m.text).most_common(1)[0][1] == 1
