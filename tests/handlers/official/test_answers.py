"""Answering, asking back, handing over and sending back from a chat: words, photos, what is missing, and undo."""

from dataclasses import replace as replaced

import pytest
from sqlmodel import col, select

from bot.actions import answer_case
from bot.domain.case import CaseState
from bot.domain.update import Attachment, AttachmentKind
from bot.store import cases
from bot.store.files import FileRow
from bot.store.messages import AttachmentRow, MessageRow
from bot.store.units import UnitRow
from tests.handlers.official.pocket import GROUP, Pocket

WORDS = "Đã thay bóng đèn trước cổng chợ lúc 15 giờ."
PHOTO = Attachment(kind=AttachmentKind.IMAGE, url="tg:1")


async def fetched(pocket: Pocket, failure: str = "") -> None:
    """Pretend that what was sent has been fetched, or could not be."""
    async with pocket.runtime.units_of_work() as uow:
        rows = (await uow.session.exec(select(AttachmentRow).where(AttachmentRow.state == "pending"))).all()
        for row in rows:
            row.state, row.failure = ("failed", failure) if failure else ("stored", "")
            if not failure:
                file = FileRow(
                    id=uow.new_id(), key=f"t/{row.id}", media_type="image/jpeg", name="anh.jpg", size=4,
                    sha256="0" * 64, created_at=uow.now,
                )  # fmt: skip
                uow.session.add(file)
                await uow.session.flush()
                row.file_id = file.id


async def answers_of(pocket: Pocket, case_id: str) -> list[cases.AnswerRow]:
    async with pocket.runtime.database.reading() as session:
        return await cases.answers(session, case_id)


@pytest.mark.parametrize("chat", ["", GROUP])
async def test_replying_to_the_card_answers(pocket: Pocket, chat: str) -> None:
    await pocket.link("official")
    await pocket.link_group()
    case = await pocket.new_case()
    said = await pocket.say("official", WORDS, quotes=pocket.card(chat or "official").id, chat=chat)
    assert "Đã trình duyệt" in said[0].text
    (answer,) = await answers_of(pocket, case.id)
    assert (answer.text, answer.author_id, answer.state) == (WORDS, "official", "submitted")
    await pocket.settle()
    assert "Chờ duyệt" in pocket.card(GROUP).text


