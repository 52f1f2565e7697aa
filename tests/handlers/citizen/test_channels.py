"""What channels differ in: commands, buttons that are told from typing, albums, edited messages, blocking."""

from datetime import date
from itertools import permutations

import pytest
from sqlmodel import select

from bot.domain.reach import Window, reach
from bot.domain.update import Attachment, AttachmentKind
from bot.store import messages
from bot.store.cases import CaseEventRow, CaseRow
from bot.store.messages import AttachmentRow, MessageRow
from bot.store.outbox import OutboxRow
from bot.store.units import CategoryRow, UnitRow
from tests import commune
from tests.talk import Official, Talk


async def received(talk: Talk, case: CaseRow) -> list[MessageRow]:
    async with talk.runtime.database.reading() as session:
        return [m for m in await messages.of_case(session, case.id) if m.direction == "in"]


async def photos_of(talk: Talk, case: CaseRow) -> int:
    said = await received(talk, case)
    async with talk.runtime.database.reading() as session:
        return sum(len(a) for a in (await messages.attachments_of(session, [m.id for m in said])).values())


@pytest.mark.parametrize("text", ["/start", "/start@ThanhOaiBot", "/start xyz_123", "/menu", "/help", "/whatever"])
async def test_a_command_opens_the_chat_with_the_greeting_once(talk: Talk, text: str) -> None:
    [first] = await talk.say(text)
    assert "Xin chào" in first
    assert "xóa dữ liệu" in first, "the privacy line"
    assert "Zalo" not in first
    [second] = await talk.say(text)
    assert "Xin chào" not in second
    assert "Phản ánh" in second


@pytest.mark.parametrize("text", ["/huy", "/huy@ThanhOaiBot", "/cancel"])
async def test_a_command_means_its_word_in_the_middle_of_a_report(talk: Talk, text: str) -> None:
    await talk.say("/phananh@ThanhOaiBot")
    await talk.say("#lv dien-nuoc")
    assert "Đã hủy" in (await talk.say(text))[0]


async def test_the_code_of_a_case_behind_start_shows_the_case(talk: Talk) -> None:
    case = await talk.report()
    assert f"{case.code}:" in (await talk.say(f"/start {case.code}"))[0]


async def test_stop_by_command(talk: Talk) -> None:
    await talk.say("/start")
    assert "Đã dừng" in (await talk.say("/dung"))[0]
    assert (await talk.contact()).stopped_at is not None


async def test_a_press_is_the_same_as_the_typed_words(talk: Talk) -> None:
    await talk.press("#phananh")
    await talk.press("#lv dien-nuoc")
    assert "ở đâu" in (await talk.say("Đèn đường trước chợ hỏng từ tối qua"))[0]
    await talk.press("bỏ qua")
    await talk.press("xong")
    assert "Mã: PA-" in (await talk.press("gửi"))[0]
    [case] = await talk.cases()
    assert case.category_id == "dien-nuoc"


@pytest.mark.parametrize("payload", ["gửi", "sửa", "xong", "#lv dien-nuoc", "tiếp tục", "viết mới"])
async def test_a_button_of_a_step_that_has_passed_says_so(talk: Talk, payload: str) -> None:
    await talk.report()
    said = await talk.press(payload)
    assert len(said) == 1
    assert "đã xong" in said[0]
    assert len(await talk.cases()) == 1


async def test_an_old_rating_button_tells_how_the_case_stands(talk: Talk) -> None:
    case = await talk.report()
    await Official(talk, "official").answer()
    await Official(talk, "head").approve()
    await talk.sent()
    await talk.press(f"#danhgia {case.code} 1")
    await talk.say("Đèn vẫn không sáng")
    assert "đang xem xét lại" in (await talk.press(f"#danhgia {case.code} 3"))[0]
    assert "không có câu trả lời" in (await talk.other().press(f"#danhgia {case.code} 3"))[0]


MEMBERS = ("Rác đổ đầy bờ mương thôn Cát Động, mùi hôi thối mấy ngày nay", "", "")


@pytest.mark.parametrize("order", sorted(permutations(range(3))), ids=str)
async def test_an_album_is_one_case_and_gets_one_answer_in_any_order(talk: Talk, order: tuple[int, ...]) -> None:
    said: list[str] = []
    for member in order:
        said += await talk.photo(MEMBERS[member], album="album-1")
    assert said == []
    [proposed] = await talk.quiet()
    assert "3 ảnh" in proposed
    assert "Cát Động" in proposed
    assert await talk.quiet() == []
    await talk.say("gửi")
    [case] = await talk.cases()
    assert (case.category_id, case.area_id) == ("moi-truong", "cat-dong")
    assert await photos_of(talk, case) == 3


