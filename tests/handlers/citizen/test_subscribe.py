"""Choosing announcements in the chat: every change is one tap or one typed word, on every channel."""

import re

import pytest
from sqlmodel import select

from bot.actions import marks, topics
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ConsentRow
from bot.store.units import AreaRow
from tests.talk import Official, Talk

NAMES = ("Họp thôn", "Chi trả trợ cấp", "Lịch cắt điện")
MARKET = "Phiên chợ"


@pytest.fixture
async def offered(talk: Talk) -> Talk:
    async with talk.runtime.units_of_work() as uow:
        for name in NAMES:
            await topics.save_topic(uow, "commune", None, name, default_on=name != NAMES[2], advert=False)
        await topics.save_topic(uow, "commune", None, MARKET, default_on=False, advert=True)
    await talk.say("/start")
    return talk


async def chosen(talk: Talk) -> marks.Choices:
    contact = await talk.contact()
    async with talk.runtime.database.reading() as session:
        return await marks.choices_of(session, contact)


async def on(talk: Talk) -> set[str]:
    return {topic.name for topic, wanted in (await chosen(talk)).topics if wanted}


async def followed(talk: Talk) -> set[str]:
    return set((await chosen(talk)).followed)


async def payloads(talk: Talk) -> list[str]:
    return list((await talk.conversation()).data.get("buttons", []))


@pytest.mark.parametrize("text", ["thông báo của tôi", "thong bao", "#thongbao", "chủ đề", "loa"])
async def test_the_choices_are_shown(offered: Talk, text: str) -> None:
    [shown] = await offered.say(text)
    assert "chưa chọn" in shown
    for line in ("Họp thôn: đang nhận", "Lịch cắt điện: không nhận", "Phiên chợ: không nhận", "Dừng mọi thông báo"):
        assert line in shown
    assert "---" not in shown
    words = shown.split("\n1. ")[0].split("\nHọp thôn")[0]
    assert len(words) <= 300


async def test_a_topic_is_changed_by_number_name_or_tap(offered: Talk) -> None:
    await offered.say("thông báo của tôi")
    assert "Thôi nhận tin: Họp thôn." in (await offered.say("1"))[0]
    assert await on(offered) == {NAMES[1]}
    assert "Sẽ nhận tin: Lịch cắt điện." in (await offered.say("lich cat dien"))[0]
    assert await on(offered) == {NAMES[1], NAMES[2]}
    payload = (await payloads(offered))[1]
    assert "Thôi nhận tin: Chi trả trợ cấp." in (await offered.press(payload))[0]
    assert "Thôi nhận tin: Chi trả trợ cấp." in (await offered.say(payload))[0], "an old button does no harm"
    assert await on(offered) == {NAMES[2]}
    assert "Sẽ nhận tin: Họp thôn." in (await offered.say("bật họp thôn"))[0]
    await offered.say("bat hop thon")
    assert "Thôi nhận tin: Lịch cắt điện." in (await offered.say("Tắt lịch cắt điện"))[0]
    assert await on(offered) == {NAMES[0]}


async def test_an_account_without_buttons_shows_numbered_lines(offered: Talk) -> None:
    async with offered.runtime.units_of_work() as uow:
        account = await offered.runtime.account_row(uow, offered.provider, offered.account)
        assert account is not None
        account.kind = "business" if offered.provider == "zalo" else account.kind
        buttons = uow.capabilities(account).max_buttons
    [shown] = await offered.say("thông báo của tôi")
    assert ("1. Họp thôn: đang nhận" in shown) is (buttons == 0)
    await offered.say("5")
    assert "Sẽ nhận tin: Thôn Cát Động." in (await offered.say("2"))[0]


async def test_a_button_of_a_topic_that_has_ended_shows_what_there_is(offered: Talk) -> None:
    await offered.say("thông báo của tôi")
    payload = (await payloads(offered))[0]
    async with offered.runtime.units_of_work() as uow:
        await topics.end_topic(uow, payload.split()[1])
    [shown] = await offered.say(payload)
    assert "Họp thôn" not in shown
    assert "Chi trả trợ cấp: đang nhận" in shown


