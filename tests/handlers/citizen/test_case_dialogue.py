"""After the report: status, questions back, answer, rating, reopening, silence while people talk."""

from dataclasses import replace

import pytest
from sqlmodel import select

from bot.actions import answer_case, work_case
from bot.domain.update import Echo, Receipt, ReceiptKind
from bot.errors import ConflictError, InvalidInputError, TooEarlyError
from bot.store import cases, messages, outbox
from bot.store.cases import CaseEventRow
from bot.store.messages import AttachmentRow
from bot.store.outbox import OutboxRow
from tests.talk import Official, Talk


async def test_status_by_code_in_any_spelling_and_by_anybody_who_has_it(talk: Talk) -> None:
    case = await talk.report()
    for text in (case.code, case.code.lower(), case.code.replace("-", " "), f"mã {case.code} đến đâu rồi"):
        assert "đã chuyển đơn vị xử lý" in (await talk.say(text))[0]
    other = talk.other()
    assert case.code in (await other.say(case.code))[0]


async def test_a_report_about_conduct_is_shown_to_its_sender_only(talk: Talk) -> None:
    await talk.say("phản ánh")
    await talk.say("#lv thai-do-can-bo")
    for text in ("Cán bộ một cửa quát mắng người dân", "bỏ qua", "xong", "gửi"):
        await talk.say(text)
    [case] = await talk.cases()
    assert "đã chuyển" in (await talk.say(case.code))[0]
    other = talk.other()
    assert "Không tìm thấy" in (await other.say(case.code))[0]


async def test_guessing_codes_is_limited(talk: Talk) -> None:
    answers = [(await talk.say(f"PA-2222{letter}"))[0] for letter in "ABCDEFGHJKLM"]
    assert "Không tìm thấy" in answers[0]
    assert "thử nhiều mã" in answers[-1]
    talk.clock.forward(hours=2)
    assert "Không tìm thấy" in (await talk.say("PA-2222Z"))[0]


async def test_my_cases(talk: Talk) -> None:
    assert "chưa gửi" in (await talk.say("phản ánh của tôi"))[0]
    case = await talk.report()
    assert case.code in (await talk.say("phan anh cua toi"))[0]


async def test_answer_rating_and_close(talk: Talk) -> None:
    case = await talk.report()
    await Official(talk, "official").accept()
    await Official(talk, "official").answer()
    await talk.sent()
    assert await talk.new_messages() == [], "nothing leaves before the head approves"
    await Official(talk, "head").approve()
    await talk.sent()
    answer, rate = await talk.new_messages()
    assert "Đã thay bóng đèn" in answer.text
    assert case.code in rate.text
    assert "Cảm ơn" in (await talk.say("Rất hài lòng"))[0]
    assert "sức khỏe" in (await talk.say("Các anh làm nhanh lắm"))[0]
    [case] = await talk.cases()
    assert (case.state, case.rating, case.rating_remark) == ("closed", 3, "Các anh làm nhanh lắm")


async def test_a_number_rates_where_buttons_cannot_be_shown(talk: Talk) -> None:
    await talk.report()
    await Official(talk, "official").answer()
    await Official(talk, "head").approve()
    await talk.sent()
    assert "chưa hài lòng" in (await talk.say("3"))[-1].lower()


async def test_dissatisfied_reopens_once(talk: Talk) -> None:
    case = await talk.report()
    for again in (False, True):
        await Official(talk, "official").answer()
        await Official(talk, "head").approve()
        await talk.sent()
        await talk.say(f"#danhgia {case.code} 1")
        said = (await talk.say("Đèn vẫn không sáng"))[0]
        assert "lãnh đạo" in said
        assert ("mở lại" in said) is not again
    [case] = await talk.cases()
    assert (case.reopened, case.state) == (1, "answered")


async def test_the_reply_to_a_question_lands_in_its_case_and_the_clock_pauses(talk: Talk) -> None:
    case = await talk.report()
    due = case.due_at
    await Official(talk, "official").ask()
    await talk.sent()
    assert (await Official(talk, "official").case()).due_at is None, "no date while the citizen's word is awaited"
    talk.clock.forward(days=2)
    await talk.say("Cột số 12 ạ")
    await talk.photo()
    case = await Official(talk, "official").case()
    assert case.state == "in_progress"
    assert case.due_at is not None
    assert due is not None
    assert case.due_at > due
    async with talk.runtime.database.reading() as session:
        texts = [m.text for m in await messages.of_case(session, case.id) if m.direction == "in"]
        said = await messages.of_case(session, case.id)
        attached = await messages.attachments_of(session, [m.id for m in said])
    assert "Cột số 12 ạ" in texts
    assert attached


