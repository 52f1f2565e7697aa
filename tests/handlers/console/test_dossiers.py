"""The console's pages of dossiers: found, shown, put off with an apology, reported on; only to whom they concern."""

import io
import re
from datetime import timedelta

from docx import Document
from openpyxl import load_workbook

from bot.actions import contacts
from bot.domain.dossier import Status
from bot.store import accounts, audit, cases, dossier_notices, dossier_writing, dossiers
from bot.store.accounts import AccountRow
from bot.store.dossiers import DossierNoteRow, DossierRow
from handlers.console.dossier_overdue import MOST
from tests.handlers.console.dossiers import NAME, PHONE, code_of, news, procedure, taken, working_on
from tests.handlers.console.visitor import Office, Visitor

DAY = timedelta(days=1)
CODE = re.compile(r'class="case-code" href="/dossiers/[^"]+" data-open>([^<]+)<')


def codes(page: str) -> list[int]:
    """Return the running numbers of the dossiers that a list shows, in its order."""
    return [int(code[-4:]) for code in CODE.findall(page)]


def table_of(data: bytes) -> list[list[str]]:
    """Return the cells of a workbook's first sheet."""
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    return [[str(cell.value or "") for cell in line] for line in sheet.iter_rows()]


async def some(office: Office) -> dict[int, DossierRow]:
    """Late, soon, calm, paused, without a date, and done ones."""
    runtime, now = office.runtime, office.runtime.now()
    await procedure(runtime)
    found = {
        1: await working_on(runtime, 1, received=-20 * DAY, due=-5 * DAY, online=True),
        2: await working_on(runtime, 2, received=-9 * DAY, due=timedelta(), field="Hộ tịch"),
        3: await working_on(runtime, 3, received=-1 * DAY, due=20 * DAY),
        4: await working_on(runtime, 4, received=-4 * DAY, due=-2 * DAY, unit="police"),
    }
    rest = [
        news(5, Status.ACCEPTED, now - 6 * DAY, due_at=now - DAY),
        news(5, Status.SUPPLEMENT, now - 5 * DAY, papers="Giấy chứng sinh"),
        news(6, Status.ACCEPTED, now - 6 * DAY, due_at=now + DAY),
        news(6, Status.READY, now - 2 * DAY),
        news(7, Status.REGISTERED, now - 3 * DAY, procedure_code="9.999999"),
    ]
    rows = await taken(runtime, rest)
    return {**found, **{number: rows[code_of(number)] for number in (5, 6, 7)}}


async def test_the_list_shows_what_is_due_first_and_finds_by_everything(office: Office) -> None:
    await some(office)
    visitor = await office.enter("leader")
    assert codes(await visitor.page("/dossiers")) == [1, 4, 2, 3, 5, 7]
    for asked, expected in {
        "light=late": [1, 4],
        "light=soon": [2],
        "light=calm": [3],
        "light=paused": [5, 7],
        "status=9": [6],
        "unit=police": [4],
        "procedure=9.999999": [7],
        f"q={code_of(6)}": [6],
        "q=000 00 01 H26-261101-0003": [3],
        "q=0000001H262611010003": [3],
        "q=261101-0004": [4],
        "q=0005": [5],
        "q=dang ky khai sinh&light=late": [1, 4],
        f"month={office.runtime.now().year}-01": [],
        "q=0099": [],
    }.items():
        assert codes(await visitor.page(f"/dossiers?{asked}")) == expected, asked
    by_phone = codes(await visitor.page("/dossiers?q=0900 000 001"))
    assert sorted(by_phone) == [1, 2, 3, 4, 5, 6, 7]


async def test_who_sees_what(office: Office) -> None:
    rows = await some(office)
    police = await office.enter("stranger")
    assert codes(await police.page("/dossiers")) == [4]
    for path in ("", "/letters/none.docx"):
        assert (await police.get(f"/dossiers/{rows[1].id}{path}")).status == 404
    assert (await police.post(f"/dossiers/{rows[1].id}/late", {"cause": "chờ xác minh"})).status == 404
    auditor = await office.enter("auditor")
    page = await auditor.page(f"/dossiers/{rows[1].id}")
    assert "/late" not in page
    assert (await auditor.post(f"/dossiers/{rows[1].id}/late", {"cause": "chờ xác minh"})).status in {403, 404}
    assert (await (await office.enter("admin")).get("/dossiers")).status == 403


