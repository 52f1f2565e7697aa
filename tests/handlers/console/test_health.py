"""The page that names what is stuck: one test for each of its lines."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import first_id, new_id
from bot.health import machine
from bot.health import report as reporting
from bot.health.line import Light, Line
from bot.health.report import report
from bot.queue import JOBS
from bot.runtime import Runtime
from bot.store import books, processes
from bot.store import health as store
from bot.store.accounts import AccountRow
from bot.store.books import ReconciliationRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.contacts import ConversationRow
from bot.store.credentials import CredentialRow
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierGuessesRow, DossierRow
from bot.store.health import JobRunRow
from bot.store.inbox import InboxRow
from bot.store.messages import AttachmentRow, MessageRow
from bot.store.outbox import LANES, OutboxRow
from bot.store.processes import ProcessRow
from jobs.reconcile import reconcile
from tests.bot.store.test_inbox import arrival
from tests.handlers.console.visitor import Office


async def add(office: Office, *rows: Any) -> None:
    async with office.runtime.units_of_work() as uow:
        uow.session.add_all(rows)


def inbox_row(office: Office, **values: Any) -> InboxRow:
    now = office.clock.now
    made = {
        "provider": "zalo", "account": "1", "event": "user_send_text", "key": "k", "contact": "c", "raw": b"{}",
        "next_attempt_at": now, "occurred_at": now, "received_at": now,
    }  # fmt: skip
    return InboxRow(**(made | values))


async def outbox_row(office: Office, **values: Any) -> OutboxRow:
    case = await office.make_case()
    row = OutboxRow(
        id=values.pop("id", "out"), account_id="account", contact_id=case.contact_id, case_id=case.id, purpose="answer",
        lane=values.pop("lane", 0), body={"text": "x"}, text="x", created_at=office.clock.now, **values,
    )  # fmt: skip
    await add(office, row)
    return row


async def line(runtime: Runtime, key: str, subject: str = "") -> Line:
    found = await report(runtime)
    [one] = [one for one in found.of(key) if not subject or one.subject == subject]
    return one


async def everything_well(office: Office) -> None:
    now = office.clock.now
    await add(
        office,
        ProcessRow(id="p", kind="serve", host="one", pid=1, started_at=now, seen_at=now),
        ReconciliationRow(name="books", at=now, found=[]),
    )
    await add(office, *(JobRunRow(name=job.name, started_at=now, finished_at=now) for job in JOBS if job.every))
    async with office.runtime.units_of_work() as uow:
        account = await uow.session.get(AccountRow, "account")
        assert account is not None
        account.last_update_at = now
        seal = office.runtime.box.seal
        expires = now + timedelta(hours=20)
        uow.session.add(
            CredentialRow(account_id="account", access_token=seal("a"), refresh_token=seal("r"), expires_at=expires)
        )


async def test_a_service_that_is_well_says_so(office: Office) -> None:
    await everything_well(office)
    found = await report(office.runtime)
    assert [one.key for one in found.stuck if one.key != "disk"] == []
    page = await (await office.enter("admin")).page("/health")
    assert "Mọi thứ hoạt động bình thường" in page or "Đĩa còn trống" in page


async def test_every_periodic_job_has_a_name_that_people_understand(office: Office) -> None:
    await everything_well(office)
    page = await (await office.enter("admin")).page("/health")
    assert [job.name for job in JOBS if job.every and f"{job.name}:" in page] == []


async def test_an_update_that_nobody_handles(office: Office) -> None:
    await add(office, inbox_row(office))
    assert (await line(office.runtime, "inbox")).light is Light.OK
    office.clock.forward(minutes=2)
    assert (await line(office.runtime, "inbox")).light is Light.WARN
    office.clock.forward(minutes=4)
    assert (await line(office.runtime, "inbox")).light is Light.BAD
    page = await (await office.enter("admin")).page("/health")
    assert "1 tin đến đang chờ" in page
    assert "Tiến trình xử lý có thể đã dừng" in page


async def test_a_long_queue_that_moves_is_no_dead_worker(office: Office) -> None:
    await add(office, inbox_row(office))
    office.clock.forward(minutes=30)
    await add(office, JobRunRow(name="handle_updates", started_at=office.clock.now, finished_at=office.clock.now))
    assert (await line(office.runtime, "inbox")).light is Light.WARN


@pytest.mark.parametrize(("lane", "late", "stuck"), [("answer", 3, 16), ("notice", 11, 61), ("broadcast", 121, 1441)])
async def test_messages_that_do_not_leave(office: Office, lane: str, late: int, stuck: int) -> None:
    await outbox_row(office, lane=LANES[lane], next_attempt_at=office.clock.now)
    assert (await line(office.runtime, "lane", lane)).light is Light.OK
    office.clock.forward(minutes=late)
    assert (await line(office.runtime, "lane", lane)).light is Light.WARN
    office.clock.forward(minutes=stuck - late)
    assert (await line(office.runtime, "lane", lane)).light is Light.BAD


async def test_parked_updates_are_shown_and_tried_again(office: Office) -> None:
    raw = b'{"event_name": "odd", "text": "<b>"}'
    await add(office, inbox_row(office, state="parked", error="KeyError: <message>", attempts=5, raw=raw))
    visitor = await office.enter("admin")
    page = await visitor.page("/health")
    assert "1 tin đến không xử lý được" in page
    assert "Xử lý bị lỗi 5 lần" in page
    assert "KeyError: &lt;message&gt;" in page.split("<summary")[-1]
    assert "&lt;b&gt;" not in page
    row_id = page.split("/health/updates/")[1].split("/")[0]
    assert "&lt;b&gt;" in await visitor.page(f"/health/updates/{row_id}")
    assert (await visitor.post(f"/health/updates/{row_id}/retry")).status == 303
    assert (await line(office.runtime, "parked")).light is Light.OK
    assert (await visitor.post(f"/health/updates/{row_id}/retry")).status == 404
    for odd in ("x", "%C2%B2", "9" * 30, "-1"):
        assert (await visitor.get(f"/health/updates/{odd}")).status == 404


async def test_only_an_administrator_reads_raw_updates(office: Office) -> None:
    await add(office, inbox_row(office, state="parked"))
    for key in ("head", "leader", "auditor"):
        assert (await (await office.enter(key)).get("/health/updates/1")).status == 403


async def test_failed_messages_are_grouped_and_sent_again(office: Office) -> None:
    now = office.clock.now
    await outbox_row(office, id="a", state="failed", failed_at=now, reason="recipient_inactive")
    await outbox_row(office, id="b", state="failed", failed_at=now, reason="recipient_inactive")
    await outbox_row(office, id="c", state="failed", failed_at=now, reason="text_too_long")
    visitor = await office.enter("admin")
    page = await visitor.page("/health")
    assert "2 tin không gửi được:" in page
    assert "hơn 45 ngày" in page
    await visitor.post("/health/failures/retry", {"reason": "recipient_inactive"})
    assert [one.subject for one in (await report(office.runtime)).of("failures")] == ["text_too_long"]
    assert (await visitor.post("/health/messages/c/retry")).status == 303
    assert (await visitor.post("/health/messages/c/retry")).status == 404
    assert (await report(office.runtime)).of("failures") == []


async def test_forged_webhooks_are_loud_while_they_last(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        await store.add_refusals(uow.session, "zalo", "bad_signature", 7, uow.now)
    assert (await line(office.runtime, "refused")).light is Light.BAD
    page = await (await office.enter("admin")).page("/health")
    assert "Đã từ chối 7 tin từ Zalo vì chữ ký không đúng" in page
    assert "tắt webhook sau khoảng 2 giờ" in page
    office.clock.forward(hours=3)
    assert (await line(office.runtime, "refused")).light is Light.WARN
    office.clock.forward(hours=24)
    assert (await report(office.runtime)).of("refused") == []


@pytest.mark.parametrize("reason", ["too_large", "not_json"])
async def test_other_refusals_are_named_quietly(office: Office, reason: str) -> None:
    async with office.runtime.units_of_work() as uow:
        await store.add_refusals(uow.session, "zalo", reason, 1, uow.now)
    assert (await line(office.runtime, "refused", reason)).light is Light.WARN


async def test_an_account_that_is_not_set_up(office: Office) -> None:
    await add(office, inbox_row(office, account="998877", state="no_account"))
    page = await (await office.enter("admin")).page("/health")
    assert "OA 998877 đang gửi tin đến nhưng chưa được thêm" in page
    assert "/admin/accounts/new?oa_id=998877" in page


async def test_a_stopped_account_says_why_and_what_to_do(office: Office) -> None:
    await everything_well(office)
    async with office.runtime.units_of_work() as uow:
        account = await uow.session.get(AccountRow, "account")
        assert account is not None
        account.state, account.stopped_reason, account.stopped_at = "stopped", "refresh_token_dead", uow.now
    found = await line(office.runtime, "account")
    assert (found.light, found.values["why"]) == (Light.BAD, "stopped")
    page = await (await office.enter("admin")).page("/health")
    assert "Kết nối lại tài khoản" in page


@pytest.mark.parametrize(
    ("change", "why", "light"),
    [
        ({"access_token": None}, "no_token", Light.BAD),
        ({"error": "timeout"}, "refresh_fails", Light.WARN),
        ({"expires_at": timedelta(hours=1)}, "token_soon", Light.WARN),
        ({"expires_at": timedelta(hours=-1)}, "token_soon", Light.BAD),
    ],
)
async def test_tokens_that_need_a_look(office: Office, change: dict[str, Any], why: str, light: Light) -> None:
    await everything_well(office)
    async with office.runtime.units_of_work() as uow:
        row = await uow.session.get(CredentialRow, "account")
        assert row is not None
        for name, value in change.items():
            setattr(row, name, uow.now + value if isinstance(value, timedelta) else value)
    found = await line(office.runtime, "account")
    assert (found.values["why"], found.light) == (why, light)


async def test_an_unreadable_update_is_explained_in_words(office: Office) -> None:
    await add(office, inbox_row(office, state="parked", error="UnreadableError: no msg_id", attempts=1))
    page = await (await office.enter("admin")).page("/health")
    assert "thiếu mã tin hoặc sai cấu trúc" in page
    assert "UnreadableError" not in page.split("<details")[0]


@pytest.mark.parametrize("path", ["/health", "/admin/accounts"])
async def test_quotas_and_failed_renewals_are_said_in_words(office: Office, path: str) -> None:
    await everything_well(office)
    async with office.runtime.units_of_work() as uow:
        account = await uow.session.get(AccountRow, "account")
        secret = await uow.session.get(CredentialRow, "account")
        assert account is not None
        assert secret is not None
        account.quota = {
            "reply": {"remaining": None, "at": uow.now.isoformat()},
            "welcome_msg": {"remaining": 2, "at": (uow.now - timedelta(days=2)).isoformat()},
        }
        secret.error = "refresh_token_dead Invalid refresh token"
    page = await (await office.enter("admin")).page(path)
    assert "Tin trả lời miễn phí" in page
    assert "không giới hạn (lúc " in page
    assert "còn 2 (lúc " in page
    assert "remaining" not in page
    assert "Mã làm mới của OA không còn hiệu lực." in page
    assert "Invalid refresh token" not in page.split("<details")[0]


async def test_an_account_that_hears_nothing(office: Office) -> None:
    await everything_well(office)
    office.clock.forward(days=8)
    async with office.runtime.units_of_work() as uow:
        row = await uow.session.get(CredentialRow, "account")
        assert row is not None
        row.expires_at = uow.now + timedelta(hours=20)
    assert (await line(office.runtime, "account")).values["why"] == "quiet"


async def test_a_job_that_is_late_fails_or_has_never_run(office: Office) -> None:
    assert (await line(office.runtime, "job", "forget")).light is Light.WARN
    await everything_well(office)
    assert (await line(office.runtime, "job", "forget")).light is Light.OK
    office.clock.forward(hours=4)
    assert (await line(office.runtime, "job", "forget")).light is Light.BAD
    async with office.runtime.units_of_work() as uow:
        await store.job_started(uow.session, "forget", uow.now)
        await store.job_ended(uow.session, "forget", uow.now, "disk full")
    found = await line(office.runtime, "job", "forget")
    assert (found.light, found.values["error"]) == (Light.WARN, "disk full")


async def test_what_lies_in_the_spool(office: Office) -> None:
    spool = office.runtime.intake.spool
    spool.write([arrival("a"), arrival("b")])
    found = await line(office.runtime, "spool")
    assert (found.light, found.values["number"]) == (Light.WARN, 2)
    assert found.values["size"] > 0
    assert "2 tin (" in await advice_page(office)
    assert (await scrape(office))["loa_spool_bytes"] == found.values["size"]
    spool.remove(spool.files())
    assert (await line(office.runtime, "spool")).light is Light.OK


async def test_what_was_set_aside_waits_for_a_person(office: Office) -> None:
    assert (await report(office.runtime)).of("aside") == []
    office.runtime.intake.spool.set_aside([arrival("a")])
    assert (await line(office.runtime, "aside")).light is Light.WARN
    assert "đuôi .broken được giữ nguyên" in await advice_page(office)


async def test_a_disk_that_is_nearly_full(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LOW_DISK", 10**18)
    assert {one.light for one in (await report(office.runtime)).of("disk")} == {Light.WARN}
    monkeypatch.setattr(machine, "NO_DISK", 10**18)
    found = await report(office.runtime)
    assert not found.able_to_serve


async def test_a_database_that_is_down_is_a_line_and_no_failure(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = await office.enter("admin")

    async def refuse(*_: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(reporting, "database_lines", refuse)
    found = await report(office.runtime)
    assert not found.able_to_serve
    assert found.light is Light.BAD
    page = await visitor.page("/health")
    assert "Cơ sở dữ liệu không trả lời (OSError)" in page


async def test_a_queue_that_is_down(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse() -> None:
        raise OSError("gone")

    monkeypatch.setattr(office.runtime.queue, "ping", refuse)
    assert (await line(office.runtime, "queue")).light is Light.WARN


async def test_the_report_speaks_to_machines_too(office: Office) -> None:
    await add(office, inbox_row(office, state="parked"))
    found = (await report(office.runtime)).to_json()
    assert found["light"] == "bad"
    assert {"what": "parked", "which": "", "light": "bad", "number": 1} in found["stuck"]


async def test_the_page_reads_as_well_in_english(office: Office) -> None:
    await everything_well(office)
    office.runtime.settings = replace(office.runtime.settings)
    visitor = await office.enter("admin")
    await visitor.post("/me/language", {"language": "en"})
    page = await visitor.page("/health")
    assert "System health" in page
    assert "Handling updates: last finished" in page


async def advice_page(office: Office) -> str:
    return await (await office.enter("admin")).page("/health")


async def test_a_long_queue_out_that_moves_is_no_dead_worker(office: Office) -> None:
    now = office.clock.now
    await outbox_row(office, id="a", lane=0, next_attempt_at=now)
    office.clock.forward(hours=2)
    soon = office.clock.now + timedelta(minutes=1)
    held = {"state": "sending", "lease": "x", "leased_until": soon, "sending_at": office.clock.now}
    await outbox_row(office, id="b", lane=0, next_attempt_at=now, **held)
    assert (await line(office.runtime, "lane", "answer")).light is Light.WARN


async def test_an_update_in_a_living_hand_is_no_dead_worker(office: Office) -> None:
    later = office.clock.now + timedelta(minutes=31)
    await add(office, inbox_row(office), inbox_row(office, key="b", state="handling", lease="x", leased_until=later))
    office.clock.forward(minutes=30)
    assert (await line(office.runtime, "inbox")).light is Light.WARN
    office.clock.forward(minutes=2)
    assert (await line(office.runtime, "inbox")).light is Light.BAD


async def test_messages_in_doubt(office: Office) -> None:
    now = office.clock.now
    assert (await line(office.runtime, "doubt")).light is Light.OK
    await outbox_row(office, id="a", state="unknown", sending_at=now)
    await outbox_row(office, id="b", state="sending", sending_at=now, leased_until=now + timedelta(minutes=1))
    assert (await line(office.runtime, "doubt")).values["number"] == 1
    office.clock.forward(minutes=4)
    found = await line(office.runtime, "doubt")
    assert (found.light, found.values["number"]) == (Light.WARN, 2)
    assert "2 tin chưa rõ người dân đã nhận được hay chưa" in await advice_page(office)
    office.clock.forward(minutes=30)
    assert (await line(office.runtime, "doubt")).light is Light.BAD


async def test_a_conversation_in_which_the_bot_should_go_on(office: Office) -> None:
    case = await office.make_case()
    async with office.runtime.units_of_work() as uow:
        row = await uow.session.get(ConversationRow, case.contact_id)
        if row is None:
            row = ConversationRow(contact_id=case.contact_id, updated_at=uow.now)
            uow.session.add(row)
        row.resume_at = uow.now
    for minutes, light in ((0, Light.OK), (2, Light.WARN), (10, Light.BAD)):
        office.clock.forward(minutes=minutes)
        assert (await line(office.runtime, "conversations")).light is light
    assert "1 hội thoại đang chờ trợ lý ảo trả lời tiếp" in await advice_page(office)


async def test_attachments_that_cannot_be_fetched(office: Office) -> None:
    case = await office.make_case()
    now = office.clock.now
    message = MessageRow(
        id="m", account_id="account", contact_id=case.contact_id, direction="in", author="citizen", occurred_at=now
    )
    await add(office, message)
    await add(office, AttachmentRow(id="a", message_id="m", kind="image", state="pending", next_attempt_at=now))
    assert (await line(office.runtime, "attachments")).light is Light.OK
    office.clock.forward(minutes=11)
    assert (await line(office.runtime, "attachments")).light is Light.WARN
    assert "1 ảnh và tệp của người dân chưa tải về được" in await advice_page(office)
    office.clock.forward(hours=2)
    assert (await line(office.runtime, "attachments")).light is Light.BAD
    at = office.clock.now
    await add(office, JobRunRow(name="fetch_attachments", started_at=at, finished_at=at))
    assert (await line(office.runtime, "attachments")).light is Light.WARN


async def test_people_who_guess_codes_of_dossiers(office: Office) -> None:
    case = await office.make_case()
    now = office.clock.now
    until = now + timedelta(minutes=10)
    row = DossierGuessesRow(contact_id=case.contact_id or "", since=now, misses=10, blocked_until=until)
    await add(office, row)
    found = await line(office.runtime, "dossier_guesses", "account")
    assert (found.light, found.values["number"]) == (Light.WARN, 1)
    shown = await advice_page(office)
    assert "UBND xã Thanh Oai: 1 người hỏi nhiều mã hồ sơ không có" in shown
    assert "dò mã hồ sơ" in shown
    office.clock.forward(minutes=11)
    assert (await report(office.runtime)).of("dossier_guesses") == []


async def test_news_of_dossiers_that_is_stuck_or_does_not_fit_its_template(office: Office) -> None:
    now = office.clock.now
    dossier = DossierRow(
        id="d", code="c", squeezed="c", tail="1", unit_id="commune", path="/commune/", status=2, status_at=now,
        created_at=now, updated_at=now,
    )  # fmt: skip
    await add(office, dossier)
    rows = [
        DossierNoticeRow(id=new_id(), dossier_id="d", kind=kind, at=now, created_at=now, **values)
        for kind, values in (
            ("accepted", {"next_at": now}),
            ("ready", {"state": "unreached", "reason": "template_unfit"}),
            ("returned", {"state": "unreached", "reason": "nobody_known"}),
        )
    ]
    await add(office, *rows)
    assert (await line(office.runtime, "dossier_notices")).light is Light.OK
    office.clock.forward(minutes=11)
    assert (await line(office.runtime, "dossier_notices")).light is Light.WARN
    assert [one.subject for one in (await report(office.runtime)).of("dossier_unreached")] == ["template_unfit"]
    shown = await advice_page(office)
    assert "1 tin báo hồ sơ đang chờ báo" in shown
    assert "Hãy xem lại mẫu tin" in shown


async def broadcast(office: Office, state: str, **values: Any) -> int:
    made = {"account_id": "account", "unit_id": "commune", "message": {"text": "x"}, "created_at": office.clock.now}
    row = BroadcastRow(state=state, total=1000, **(made | values))
    await add(office, row)
    assert row.id is not None
    await add(office, ChunkRow(broadcast_id=row.id, first=1, last=500, state="done"))
    await add(office, ChunkRow(broadcast_id=row.id, first=501, last=1000))
    return row.id


@pytest.mark.parametrize(
    ("state", "words"), [("planning", "chưa xong"), ("running", "không gửi thêm được tin nào; còn 500 trên 1000")]
)
async def test_a_broadcast_without_progress_counts_from_its_last_progress(
    office: Office, state: str, words: str
) -> None:
    number = await broadcast(office, state, started_at=office.clock.now - timedelta(hours=9))
    async with office.runtime.units_of_work() as uow:
        row = await uow.session.get(BroadcastRow, number)
        assert row is not None
        row.progress_at = uow.now
    for minutes, light in ((0, Light.OK), (11, Light.WARN), (20, Light.BAD)):
        office.clock.forward(minutes=minutes)
        found = await line(office.runtime, "broadcast")
        assert (found.light, found.values["left"]) == (light, 500)
    assert words in await advice_page(office)


async def test_a_broadcast_that_rests_says_why_and_until_when(office: Office) -> None:
    await broadcast(office, "paused", paused_reason="quota_day", resume_at=office.clock.now + timedelta(hours=1))
    assert (await line(office.runtime, "broadcast")).light is Light.OK
    assert "tạm nghỉ đến" in await advice_page(office)
    office.clock.forward(minutes=65)
    assert (await line(office.runtime, "broadcast")).light is Light.WARN
    assert "lẽ ra đã gửi tiếp từ" in await advice_page(office)
    office.clock.forward(minutes=30)
    assert (await line(office.runtime, "broadcast")).light is Light.BAD


async def test_a_broadcast_that_waits_for_a_person(office: Office) -> None:
    await broadcast(office, "paused", paused_reason="oa_blocked")
    await broadcast(office, "finished", finished_at=office.clock.now)
    assert (await line(office.runtime, "broadcast")).light is Light.WARN
    assert "Sau khi xử lý nguyên nhân, bấm “Gửi tiếp”" in await advice_page(office)


async def test_a_range_whose_holder_is_gone(office: Office) -> None:
    number = await broadcast(office, "running")
    assert (await report(office.runtime)).of("ranges") == []
    until = office.clock.now
    await add(office, ChunkRow(broadcast_id=number, first=1001, last=1500, state="running", leased_until=until))
    office.clock.forward(minutes=3)
    assert (await line(office.runtime, "ranges")).light is Light.WARN
    assert "một tiến trình không còn hoạt động giữ" in await advice_page(office)
    office.clock.forward(minutes=15)
    assert (await line(office.runtime, "ranges")).light is Light.BAD


async def test_recipients_of_a_broadcast_in_doubt(office: Office) -> None:
    number = await broadcast(office, "running", progress_at=office.clock.now)
    at = office.clock.now
    made = {"broadcast_id": number, "address": "r", "sending_at": at}
    await add(
        office,
        *(DeliveryRow(n=n, recipient=str(n), state="unknown", **made) for n in (1, 2)),
        DeliveryRow(n=3, recipient="3", state="sent", **made),
    )
    assert (await report(office.runtime)).of("broadcast_doubt") == []
    async with office.runtime.units_of_work() as uow:
        done = await uow.session.get(ChunkRow, (number, 1))
        assert done is not None
        done.doubtful = True
    found = await line(office.runtime, "broadcast_doubt")
    assert (found.light, found.values["number"]) == (Light.OK, 2)
    office.clock.forward(minutes=4)
    assert (await line(office.runtime, "broadcast_doubt")).light is Light.WARN
    assert "2 người nhận thông báo chưa rõ đã nhận được hay chưa, lâu nhất 4 phút" in await advice_page(office)
    assert "không gửi lại để không ai nhận hai lần" in await advice_page(office)
    office.clock.forward(minutes=30)
    assert (await line(office.runtime, "broadcast_doubt")).light is Light.BAD
    measured = await scrape(office)
    assert measured['loa_backlog{queue="broadcast_doubt"}'] == 2
    assert measured['loa_queue_age_seconds{queue="broadcast_doubt"}'] >= 34 * 60


@pytest.mark.parametrize(
    ("waiting", "arrived", "light"), [(3, 5, None), (50, 0, None), (20, 80, Light.OK), (60, 40, Light.WARN)]
)
async def test_receipts_that_stay_away_where_receipts_come(
    office: Office, waiting: int, arrived: int, light: Light | None
) -> None:
    found = [{"account": "account", "waiting": waiting, "arrived": arrived}]
    await add(office, ReconciliationRow(name="receipts", at=office.clock.now, found=found))
    assert [one.light for one in (await report(office.runtime)).of("receipts")] == ([light] if light else [])
    if light is Light.WARN:
        assert "60 trên 100 tin gửi đã hơn 72 giờ" in await advice_page(office)


async def test_receipts_are_counted_by_account_and_time(office: Office) -> None:
    now = office.clock.now
    for row_id, state, days in (("a", "sent", 4), ("b", "seen", 4), ("c", "sent", 1), ("d", "sent", 9)):
        await outbox_row(office, id=first_id(now - timedelta(days=days))[:25] + row_id.upper(), state=state)
    await reconcile(office.runtime)
    async with office.runtime.database.reading() as session:
        kept = await books.last_result(session, "receipts")
    assert kept is not None
    assert kept.found == [{"account": "account", "waiting": 1, "arrived": 1}]


@pytest.mark.parametrize(
    ("seconds", "light", "words"),
    [(4, None, ""), (-6, Light.WARN, "nhanh 6 giây"), (6, Light.WARN, "chậm 6 giây"), (3600, Light.BAD, "chậm 3600")],
)
async def test_a_clock_that_is_wrong(office: Office, seconds: int, light: Light | None, words: str) -> None:
    office.runtime.clock_offset = lambda: timedelta(seconds=seconds)
    assert [one.light for one in (await report(office.runtime)).of("clock")] == ([light] if light else [])
    assert words in await advice_page(office)


def process(office: Office, kind: str, name: str) -> ProcessRow:
    now = office.clock.now
    return ProcessRow(id=name, kind=kind, host=name, pid=7, started_at=now, seen_at=now)


async def test_which_processes_are_there(office: Office) -> None:
    await add(office, process(office, "web", "one"), process(office, "web", "two"))
    assert (await line(office.runtime, "processes")).light is Light.BAD
    assert "Không có tiến trình nào đang làm việc nền" in await advice_page(office)
    await add(office, process(office, "worker", "three"))
    assert (await line(office.runtime, "processes")).light is Light.OK
    assert "Đang chạy 2 tiến trình web và 1 tiến trình làm việc nền" in await advice_page(office)


async def test_a_process_that_vanished_is_named_and_then_forgotten(office: Office) -> None:
    gone = process(office, "worker", "far-host")
    await add(office, gone)
    office.clock.forward(minutes=2)
    here = process(office, "worker", "near")
    await add(office, here)
    assert (await line(office.runtime, "vanished")).subject == "far-host"
    assert "Một tiến trình worker trên máy far-host im lặng từ" in await advice_page(office)
    office.clock.forward(hours=1)
    async with office.runtime.units_of_work() as uow:
        await processes.say_alive(uow.session, here, uow.now)
    assert (await report(office.runtime)).of("vanished") == []
    assert (await line(office.runtime, "processes")).light is Light.OK


async def test_books_that_do_not_add_up(office: Office) -> None:
    assert (await line(office.runtime, "books")).light is Light.WARN
    found: list[dict[str, Any]] = [
        {"what": what, "subject": "2026-11-23", "expected": 7, "found": 5, "ids": []}
        for what in ("inbox_sum", "inbox_state", "outbox_sum", "not_made", "not_said", "outbox_state")
    ] + [
        {"what": what, "subject": "12", "expected": 7, "found": 5, "ids": []}
        for what in ("broadcast_sum", "broadcast_ranges", "broadcast_open", "broadcast_state")
    ]
    await add(office, ReconciliationRow(name="books", at=office.clock.now, found=found))
    assert (await line(office.runtime, "books")).light is Light.BAD
    page = await advice_page(office)
    assert "Sổ sách không khớp ở 10 chỗ" in page
    assert "Ngày 23/11/2026: đã lưu 7 tin đến, nhưng chỉ biết kết cục của 5 tin" in page
    assert page.count("Thông báo số 12:") == 4
    assert "loa reconcile" in page


async def test_books_that_nobody_has_checked_for_days(office: Office) -> None:
    await add(office, ReconciliationRow(name="books", at=office.clock.now, found=[]))
    assert (await line(office.runtime, "books")).light is Light.OK
    office.clock.forward(hours=51)
    assert (await line(office.runtime, "books")).light is Light.WARN
    assert "Việc đối chiếu chạy mỗi ngày một lần" in await advice_page(office)


async def scrape(office: Office) -> dict[str, float]:
    answer = await office.client.get("/metrics")
    assert answer.status == 200
    lines = [text for text in (await answer.text()).splitlines() if text.startswith("loa_")]
    return {name: float(value) for name, value in (text.rsplit(" ", 1) for text in lines)}


async def test_a_scrape_shows_what_waits_now(office: Office) -> None:
    await add(office, inbox_row(office), inbox_row(office, key="p", state="parked"))
    await outbox_row(office, lane=1, next_attempt_at=office.clock.now)
    await broadcast(office, "running")
    office.clock.forward(seconds=90)
    found = await scrape(office)
    assert found['loa_backlog{queue="inbox"}'] == 1
    assert 90 <= found['loa_queue_age_seconds{queue="inbox"}'] < 92
    assert found['loa_backlog{queue="notice"}'] == 1
    assert found['loa_backlog{queue="broadcast"}'] == 500
    assert 90 <= found['loa_queue_age_seconds{queue="broadcast"}'] < 92
    assert found["loa_parked"] == 1
    assert found["loa_database_up"] == 1
    office.clock.forward(seconds=60)
    assert 150 <= (await scrape(office))['loa_queue_age_seconds{queue="inbox"}'] < 152


async def test_many_scrapes_read_the_database_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    reading = office.runtime.database.reading

    def counted() -> Any:
        nonlocal reads
        reads += 1
        return reading()

    monkeypatch.setattr(office.runtime.database, "reading", counted)
    for _ in range(5):
        await scrape(office)
    assert reads == 1


async def test_a_scrape_while_the_database_is_down_says_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise OSError("gone")

    monkeypatch.setattr(office.runtime.database, "reading", refuse)
    assert (await scrape(office))["loa_database_up"] == 0