async def test_a_quote_wins_over_guessing(talk: Talk) -> None:
    first = await talk.report("Đèn đường thôn Kim Lâm hỏng, tối quá")
    async with Official(talk, "official").unit_of_work() as uow:
        await work_case.ask_back(uow, first.id, None, "Cột số mấy ạ?", 0, 30)
    await talk.sent()
    question = (await talk.new_messages())[-1]
    talk.clock.forward(hours=1)
    second = await talk.report("Đèn đường thôn Cát Động cũng hỏng luôn rồi")
    async with Official(talk, "official").unit_of_work() as uow:
        await work_case.ask_back(uow, second.id, None, "Hỏng từ bao giờ ạ?", 0, 30)
    await talk.sent()
    await talk.say("Cột số 3", quotes=f"z-{question.id}")
    await talk.say("Từ hôm kia")
    async with talk.runtime.database.reading() as session:
        in_first = [m.text for m in await messages.of_case(session, first.id) if m.direction == "in"]
        in_second = [m.text for m in await messages.of_case(session, second.id) if m.direction == "in"]
    assert "Cột số 3" in in_first
    assert "Từ hôm kia" in in_first or "Từ hôm kia" in in_second


async def test_the_bot_is_silent_while_a_person_talks(talk: Talk) -> None:
    await talk.report()
    update = Echo(
        account=talk.account,
        external_id="e",
        sender=talk.user,
        occurred_at=talk.clock.now,
        message_id="oa-1",
        text="Chào anh, em xem ngay ạ",
        staff_id="5555",
    )
    await talk.update(update)
    assert await talk.say("cảm ơn em") == []
    assert "Ông/Bà cần hỗ trợ" in (await talk.say("menu"))[0], "an explicit command is answered all the same"
    talk.clock.forward(minutes=31)
    assert await talk.say("alo") != []


async def test_what_a_person_typed_in_the_oa_tool_is_in_the_thread(talk: Talk) -> None:
    case = await talk.report()
    update = Echo(
        account=talk.account,
        external_id="e",
        sender=talk.user,
        occurred_at=talk.clock.now,
        message_id="oa-1",
        text="Chào anh, em xem ngay ạ",
        staff_id="5555",
    )
    await talk.update(update)
    await talk.update(update)
    async with talk.runtime.database.reading() as session:
        said = [m for m in await messages.of_case(session, case.id) if m.author == "oa_tool"]
    assert [m.text for m in said] == ["Chào anh, em xem ngay ạ"]


async def test_an_echo_of_our_own_message_is_recognised_by_id(talk: Talk) -> None:
    case = await talk.report()
    await talk.sent()
    async with talk.runtime.database.reading() as session:
        ours = [m for m in await messages.of_case(session, case.id) if m.direction == "out"][-1]
    update = Echo(
        account=talk.account,
        external_id="e",
        sender=talk.user,
        occurred_at=talk.clock.now,
        message_id=ours.provider_id or "",
        text=ours.text,
    )
    await talk.update(update)
    async with talk.runtime.database.reading() as session:
        again = [m for m in await messages.of_case(session, case.id) if m.direction == "out"]
    assert len([m for m in again if m.text == ours.text]) == 1


async def test_an_approval_can_be_taken_back_before_it_leaves(talk: Talk) -> None:
    await talk.report()
    await talk.sent()
    await Official(talk, "official").answer()
    event_id = await Official(talk, "head").approve(undo=10)
    await talk.sent()
    case = await Official(talk, "head").case()
    assert case.state == "approved"
    async with Official(talk, "head").unit_of_work() as uow:
        await answer_case.take_answer_back(uow, case.id, event_id)
    talk.clock.forward(seconds=20)
    await talk.sent()
    assert (await Official(talk, "head").case()).state == "drafted"
    assert not [m for m in await talk.new_messages() if m.purpose == "answer" and m.state == "sent"]