async def test_a_dossier_shows_its_clock_events_and_person_in_part(office: Office) -> None:
    rows = await some(office)
    head = await office.enter("head")
    page = await head.page(f"/dossiers/{rows[5].id}")
    assert "Đang tạm dừng tính hạn" in page
    assert "Giấy chứng sinh" in page
    page = await head.page(f"/dossiers/{rows[1].id}")
    assert "Thời hạn của thủ tục: 5 ngày làm việc." in page
    assert "Ngày hẹn muộn hơn hạn theo quy định" in page
    assert NAME not in page
    assert "0900•••001" in page
    shown = await (await head.post(f"/dossiers/{rows[1].id}/person")).text()
    assert NAME in shown
    assert "0900000001" in shown
    async with office.runtime.database.reading() as session:
        kept = [note.kind for note in await dossiers.notes(session, rows[1].id)]
        trail = await audit.latest(session, 5, "dossier.revealed", f"dossier:{rows[1].id}")
    assert kept == ["revealed"]
    assert [row.actor_id for row in trail] == ["head"]


async def put_off(visitor: Visitor, row: DossierRow, cause: str, day: str) -> int:
    answer = await visitor.post(f"/dossiers/{row.id}/late", {"cause": cause, "new_due": day})
    return answer.status


async def test_a_late_dossier_is_put_off_with_an_apology_and_a_letter(office: Office) -> None:
    row = (await some(office))[1]
    head, today = await office.enter("head"), office.runtime.now()
    sunday = today + timedelta(days=13 - today.weekday())
    monday = sunday + DAY
    cause = "Chờ kết quả xác minh của cơ quan khác"
    assert await put_off(head, row, "", monday.strftime("%Y-%m-%d")) == 422
    assert await put_off(head, row, cause, sunday.strftime("%Y-%m-%d")) == 422
    assert await put_off(head, row, cause, "2020-01-06") == 422
    assert await put_off(head, row, cause, "hôm nay") == 422
    assert await put_off(head, row, cause, monday.strftime("%Y-%m-%d")) == 303
    async with office.runtime.database.reading() as session:
        kept = await dossiers.dossier(session, row.id)
        notices = await dossier_notices.of_dossier(session, row.id)
    assert kept is not None
    assert kept.late_cause == cause
    assert kept.status == Status.PROCESSING
    assert kept.due_at is not None
    assert kept.due_at.date() == monday.date()
    assert [notice.kind for notice in notices][-1] == "late"
    page = await head.page(f"/dossiers/{row.id}")
    found = re.search(rf'href="(/dossiers/{row.id}/letters/[^"]+)"', page)
    assert found
    letter = await head.get(found[1])
    assert letter.status == 200
    document = Document(io.BytesIO(await letter.read()))
    cells = [cell.text for table in document.tables for cell in table.rows[0].cells]
    words = "\n".join([*cells, *(paragraph.text for paragraph in document.paragraphs)])
    whole = row.code.replace("-", "\N{NON-BREAKING HYPHEN}")
    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "PHÒNG KINH TẾ", NAME, whole, cause,
        monday.strftime("%d/%m/%Y"), "Nơi nhận:",
    ):  # fmt: skip
        assert part in words, part
    assert "{{" not in words
    assert row.code not in words
    assert "Độc lập - Tự do" in words
    auditor = await office.enter("auditor")
    assert (await auditor.get(found[1])).status in {403, 404}


async def test_a_cause_alone_promises_nothing(office: Office) -> None:
    rows = await some(office)
    head = await office.enter("head")
    answer = await head.post(f"/dossiers/{rows[5].id}/late", {"cause": "Chờ công dân bổ sung"})
    assert answer.status == 303
    assert (
        await head.post(f"/dossiers/{rows[5].id}/late", {"cause": "Chờ bổ sung", "new_due": "2027-01-11"})
    ).status == 409
    overdue = await (await office.enter("leader")).page("/dossiers/overdue")
    assert [int(code[-4:]) for code in re.findall(r'href="/dossiers/[^"]+">([^<]+-\d{4})<', overdue)] == [1, 4]
    await head.post(f"/dossiers/{rows[1].id}/late", {"cause": "Thiếu người <b>thay</b>"})
    leader = await office.enter("leader")
    assert "Thiếu người &lt;b&gt;thay&lt;/b&gt;" in await leader.page("/dossiers/overdue?unit=economy")
    lines = table_of(await (await leader.get("/dossiers/overdue.xlsx")).read())
    assert [line[1] for line in lines] == ["Mã hồ sơ", code_of(1), code_of(4)]
    assert lines[1][-1] == "Thiếu người <b>thay</b>"