@pytest.mark.parametrize(
    ("text", "areas"),
    [
        ("kim lam", {"kim-lam"}),
        ("Thôn Cát Động", {"cat-dong"}),
        ("nhà tôi ở thôn kim lâm ạ", {"kim-lam"}),
        ("Kim Lâm, Cát Động", {"kim-lam", "cat-dong"}),
        ("kim lam va thon cat dong", {"kim-lam", "cat-dong"}),
        ("1", {"kim-lam"}),
    ],
)
async def test_villages_are_chosen_by_name_or_from_the_list(offered: Talk, text: str, areas: set[str]) -> None:
    [asked] = await offered.say("chọn thôn")
    assert "Thôn Kim Lâm" in asked
    assert "Sẽ nhận tin: Thôn" in (await offered.say(text))[0]
    assert await followed(offered) == areas
    await offered.say("thong bao cua toi")
    await offered.say(text.replace("1", "kim lâm"))
    assert await followed(offered) == areas, "said twice"


@pytest.mark.parametrize("text", ["bỏ Kim Lâm", "bo kim lam", "không ở kim lâm nữa", "1"])
async def test_a_village_is_left(offered: Talk, text: str) -> None:
    await offered.say("thông báo của tôi")
    await offered.say("Kim Lâm")
    assert "Thôn Kim Lâm: đang nhận" in (await offered.say("đổi thôn"))[0]
    assert "Thôi nhận tin: Thôn Kim Lâm." in (await offered.say(text))[0]
    assert await followed(offered) == set()


async def test_two_villages_of_one_spelling_are_asked_about(offered: Talk) -> None:
    async with offered.runtime.units_of_work() as uow:
        uow.session.add(AreaRow(id="dong", unit_id="commune", name="Thôn Đông", position=3))
        uow.session.add(AreaRow(id="dong-2", unit_id="commune", name="Thôn Đồng", position=4))
    await offered.say("chọn thôn")
    [asked] = await offered.say("thon dong")
    assert "Chưa rõ" in asked
    assert "Kim Lâm" not in asked
    await offered.say("2")
    assert await followed(offered) == {"dong-2"}
    await offered.say("Thôn Đông")
    assert await followed(offered) == {"dong", "dong-2"}


async def test_where_there_are_many_villages_the_name_is_typed(offered: Talk) -> None:
    async with offered.runtime.units_of_work() as uow:
        for number in range(3, 40):
            uow.session.add(
                AreaRow(id=f"t{number}", unit_id="commune", name=f"Tổ dân phố số {number}", position=number)
            )
    [asked] = await offered.say("chọn tổ dân phố")
    assert "Tổ dân phố số" not in asked
    assert "Sẽ nhận tin: Tổ dân phố số 17." in (await offered.say("tdp 17"))[0]
    [asked] = await offered.say("chọn tổ dân phố")
    assert "Tổ dân phố số 17: đang nhận" in asked
    assert "Chưa rõ" in (await offered.say("xóm chùa"))[0]
    assert "Sẽ nhận tin: Tổ dân phố số 5." in (await offered.say("tổ 5"))[0]


async def test_other_words_are_understood_as_ever_while_choosing(offered: Talk) -> None:
    await offered.say("chọn thôn")
    assert "Gửi" in (await offered.say("Đèn đường thôn Kim Lâm hỏng ba hôm nay, rất tối"))[0]
    assert await followed(offered) == set()
    await offered.say("hủy")
    await offered.say("chọn thôn")
    assert "Chưa rõ" not in (await offered.say("cảm ơn"))[0]
    await offered.say("chọn thôn")
    assert "Chưa rõ" not in (await offered.say("xã mình mấy giờ làm việc vậy ạ?"))[0]
    await offered.say("chọn thôn")
    await offered.say("phản ánh")
    await offered.say("#lv dien-nuoc")
    await offered.say("Đèn đường hỏng ba hôm nay, rất tối")
    await offered.say("Kim Lâm")
    assert await followed(offered) == set(), "the place of the report"


async def test_an_answer_to_the_offices_question_is_no_choice(offered: Talk) -> None:
    await offered.report("Đèn đường hỏng ba hôm nay, rất tối")
    await Official(offered, "official").ask("Nhà mình ở thôn nào ạ?")
    await offered.sent()
    await offered.say("chọn thôn")
    assert "Đã chuyển" in (await offered.say("Kim Lâm"))[-1]
    assert await followed(offered) == set()