async def test_what_has_left_cannot_be_taken_back(talk: Talk) -> None:
    await talk.report()
    await Official(talk, "official").answer()
    event_id = await Official(talk, "head").approve()
    await talk.sent()
    case = await Official(talk, "head").case()
    with pytest.raises(ConflictError):
        async with Official(talk, "head").unit_of_work() as uow:
            await answer_case.take_answer_back(uow, case.id, event_id)


async def test_two_officials_at_once_the_second_is_told(talk: Talk) -> None:
    case = await talk.report()
    await Official(talk, "official").answer()
    with pytest.raises(ConflictError):
        async with Official(talk, "head").unit_of_work() as uow:
            await answer_case.submit(uow, case.id, case.version, "Một câu trả lời khác, cũng đủ dài.", [], 0, 30)
    async with talk.runtime.database.reading() as session:
        assert len(await cases.answers(session, case.id)) == 1


async def test_an_answer_that_says_nothing_is_refused(talk: Talk) -> None:
    case = await talk.report()
    with pytest.raises(InvalidInputError, match="too_short"):
        async with Official(talk, "official").unit_of_work() as uow:
            await answer_case.submit(uow, case.id, None, "Đã xử lý", [], 0, 30)


async def test_a_field_category_wants_a_photo_of_the_result(talk: Talk) -> None:
    await talk.say("phản ánh")
    await talk.say("#lv ha-tang")
    for text in ("Đường thôn Kim Lâm có ổ gà to", "xong", "gửi"):
        await talk.say(text)
    [case] = await talk.cases()
    with pytest.raises(InvalidInputError, match="photo_needed"):
        async with Official(talk, "official").unit_of_work() as uow:
            await answer_case.submit(uow, case.id, None, "Đã vá ổ gà ở thôn Kim Lâm hôm nay.", [], 0, 30)


async def test_refusing_tells_reason_and_basis(talk: Talk) -> None:
    case = await talk.report()
    async with Official(talk, "head").unit_of_work() as uow:
        await work_case.refuse(uow, case.id, None, "Việc của điện lực tỉnh", "Luật Điện lực, Điều 5")
    told = (await talk.new_messages())[-1].text
    assert "Luật Điện lực" in told
    assert "Việc của điện lực" in told


async def test_joined_reporters_all_get_the_answer(talk: Talk) -> None:
    first = await talk.report()
    other = talk.other()
    second = await other.report("Bóng đèn cột số 12 thôn Kim Lâm cháy rồi, tối om")
    async with Official(talk, "head").unit_of_work() as uow:
        await work_case.merge(uow, second.id, None, first.code)
    async with Official(talk, "official").unit_of_work() as uow:
        await answer_case.submit(uow, first.id, None, "Đã thay bóng đèn ở cột số 12.", [], 0, 30)
    async with Official(talk, "head").unit_of_work() as uow:
        await answer_case.approve(uow, first.id, None, 0, 30)
    await talk.sent()
    assert any("Đã thay bóng đèn" in m.text and second.code in m.text for m in await other.new_messages())


async def test_stop_and_resume(talk: Talk) -> None:
    await talk.follow()
    assert "Đã dừng" in (await talk.say("dừng"))[0]
    assert (await talk.contact()).stopped_at is not None
    assert "nhận lại thông báo" in (await talk.say("nhận lại"))[0]
    assert (await talk.contact()).stopped_at is None


async def test_yes_is_not_stop(talk: Talk) -> None:
    await talk.follow()
    await talk.say("đúng")
    assert (await talk.contact()).stopped_at is None


async def test_deleting_data_tells_the_date(talk: Talk) -> None:
    await talk.follow()
    assert "25/11/2026" in (await talk.say("xoá dữ liệu"))[0]


async def test_a_phone_that_is_handed_over_is_kept_encrypted(talk: Talk) -> None:
    await talk.follow()
    assert "đã được lưu" in (await talk.share_phone("0900000001"))[0]
    contact = await talk.contact()
    assert contact.phone is not None
    assert b"84900000001" not in contact.phone
    assert talk.runtime.box.open(contact.phone) == "84900000001"


async def test_withdrawing_erases_words_and_names(talk: Talk) -> None:
    case = await talk.report()
    await talk.share_phone("0900000001")
    await talk.withdraw()
    contact = await talk.contact()
    assert (contact.name, contact.phone, contact.phone_hash) == ("", None, None)
    [case] = await talk.cases()
    assert case.text == ""
    async with talk.runtime.database.reading() as session:
        assert {m.text for m in await messages.of_case(session, case.id)} == {""}