async def test_the_overdue_workbook_holds_all_and_the_heading_counts_all(office: Office) -> None:
    first = (await some(office))[1]
    values = {name: getattr(first, name) for name in DossierRow.model_fields}
    more = [
        {**values, "id": f"late{number}", "code": code_of(number), "late_at": first.late_at}
        for number in range(1000, 1000 + MOST)
    ]
    async with office.runtime.units_of_work() as uow:
        await dossier_writing.add(uow.session, DossierRow, more)
    leader = await office.enter("leader")
    page = await leader.page("/dossiers/overdue?unit=economy")
    assert f"{MOST + 1} hồ sơ, tính đến" in page
    assert f'text-secondary">{MOST + 1} hồ sơ' in page
    assert page.count(">000.00.01.H26-261101-") == MOST
    answer = await leader.get("/dossiers/overdue.xlsx?unit=economy")
    assert "attachment" in answer.headers["Content-Disposition"]
    lines = table_of(await answer.read())
    assert len({line[1] for line in lines[1:]}) == len(lines) - 1 == MOST + 1


async def test_staff_bind_only_whom_they_may_know(office: Office) -> None:
    row = (await some(office))[1]
    elsewhere = await office.make_case()
    conduct = await office.make_case(citizen="3333444455556666778")
    async with office.runtime.units_of_work() as uow:
        for case_id, unit, restricted in ((elsewhere.id, "police", False), (conduct.id, "economy", True)):
            case = await cases.case(uow.session, case_id)
            assert case is not None
            case.unit_id, case.path, case.restricted = unit, f"/commune/{unit}/", restricted
        at = await accounts.account(uow.session, "account")
        assert at is not None
        for unit in ("police", "economy"):
            values = {**at.model_dump(), "id": unit, "external_id": f"7{unit}", "unit_id": unit}
            account = AccountRow(**values)
            uow.session.add(account)
            await uow.session.flush()
            other = await contacts.met(uow, account, "5555", interacts=True)
            other.phone_hash = office.runtime.box.fingerprint("84900000009")
            if unit == "economy":
                near = other.id
            else:
                far = await contacts.met(uow, account, "6666", interacts=True)
                far.phone_hash = office.runtime.box.fingerprint("84900000007")
    head, address = await office.enter("head"), f"/dossiers/{row.id}"
    pages = set()
    for who in ("PA-ZZZZ9", elsewhere.code, conduct.code, "0900 000 008", "0900 000 007"):
        answer = await head.post(f"{address}/bind", {"who": who})
        assert answer.status == 422
        pages |= set(re.findall(r"Không tìm thấy ai mang[^<]*", await answer.text()))
    assert len(pages) == 1
    assert (await head.post(f"{address}/bind", {"who": "0900 000 009"})).status == 303
    async with office.runtime.database.reading() as session:
        assert [one.contact_id for one in await dossiers.people(session, row.id)] == [near]


async def test_staff_bind_and_unbind_people(office: Office) -> None:
    row = (await some(office))[1]
    case = await office.make_case()
    async with office.runtime.units_of_work() as uow:
        account = await accounts.account(uow.session, "account")
        assert account is not None
        other = await contacts.met(uow, account, "5555", interacts=True)
        other.phone_hash, other_id = office.runtime.box.fingerprint("84900000009"), other.id
    head, address = await office.enter("head"), f"/dossiers/{row.id}"
    for wrong in ("", "abc", "0900 000 008", "PA-ZZZZ9"):
        assert (await head.post(f"{address}/bind", {"who": wrong})).status == 422
    for who in (case.code, "0900 000 009", "0900 000 009"):
        assert (await head.post(f"{address}/bind", {"who": who})).status == 303
    async with office.runtime.database.reading() as session:
        assert {one.contact_id for one in await dossiers.people(session, row.id)} == {case.contact_id, other_id}
    assert (await head.post(f"{address}/unbind", {"contact": other_id})).status == 303
    assert (await head.post(f"{address}/unbind", {"contact": other_id})).status == 404
    page = await head.page(address)
    assert "cán bộ gắn" in page
    assert PHONE not in page


