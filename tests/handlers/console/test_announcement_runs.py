"""A run of an announcement in the console: how far it is, why it rests, who was not reached, what came of it."""

import asyncio
import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse
from openpyxl import load_workbook
from sqlmodel import col, select

from bot.actions import announcement_runs, announcements, staff
from bot.actions.messages import receive
from bot.domain.audience import Audience
from bot.domain.schedule import Schedule
from bot.domain.update import MessageReceived
from bot.health.line import Light, Line
from bot.health.report import report
from bot.runtime import Runtime
from bot.store import accounts
from bot.store.announcements import RunRow
from bot.store.audit import AuditRow
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.marks import MarkRow
from bot.store.unit_of_work import Actor
from bot.store.units import AreaRow
from handlers.keys import Route
from handlers.recent import RECENT, Recent
from handlers.routes import TABLE
from jobs.plan_announcements import plan_announcements
from tests.commune import ROLES
from tests.handlers.console.visitor import Office, Visitor

MORNING = datetime.fromisoformat("2026-11-27T02:00:00+00:00")
PHONE = "84900000001"
MINE: list[Route] = [route for route in TABLE if "/runs/{run}" in route.path]


async def hired(office: Office, role: str, unit: str = "commune") -> Visitor:
    """Let somebody work here with a role that the commune of the tests gives to nobody, and sign them in."""
    async with office.runtime.units_of_work() as uow:
        row = await staff.add_staff(uow, f"{role}.{unit}@thanhoai.example", f"Cán bộ {role}", "-", role, unit)
    return await office.enter(row.id)


async def people(runtime: Runtime, number: int) -> None:
    async with runtime.units_of_work() as uow:
        for n in range(number):
            uow.session.add(
                ContactRow(
                    id=f"c{n:02d}", account_id="account", external_id=f"u{n:02d}", name=f"Người Thứ {n:02d}",
                    phone=runtime.box.seal(PHONE), phone_hash=f"h{n}", created_at=uow.now, last_interaction_at=uow.now,
                )
            )  # fmt: skip


async def begun(office: Office, number: int = 5, kind: str = "notice") -> str:
    """Approve an announcement to so many people and let it be planned and let go; returns the address of its run."""
    runtime = office.runtime
    office.clock.now = MORNING
    await people(runtime, number)
    async with runtime.units_of_work(Actor("staff", "official", "Cán bộ soạn")) as uow:
        row = await announcements.create(uow, "commune")
        words = {"title": "Họp thôn", "text": "Mời họp"}
        row = await announcements.write(uow, row.id, row.version, kind=kind, topic_id=None, words=words)
        row = await announcements.choose(uow, row.id, row.version, Audience())
        row = await announcements.set_schedule(uow, row.id, row.version, Schedule())
        row = await announcements.submit(uow, row.id, row.version)
    async with runtime.units_of_work(Actor("staff", "leader", "Chủ tịch")) as uow:
        await announcements.approve(uow, row.id, row.version, confirmed=True)
    await plan_announcements(runtime)
    run = await the_run(runtime)
    return f"/announcements/{row.id}/runs/{run.id}"


async def the_run(runtime: Runtime) -> RunRow:
    async with runtime.database.reading() as session:
        return (await session.exec(select(RunRow))).one()


async def became(office: Office, *states: tuple[str, str]) -> None:
    """Write what became of the recipients, in their order."""
    async with office.runtime.units_of_work() as uow:
        rows = (await uow.session.exec(select(DeliveryRow).order_by(col(DeliveryRow.n)))).all()
        for row, (state, reason) in zip(rows, states, strict=False):
            row.state, row.reason = state, reason
            if state in {"sent", "delivered", "seen"}:
                row.sending_at = row.sent_at = uow.now
                row.provider_id = f"m{row.n}"
    forget(office)


def forget(office: Office) -> None:
    """Let the next page count anew."""
    server: Any = office.client.server
    recent = server.app[RECENT]
    assert isinstance(recent, Recent)
    recent.forget()


async def broadcast(runtime: Runtime) -> BroadcastRow:
    async with runtime.database.reading() as session:
        return (await session.exec(select(BroadcastRow))).one()