async def test_the_conversation_survives_a_restart(talk: Talk) -> None:
    await talk.say("phản ánh")
    await talk.say("2")
    again = replace(talk, read=set(talk.read))
    assert any("ở đâu" in text for text in await again.say("Đèn hỏng trước cổng trường"))


async def test_words_to_the_inspector_never_land_in_an_ordinary_case(talk: Talk) -> None:
    await talk.say("phản ánh")
    await talk.say("#lv thai-do-can-bo")
    for text in ("Cán bộ một cửa quát mắng người dân sáng nay", "bỏ qua", "xong", "gửi"):
        await talk.say(text)
    [restricted] = await talk.cases()
    await talk.report()
    async with Official(talk, "inspector").unit_of_work() as uow:
        await work_case.ask_back(uow, restricted.id, None, "Sự việc lúc mấy giờ ạ?", 0, 30)
    await talk.sent()
    await talk.say("Khoảng 9 giờ sáng")
    talk.clock.forward(minutes=12)
    await talk.say("Người đó ngồi ở quầy số 2")
    async with talk.runtime.database.reading() as session:
        texts = [m.text for m in await messages.of_case(session, restricted.id) if m.direction == "in"]
    assert texts[-2:] == ["Khoảng 9 giờ sáng", "Người đó ngồi ở quầy số 2"]


async def test_a_new_report_can_be_made_while_an_official_talks_about_another(talk: Talk) -> None:
    await talk.report()
    await Official(talk, "official").ask()
    await talk.sent()
    await talk.say("Cột số 12")
    await talk.say("phản ánh")
    assert "kể rõ sự việc" in (await talk.say("#lv moi-truong"))[-1]
    await talk.say("Rác đổ đầy bờ mương thôn Cát Động, mùi hôi thối")
    await talk.say("xong")
    await talk.say("gửi")
    assert len(await talk.cases()) == 2


@pytest.mark.parametrize("start", ["#lv dien-nuoc", "propose", "caption"])
async def test_a_report_about_conduct_is_kept_apart_whatever_was_chosen(talk: Talk, start: str) -> None:
    text = "Cán bộ một cửa vòi tiền, hách dịch với người dân"
    if start == "caption":
        await talk.photo(text)
        await talk.quiet()
    elif start == "propose":
        await talk.say(text)
    else:
        await talk.say("phản ánh")
        await talk.say(start)
        await talk.say(text)
        await talk.say("bỏ qua")
        await talk.say("xong")
    await talk.say("gửi")
    [case] = await talk.cases()
    assert (case.restricted, case.unit_id) == (True, "commune")


async def test_a_denunciation_under_a_photo_is_shown_the_legal_way(talk: Talk) -> None:
    assert "Tố cáo, khiếu nại" in (await talk.photo("Tôi muốn tố cáo ông chủ tịch xã nhận hối lộ"))[0]
    await talk.quiet()
    assert await talk.cases() == []


async def test_an_identity_card_in_a_reply_is_not_kept(talk: Talk) -> None:
    await talk.report()
    await Official(talk, "official").ask()
    await talk.sent()
    assert "không được lưu" in (await talk.photo("ảnh căn cước của tôi"))[-1]
    await talk.photo()
    assert "không được lưu" in (await talk.say("đấy là ảnh căn cước mặt sau"))[-1]
    async with talk.runtime.database.reading() as session:
        states = {a.state for a in (await session.exec(select(AttachmentRow))).all()}
    assert states == {"discarded"}


async def test_a_complaint_that_mentions_identity_cards_keeps_its_photo(talk: Talk) -> None:
    await talk.photo("Tôi đi làm căn cước công dân cho con mà xếp hàng từ sáng đến trưa không ai tiếp, đề nghị xem lại")
    async with talk.runtime.database.reading() as session:
        assert {a.state for a in (await session.exec(select(AttachmentRow))).all()} == {"pending"}


