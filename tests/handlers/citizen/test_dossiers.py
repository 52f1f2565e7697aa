"""Dossiers in the chat: found however their code is typed, told as far as it is the asker's business, not guessed."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.actions.dossier_code_template import SETTING
from bot.actions.dossiers import News, take_in
from bot.domain.conversation import Step
from bot.domain.dossier import Status
from bot.runtime import Runtime
from bot.store import contacts, messages, units
from bot.store.audit import AuditRow
from bot.store.dossiers import DossierNoteRow, DossierPersonRow
from bot.store.messages import AttachmentRow
from bot.store.outbox import OutboxRow
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from tests import commune
from tests.dossier_world import CODE, LONG, NAME, report
from tests.runtime_fixtures import Clock
from tests.talk import Official, Talk

ACCOUNTS = [("zalo", "state"), ("zalo", "business"), ("telegram", "")]
TYPED = "0900000001"


async def a_talk(runtime: Runtime, clock: Clock, provider: str, kind: str) -> Talk:
    async with runtime.units_of_work() as uow:
        await commune.build(uow, kind=kind or "state", provider=provider)
    await report(runtime, clock.now - timedelta(hours=2))
    return Talk(runtime, clock, provider=provider, account=commune.ACCOUNTS[provider])


@pytest.fixture(params=ACCOUNTS, ids=["state", "business", "telegram"])
async def anywhere(runtime: Runtime, clock: Clock, request: pytest.FixtureRequest) -> Talk:
    """Give a chat with each kind of account."""
    return await a_talk(runtime, clock, *request.param)


@pytest.fixture
async def talk(runtime: Runtime, clock: Clock) -> Talk:
    """Give a chat with an Official Account of a business, which can ask for the phone."""
    return await a_talk(runtime, clock, "zalo", "business")


@pytest.fixture
async def state(runtime: Runtime, clock: Clock) -> Talk:
    """Give a chat with a state agency's Official Account, which cannot ask for the phone."""
    return await a_talk(runtime, clock, "zalo", "state")


async def people(talk: Talk) -> list[tuple[str, str]]:
    async with talk.runtime.database.reading() as session:
        rows = (await session.exec(select(DossierPersonRow))).all()
    return sorted((row.contact_id, row.how) for row in rows)


async def payloads(talk: Talk) -> list[str]:
    return list((await talk.conversation()).data.get("buttons", []))


async def test_a_code_is_found_and_told_by_every_kind_of_account(anywhere: Talk) -> None:
    for text in (CODE, CODE.lower(), "000 00 01 h26 261123 0012", f"hồ sơ {CODE} của tôi đến đâu rồi", "261123-0012"):
        [told] = await anywhere.say(text)
        assert "đang được xử lý" in told, text
        assert "Phòng Kinh tế" in told
        assert "Hẹn trả 28/11/2026" in told
        assert CODE in told
        assert "Đăng ký khai sinh" in told
        assert "Nguyễn" not in told
        assert "N. V. M." not in told
    [asked] = await anywhere.say("tra cứu hồ sơ")
    assert "mã QR" in asked
    assert "đang được xử lý" in (await anywhere.say("0012"))[0], "the last digits do once a code is waited for"
    assert "đang được xử lý" not in "".join(await anywhere.say("0012")), "and are no code out of the blue"


@pytest.mark.parametrize(
    ("status", "told", "said", "hidden"),
    [
        (1, {}, "chờ tiếp nhận", ""),
        (3, {"reason": "Ông Nguyễn Văn Mẫu nộp sai nơi"}, "không được tiếp nhận", "sai nơi"),
        (5, {"papers": "Giấy chứng sinh của cháu Mẫu"}, "chờ bổ sung giấy tờ", "Giấy chứng sinh"),
        (6, {"fee": 150000, "fee_note": "lệ phí"}, "chờ nộp phí", "150.000 đồng"),
        (7, {}, "đã rút", ""),
        (8, {"reason": "Đất đang có tranh chấp"}, "dừng xử lý", "tranh chấp"),
        (9, {"appointment_place": "Quầy số 3"}, "mang giấy hẹn đến nhận", "Quầy số 3"),
        (10, {}, "đã trả kết quả", ""),
    ],
)
async def test_each_status_is_told_and_what_may_name_people_only_to_its_owner(
    talk: Talk, status: int, told: dict[str, Any], said: str, hidden: str
) -> None:
    await report(talk.runtime, talk.clock.now, status=status, **told)
    [shown] = await talk.say(CODE)
    assert said in shown
    assert "Mẫu" not in shown
    assert not hidden or hidden not in shown
    await talk.share_phone(TYPED)
    [shown] = await talk.say(CODE)
    assert said in shown
    assert hidden in shown
    assert "N. V. M., 0900•••001" in shown
    assert NAME not in shown.partition("Lý do")[0]