STEPS = {
    "menu": (),
    "category": ("phản ánh",),
    "content": ("phản ánh", "#lv moi-truong"),
    "place": ("phản ánh", "#lv moi-truong", "Rác đổ đầy đường không ai dọn"),
    "photos": ("phản ánh", "#lv moi-truong", "Rác đổ đầy đường không ai dọn", "bỏ qua"),
    "confirm": ("phản ánh", "#lv moi-truong", "Rác đổ đầy đường không ai dọn", "bỏ qua", "xong"),
    "editing": ("phản ánh", "#lv moi-truong", "Rác đổ đầy đường không ai dọn", "bỏ qua", "xong", "sửa"),
    "question": ("hỏi đáp",),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("first", [True, False], ids=["caption first", "caption last"])
async def test_an_album_gets_one_answer_at_every_step_and_its_words_are_kept(
    talk: Talk, step: str, *, first: bool
) -> None:
    for text in STEPS[step]:
        await talk.say(text)
    caption = "Chỗ đổ rác ngay trước cổng chùa thôn Cát Động"
    said = [*await talk.photo(caption if first else "", album="a"), *await talk.photo("", album="a")]
    said += await talk.photo("" if first else caption, album="a")
    assert said == []
    assert len(await talk.quiet()) == 1
    assert await talk.quiet() == []
    draft = (await talk.conversation()).data["draft"]
    assert draft["photos"] == 3
    assert "cổng chùa" in draft["text"] + draft["place"]


async def test_a_late_photo_of_an_album_goes_where_the_others_went(talk: Talk) -> None:
    await talk.photo(MEMBERS[0], album="a")
    await talk.quiet()
    await talk.say("gửi")
    assert await talk.photo("", album="a") == []
    assert await talk.quiet() == []
    [case] = await talk.cases()
    assert await photos_of(talk, case) == 2


async def test_an_album_answers_a_question_once(talk: Talk) -> None:
    case = await talk.report()
    await Official(talk, "official").ask()
    await talk.sent()
    await talk.new_messages()
    said = await talk.photo("", album="a")
    said += await talk.photo("Cột số 12 ạ", album="a")
    said += await talk.photo("", album="a")
    assert len(said) == 1
    assert "Đã chuyển" in said[0]
    assert await photos_of(talk, case) == 3


async def test_an_album_as_the_reason_of_dissatisfaction_goes_into_the_case(talk: Talk) -> None:
    case = await talk.report()
    await Official(talk, "official").answer()
    await Official(talk, "head").approve()
    await talk.sent()
    await talk.say(f"#danhgia {case.code} 1")
    said = await talk.photo("Đèn vẫn không sáng", album="a")
    said += await talk.photo("", album="a")
    assert len(said) == 1
    assert await talk.quiet() == []
    assert await photos_of(talk, case) == 2
    assert len(await talk.cases()) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_both_sides_of_an_identity_card_in_an_album_are_not_kept(talk: Talk, order: tuple[int, ...]) -> None:
    words = ("ảnh căn cước của tôi", "")
    said = [text for member in order for text in await talk.photo(words[member], album="a")]
    assert len(said) == 1
    assert "không được lưu" in said[0]
    assert await talk.quiet() == []
    async with talk.runtime.database.reading() as session:
        assert {a.state for a in (await session.exec(select(AttachmentRow))).all()} == {"discarded"}


async def test_an_edited_message_keeps_what_it_said_and_starts_no_turn(talk: Talk) -> None:
    case = await talk.report("Đèn đường thôn Kim Lâm hỏng, tối quá")
    assert await talk.edit(3, "Đèn đường thôn Kim Lâm hỏng từ thứ hai") == []
    assert await talk.edit(3, "Đèn đường thôn Kim Lâm hỏng từ thứ ba") == []
    assert await talk.edit(3, "Đèn đường thôn Kim Lâm hỏng từ thứ ba") == [], "nothing changed"
    [edited] = [m for m in await received(talk, case) if m.edited_at]
    assert edited.text.endswith("thứ ba")
    assert [text[-6:] for text in edited.earlier] == ["ối quá", "hứ hai"]
    async with talk.runtime.database.reading() as session:
        kinds = [e.kind for e in (await session.exec(select(CaseEventRow))).all()]
    assert kinds.count("citizen_edited") == 2
    assert (await talk.cases())[0].text.endswith("tối quá"), "the report stays as it was filed"
    await talk.withdraw()
    assert all((m.text, m.earlier) == ("", []) for m in await received(talk, case))


async def test_an_edit_before_sending_changes_the_report(talk: Talk) -> None:
    await talk.say("phản ánh")
    await talk.say("#lv dien-nuoc")
    await talk.say("Đèn đường thôn Kin Lam hỏng")
    assert await talk.edit(3, "Đèn đường thôn Kim Lâm hỏng") == []
    await talk.say("bỏ qua")
    await talk.say("xong")
    await talk.say("gửi")
    [case] = await talk.cases()
    assert case.text == "Đèn đường thôn Kim Lâm hỏng"


async def test_an_edit_of_what_never_came_is_kept_without_an_answer(talk: Talk) -> None:
    assert await talk.edit(77, "Rác đổ đầy đường thôn Cát Động mấy ngày nay") == []
    async with talk.runtime.database.reading() as session:
        [row] = (await session.exec(select(MessageRow))).all()
    assert row.edited_at is not None
    assert await talk.quiet() == []


async def test_a_moving_location_leaves_no_trace(talk: Talk) -> None:
    await talk.say("", Attachment(kind=AttachmentKind.LOCATION, latitude=20.85, longitude=105.77))
    moved = Attachment(kind=AttachmentKind.LOCATION, latitude=20.86, longitude=105.77)
    assert await talk.edit(1, "", moved) == []
    async with talk.runtime.database.reading() as session:
        [row] = (await session.exec(select(MessageRow).where(MessageRow.direction == "in"))).all()
    assert (row.latitude, row.edited_at) == (20.85, None)


async def test_who_blocks_is_gone_and_who_comes_back_is_not(talk: Talk) -> None:
    await talk.follow()
    await talk.block()
    contact = await talk.contact()
    assert (contact.gone, contact.following) == ("recipient_blocked", False)
    await talk.follow()
    contact = await talk.contact()
    assert (contact.gone, contact.following) == ("", True)


async def test_the_reply_window_is_what_the_account_says(talk: Talk) -> None:
    await talk.follow()
    contact = await talk.contact()
    talk.clock.forward(days=30)
    async with talk.runtime.units_of_work() as uow:
        account = await talk.runtime.account_row(uow, talk.provider, talk.account)
        assert account is not None
        can = uow.capabilities(account)
        found = reach(contact.last_interaction_at, gone=False, capabilities=can, now=uow.now)
    assert found.window is (Window.CLOSED if can.window_hours else Window.FREE)


async def test_buttons_are_shown_as_the_account_can(talk: Talk) -> None:
    await talk.say("phản ánh")
    async with talk.runtime.units_of_work() as uow:
        account = await talk.runtime.account_row(uow, talk.provider, talk.account)
        assert account is not None
        most = uow.capabilities(account).max_buttons
    [row] = [r for r in await _outbox(talk) if r.purpose == "report_category"]
    if most >= 6:
        assert len(row.body["buttons"]) == 6
        assert "1." not in row.text
    else:
        assert "6. Khác" in row.text
    assert "kể rõ sự việc" in (await talk.say("2"))[0], "a number is understood either way"


async def _outbox(talk: Talk) -> list[OutboxRow]:
    async with talk.runtime.database.reading() as session:
        return list((await session.exec(select(OutboxRow))).all())


async def test_each_unit_has_its_own_account_and_gets_what_comes_through_it(talk: Talk) -> None:
    async with talk.runtime.units_of_work() as uow:
        since = date(2025, 7, 1)
        uow.session.add(
            UnitRow(id="next", code="10126", name="UBND xã Bình Minh", kind="commune", path="/next/", valid_from=since)
        )
        await uow.session.flush()
        uow.session.add(CategoryRow(id="next-khac", unit_id="next", code="khac", name="Khác", position=1))
        second = commune.account_of(uow, talk.provider, "state", "88", account_id="next", unit_id="next")
        second.name = "UBND xã Bình Minh"
        uow.session.add(second)
    neighbour = talk.elsewhere(talk.provider, user=talk.user, account="88")
    assert "UBND xã Bình Minh" in (await neighbour.say("/start"))[0]
    assert "UBND xã Thanh Oai" in (await talk.say("/start"))[0]
    for text in ("phản ánh", "#lv khac", "Chó thả rông cắn người ở ngõ 3", "bỏ qua", "xong", "gửi"):
        said = await neighbour.say(text)
    assert "UBND xã Bình Minh" in said[0]
    [case] = await talk.cases()
    assert (case.unit_id, case.account_id) == ("next", "next")
    assert "chưa gửi phản ánh" in (await talk.say("phản ánh của tôi"))[0], "the same id at another account is nobody"