async def test_withdrawing_blanks_what_left_and_what_was_said_about_it(talk: Talk) -> None:
    await talk.report("Đèn đường nhà ông Tư thôn Kim Lâm hỏng")
    await talk.withdraw()
    async with talk.runtime.database.reading() as session:
        for row in (await session.exec(select(OutboxRow))).all():
            assert "ông Tư" not in row.text + str(row.body)
        for event in (await session.exec(select(CaseEventRow))).all():
            assert event.actor_kind != "citizen" or event.actor_name == ""


async def test_a_superscript_digit_breaks_nothing(talk: Talk) -> None:
    await talk.say("phản ánh")
    assert len(await talk.say("²")) == 1


async def test_chatter_is_not_sent_hours_late(talk: Talk) -> None:
    await talk.follow()
    talk.clock.forward(hours=3)
    async with talk.runtime.units_of_work() as uow:
        assert await outbox.claim(uow.session, "x", uow.now, 60, 10) == []
        assert await outbox.expire(uow.session, uow.now) == 1


async def test_a_receipt_that_comes_before_the_outcome_is_looked_at_again(talk: Talk) -> None:
    await talk.follow()
    receipt = Receipt(
        account=talk.account,
        external_id="r",
        sender=talk.user,
        occurred_at=talk.clock.now,
        kind=ReceiptKind.DELIVERED,
        message_ids=("z-1",),
    )
    async with talk.runtime.units_of_work() as uow:
        [row] = await outbox.claim(uow.session, "x", uow.now, 60, 10)
    with pytest.raises(TooEarlyError):
        await talk.update(receipt)
    async with talk.runtime.units_of_work() as uow:
        await outbox.record(uow.session, row.id, "x", state="sent", provider_id="z-1", sent_at=uow.now)
    await talk.update(receipt)
    async with talk.runtime.database.reading() as session:
        found = await outbox.row(session, row.id)
    assert found is not None
    assert found.state == "delivered"


async def test_a_case_asked_about_later_wins_over_the_one_just_replied_to(talk: Talk) -> None:
    first = await talk.report("Đèn đường thôn Kim Lâm hỏng, tối quá")
    talk.clock.forward(hours=1)
    second = await talk.report("Đèn đường thôn Cát Động cũng hỏng luôn rồi")
    async with Official(talk, "official").unit_of_work() as uow:
        await work_case.ask_back(uow, first.id, None, "Cột số mấy ạ?", 0, 30)
    await talk.sent()
    assert "Đã chuyển câu trả lời" in (await talk.say("Cột số 3"))[-1]
    async with Official(talk, "official").unit_of_work() as uow:
        await work_case.ask_back(uow, second.id, None, "Hỏng ở chỗ nào ạ?", 0, 30)
    await talk.sent()
    await talk.say("chỗ chợ ấy")
    async with talk.runtime.database.reading() as session:
        found = await cases.case(session, second.id)
        texts = [m.text for m in await messages.of_case(session, second.id) if m.direction == "in"]
    assert "chỗ chợ ấy" in texts
    assert found is not None
    assert found.state == "in_progress"


async def test_after_the_answer_the_bot_speaks_again(talk: Talk) -> None:
    await talk.follow()
    await talk.report()
    await Official(talk, "official").ask()
    await talk.sent()
    await talk.say("Cột số 3")
    await Official(talk, "official").answer()
    await Official(talk, "head").approve()
    await talk.sent()
    await talk.new_messages()
    assert await talk.say("menu") != []
    assert "Cảm ơn" in (await talk.say("cảm ơn"))[0]


async def test_a_reopened_case_tells_its_new_date(talk: Talk) -> None:
    case = await talk.report()
    await Official(talk, "official").answer()
    await Official(talk, "head").approve()
    await talk.sent()
    await talk.say(f"#danhgia {case.code} 1")
    await talk.say("Đèn vẫn không sáng")
    assert "Hạn trả lời mới" in (await talk.say(case.code))[0]


async def test_the_bot_is_silent_for_a_person_even_when_there_is_no_case(talk: Talk) -> None:
    await talk.follow()
    update = Echo(
        account=talk.account,
        external_id="e",
        sender=talk.user,
        occurred_at=talk.clock.now,
        message_id="oa-1",
        text="Chào anh, em xem ngay ạ",
        staff_id="5555",
    )
    await talk.update(update)
    assert await talk.say("cảm ơn em nhé") == []
    assert await talk.say("đường trước cổng trường bị hỏng nặng lắm rồi") == []