async def test_a_late_dossier_says_so_and_one_that_was_put_off_names_the_first_date(talk: Talk) -> None:
    talk.clock.forward(days=6)
    assert "đã quá ngày hẹn, chúng tôi xin lỗi" in (await talk.say(CODE))[0]
    await report(talk.runtime, talk.clock.now, due_at=talk.clock.now + timedelta(days=3))
    shown = (await talk.say(CODE))[0]
    assert "quá ngày hẹn" not in shown
    await talk.share_phone(TYPED)
    assert "Ngày hẹn ban đầu: 28/11/2026" in (await talk.say(CODE))[0]


async def test_the_phone_binds_all_its_dossiers_once_and_says_how_many(talk: Talk) -> None:
    await report(talk.runtime, talk.clock.now, LONG)
    await report(talk.runtime, talk.clock.now, "000.00.01.H26-261123-0013", phone="84900000002")
    [asked] = await talk.say("hồ sơ của tôi")
    assert "bấm nút chia sẻ số" in asked
    kept, listed = await talk.share_phone(TYPED)
    assert "đã được lưu" in kept
    assert "0092637" in listed
    assert "0012" in listed
    assert "0013" not in listed
    for _ in range(2):
        kept, bound = await talk.share_phone(TYPED)
        assert "Có 2 hồ sơ" in bound
    contact = await talk.contact()
    assert await people(talk) == [(contact.id, "phone")] * 2
    async with talk.runtime.database.reading() as session:
        notes = (await session.exec(select(DossierNoteRow))).all()
        audits = [a for a in (await session.exec(select(AuditRow))).all() if a.action == "dossier.bound"]
    assert [note.kind for note in notes] == ["bound"] * 2
    assert len(audits) == 2
    await report(talk.runtime, talk.clock.now, "000.00.01.H26-261123-0044")
    assert "0044" in (await talk.say("ho so cua toi"))[0], "what is handed in later with the phone is theirs as well"


async def test_another_phone_ends_what_the_first_one_had_bound(talk: Talk) -> None:
    await talk.share_phone(TYPED)
    assert len(await people(talk)) == 1
    await talk.share_phone("0900000009")
    assert await people(talk) == []
    assert "N. V. M." not in (await talk.say(CODE))[0]


async def test_details_ask_for_the_phone_and_are_shown_to_whom_it_belongs(anywhere: Talk) -> None:
    await anywhere.say(CODE)
    [details] = await payloads(anywhere)
    [asked] = await anywhere.say(details)
    async with anywhere.runtime.units_of_work() as uow:
        account = await anywhere.runtime.account_row(uow, anywhere.provider, anywhere.account)
        assert account is not None
        can_ask = uow.capabilities(account).asks_contact
    if not can_ask:
        assert "chỉ báo được tình trạng" in asked
        return
    assert "bấm nút chia sẻ số" in asked
    other = anywhere.other("4444")
    await other.say(CODE)
    await other.say(details)
    assert "khác số ghi trên hồ sơ" in (await other.share_phone("0900000009"))[1]
    shown = (await anywhere.share_phone(TYPED))[1]
    assert "N. V. M." in shown


