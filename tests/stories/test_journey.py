"""The main job, end to end: a report comes in over a webhook, reaches the unit, and the answer goes back."""

from typing import Any

import pytest

from bot.actions import answer_case, work_case
from bot.store.messages import MessageRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import Actor
from tests.live import BOT, BUSINESS_OA, STATE_OA, Live
from tests.simulator.simulator import Phone

OFFICIAL = Actor("staff", "official", "Cán bộ Kinh tế")
HEAD = Actor("staff", "head", "Trưởng phòng Kinh tế")
ACCOUNTS = pytest.mark.parametrize("account", [STATE_OA, BUSINESS_OA, BOT], ids=["state", "business", "telegram"])
PROVIDERS = pytest.mark.parametrize("account", [STATE_OA, BOT], ids=["zalo", "telegram"])


@ACCOUNTS
async def test_from_report_to_rating(live: Live, account: str) -> None:
    phone = await live.citizen(account)
    await phone.follow()
    await phone.wait_for("Xin chào")
    await phone.say("phan anh")
    await phone.wait_for("về việc gì")
    await phone.say("2")
    await phone.wait_for("kể rõ sự việc")
    await phone.say("Đèn đường thôn Kim Lâm hỏng ba hôm nay, tối rất nguy hiểm")
    await phone.wait_for("gửi luôn")
    await phone.images(count=3)
    await phone.wait_for("3 ảnh")
    await phone.say("gửi")
    told = await phone.wait_for("Mã: PA-")
    [case] = await live.cases()
    assert case.code in told.text
    assert "Phòng Kinh tế" in told.text

    async with live.runtime.units_of_work(OFFICIAL) as uow:
        await work_case.accept(uow, case.id)
    async with live.runtime.units_of_work(OFFICIAL) as uow:
        await work_case.ask_back(uow, case.id, None, "Đèn ở cột số mấy ạ?", 0, 30)
    await phone.wait_for("cột số mấy")
    await phone.say("Cột số 12, cạnh nhà văn hoá")
    await live.until(lambda: in_state(live, "in_progress"))
    async with live.runtime.units_of_work(OFFICIAL) as uow:
        await answer_case.submit(uow, case.id, None, "Đã thay bóng đèn ở cột số 12 chiều nay.", [], 0, 30)
    async with live.runtime.units_of_work(HEAD) as uow:
        await answer_case.approve(uow, case.id, None, 0, 30)
    await phone.wait_for("Đã thay bóng đèn")
    await phone.wait_for("đánh giá kết quả")
    await phone.tap(payload=f"#danhgia {case.code} 3")
    await phone.wait_for("Cảm ơn")
    await live.until(lambda: in_state(live, "closed"))
    if isinstance(phone, Phone):  # nobody tells a bot what was seen
        await phone.seen()
        await live.until(lambda: all_seen(live))
    await live.until(lambda: all_out(live))
    texts = [m.text for m in phone.inbox]
    assert len(texts) == len(set(texts)), "each message once"


async def in_state(live: Live, state: str) -> bool:
    return (await live.cases())[0].state == state


async def all_seen(live: Live) -> bool:
    return {row.state for row in await live.rows(OutboxRow)} == {"seen"}


async def test_a_message_is_sent_once_although_the_connection_dropped(live: Live) -> None:
    phone = await live.phone()
    await live.simulator.fault("drop_after_accept", count=1)
    await phone.follow()
    await phone.wait_for("Xin chào")
    await live.until(lambda: all_out(live))
    assert len(phone.inbox) == 1


async def test_a_message_of_unknown_outcome_waits_where_nobody_can_be_asked(live: Live) -> None:
    """Telegram tells no bot what it has sent: the message is not repeated at once, and the phone shows it once."""
    phone = await live.telegram_phone()
    await live.simulator.telegram_verbs.fault(kind="drop_after_accept", count=1)
    await phone.follow()
    await phone.wait_for("Xin chào")
    await live.until(lambda: is_unknown(live))
    assert len(phone.inbox) == 1