async def test_a_run_shows_exact_counts_the_rate_and_the_expected_end(office: Office) -> None:
    address = await begun(office, 8)
    await became(office, ("seen", ""), ("delivered", ""), ("sent", ""), ("failed", "recipient_blocked"))
    office.clock.forward(minutes=1)
    page = await (await hired(office, "broadcaster")).page(address)
    figures = page.split("run-figures")[1].split("</dl>")[0]
    numbers = [part.split("</dd>")[0] for part in figures.split("<dd>")[1:]]
    assert numbers == ["8", "3", "2", "1", "1", "0", "4"]
    assert "Khoảng 3 tin mỗi phút" in page
    assert "Dự kiến xong lúc 27/11/2026 09:02" in page
    assert "Người dân đã chặn kênh này" in page
    number = (await broadcast(office.runtime)).id
    assert f"sse:broadcast:{number} throttle:2s" in page
    bar = page.split('class="run-bar"')[1].split("</svg>")[0]
    widths = [int(part.split('"')[0]) for part in bar.split('width="')[1:]]
    assert sum(widths) == 1000


async def test_a_run_is_paused_let_go_on_slowed_down_and_stopped_with_an_exact_remainder(office: Office) -> None:
    address = await begun(office, 6)
    await became(office, ("sent", ""), ("sent", ""))
    visitor = await hired(office, "broadcaster")
    answer = await visitor.post(f"{address}/pause")
    assert (answer.status, answer.headers["Location"]) == (303, f"{address}?done=run_paused")
    page = await visitor.page(address)
    assert "Cán bộ đã bấm tạm dừng" in page
    assert "Gửi tiếp" in page
    assert "Dự kiến xong" not in page
    assert (await broadcast(office.runtime)).paused_reason == "by_hand"
    await visitor.post(f"{address}/speed", {"per_minute": "30"})
    assert (await broadcast(office.runtime)).per_minute == 30
    assert (await visitor.post(f"{address}/speed", {"per_minute": "-1"})).status == 422
    assert (await visitor.post(f"{address}/speed", {"per_minute": "nhiều"})).status == 422
    await visitor.post(f"{address}/speed", {"per_minute": ""})
    assert (await broadcast(office.runtime)).per_minute == 0
    assert (await visitor.post(f"{address}/resume")).status == 303
    assert (await broadcast(office.runtime)).state == "running"
    asked = await visitor.page(f"{address}/stop")
    assert "4 người sẽ không nhận được" in asked
    assert "2 người đã được gửi" in asked
    assert "con số trên giảm dần" in asked
    assert "4 người sẽ không nhận được" in await (await visitor.post(f"{address}/stop")).text()
    assert (await broadcast(office.runtime)).state == "running", "not before it was confirmed"
    await visitor.post(f"{address}/stop", {"confirmed": "yes"})
    assert (await broadcast(office.runtime)).state == "stopped"
    late = await visitor.post(f"{address}/resume")
    assert late.status == 409
    assert "Đây là tình trạng lúc này" in await late.text()
    assert "không còn gì để dừng" in await visitor.page(f"{address}/stop")
    async with office.runtime.database.reading() as session:
        deeds = {row.action for row in (await session.exec(select(AuditRow))).all()}
    verbs = ("pause", "resume", "slow_down", "stop")
    assert {f"announcement.{verb}" for verb in verbs} <= deeds


@pytest.mark.parametrize(
    ("reason", "until", "words", "advice"),
    [
        ("quiet_hours", 3, "ngoài giờ được gửi", "tự gửi tiếp lúc 27/11/2026 12:00"),
        ("daily_quota_used", 21, "hết lượt gửi trong ngày", "tự gửi tiếp lúc 28/11/2026 06:00"),
        ("template_disabled", None, "Zalo không cho gửi mẫu tin này nữa", "soạn lại với mẫu khác"),
        ("by_hand", None, "Cán bộ đã bấm tạm dừng", "khi muốn gửi phần còn lại"),
    ],
)
async def test_why_a_run_rests_is_said_with_what_to_do(
    office: Office, reason: str, until: int | None, words: str, advice: str
) -> None:
    address = await begun(office)
    async with office.runtime.units_of_work() as uow:
        row = (await uow.session.exec(select(BroadcastRow))).one()
        row.state, row.paused_reason = "paused", reason
        row.resume_at = MORNING + timedelta(hours=until) if until else None
    page = await (await hired(office, "broadcaster")).page(address)
    assert words in page
    assert advice in page


