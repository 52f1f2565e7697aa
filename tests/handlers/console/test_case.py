"""The page of one case."""

from bot.actions import answer_case, contacts, work_case
from bot.actions.messages import edit
from bot.domain.update import MessageReceived
from bot.store import accounts, audit, outbox
from bot.store.contacts import ContactRow
from bot.store.messages import AttachmentRow
from bot.store.unit_of_work import Actor
from tests import commune
from tests.handlers.console.visitor import Office, photo

OFFICIAL = Actor("staff", "official", "Cán bộ official")
ANSWER = "Đã thay bóng đèn mới, sáng từ tối nay."


async def test_the_whole_story_stands_on_one_page(office: Office) -> None:
    case = await office.make_case(place="cạnh nhà văn hoá", latitude=20.85, longitude=105.77, area_id="kim-lam")
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    for words in (
        case.code,
        "Đèn đường thôn Kim Lâm hỏng",
        "Nguyễn Thị Hoà",
        "cạnh nhà văn hoá",
        "https://www.openstreetmap.org/?mlat=20.850000",
        'rel="noopener noreferrer"',
        "Hệ thống chuyển đến Phòng Kinh tế",
        "Lĩnh vực Điện – nước – chiếu sáng",
        "Hạn này tính thế nào?",
        "Nhắn được đến",
        "Trình duyệt",
    ):
        assert words in page, words


