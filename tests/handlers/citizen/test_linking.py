"""One person at two accounts: asked, proved in both chats, undone; and what each chat shows meanwhile."""

import re

import pytest
from sqlmodel import select

from bot.domain.conversation import Step
from bot.runtime import Runtime
from bot.store.contacts import ConsentRow, DataRequestRow
from bot.store.joins import JoinRow
from tests import commune
from tests.runtime_fixtures import Clock
from tests.talk import Official, Talk

PHONE = "0900000001"
OTHER = {"zalo": "telegram", "telegram": "zalo"}


@pytest.fixture
async def talk(runtime: Runtime, clock: Clock, provider: str) -> Talk:
    """Give a chat with one account of a commune that has one at every provider."""
    async with runtime.units_of_work() as uow:
        await commune.build(uow, provider=provider)
        other = OTHER[provider]
        uow.session.add(commune.account_of(uow, other, "state", commune.ACCOUNTS[other], account_id="second"))
    return Talk(runtime, clock, provider=provider, account=commune.ACCOUNTS[provider])


@pytest.fixture
def there(talk: Talk) -> Talk:
    """Give the same person's chat with the other account."""
    return talk.elsewhere(OTHER[talk.provider])


async def digits(talk: Talk) -> str:
    """Say yes to the question and return what is to be typed in the other chat."""
    [told] = await talk.say("đồng ý")
    found = re.search(r"NỐI \d{6}", told)
    assert found is not None, told
    return found[0]


async def linked(talk: Talk, there: Talk) -> None:
    """Link both chats the whole way; the question is asked in the second."""
    await talk.share_phone(PHONE)
    await there.share_phone(PHONE)
    await talk.say(await digits(there))
    await there.new_messages()


async def test_the_later_chat_is_asked_and_both_have_to_speak(talk: Talk, there: Talk) -> None:
    case = await talk.report()
    assert len(await talk.share_phone(PHONE)) == 1, "nobody else has this phone"
    kept, asked = await there.share_phone(PHONE)
    assert "đã được lưu" in kept
    assert "đồng ý nối không" in asked
    assert "Đồng ý nối" in asked.splitlines()[-2]
    code = await digits(there)
    assert "chưa gửi phản ánh" in (await there.say("phản ánh của tôi"))[0], "a yes alone links nothing"
    assert "đang nối với" in (await talk.say(code))[0]
    assert "Đã nối với kênh" in (await there.new_messages())[0].text
    assert case.code in (await there.say("phản ánh của tôi"))[0]
    async with talk.runtime.database.reading() as session:
        given = [c for c in (await session.exec(select(ConsentRow))).all() if c.purpose == "linking"]
    assert {c.contact_id for c in given} == {(await talk.contact()).id, (await there.contact()).id}
    assert all(c.given and c.text_version for c in given)


async def test_my_cases_say_where_each_was_sent_from(talk: Talk, there: Talk) -> None:
    await linked(talk, there)
    first = await talk.report()
    second = await there.report("Rác đổ đầy đường thôn Cát Động, không ai dọn")
    for chat in (talk, there):
        shown = (await chat.say("phản ánh của tôi"))[0]
        assert re.search(rf"{first.code} \([\d/]+, gửi qua {talk.provider}", shown, re.IGNORECASE)
        assert re.search(rf"{second.code} \([\d/]+, gửi qua {there.provider}", shown, re.IGNORECASE)
    await linked_status(talk, there, second.code)


async def linked_status(talk: Talk, there: Talk, code: str) -> None:
    assert "câu trả lời sẽ về đó" in (await talk.say(code))[0]
    assert "sẽ về đó" not in (await there.say(code))[0]


async def test_the_answer_goes_to_the_chat_that_the_case_came_from_and_is_rated_there(talk: Talk, there: Talk) -> None:
    await linked(talk, there)
    case = await talk.report()
    await Official(talk, "official").answer()
    await Official(talk, "head").approve()
    await talk.sent()
    assert any("Đã thay bóng đèn" in row.text for row in await talk.new_messages())
    assert await there.new_messages() == []
    assert "đánh giá tại đó" in (await there.say(f"#danhgia {case.code} 1"))[0]
    assert (await talk.cases())[0].rating is None
    assert "lý do" in (await talk.say(f"#danhgia {case.code} 1"))[0]


async def test_a_report_about_conduct_is_shown_in_both_chats_and_to_nobody_else(talk: Talk, there: Talk) -> None:
    await linked(talk, there)
    await talk.say("phản ánh")
    await talk.say("#lv thai-do-can-bo")
    for text in ("Cán bộ một cửa quát mắng người dân sáng nay", "bỏ qua", "xong", "gửi"):
        await talk.say(text)
    [case] = await talk.cases()
    assert case.code in (await there.say(case.code))[0]
    assert "bảo mật" in (await there.say(case.code))[0]
    assert "Không tìm thấy" in (await there.other("4444").say(case.code))[0]
    await there.say("bỏ nối")
    assert "Không tìm thấy" in (await there.say(case.code))[0]


async def test_undoing_brings_everything_back(talk: Talk, there: Talk) -> None:
    case = await talk.report()
    await linked(talk, there)
    assert "Đã bỏ nối" in (await there.say("bỏ nối"))[0]
    assert "chưa nối" in (await there.say("bỏ nối"))[0]
    assert "chưa gửi phản ánh" in (await there.say("phản ánh của tôi"))[0]
    shown = (await talk.say("phản ánh của tôi"))[0]
    assert case.code in shown
    assert "gửi qua" not in shown
    assert "chưa nối" in (await talk.say("bỏ nối"))[0]