async def is_unknown(live: Live) -> bool:
    return [row.state for row in await live.rows(OutboxRow)] == ["unknown"]


async def test_a_bot_that_is_told_to_wait_waits(live: Live) -> None:
    phone = await live.telegram_phone()
    await live.simulator.telegram_verbs.fault(kind="rate_limited", retry_after=1, count=2)
    await phone.follow()
    await phone.wait_for("Xin chào", timeout=30)
    await live.until(lambda: all_out(live))
    assert len(phone.inbox) == 1


async def test_who_has_blocked_the_bot_is_left_in_peace(live: Live) -> None:
    phone = await live.telegram_phone()
    await phone.follow()
    await phone.wait_for("Xin chào")
    await live.simulator.telegram_verbs.fault(kind="blocked", count=1)
    await phone.say("phản ánh")
    await live.until(lambda: has_failed(live, "bot_blocked"))
    assert len(phone.inbox) == 1


async def has_failed(live: Live, reason: str) -> bool:
    return any(row.state == "failed" and row.reason == reason for row in await live.rows(OutboxRow))


async def all_out(live: Live) -> bool:
    rows = await live.rows(OutboxRow)
    return bool(rows) and {row.state for row in rows} <= {"sent", "delivered", "seen"}


@pytest.mark.parametrize("fault", [{"kind": "error", "code": -32}, {"kind": "down"}, {"kind": "down", "mode": "502"}])
async def test_a_fault_that_passes_delays_but_loses_nothing(live: Live, fault: dict[str, Any]) -> None:
    phone = await live.phone()
    await live.simulator.fault(**fault, count=1)
    await phone.follow()
    if fault["kind"] == "error":
        await live.until(lambda: waiting(live, "rate"))
        return
    await phone.wait_for("Xin chào")
    await live.until(lambda: all_out(live))
    assert len(phone.inbox) == 1


async def waiting(live: Live, reason: str) -> bool:
    return any(row.state == "queued" and reason in row.reason for row in await live.rows(OutboxRow))


async def test_an_expired_token_is_renewed_once_and_nothing_is_lost(live: Live) -> None:
    phones = [await live.phone() for _ in range(5)]
    await live.simulator.fault("token_expired", oa_id=STATE_OA)
    for phone in phones:
        await phone.follow()
    for phone in phones:
        await phone.wait_for("Xin chào")
    counts = live.simulator.verbs.counts()
    assert counts["by_path"]["/v4/oa/access_token"] <= 2


@PROVIDERS
async def test_duplicate_and_disordered_webhooks_make_one_of_each(live: Live, account: str) -> None:
    phone = await live.citizen(account)
    await live.simulator.fault("duplicate_webhooks", copies=3)
    await live.simulator.telegram_verbs.fault(kind="duplicate_updates", copies=3)
    await phone.follow()
    await phone.wait_for("Xin chào")
    await phone.say("phản ánh")
    await phone.wait_for("về việc gì")
    await live.until(lambda: all_out(live))
    received = [m for m in await live.rows(MessageRow) if m.direction == "in"]
    assert [m.text for m in received if not m.text.startswith("/")] == ["phản ánh"]
    assert len(phone.inbox) == 2


async def test_what_a_person_typed_in_the_oa_tool_silences_the_bot(live: Live) -> None:
    phone = await live.phone()
    await phone.follow()
    await phone.wait_for("Xin chào")
    await phone.staff_reply(text="Chào anh, em xem ngay ạ")
    await live.until(lambda: noted(live, "oa_tool"))
    before = len(phone.inbox)
    await phone.say("cảm ơn em nhé")
    await live.until(lambda: noted(live, "citizen"))
    assert len(phone.inbox) == before


async def noted(live: Live, author: str) -> bool:
    return any(m.author == author for m in await live.rows(MessageRow))