async def test_the_button_asks_and_the_next_words_answer(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Trả lời")
    prompt = pocket.screen("official")[-1]
    assert case.code in prompt.text
    assert prompt.replies_to == pocket.card("official").id
    said = await pocket.say("official", WORDS)
    assert "Đã trình duyệt" in said[0].text


async def test_in_a_group_only_replies_count(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.link_group()
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card(GROUP), "Trả lời", GROUP)
    prompt = pocket.screen(GROUP)[-1]
    assert await pocket.say("official", "Trưa nay ăn gì các anh em ơi, ra quán nhé", chat=GROUP) == []
    assert await answers_of(pocket, case.id) == []
    await pocket.say("official", WORDS, quotes=prompt.id, chat=GROUP)
    assert [a.text for a in await answers_of(pocket, case.id)] == [WORDS]


async def test_a_stranger_who_replies_in_a_group_is_told_and_answers_nothing(pocket: Pocket) -> None:
    await pocket.link("stranger")
    await pocket.link_group()
    case = await pocket.new_case()
    said = await pocket.say("8888", WORDS, quotes=pocket.card(GROUP).id, chat=GROUP)
    assert "nối tài khoản" in said[0].text
    said = await pocket.say("stranger", WORDS, quotes=pocket.card(GROUP).id, chat=GROUP)
    assert "Không có quyền" in said[0].text
    assert await answers_of(pocket, case.id) == []


async def test_photos_of_an_album_leave_with_the_answer(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.link_group()
    case = await pocket.new_case(text="Đường thôn Kim Lâm có ổ gà rất sâu", category="ha-tang")
    card = pocket.card("office") if pocket.has_card("office") else None
    assert card is None
    async with pocket.as_staff("leader") as uow:
        from bot.actions import work_case

        await work_case.hand_over(uow, case.id, None, "economy", None, "Việc của kinh tế")
    await pocket.settle()
    shown = pocket.card(GROUP)
    await pocket.say("official", WORDS, PHOTO, quotes=shown.id, chat=GROUP, album="al1")
    await pocket.say("official", "", PHOTO, chat=GROUP, album="al1")
    assert await answers_of(pocket, case.id) == []
    await pocket.quiet()
    assert await answers_of(pocket, case.id) == [], "photos are still being fetched"
    await fetched(pocket)
    await pocket.quiet()
    (answer,) = await answers_of(pocket, case.id)
    assert len(answer.file_ids) == 2
    async with pocket.runtime.database.reading() as session:
        files = (await session.exec(select(FileRow).where(col(FileRow.id).in_(answer.file_ids)))).all()
    assert {f.case_id for f in files} == {case.id}


async def test_where_a_photo_is_needed_the_words_wait_for_it(pocket: Pocket) -> None:
    await pocket.link("leader", "inspector")
    case = await pocket.new_case(text="Đường thôn Kim Lâm có ổ gà rất sâu", category="ha-tang")
    said = await pocket.say("inspector", WORDS, quotes=pocket.card("inspector").id)
    assert "cần ít nhất một ảnh" in said[0].text
    await pocket.say("inspector", "", PHOTO)
    await fetched(pocket)
    await pocket.quiet()
    (answer,) = await answers_of(pocket, case.id)
    assert answer.text == WORDS
    assert len(answer.file_ids) == 1


async def test_photos_alone_wait_for_words(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.say("official", "", PHOTO, quotes=pocket.card("official").id)
    await fetched(pocket)
    await pocket.quiet()
    assert "Đã nhận 1 ảnh" in pocket.screen("official")[-1].text
    await pocket.say("official", WORDS)
    await pocket.quiet()
    (answer,) = await answers_of(pocket, case.id)
    assert len(answer.file_ids) == 1


@pytest.mark.parametrize(("failure", "words"), [
    ("too_large", "quá lớn"), ("not_a_known_file", "Không nhận tệp"), ("gone", "Không tải được"),
])  # fmt: skip
async def test_a_file_that_cannot_be_taken_is_named_and_the_words_stay(
    pocket: Pocket, failure: str, words: str
) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.say("official", WORDS, PHOTO, quotes=pocket.card("official").id)
    await fetched(pocket, failure)
    await pocket.quiet()
    problem = pocket.screen("official")[-1]
    assert words in problem.text
    await pocket.say("official", "", PHOTO, quotes=problem.id)
    await fetched(pocket)
    await pocket.quiet()
    (answer,) = await answers_of(pocket, case.id)
    assert (answer.text, len(answer.file_ids)) == (WORDS, 1)


async def test_words_that_say_nothing_are_asked_for_again(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    said = await pocket.say("official", "Đã xong", quotes=pocket.card("official").id)
    assert "ít nhất 20 ký tự" in said[0].text
    await pocket.say("official", WORDS)
    assert [a.text for a in await answers_of(pocket, case.id)] == [WORDS]


async def test_too_many_photos_are_chosen_again(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.say("official", WORDS, *[PHOTO] * 6, quotes=pocket.card("official").id)
    await fetched(pocket)
    await pocket.quiet()
    assert "Tối đa 5" in pocket.screen("official")[-1].text
    await pocket.say("official", "", PHOTO)
    await fetched(pocket)
    await pocket.quiet()
    (answer,) = await answers_of(pocket, case.id)
    assert len(answer.file_ids) == 1


async def test_a_sticker_is_no_answer(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    sticker = Attachment(kind=AttachmentKind.STICKER)
    said = await pocket.say("official", "", sticker, quotes=pocket.card("official").id)
    assert "Chỉ nhận chữ, ảnh và tệp" in said[0].text
    assert await answers_of(pocket, case.id) == []


async def test_cancel_by_button_and_by_word(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    card = pocket.card("official")
    await pocket.tap("official", card, "Trả lời")
    prompt = pocket.screen("official")[-1]
    await pocket.tap("official", prompt, "Thôi")
    assert prompt.text == "Đã bỏ."
    assert not prompt.buttons
    await pocket.tap("official", card, "Trả lời")
    await pocket.say("official", "hủy")
    said = await pocket.say("official", WORDS)
    assert not any("trình duyệt" in m.text for m in said)
    assert await answers_of(pocket, case.id) == []


async def test_a_menu_word_is_an_officials_own_as_a_citizen(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Trả lời")
    said = await pocket.say("official", "phản ánh")
    assert "phản ánh về việc gì" in said[0].text


async def test_free_words_of_an_official_are_a_citizens(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.new_case()
    said = await pocket.say("official", "Đường thôn tôi nhiều ổ gà quá, đi lại nguy hiểm")
    assert any("thành phản ánh" in m.text for m in said)


async def test_words_long_after_the_question_are_a_citizens(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Trả lời")
    prompt = pocket.screen("official")[-1]
    pocket.clock.forward(minutes=31)
    await pocket.say("official", WORDS)
    assert await answers_of(pocket, case.id) == []
    await pocket.say("official", WORDS, quotes=prompt.id)
    assert len(await answers_of(pocket, case.id)) == 1


async def test_asking_back_reaches_the_citizen_and_can_be_taken_back(pocket: Pocket) -> None:
    pocket.runtime.settings = replaced(
        pocket.runtime.settings, conversation=replaced(pocket.runtime.settings.conversation, undo_seconds=10)
    )
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Hỏi lại")
    said = await pocket.say("official", "Đèn ở cột số mấy ạ?")
    assert "sau 10 giây" in said[0].text
    assert (await pocket.case(case)).state == CaseState.WAITING_FOR_CITIZEN
    await pocket.tap("official", said[0], "Hoàn tác")
    assert "thu hồi" in said[0].text
    assert (await pocket.case(case)).state == CaseState.IN_PROGRESS
    assert await pocket.press("official", "c:undo:nothing")
    await pocket.settle()
    await pocket.tap("official", pocket.card("official"), "Hỏi lại")
    said = await pocket.say("official", "Đèn ở cột số mấy ạ?")
    late = said[0].payload("Hoàn tác")
    await pocket.settle(seconds=11)
    assert any("Đèn ở cột số mấy" in m.text for m in pocket.screen("3333444455556666777"))
    assert "Đã gửi đi rồi" in await pocket.press("official", late)


async def test_handing_over_pages_through_many_units_and_asks_why(pocket: Pocket) -> None:
    async with pocket.runtime.units_of_work() as uow:
        for n in range(12):
            uow.session.add(
                UnitRow(
                    id=f"unit{n:02}", code=f"u{n}", name=f"Tổ {n:02}", kind="division", parent_id="commune",
                    path=f"/commune/unit{n:02}/", valid_from=pocket.clock.now.date(),
                )
            )  # fmt: skip
    await pocket.link("official", "stranger")
    await pocket.link_group()
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card(GROUP), "Chuyển", GROUP)
    page = pocket.screen(GROUP)[-1]
    assert len(page.labels) == 9
    assert "Phòng Kinh tế" not in page.labels
    await pocket.tap("official", page, "Trang sau", GROUP)
    assert "trang 2/2" in page.text
    await pocket.tap("official", page, "Trang trước", GROUP)
    await pocket.tap("official", page, "Công an xã", GROUP)
    assert "Công an xã" in page.text
    assert "lý do" in page.text
    said = await pocket.say("official", "x", quotes=page.id, chat=GROUP)
    assert "ít nhất 5 ký tự" in said[0].text
    said = await pocket.say("official", "Có dấu hiệu phá hoại", quotes=said[0].id, chat=GROUP)
    assert "Đã chuyển" in said[0].text
    now = await pocket.case(case)
    assert (now.unit_id, now.state) == ("police", CaseState.ASSIGNED)
    await pocket.settle()
    assert case.code in pocket.card("stranger").text


async def test_sending_back_and_approving(pocket: Pocket) -> None:
    await pocket.link("official", "head")
    case = await pocket.new_case()
    await pocket.say("official", WORDS, quotes=pocket.card("official").id)
    await pocket.settle()
    await pocket.tap("head", pocket.card("head"), "Trả lại")
    said = await pocket.say("head", "Nêu rõ cột nào")
    assert "Đã trả lại" in said[0].text
    (answer,) = await answers_of(pocket, case.id)
    assert (answer.state, answer.remark, answer.approver_id) == ("sent_back", "Nêu rõ cột nào", "head")
    await pocket.settle()
    await pocket.say("official", "Đã thay bóng đèn ở cột số 5, trước cổng chợ.", quotes=pocket.card("official").id)
    await pocket.settle()
    await pocket.tap("head", pocket.card("head"), "Duyệt")
    await pocket.settle()
    assert (await pocket.case(case)).state == CaseState.ANSWERED
    for who in ("official", "head"):
        assert "đã trả lời" in pocket.card(who).text
        assert not pocket.card(who).buttons
    assert any("cột số 5" in m.text for m in pocket.screen("3333444455556666777"))


async def test_an_answer_that_needs_no_approval_leaves_and_can_be_taken_back(pocket: Pocket) -> None:
    pocket.runtime.settings = replaced(
        pocket.runtime.settings, conversation=replaced(pocket.runtime.settings.conversation, undo_seconds=10)
    )
    async with pocket.runtime.units_of_work() as uow:
        unit = await uow.session.get(UnitRow, "economy")
        assert unit is not None
        unit.settings = {"approval": False}
    await pocket.link("official")
    case = await pocket.new_case()
    said = await pocket.say("official", WORDS, quotes=pocket.card("official").id)
    assert "sau 10 giây" in said[0].text
    await pocket.tap("official", said[0], "Hoàn tác")
    assert (await pocket.case(case)).state == CaseState.IN_PROGRESS


async def test_a_case_that_moved_on_meanwhile_says_where_it_stands(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Trả lời")
    async with pocket.as_staff("head") as uow:
        await answer_case.submit(uow, case.id, None, "Trả lời của trưởng phòng, đầy đủ và rõ ràng.", [], 0, 30)
    said = await pocket.say("official", WORDS)
    assert "chờ duyệt câu trả lời" in said[0].text
    assert [a.author_id for a in await answers_of(pocket, case.id)] == ["head"]
    said = await pocket.say("official", WORDS, quotes=pocket.card("official").id)
    assert "chờ duyệt câu trả lời" in said[0].text


async def test_the_photos_of_a_case_are_sent_on_request_to_who_may_see_them(pocket: Pocket) -> None:
    await pocket.link("official", "head", "stranger")
    await pocket.link_group()
    case = await pocket.new_case()
    assert "Xem ảnh" not in pocket.card("head").labels
    await pocket.say("official", WORDS, PHOTO, quotes=pocket.card("official").id)
    await fetched(pocket)
    await pocket.quiet()
    await pocket.settle()
    card = pocket.card("head")
    assert "Xem ảnh" in card.labels
    assert "Xem ảnh" not in pocket.card(GROUP).labels
    before = len(pocket.screen("head"))
    await pocket.tap("head", card, "Xem ảnh")
    (sent,) = pocket.screen("head")[before:]
    assert sent.text == case.code
    group = pocket.card(GROUP).payload("Duyệt").replace(":ok:", ":img:").rpartition(":")[0]
    assert "chat riêng" in await pocket.press("head", group, chat=GROUP)
    assert "đã cũ" in await pocket.press("stranger", card.payload("Xem ảnh"))


async def test_a_reply_to_the_card_after_a_button_long_forgotten_is_an_answer(pocket: Pocket) -> None:
    """The words would have left as a question, and the case would wait for the citizen."""
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Hỏi lại")
    pocket.clock.forward(hours=20)
    said = await pocket.say("official", WORDS, quotes=pocket.card("official").id)
    assert "Đã trình duyệt" in said[0].text
    assert [a.text for a in await answers_of(pocket, case.id)] == [WORDS]


async def test_a_reply_to_the_card_right_after_a_button_is_what_the_button_asked_for(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Hỏi lại")
    await pocket.say("official", "Ông bà cho biết cột điện số mấy ạ?", quotes=pocket.card("official").id)
    assert (await pocket.case(case)).state == CaseState.WAITING_FOR_CITIZEN


async def test_words_for_what_was_given_up_never_reach_another_case(pocket: Pocket) -> None:
    """A question for one case would have left as the answer to another."""
    await pocket.link("official")
    first = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Hỏi lại")
    forgotten = pocket.screen("official")[-1]
    second = await pocket.new_case(text="Cột điện đầu thôn Kim Lâm bị nghiêng, sợ đổ")
    await pocket.tap("official", pocket.card("official"), "Trả lời")
    said = await pocket.say("official", "Ông bà cho biết cột điện số mấy ạ?", quotes=forgotten.id)
    assert "đã xong hoặc đã bỏ" in said[0].text
    assert await answers_of(pocket, first.id) == []
    assert await answers_of(pocket, second.id) == []


async def test_a_reply_to_an_earlier_question_for_the_same_draft_belongs_to_it(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Trả lời")
    prompt = pocket.screen("official")[-1]
    await pocket.say("official", "", PHOTO, quotes=prompt.id)
    await fetched(pocket)
    await pocket.quiet()
    await pocket.say("official", WORDS, quotes=prompt.id)
    await pocket.quiet()
    (answer,) = await answers_of(pocket, case.id)
    assert (answer.text, len(answer.file_ids)) == (WORDS, 1)


@pytest.mark.parametrize("chat", ["", GROUP])
async def test_whoever_edits_words_that_were_taken_in_is_told_that_they_stay(pocket: Pocket, chat: str) -> None:
    await pocket.link("official")
    await pocket.link_group()
    case = await pocket.new_case()
    card = pocket.card(chat or "official").id
    await pocket.say("official", WORDS, quotes=card, chat=chat)
    said = await pocket.say("official", "Đã thay bóng đèn lúc 16 giờ chiều nay.", quotes=card, chat=chat, edited=True)
    assert "không đổi theo tin vừa sửa" in said[0].text
    assert [a.text for a in await answers_of(pocket, case.id)] == [WORDS]


async def test_words_without_a_quote_that_were_taken_in_stay_too(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Trả lời")
    await pocket.say("official", WORDS)
    said = await pocket.say("official", "Đã thay bóng đèn lúc 16 giờ chiều nay.", edited=True)
    assert "không đổi theo tin vừa sửa" in said[0].text
    assert [a.text for a in await answers_of(pocket, case.id)] == [WORDS]
    async with pocket.runtime.database.reading() as session:
        assert [m for m in (await session.exec(select(MessageRow))).all() if "16 giờ" in m.text] == []