async def test_whoever_was_there_first_can_undo_as_well(talk: Talk, there: Talk) -> None:
    case = await talk.report()
    await linked(talk, there)
    assert "Đã bỏ nối" in (await talk.say("/bonoi"))[0]
    assert case.code not in (await there.say("phản ánh của tôi"))[0]
    assert case.code in (await talk.say("phản ánh của tôi"))[0]


async def test_a_refusal_holds_until_a_phone_is_shared_again(talk: Talk, there: Talk) -> None:
    await talk.share_phone(PHONE)
    await there.share_phone(PHONE)
    assert "để riêng" in (await there.press("#noi khong"))[0]
    assert "để riêng" not in (await there.say("có"))[0]
    assert "đã xong" in (await there.press("#noi co"))[0], "the old button asks nothing any more"
    assert "nối" not in (await there.say("xin chào"))[0]
    assert len(await there.share_phone(PHONE)) == 2
    async with talk.runtime.database.reading() as session:
        states = [j.state for j in (await session.exec(select(JoinRow).order_by(JoinRow.id))).all()]
        consents = [c for c in (await session.exec(select(ConsentRow))).all() if c.purpose == "linking"]
    assert states == ["refused", "asked"]
    assert [c.given for c in consents] == [False]


async def test_a_phone_typed_by_hand_links_nothing(talk: Talk, there: Talk) -> None:
    await talk.share_phone(PHONE)
    assert not any("nối" in text for text in await there.say(PHONE))
    assert (await there.contact()).phone_hash is None


async def test_digits_are_tried_five_times_and_hold_a_quarter_of_an_hour(talk: Talk, there: Talk) -> None:
    await talk.share_phone(PHONE)
    await there.share_phone(PHONE)
    code = await digits(there)
    wrong = "nối 000000" if code != "NỐI 000000" else "nối 111111"
    for _ in range(5):
        assert "không đúng" in (await talk.say(wrong))[0]
    assert "hết hạn" in (await talk.say(code))[0]
    await there.share_phone(PHONE)
    code = await digits(there)
    talk.clock.forward(minutes=16)
    assert "hết hạn" in (await talk.say(code))[0]


async def test_a_stranger_who_types_the_digits_gets_nothing(talk: Talk, there: Talk) -> None:
    await talk.share_phone(PHONE)
    await there.share_phone(PHONE)
    code = await digits(there)
    stranger = talk.other("4444")
    assert "hết hạn" in (await stranger.say(code))[0]
    assert "hết hạn" in (await there.say(code))[0], "nor do they work where they were given"


async def test_who_claims_a_phone_of_somebody_else_sees_nothing(talk: Talk, there: Talk) -> None:
    """Fault to be avoided: a form takes any number, and numbers are given to somebody else."""
    case = await talk.report()
    await talk.share_phone(PHONE)
    await there.share_phone(PHONE)
    await digits(there)
    assert case.code not in (await there.say("phản ánh của tôi"))[0]
    await talk.say("có")
    assert case.code not in (await there.say("phản ánh của tôi"))[0]


async def test_stopping_stops_one_chat_and_says_so(talk: Talk, there: Talk) -> None:
    await linked(talk, there)
    assert "vẫn nhận thông báo" in (await there.say("dừng"))[0]
    assert (await there.contact()).stopped_at is not None
    assert (await talk.contact()).stopped_at is None
    assert "vẫn nhận" not in (await talk.say("dừng"))[0]


@pytest.mark.parametrize(("choice", "requests"), [("chỉ kênh này", 1), ("cả hai", 2), ("2", 2), ("hủy", 0)])
async def test_deleting_asks_for_which_chats(talk: Talk, there: Talk, choice: str, requests: int) -> None:
    await linked(talk, there)
    assert "ở tất cả các kênh" in (await there.say("xóa dữ liệu"))[0]
    await there.say(choice)
    async with talk.runtime.database.reading() as session:
        assert len((await session.exec(select(DataRequestRow))).all()) == requests


async def test_erasing_one_chat_parts_it_and_leaves_the_other(talk: Talk, there: Talk) -> None:
    await linked(talk, there)
    mine = await talk.report()
    theirs = await there.report("Rác đổ đầy đường thôn Cát Động, không ai dọn")
    await talk.withdraw()
    assert theirs.code in (await there.say("phản ánh của tôi"))[0]
    assert mine.code not in (await there.say("phản ánh của tôi"))[0]
    assert theirs.code not in (await talk.say("phản ánh của tôi"))[0]


async def test_the_question_does_not_disturb_a_report(talk: Talk, there: Talk) -> None:
    await talk.share_phone(PHONE)
    await there.say("phản ánh")
    await there.say("#lv dien-nuoc")
    await there.share_phone(PHONE)
    assert "ở đâu" in (await there.say("Đèn đường trước chợ hỏng từ tối qua"))[0]
    assert (await there.conversation()).state == Step.PLACE


async def test_linking_is_begun_by_word(talk: Talk, there: Talk) -> None:
    await talk.say("/start")
    [asked] = await talk.say("nối kênh")
    async with talk.runtime.units_of_work() as uow:
        account = await talk.runtime.account_row(uow, talk.provider, talk.account)
        assert account is not None
        can_ask = uow.capabilities(account).asks_contact
    assert ("bấm nút chia sẻ số" in asked) is can_ask
    await talk.share_phone(PHONE)
    assert "Chưa thấy kênh nào khác" in (await talk.say("nối kênh"))[0]
    await there.share_phone(PHONE)
    assert "đồng ý nối không" in (await talk.say("nối kênh"))[0]
    assert "đang nối với" in (await there.say(await digits(talk)))[0]
    assert "đang nối với" in (await there.say("nối kênh"))[0]