async def test_the_letter_s_words_are_the_office_s(office: Office) -> None:
    await some(office)
    head = await office.enter("head")
    page = await head.page("/dossiers/letter")
    assert "Nguyễn Văn Mẫu" in page
    words = {"unit": "economy", "subject": "Xin lỗi", "body": "Kính thưa {{tên người nộp}}", "recipients": "- Như trên"}
    looked = await (await head.post("/dossiers/letter", {**words, "look": "1"})).text()
    assert "Kính thưa Nguyễn Văn Mẫu" in looked
    wrong = await head.post("/dossiers/letter", {**words, "body": "{{tên mẹ}}"})
    assert wrong.status == 422
    assert "tên mẹ" in await wrong.text()
    for body in ("Kính thưa {{tên người nộp}}", "Thưa {{tên người nộp}}"):
        assert (await head.post("/dossiers/letter", {**words, "body": body})).status == 303
    page = await head.page("/dossiers/letter")
    assert "Thưa Nguyễn Văn Mẫu" in page
    assert "Các bản trước" in page
    assert (await (await office.enter("stranger")).post("/dossiers/letter", words)).status == 404
    assert (await head.post("/dossiers/letter", {"unit": "economy", "reset": "1"})).status == 303
    assert "mẫu chung" in await head.page("/dossiers/letter")
    example = Document(io.BytesIO(await (await head.get("/dossiers/letter/example.docx")).read()))
    assert any("Nguyễn Văn Mẫu" in paragraph.text for paragraph in example.paragraphs)


async def test_every_number_of_a_report_leads_to_its_dossiers(office: Office) -> None:
    await some(office)
    leader, now = await office.enter("leader"), office.runtime.now()
    unknown = [
        news(
            number, Status.ACCEPTED, at, unit=unit, received_at=at, due_at=now - number * DAY, procedure_code="9.999999"
        )
        for number, unit, at in ((8, "commune", now - 3 * DAY), (9, "economy", now - 30 * DAY))
    ]
    await taken(office.runtime, unknown)
    first = (now - 40 * DAY).strftime("%Y-%m-%d")
    asked = f"from={first}&to={now:%Y-%m-%d}"
    for chosen, received in (("", 8), ("&unit=commune", 8), ("&unit=economy", 6), ("&field=Hộ tịch", 6)):
        page = await leader.page(f"/dossiers/reports?{asked}{chosen}")
        links = re.findall(r'<a href="(/dossiers\?[^"]*what=[^"]+)">(\d+)</a>', page)
        assert len(links) > 10
        for address, number in links:
            assert len(codes(await leader.page(address.replace("&amp;", "&")))) == int(number), (chosen, address)
        for table in ("units", "fields", "months"):
            lines = table_of(await (await leader.get(f"/dossiers/reports/{table}.xlsx?{asked}{chosen}")).read())[1:]
            assert sum(int(line[1]) for line in lines if line[0] != "Tổng số") == received, (table, chosen)
            assert [line[0] for line in lines].count("Tổng số") == (table != "months")
    fields = table_of(await (await leader.get(f"/dossiers/reports/fields.xlsx?{asked}")).read())
    assert ["(chưa rõ)", "2"] in [line[:2] for line in fields]
    alone = await leader.page("/dossiers?unit=commune&alone=1")
    assert codes(alone) == [8]
    assert re.search(r'name="alone" value="1" checked', alone)
    assert codes(await leader.page("/dossiers?field=(none)&unit=economy")) == [9, 7]


async def test_that_officials_were_warned_is_said_in_words(office: Office) -> None:
    row = (await some(office))[2]
    async with office.runtime.units_of_work() as uow:
        note = DossierNoteRow(id="note", dossier_id=row.id, kind="warned", at=uow.now, actor_kind="system")
        uow.session.add(note)
    page = await (await office.enter("head")).page(f"/dossiers/{row.id}")
    assert "Nhắc cán bộ sắp đến hạn" in page
    assert "warned" not in page
