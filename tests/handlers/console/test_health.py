"""The page that names what is stuck: one test for each of its lines."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot import health as looking
from bot.health import Light, Line, report
from bot.queue import JOBS
from bot.runtime import Runtime
from bot.store import health as store
from bot.store.accounts import AccountRow
from bot.store.credentials import CredentialRow
from bot.store.health import JobRunRow
from bot.store.inbox import InboxRow
from bot.store.outbox import LANES, OutboxRow
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
    (office.runtime.intake.spool.folder / "1.json").write_text("{}")
    found = await line(office.runtime, "spool")
    assert (found.light, found.values["number"]) == (Light.WARN, 1)


async def test_a_disk_that_is_nearly_full(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOW_DISK", 10**18)
    assert {one.light for one in (await report(office.runtime)).of("disk")} == {Light.WARN}
    monkeypatch.setattr(looking, "NO_DISK", 10**18)
    found = await report(office.runtime)
    assert not found.able_to_serve


async def test_a_database_that_is_down_is_a_line_and_no_failure(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = await office.enter("admin")

    async def refuse(*_: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(looking, "_database_lines", refuse)
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
    looking.set_gauges(await report(office.runtime))
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