async def test_choosing_in_the_middle_of_a_report_keeps_the_draft(offered: Talk) -> None:
    await offered.say("phản ánh")
    await offered.say("#lv dien-nuoc")
    await offered.say("Đèn đường hỏng ba hôm nay, rất tối")
    await offered.say("thông báo của tôi")
    await offered.say("1")
    assert "viết dở" in (await offered.say("menu"))[0]


@pytest.mark.parametrize("text", ["đồng ý nhận tin quảng bá", "dong y nhan tin quang ba", "Nhận tin quảng bá ạ"])
async def test_advertising_needs_a_word_and_is_taken_back_by_one(offered: Talk, text: str) -> None:
    [said] = await offered.say(text)
    assert "(Phiên chợ)" in said
    assert "[QC]" in said
    assert MARKET in await on(offered)
    [said] = await offered.say("thoi nhan tin quang ba")
    assert "không nhận tin quảng bá nữa" in said
    found = await chosen(offered)
    assert not found.adverts
    assert await on(offered) == {NAMES[0], NAMES[1]}
    assert (await offered.contact()).stopped_at is None
    async with offered.runtime.database.reading() as session:
        kept = (await session.exec(select(ConsentRow).order_by(ConsentRow.id))).all()
    assert [(row.purpose, row.given, row.text_version) for row in kept] == [
        ("advert", True, marks.ADVERT_TEXT_VERSION), ("advert", False, marks.ADVERT_TEXT_VERSION),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "agreed"), [("đồng ý", True), ("có ạ", True), ("1", True), ("không", False), ("2", False)]
)
async def test_a_topic_that_is_advertising_asks_for_consent(offered: Talk, reply: str, *, agreed: bool) -> None:
    await offered.say("thông báo của tôi")
    assert "chỉ khi Ông/Bà đồng ý" in (await offered.say("phiên chợ"))[0]
    assert MARKET not in await on(offered)
    await offered.say(reply)
    assert (MARKET in await on(offered)) is agreed


async def test_stop_ends_everything_at_once_and_until_taken_back(offered: Talk) -> None:
    contact = await offered.contact()
    async with offered.runtime.units_of_work() as uow:
        row = BroadcastRow(account_id="account", unit_id="commune", message={"text": "x"}, created_at=uow.now)
        uow.session.add(row)
        await uow.session.flush()
        assert row.id is not None
        uow.session.add(DeliveryRow(broadcast_id=row.id, n=1, recipient=contact.id, address=contact.external_id))
    await offered.say("thông báo của tôi")
    number = 1 + (await payloads(offered)).index("dừng")
    assert "Đã dừng" in (await offered.say(str(number)))[0]
    async with offered.runtime.database.reading() as session:
        [waiting] = (await session.exec(select(DeliveryRow))).all()
    assert (waiting.state, waiting.reason) == ("cancelled", "opted_out")
    offered.clock.forward(days=400)
    [shown] = await offered.say("thông báo của tôi")
    assert "không nhận thông báo nào" in shown
    assert "Họp thôn" not in shown
    assert "không nhận thông báo nào" in (await offered.say("chọn thôn") and await offered.say("kim lam"))[0]
    assert "đang dừng mọi thông báo" in (await offered.say("nhận tin quảng bá"))[0]
    assert (await offered.contact()).stopped_at is not None
    assert "nhận lại" in (await offered.say("nhận lại"))[0]
    assert (await offered.contact()).stopped_at is None
    assert await followed(offered) == {"kim-lam"}


async def test_each_chat_chooses_for_itself(offered: Talk) -> None:
    other = offered.other()
    await other.say("thông báo của tôi")
    await other.say("1")
    assert NAMES[0] in await on(offered)
    assert NAMES[0] not in await on(other)


async def test_an_office_without_topics_and_villages_has_little_to_choose(talk: Talk) -> None:
    async with talk.runtime.units_of_work() as uow:
        for area_id in ("kim-lam", "cat-dong"):
            await uow.session.delete(await uow.session.get(AreaRow, area_id))
    await talk.say("/start")
    [shown] = await talk.say("chọn thôn")
    assert "Thôn" not in shown
    assert re.search("Dừng mọi thông báo", shown)