async def template(talk: Talk, *parameters: dict[str, object]) -> None:
    async with talk.runtime.units_of_work() as uow:
        uow.session.add(
            ProviderTemplateRow(
                account_id="account", template_id="77", status="ENABLE", by_phone=True,
                parameters=list(parameters or ({"name": "otp", "type": "OTP", "required": True},)),
            )
        )  # fmt: skip


async def digits(talk: Talk) -> str:
    """Return the digits of the last message to the dossier's phone."""
    async with talk.runtime.database.reading() as session:
        rows = (await session.exec(select(OutboxRow).where(OutboxRow.way == "template_phone"))).all()
    return str(max(rows, key=lambda row: row.id).body["parameters"]["otp"])


async def asked_for_digits(state: Talk) -> str:
    """Go as far as the digits being on their way, and return them."""
    await state.say(CODE)
    [offered] = await state.say((await payloads(state))[0])
    assert "gửi mã 6 số" in offered
    assert "0900" not in offered
    [sent] = await state.say((await payloads(state))[0])
    assert "Đã gửi mã 6 số" in sent
    return await digits(state)


async def test_digits_sent_to_the_dossiers_phone_bind_it(state: Talk) -> None:
    await template(state)
    code = await asked_for_digits(state)
    wrong = "000000" if code != "000000" else "111111"
    assert "còn 2 lần" in (await state.say(wrong))[0]
    [shown] = await state.say(f"mã là {code[:3]} {code[3:]} ạ")
    assert "N. V. M., 0900•••001" in shown
    assert await people(state) == [((await state.contact()).id, "code")]
    assert CODE.partition("-")[2] in (await state.say("hồ sơ của tôi"))[0]
    assert "N. V. M." not in (await state.other().say(CODE))[0]


async def test_digits_are_tried_three_times_and_hold_ten_minutes(state: Talk) -> None:
    await template(state)
    code = await asked_for_digits(state)
    wrong = "000000" if code != "000000" else "111111"
    said = [(await state.say(wrong))[0] for _ in range(3)]
    assert "hết hạn" in said[-1]
    assert "N. V. M." not in "".join(await state.say(code))
    code = await asked_for_digits(state)
    state.clock.forward(minutes=11)
    assert "hết hạn" in (await state.say(code))[0]
    assert await people(state) == []


async def test_no_more_than_a_few_messages_with_digits_go_to_one_phone(state: Talk) -> None:
    await template(state)
    for _ in range(3):
        await asked_for_digits(state)
    other = state.other()
    await other.say(CODE)
    await other.say((await payloads(other))[0])
    assert "gửi nhiều mã" in (await other.say((await payloads(other))[0]))[0]
    state.clock.forward(hours=25)
    await asked_for_digits(state)


@pytest.mark.parametrize(
    ("parameters", "usable"),
    [
        ([{"name": "ma", "type": "CODE", "required": True}], True),
        ([{"name": "otp", "type": "OTP"}, {"name": "ma_ho_so", "type": "CODE", "required": True}], True),
        ([{"name": "otp", "type": "OTP"}, {"name": "ten", "type": "CUSTOMER_NAME", "required": True}], False),
        ([{"name": "otp", "type": "OTP"}, {"name": "ten", "type": "CUSTOMER_NAME", "required": False}], True),
    ],
)
async def test_a_template_that_wants_more_than_we_have_is_not_used(
    state: Talk, parameters: list[dict[str, object]], usable: bool
) -> None:
    await template(state, *parameters)
    async with state.runtime.units_of_work() as uow:
        await choose(uow, "77")
    await state.say(CODE)
    [said] = await state.say((await payloads(state))[0])
    assert ("gửi mã 6 số" in said) is usable


async def choose(uow: UnitOfWork, template_id: str) -> None:
    unit = await units.unit(uow.session, "commune")
    assert unit is not None
    unit.settings = {**unit.settings, SETTING: template_id}