async def test_a_stopped_account_is_named_as_the_reason_and_who_is_to_act(office: Office) -> None:
    address = await begun(office)
    async with office.runtime.units_of_work() as uow:
        row = await accounts.account(uow.session, "account")
        assert row is not None
        row.state, row.stopped_reason = "stopped", "refresh_token_dead"
    page = await (await hired(office, "broadcaster")).page(address)
    assert "tài khoản đang dừng" in page
    assert "Mã làm mới của OA không còn hiệu lực" in page
    assert "Người quản trị cần kết nối lại" in page


async def village(runtime: Runtime, contact: str, area: str) -> None:
    async with runtime.units_of_work() as uow:
        uow.session.add(MarkRow(kind="area", value=area, contact_id=contact, at=uow.now))


async def test_the_unreached_stand_under_their_villages_with_masked_phones(office: Office) -> None:
    address = await begun(office, 6)
    missed = ("failed", "recipient_blocked")
    await became(office, missed, missed, missed, ("seen", ""), ("cancelled", "stopped"), ("cancelled", "opted_out"))
    await village(office.runtime, "c00", "cat-dong")
    await village(office.runtime, "c01", "kim-lam")
    await village(office.runtime, "c03", "kim-lam")
    visitor = await hired(office, "broadcaster")
    page = await visitor.page(f"{address}/unreached")
    places = [page.index(f'id="village-{key}"') for key in ("kim-lam", "cat-dong", "none")]
    assert places == sorted(places), "whose village is not known come last"
    assert page.index("Người Thứ 01") < page.index("Người Thứ 00") < page.index("Người Thứ 02")
    assert "Người Thứ 03" not in page
    assert "0900•••001" in page
    assert "0900000001" not in page
    assert "Hiện số điện thoại" not in page, "a broadcaster may not see them in full"
    one = await visitor.page(f"{address}/unreached?village=kim-lam")
    assert "Người Thứ 01" in one
    assert "Người Thứ 00" not in one
    nobody = await visitor.page(f"{address}/unreached?village=none")
    assert "Người Thứ 02" in nobody
    assert "Người Thứ 04" in await visitor.page(f"{address}/unreached?which=cancelled")
    decided = await visitor.page(f"{address}/unreached?which=decided")
    assert "Người Thứ 05" in decided
    assert "không gửi lại bằng cách khác" in decided
    for odd in ("which=x", "village=x", "after=x-1", "after=9999999999999999999999-1", "after=٣-1"):
        assert "Người Thứ 00" in await visitor.page(f"{address}/unreached?{odd}")


async def test_phones_in_full_need_the_right_a_click_and_leave_a_trail(office: Office) -> None:
    address = await begun(office, 3)
    await became(office, ("failed", "gone"), ("failed", "gone"), ("sent", ""))
    leader = await office.enter("leader")
    assert "Hiện số điện thoại" in await leader.page(f"{address}/unreached")
    answer = await leader.post(f"{address}/phones", {"which": "missed"})
    page = await answer.text()
    assert answer.status == 200
    assert page.count("0900000001") == 2
    async with office.runtime.database.reading() as session:
        [row] = (await session.exec(select(AuditRow).where(AuditRow.action == "announcement.reveal_phones"))).all()
    assert (row.actor_id, row.data) == ("leader", {"number": 1, "which": "missed", "phones": 2})
    assert (await (await hired(office, "broadcaster")).post(f"{address}/phones")).status == 403
    assert (await (await office.enter("official")).post(f"{address}/phones")).status == 404