async def test_a_case_of_another_unit_does_not_exist(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("stranger")
    assert (await visitor.get(f"/cases/{case.id}")).status == 404
    assert (await visitor.get("/cases/unknown")).status == 404


async def test_a_restricted_case_exists_for_inspectors_alone(office: Office) -> None:
    case = await office.make_case("Cán bộ một cửa hách dịch", "thai-do-can-bo")
    for key in ("official", "head", "leader", "auditor"):
        assert (await (await office.enter(key)).get(f"/cases/{case.id}")).status == 404, key
    page = await (await office.enter("inspector")).page(f"/cases/{case.id}")
    assert "Chỉ người có vai trò thanh tra" in page


async def test_a_reader_sees_no_forms(office: Office) -> None:
    case = await office.make_case()
    page = await (await office.enter("auditor")).page(f"/cases/{case.id}")
    assert 'action="/cases/' not in page


async def test_other_cases_of_the_person_are_shown_but_restricted_ones(office: Office) -> None:
    case = await office.make_case("Đèn đường hỏng ngõ 1")
    other = await office.make_case("Đèn đường hỏng ngõ 2")
    hidden = await office.make_case("Cán bộ hách dịch", "thai-do-can-bo")
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    assert other.code in page
    assert hidden.code not in page
    assert hidden.code in await (await office.enter("inspector")).page(f"/cases/{case.id}")


async def test_what_a_citizen_types_is_shown_as_text_and_masked(office: Office) -> None:
    case = await office.make_case("<script>alert(1)</script> {{ config }} CCCD 001099012345 đèn hỏng")
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    assert "<script>alert" not in page
    assert "{{ config }}" in page
    assert "001099012345" not in page


async def test_photos_say_why_they_are_not_there(office: Office) -> None:
    case = await office.make_case(attachments=(photo(),))
    visitor = await office.enter("official")
    assert "Đang tải về" in await visitor.page(f"/cases/{case.id}")
    words = {
        "not_a_picture": "không phải là ảnh",
        "too_large": "quá lớn",
        "gone": "không còn giữ",
        "not_reachable": "Không tải được",
        "foreign_host": "địa chỉ lạ",
    }
    for reason, said in words.items():
        async with office.runtime.units_of_work() as uow:
            from sqlmodel import update

            await uow.session.exec(update(AttachmentRow).values(state="failed", failure=reason))
        assert said in await visitor.page(f"/cases/{case.id}"), reason
    row = await office.photo_of(case)
    assert f"/media/{row.id}/thumb" in await visitor.page(f"/cases/{case.id}")


async def test_deliveries_show_how_far_they_came_and_why_not(office: Office) -> None:
    case = await office.make_case()
    async with office.runtime.units_of_work(OFFICIAL) as uow:
        await work_case.ask_back(uow, case.id, None, "Đoạn nào ạ?", 0, 30)
    visitor = await office.enter("official")
    assert "Đang chờ gửi" in await visitor.page(f"/cases/{case.id}")
    async with office.runtime.units_of_work() as uow:
        rows = await outbox.claim(uow.session, "x", uow.now, 60, 9)
        await outbox.record(uow.session, rows[-1].id, "x", state="sent", sent_at=uow.now)
    assert "Đã gửi" in await visitor.page(f"/cases/{case.id}")
    async with office.runtime.units_of_work() as uow:
        row = await outbox.row(uow.session, rows[-1].id)
        assert row is not None
        row.state, row.reason = "failed", "recipient_inactive"
    page = await visitor.page(f"/cases/{case.id}")
    assert "Không gửi được" in page
    assert "hơn 45 ngày" in page


async def test_the_reply_window_and_what_follows_are_said(office: Office) -> None:
    case = await office.make_case()
    office.clock.forward(hours=60)
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    assert "tính vào hạn mức" in page
    office.clock.forward(days=6)
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    assert "Cửa sổ trả lời đã đóng" in page
    async with office.runtime.units_of_work() as uow:
        contact = await uow.session.get(ContactRow, case.contact_id)
        assert contact is not None
        contact.gone = "recipient_refuses_oa"
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    assert "từ chối nhận tin" in page


async def test_the_phone_is_masked_until_somebody_looks_and_that_is_logged(office: Office) -> None:
    case = await office.make_case()
    async with office.runtime.units_of_work() as uow:
        contact = await uow.session.get(ContactRow, case.contact_id)
        assert contact is not None
        await contacts.share_phone(uow, contact, "0900000001", "Hoà", "", office.runtime.box)
    visitor = await office.enter("official")
    page = await visitor.page(f"/cases/{case.id}")
    assert "0900•••001" in page
    assert "0900000001" not in page
    answer = await visitor.post(f"/cases/{case.id}/phone")
    assert "0900000001" in await answer.text()
    assert "0900000001" not in await visitor.page(f"/cases/{case.id}")
    async with office.runtime.database.reading() as session:
        [row] = await audit.latest(session, action="contact.reveal_phone")
    assert (row.actor_id, row.data) == ("official", {"case": case.code})
    assert (await (await office.enter("auditor")).post(f"/cases/{case.id}/phone")).status == 403


async def test_the_clock_explains_itself(office: Office) -> None:
    case = await office.make_case()
    async with office.runtime.units_of_work(OFFICIAL) as uow:
        await work_case.ask_back(uow, case.id, None, "Đoạn nào ạ?", 0, 30)
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    assert "Đang tạm dừng tính hạn" in page
    assert "Tạm dừng chờ công dân" in page
    assert "ngày nghỉ hằng tuần" in page or "Tính từ" in page


async def test_a_finished_case_offers_no_answer(office: Office) -> None:
    case = await office.make_case()
    async with office.runtime.units_of_work(OFFICIAL) as uow:
        await work_case.refuse(uow, case.id, None, "Không thuộc thẩm quyền", "Điều 5 Luật Tiếp công dân")
    page = await (await office.enter("head")).page(f"/cases/{case.id}")
    assert "Căn cứ: Điều 5" in page
    assert 'name="text"' not in page


async def test_every_step_of_a_case_renders_in_both_languages(office: Office) -> None:
    case = await office.make_case()
    async with office.runtime.units_of_work(OFFICIAL) as uow:
        await work_case.accept(uow, case.id)
        await work_case.add_note(uow, case.id, "Đã gọi điện")
        await work_case.set_level(uow, case.id, None, "urgent", "Nguy hiểm đến tính mạng")
        await answer_case.submit(uow, case.id, None, ANSWER, [], 0, 30)
        await answer_case.send_back(uow, case.id, None, "Nói rõ giờ")
        await answer_case.submit(uow, case.id, None, ANSWER, [], 0, 30)
        await answer_case.approve(uow, case.id, None, 0, 30)
    visitor = await office.enter("head")
    page = await visitor.page(f"/cases/{case.id}")
    for words in (
        "nhận xử lý",
        "Đã gọi điện",
        "Bình thường → Khẩn",
        "trả lại câu trả lời",
        "duyệt câu trả lời",
        ANSWER,
    ):
        assert words in page, words
    await visitor.post("/me/language", {"language": "en"})
    page = await visitor.page(f"/cases/{case.id}")
    for words in ('lang="en"', "accepted it", "Ordinary → Urgent", "approved the answer", ANSWER, "Why this unit"):
        assert words in page, words


async def test_a_changed_message_is_shown_as_it_is_and_as_it_was(office: Office) -> None:
    case = await office.make_case("Đèn đường thôn Kin Lam hỏng, CCCD 001099012345")
    async with office.runtime.units_of_work(Actor("citizen")) as uow:
        account = await accounts.account(uow.session, case.account_id)
        contact = await uow.session.get(ContactRow, case.contact_id)
        assert account is not None
        assert contact is not None
        update = MessageReceived(
            account=account.external_id,
            external_id="e",
            sender=contact.external_id,
            occurred_at=uow.now,
            message_id="c1",
            text="Đèn đường thôn Kim Lâm hỏng",
            edited=True,
        )
        await edit(uow, account, contact, update)
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    assert "Đã sửa lúc 23/11/2026" in page
    assert "Trước đó viết:" in page
    assert "Đèn đường thôn Kin Lam hỏng, CCCD" in page
    assert "001099012345" not in page
    assert "Công dân sửa một tin đã gửi" in page


async def test_the_page_says_by_which_other_account_the_same_person_writes(office: Office) -> None:
    case = await office.make_case()
    official = await office.enter("official")
    assert "Cũng là người này" not in await official.page(f"/cases/{case.id}")
    async with office.runtime.units_of_work() as uow:
        bot = commune.account_of(uow, "telegram", "", commune.BOT, account_id="bot")
        bot.name = "Bot xã Thanh Oai"
        uow.session.add(bot)
        await uow.session.flush()
        there = await contacts.met(uow, bot, "5555", interacts=True)
        there.name, there.person_id = "Trần Văn Bình", case.contact_id
    page = await official.page(f"/cases/{case.id}")
    assert "Telegram · Bot xã Thanh Oai" in page
    assert "T. V. B." in page
    assert "Trần Văn Bình" not in page