async def test_the_end_of_a_code_that_several_have_is_chosen_from_buttons_without_names(anywhere: Talk) -> None:
    for day in ("261119", "261120", "261121"):
        await report(anywhere.runtime, anywhere.clock.now, f"000.00.01.H26-{day}-0012", phone="84900000002")
    await anywhere.say("tra cứu")
    [choices] = await anywhere.say("0012")
    assert "Có nhiều hồ sơ khớp" in choices
    assert "Mẫu" not in choices
    found = await payloads(anywhere)
    assert len(found) == 4
    assert found[2] in (await anywhere.say("3"))[0]
    assert "261120-0012" in (await anywhere.say("hồ sơ 261120–0012"))[0]


async def test_the_end_of_a_code_means_ones_own_dossier_first(talk: Talk) -> None:
    await report(talk.runtime, talk.clock.now, "000.00.01.H26-261119-0012", phone="84900000002")
    await talk.share_phone(TYPED)
    await talk.say("tra cứu hồ sơ")
    assert CODE in (await talk.say("số 12"))[0]


async def test_none_says_what_to_check_and_where_to_ask(talk: Talk) -> None:
    [said] = await talk.say("000.00.01.H26-261123-9999")
    assert "kiểm tra lại mã" in said
    assert "dichvucong.gov.vn" in said
    assert "024 0000 0000" in said
    await talk.share_phone("0900000009")
    assert "Chưa có hồ sơ nào theo số" in (await talk.say("hồ sơ của tôi"))[0]


async def test_dossiers_of_other_offices_are_not_told(talk: Talk) -> None:
    far = "H26.99-261123-0777"
    async with talk.runtime.units_of_work() as uow:
        since = date(2025, 7, 1)
        uow.session.add(UnitRow(id="far", code="1", name="Xã khác", kind="commune", path="/far/", valid_from=since))
        await uow.session.flush()
        news = News(far, Status.PROCESSING, uow.now, "far", "/far/", {})
        await take_in(uow, talk.runtime.box, [news], "import:test")
    assert "Không tìm thấy" in (await talk.say(far))[0]
    await talk.say("tra cứu")
    assert "Không tìm thấy" in (await talk.say("0777"))[0]


async def test_guessing_is_limited_with_growing_pauses(talk: Talk) -> None:
    said = [(await talk.say(f"000.00.01.H26-261123-{number}"))[0] for number in range(8000, 8011)]
    assert all("Không tìm thấy" in one for one in said[:10])
    assert "chờ 10 phút" in said[10]
    assert "chờ" in (await talk.say(CODE))[0], "not even a right one is told"
    talk.clock.forward(minutes=11)
    assert "đang được xử lý" in (await talk.say(CODE))[0]
    assert "Không tìm thấy" in (await talk.say("000.00.01.H26-261123-8012"))[0]
    assert "chờ 20 phút" in (await talk.say("000.00.01.H26-261123-8013"))[0]
    await talk.share_phone(TYPED)
    assert "N. V. M." in (await talk.say(CODE))[0], "one's own is no guess"
    talk.clock.forward(days=2)
    assert "Không tìm thấy" in (await talk.say("000.00.01.H26-261123-8014"))[0]


async def test_guesses_from_all_chats_of_a_person_count_together(talk: Talk) -> None:
    other = talk.other()
    for chat in (talk, other):
        await chat.say("menu")
    async with talk.runtime.units_of_work() as uow:
        for chat in (talk, other):
            row = await contacts.contact(uow.session, (await chat.contact()).id)
            assert row is not None
            row.person_id = "one"
    for number in range(8000, 8005):
        for chat in (talk, other):
            assert "Không tìm thấy" in (await chat.say(f"000.00.01.H26-261123-{number}"))[0]
    assert "chờ 10 phút" in (await talk.say("000.00.01.H26-261123-8006"))[0]
    assert "chờ 10 phút" in (await other.say("000.00.01.H26-261123-8006"))[0]


async def test_numbers_of_other_peoples_dossiers_count_as_guesses(talk: Talk) -> None:
    for number in range(20, 32):
        await report(talk.runtime, talk.clock.now, f"000.00.01.H26-261123-00{number}")
    said = []
    for number in range(20, 32):
        await talk.say("tra cứu")
        said += await talk.say(f"00{number}")
    assert "đang được xử lý" in said[0]
    assert "nhiều mã không đúng" in said[-1]