async def test_whose_village_only_the_list_knows_stands_under_it(office: Office) -> None:
    address = await begun(office)
    written = ("kim lâm", "Thôn Kim Lâm", "Xóm Ngoài", "  ", "Xóm Ngoài")
    async with office.runtime.units_of_work() as uow:
        rows = (await uow.session.exec(select(DeliveryRow).order_by(col(DeliveryRow.n)))).all()
        for row, village in zip(rows, written, strict=True):
            row.merged = {"Họ tên": "Ví Dụ", "Thôn/Xóm": village}
        area = await uow.session.get(AreaRow, "kim-lam")
        assert area is not None
        area.aliases = ["Kim Lâm"]
        uow.session.add(MarkRow(kind="area", value="cat-dong", contact_id="c04", chosen=True, at=uow.now))
    await became(office, *[("failed", "recipient_blocked")] * 5)
    visitor = await hired(office, "broadcaster")
    page = await visitor.page(f"{address}/unreached")
    figures = dict(
        re.findall(r'<th scope="row">(?:<a [^>]*>)?([^<]+)(?:</a>)?</th><td>0</td><td>0</td><td>(\d)</td>', page)
    )
    assert figures == {"Thôn Kim Lâm": "2", "Thôn Cát Động": "1", "Xóm Ngoài": "1", "Chưa xác định thôn": "1"}
    for key, name, there in (("kim-lam", "Kim Lâm", "01"), ("none", "Chưa xác định", "03"), ("cat-dong", "Cát", "04")):
        one = await visitor.page(f"{address}/unreached?village={key}")
        assert f"Người Thứ {there}" in one, name
        assert "Người Thứ 02" not in one
    outside = re.search(r"village=(l-\w+)", page)
    assert outside is not None
    one = await visitor.page(f"{address}/unreached?village={outside[1]}")
    assert [f"Người Thứ 0{n}" in one for n in range(5)] == [False, False, True, False, False]
    table = await visitor.get(f"{address}/results.xlsx")
    sheet = load_workbook(io.BytesIO(await table.read())).active
    assert sheet is not None
    homes = [row[2] or "" for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert homes == ["kim lâm", "Thôn Kim Lâm", "Xóm Ngoài", "", "Thôn Cát Động"]


async def test_a_long_list_asks_for_a_village_and_goes_on_page_by_page(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await begun(office, 5)
    await became(office, *[("failed", "gone")] * 5)
    monkeypatch.setattr("handlers.console.announcement_unreached._MOST", 2)
    visitor = await hired(office, "broadcaster")
    page = await visitor.page(f"{address}/unreached")
    assert "Danh sách dài 5 người" in page
    assert "Người Thứ" not in page
    seen = []
    path = f"{address}/unreached?village=none"
    for _ in range(3):
        page = await visitor.page(path)
        seen += [part[:2] for part in page.split("Người Thứ ")[1:]]
        after = page.split("after=")[-1].split('"')[0] if "Xem tiếp" in page else ""
        path = f"{address}/unreached?village=none&after={after}"
    assert seen == ["00", "01", "02", "03", "04"]


async def rows_of(answer: ClientResponse) -> list[list[Any]]:
    assert answer.status == 200
    book = load_workbook(io.BytesIO(await answer.read()))
    return [list(row) for sheet in book for row in sheet.iter_rows()]


async def test_all_results_leave_as_a_workbook_in_which_nothing_is_a_formula(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await begun(office, 5)
    await became(office, ("seen", ""), ("failed", "recipient_blocked"))
    await village(office.runtime, "c00", "kim-lam")
    names = ["=1+1", "+84", "-2", "@SUM(A1)", "Tên\x0b<&>"]
    async with office.runtime.units_of_work() as uow:
        found = (await uow.session.exec(select(ContactRow).order_by(col(ContactRow.id)))).all()
        for person, name in zip(found, names, strict=True):
            person.name = name
    monkeypatch.setattr("handlers.console.announcement_results._AT_ONCE", 2)
    visitor = await hired(office, "broadcaster")
    answer = await visitor.get(f"{address}/results.xlsx")
    assert "filename*=UTF-8''H%E1%BB%8Dp%20th%C3%B4n%201.xlsx" in answer.headers["Content-Disposition"]
    cells = await rows_of(answer)
    assert {cell.data_type for row in cells for cell in row if cell.value is not None} <= {"s", "inlineStr"}
    rows = [[cell.value or "" for cell in row] for row in cells]
    assert rows[0][:3] == ["Họ tên", "Điện thoại (đã che)", "Thôn, tổ"]
    assert [row[0] for row in rows[1:]] == ["=1+1", "+84", "-2", "@SUM(A1)", "Tên<&>"]
    assert rows[1][1:7] == ["0900•••001", "Thôn Kim Lâm", "UBND xã Thanh Oai", "Nhắn tin trong hội thoại", "Đã xem", ""]
    assert rows[2][5] == "Không gửi được"
    assert rows[2][6].startswith("Người dân đã chặn kênh này")
    assert rows[3][5] == "Chưa gửi"
    async with office.runtime.database.reading() as session:
        [row] = (await session.exec(select(AuditRow).where(AuditRow.action == "announcement.export"))).all()
    assert row.data == {"number": 1, "recipients": 5}


async def wrote(office: Office, contact: str, text: str, quotes: str | None = None) -> None:
    async with office.runtime.units_of_work(Actor("citizen")) as uow:
        account = await accounts.account(uow.session, "account")
        row = await uow.session.get(ContactRow, contact)
        assert account is not None
        assert row is not None
        update = MessageReceived(
            account=account.external_id, external_id=f"e{contact}{text}", sender=row.external_id, occurred_at=uow.now,
            message_id=f"i{contact}{text}", text=text, quotes=quotes,
        )  # fmt: skip
        await receive(uow, account, row, update)


async def test_what_came_because_of_it_is_counted_and_leads_to_the_cases_one_may_see(office: Office) -> None:
    address = await begun(office, 3)
    await became(office, *[("sent", "")] * 3)
    office.clock.forward(hours=1)
    await wrote(office, "c00", "Mấy giờ họp ạ", "m1")
    await wrote(office, "c01", "Cho tôi xin hoãn, số của tôi 001099000001")
    case = await office.make_case(citizen="u02")
    leader, broadcaster = await office.enter("leader"), await hired(office, "broadcaster")
    page = await leader.page(f"{address}/answers")
    assert "3 tin trả lời của 3 người; 1 phản ánh" in page
    assert "hiện có 1 tin" in page
    assert "72 giờ" in page
    assert "Mấy giờ họp ạ" in page
    assert "001099000001" not in page, "identity numbers are masked"
    assert f'<a href="/cases/{case.id}">{case.code}</a>' in page
    page = await broadcaster.page(f"{address}/answers")
    assert "3 tin trả lời của 3 người" in page
    assert "Mấy giờ họp" not in page
    assert case.code not in page
    assert "3 tin khác đã được đếm" in page


@pytest.mark.parametrize("key", [*ROLES, "broadcaster", "approver"])
async def test_roles_open_and_steer_a_run_as_their_permissions_say(office: Office, key: str) -> None:
    address = await begun(office, 3)
    visitor = await (office.enter(key) if key in ROLES else hired(office, key))
    reads = key in {"leader", "auditor", "broadcaster", "approver"}
    steers = key in {"leader", "broadcaster", "approver"}
    tried = 0
    for route in MINE:
        path = f"{address}{route.path.partition('/runs/{run}')[2]}"
        tried += 1
        if route.method == "GET":
            allowed = steers if path.endswith("/stop") else reads
            status = (await visitor.get(path)).status
            assert status == (200 if allowed else 403), (key, path)
            continue
        answer = await visitor.post(path, {"per_minute": "5", "confirmed": "no"})
        allowed = key == "leader" if path.endswith("/phones") else steers
        expected = {200, 303} if allowed else {403, 404}
        assert answer.status in expected, (key, path, answer.status)
    assert tried == 10


async def test_a_run_of_another_unit_or_announcement_does_not_exist(office: Office) -> None:
    address = await begun(office, 2)
    visitor = await hired(office, "broadcaster", "economy")
    for path in ("", "/unreached", "/answers", "/results.xlsx", "/stop"):
        assert (await visitor.get(f"{address}{path}")).status == 404
    assert (await visitor.post(f"{address}/pause")).status == 404
    elsewhere = address.replace("/announcements/", "/announcements/x")
    assert (await (await hired(office, "broadcaster")).get(elsewhere)).status == 404


async def test_open_pages_hear_of_a_broadcast_only_where_they_may(office: Office) -> None:
    await begun(office, 2)
    number = (await broadcast(office.runtime)).id
    visitor = await hired(office, "broadcaster")
    answer = await visitor.get(f"/events?topics=broadcast:{number}")
    assert answer.status == 200
    await office.runtime.queue.announce(f"broadcast:{number}")
    found = b""
    async with asyncio.timeout(10):
        while f"event: broadcast:{number}\n".encode() not in found:
            found += await answer.content.readany()
    answer.close()
    for other in (await office.enter("official"), await hired(office, "broadcaster", "economy")):
        assert (await other.get(f"/events?topics=broadcast:{number}")).status == 404
    assert (await visitor.get("/events?topics=broadcast:x")).status == 404


async def test_a_run_speaks_english_too(office: Office) -> None:
    address = await begun(office, 2)
    visitor = await hired(office, "broadcaster")
    await visitor.post("/me/language", {"language": "en"})
    page = await visitor.page(address)
    assert "Progress" in page
    assert "Stop for good" in page
    await became(office, ("failed", "gone"))
    assert "Village not known" in await visitor.page(f"{address}/unreached")
    rows = await rows_of(await visitor.get(f"{address}/results.xlsx"))
    assert [cell.value for cell in rows[0]][:2] == ["Name", "Phone (masked)"]


async def test_a_run_that_waits_says_when_it_begins_and_can_be_stopped(office: Office) -> None:
    address = await begun(office, 2)
    async with office.runtime.units_of_work() as uow:
        run = (await uow.session.exec(select(RunRow))).one()
        run.state, run.started_at, run.due_at = "waiting", None, MORNING + timedelta(days=2)
        row = (await uow.session.exec(select(BroadcastRow))).one()
        row.state, row.started_at = "waiting", None
    visitor = await hired(office, "broadcaster")
    page = await visitor.page(address)
    assert "Bắt đầu gửi lúc 29/11/2026 09:00" in page
    assert "Tạm dừng" not in page
    assert "2 người sẽ không nhận được" in await visitor.page(f"{address}/stop")
    async with office.runtime.units_of_work() as uow:
        await announcement_runs.stop(uow, (await the_run(office.runtime)).id)


async def health_line(office: Office) -> Line:
    [found] = (await report(office.runtime)).of("broadcast")
    return found


async def test_the_health_page_names_what_rests_why_and_what_to_do(office: Office) -> None:
    address = await begun(office, 4)
    admin, leader = await office.enter("admin"), await office.enter("leader")
    async with office.runtime.units_of_work() as uow:
        row = (await uow.session.exec(select(BroadcastRow))).one()
        row.state, row.paused_reason, row.resume_at = "paused", "quiet_hours", MORNING + timedelta(hours=21)
    assert (await health_line(office)).light is Light.OK
    page = await admin.page("/health")
    assert "“Họp thôn”: tạm nghỉ đến 28/11/2026 06:00; còn 4 trên 4 người nhận" in page
    assert "Hệ thống tự gửi tiếp lúc 28/11/2026 06:00" in page
    assert address not in page, "an administrator may not read announcements"
    assert f'href="{address}"' in await leader.page("/health")
    async with office.runtime.units_of_work() as uow:
        row = (await uow.session.exec(select(BroadcastRow))).one()
        row.state, row.paused_reason, row.resume_at = "running", "", None
        account = await accounts.account(uow.session, "account")
        assert account is not None
        account.state, account.stopped_reason = "stopped", "refresh_token_dead"
    assert (await health_line(office)).light is Light.WARN
    page = await admin.page("/health")
    assert "tài khoản đang dừng; còn 4 trên 4 người nhận" in page
    assert "Người quản trị cần kết nối lại" in page


async def test_what_waits_for_its_time_is_well_until_that_has_passed(office: Office) -> None:
    await begun(office, 2)
    async with office.runtime.units_of_work() as uow:
        run = (await uow.session.exec(select(RunRow))).one()
        run.state, run.started_at, run.due_at = "waiting", None, MORNING + timedelta(days=2)
        row = (await uow.session.exec(select(BroadcastRow))).one()
        row.state, row.started_at, row.progress_at = "waiting", None, None
    office.clock.forward(days=1)
    assert (await health_line(office)).light is Light.OK
    admin = await office.enter("admin")
    assert "đã chốt 2 người nhận, chờ đến 29/11/2026 09:00" in await admin.page("/health")
    office.clock.forward(days=1, minutes=31)
    assert (await health_line(office)).light is Light.BAD
    assert "lẽ ra đã bắt đầu gửi từ" in await (await office.enter("admin")).page("/health")