async def test_a_code_in_a_report_does_not_take_it_away(talk: Talk) -> None:
    await talk.say("phản ánh")
    await talk.say("#lv dien-nuoc")
    story = f"Tôi nộp hồ sơ {CODE} từ tháng trước mà cán bộ chưa trả, đề nghị xã xem lại giúp dân"
    assert "đang được xử lý" not in "".join(await talk.say(story))
    assert (await talk.conversation()).state == Step.PLACE
    assert "đang được xử lý" in (await talk.say(CODE))[0], "a code alone is asked about in the middle of it"
    assert (await talk.conversation()).state == Step.PLACE


async def test_a_code_that_an_official_has_asked_for_goes_into_the_case(talk: Talk) -> None:
    case = await talk.report()
    await Official(talk, "official").ask()
    await talk.sent()
    assert "Đã chuyển câu trả lời" in (await talk.say(f"Mã hồ sơ là {CODE}"))[-1]
    async with talk.runtime.database.reading() as session:
        said = [m.text for m in await messages.of_case(session, case.id) if m.direction == "in"]
    assert f"Mã hồ sơ là {CODE}" in said
    assert "đang được xử lý" in (await talk.say(CODE))[0], "afterwards it asks for the dossier"


async def test_what_is_no_code_goes_its_way_while_one_is_waited_for(talk: Talk) -> None:
    await talk.say("/start")
    await talk.say("tra cứu hồ sơ")
    assert "Ông/Bà cần hỗ trợ" in (await talk.say("xin chào"))[0]
    await talk.say("tra cứu hồ sơ")
    talk.clock.forward(minutes=31)
    assert "đang được xử lý" not in "".join(await talk.say("0012"))
    assert (await talk.conversation()).state == Step.IDLE


async def photographed(talk: Talk, *codes: str) -> None:
    """Pretend that the photos are there, with these codes in them."""
    async with talk.runtime.units_of_work() as uow:
        for row in (await uow.session.exec(select(AttachmentRow).where(AttachmentRow.state == "pending"))).all():
            row.state, row.codes = "stored", " ".join(codes)


async def test_a_photo_that_is_waited_for_is_read_once_it_is_there(anywhere: Talk) -> None:
    await anywhere.say("tra cứu hồ sơ")
    assert await anywhere.photo() == []
    assert await anywhere.quiet() == [], "it is on its way"
    await photographed(anywhere, CODE)
    assert "đang được xử lý" in (await anywhere.quiet())[0]
    async with anywhere.runtime.database.reading() as session:
        assert {row.state for row in (await session.exec(select(AttachmentRow))).all()} == {"discarded"}


async def test_a_photo_without_a_code_says_so_and_how_to_type_it(talk: Talk) -> None:
    await talk.photo("tra cứu hồ sơ")
    await photographed(talk)
    assert "Chưa đọc được mã" in (await talk.quiet())[0]
    await talk.photo()
    talk.clock.forward(minutes=2)
    assert "Ảnh chưa tải về được" in (await talk.quiet())[0]
    assert "đang được xử lý" in (await talk.say("0012"))[0]


async def test_a_photo_of_a_receipt_out_of_the_blue_is_no_report(talk: Talk) -> None:
    await talk.say("/start")
    await talk.photo()
    await photographed(talk, CODE)
    [told] = await talk.quiet()
    assert "đang được xử lý" in told
    assert (await talk.conversation()).data.get("draft") is None
    await talk.photo()
    await photographed(talk, "000.00.01.H26-261123-9999")
    assert "đang được xử lý" not in (await talk.quiet())[0], "a code that is not ours leaves the photo a report's"


async def test_withdrawing_ends_what_was_bound(talk: Talk) -> None:
    await talk.share_phone(TYPED)
    await talk.withdraw()
    assert await people(talk) == []
    async with talk.runtime.database.reading() as session:
        notes = (await session.exec(select(DossierNoteRow).order_by(DossierNoteRow.id))).all()
    assert [note.data["bound"] for note in notes] == [True, False]
    assert {note.actor_name for note in notes} == {""}
