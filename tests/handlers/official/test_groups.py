"""Groups: given to a unit, moved, thrown out of; never anything about conduct, and nobody's menu."""

import pytest
from sqlmodel import select

from bot.actions import answer_case, citizen_case, official_links, work_case
from bot.domain.update import Attachment, AttachmentKind
from bot.store import contacts, links, staff
from bot.store.contacts import ContactRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import Actor
from jobs.remind_deadlines import remind_deadlines
from tests.handlers.official.pocket import GROUP, Pocket

CONDUCT = "Cán bộ một cửa hách dịch, bắt tôi chờ cả buổi sáng và quát mắng"


async def test_a_group_is_told_how_to_belong_to_a_unit(pocket: Pocket) -> None:
    await pocket.news("joined_group", GROUP, title="Phòng Kinh tế – nội bộ")
    assert "mã nhóm" in pocket.screen(GROUP)[0].text
    await pocket.link_group()
    assert "nhận thẻ việc của Phòng Kinh tế" in pocket.screen(GROUP)[-1].text
    async with pocket.runtime.database.reading() as session:
        contact = await contacts.known(session, "bot", GROUP)
    assert contact is not None
    assert (contact.kind, contact.name) == ("group", "Phòng Kinh tế – nội bộ")


async def test_the_bot_is_silent_to_what_is_said_in_groups(pocket: Pocket) -> None:
    await pocket.link("official")
    for chat in (GROUP, "-5"):
        assert await pocket.say("official", "Phản ánh: đường hỏng nặng quá", chat=chat) == []
        assert await pocket.say("7777", "phản ánh", chat=chat) == []
        assert await pocket.say("7777", "", Attachment(kind=AttachmentKind.IMAGE, url="x"), chat=chat) == []
        assert await pocket.say("7777", "/start", chat=chat) == []
        assert await pocket.say("7777", "sửa rồi", chat=chat, edited=True) == []
    await pocket.link_group()
    before = len(pocket.screen(GROUP))
    await pocket.say("official", "Phản ánh: đường hỏng nặng quá", chat=GROUP)
    assert len(pocket.screen(GROUP)) == before
    async with pocket.runtime.database.reading() as session:
        kinds = {c.external_id: c.kind for c in (await session.exec(select(ContactRow))).all()}
    assert kinds[GROUP] == "group"
    assert "7777" not in kinds, "who only talks in a group is nobody to us"


async def test_commands_of_strangers_in_a_units_group(pocket: Pocket) -> None:
    await pocket.link_group()
    said = await pocket.say("7777", "/viec@loa_bot", chat=GROUP)
    assert "nối tài khoản" in said[0].text


async def test_a_group_that_moves_stays_the_units(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.link_group()
    case = await pocket.new_case()
    await pocket.news("group_migrated", GROUP, **{"from": GROUP, "to": "-100999"})
    await pocket.news("group_migrated", "-100999", **{"from": GROUP, "to": "-100999"})
    async with pocket.as_staff("head") as uow:
        await work_case.accept(uow, case.id)
    other = await pocket.new_case(text="Đèn đường thôn Cát Động cũng hỏng, tối om")
    cards = {code: m for m in pocket.screen("-100999") for code in (case.code, other.code) if code in m.text}
    assert "đang xử lý" in cards[case.code].text
    assert "Đã nhận" in await pocket.tap("official", cards[other.code], "Nhận việc", "-100999")


async def test_a_group_whose_new_id_was_met_first_stays_the_units(pocket: Pocket) -> None:
    await pocket.link_group()
    await pocket.news("joined_group", "-100999", title="Phòng Kinh tế")
    await pocket.news("group_migrated", "-100999", **{"from": GROUP, "to": "-100999"})
    case = await pocket.new_case()
    assert case.code in pocket.card("-100999").text
    assert not pocket.has_card(GROUP)


async def test_thrown_out_is_unlinked(pocket: Pocket) -> None:
    await pocket.link_group()
    await pocket.new_case()
    await pocket.news("left_group", GROUP)
    async with pocket.runtime.database.reading() as session:
        assert await links.groups_of(session, ["economy"]) == []
    before = len(pocket.screen(GROUP))
    await pocket.new_case(text="Đèn đường thôn Cát Động cũng hỏng, tối om")
    assert len(pocket.screen(GROUP)) == before
    await pocket.news("joined_group", GROUP)
    await pocket.link_group()
    await pocket.new_case(text="Đèn đường thôn Bình Minh cũng hỏng, tối om")
    assert "Bình Minh" in pocket.card(GROUP).text


async def test_removed_in_the_console_its_cards_are_emptied(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.link_group()
    case = await pocket.new_case()
    card = pocket.card(GROUP)
    take = card.payload("Nhận việc")
    async with pocket.as_staff("head") as uow:
        await official_links.unlink_group(uow, await staff.grants(uow.session, "head"), "economy")
    assert "không còn thuộc đơn vị nào" in await pocket.press("official", take, chat=GROUP)
    await pocket.settle()
    assert case.code not in card.text
    assert not card.buttons


async def test_a_unit_has_one_group_and_a_group_one_unit(pocket: Pocket) -> None:
    await pocket.link_group()
    await pocket.link_group(chat="-2")
    case = await pocket.new_case()
    assert not pocket.has_card(GROUP)
    assert case.code in pocket.card("-2").text
    await pocket.link_group("police", "leader", "-2")
    await pocket.settle()
    assert "chuyển đơn vị khác" in pocket.screen("-2")[-1].text or case.code not in pocket.screen("-2")[-1].text


async def test_groups_are_no_people(pocket: Pocket) -> None:
    from bot.domain.audience import Sender, Way
    from bot.store import audience
    from bot.store.audience import Rules

    await pocket.link("official")
    await pocket.link_group()
    async with pocket.runtime.units_of_work() as uow:
        people = (await uow.session.exec(select(ContactRow.external_id).where(ContactRow.account_id == "bot"))).all()
        sender = Sender("bot", "telegram", uow.now, windowed=False, since=uow.now, free_since=uow.now)
        reach = await audience.reach(uow.session, [sender], Rules())
        unnamed = {c.external_id for c in await contacts.unnamed(uow.session, uow.now, 100)}
    assert GROUP in people
    assert reach.by_way(Way.CHAT) == len(people) - 1
    assert reach.missed == 0
    assert GROUP not in unnamed


async def everything_that_happens(pocket: Pocket) -> None:
    """Take a case about conduct through every action there is, with an inspector who uses the group's chat too."""
    await pocket.link("inspector", "head", "official", "leader")
    await pocket.link_group("commune", "leader", GROUP)
    await pocket.link_group("economy", "head", "-2")
    case = await pocket.new_case(text=CONDUCT, category="thai-do-can-bo")
    assert case.restricted
    for chat in (GROUP, "-2"):
        for words in ("/viec", f"/tim {case.code}", "/tim hách dịch"):
            await pocket.say("inspector", words, chat=chat)
        await pocket.press("inspector", f"c:show:{case.id}", chat=chat)
    card = pocket.card("inspector")
    for button in card.buttons:
        for chat in (GROUP, "-2"):
            await pocket.press("inspector", button.payload, card.id, chat)
    for chat in (GROUP, "-2"):
        await pocket.say("inspector", "Trả lời dài đủ hai mươi ký tự đây.", quotes=card.id, chat=chat)
    await pocket.tap("inspector", card, "Nhận việc")
    async with pocket.as_staff("inspector") as uow:
        await work_case.ask_back(uow, case.id, None, "Việc xảy ra lúc nào ạ?", 0, 30)
    await pocket.settle()
    async with pocket.runtime.units_of_work(Actor("citizen")) as uow:
        await citizen_case.reply(uow, await pocket.case(case), [], "Sáng thứ hai")
    await pocket.settle()
    async with pocket.as_staff("inspector") as uow:
        await work_case.hand_over(uow, case.id, None, "economy", None, "Xem giúp việc này")
    await pocket.settle()
    pocket.clock.forward(days=30)
    await remind_deadlines(pocket.runtime)
    await pocket.settle()
    async with pocket.as_staff("inspector") as uow:
        await answer_case.submit(uow, case.id, None, "Đã xác minh và chấn chỉnh cán bộ tiếp dân.", [], 0, 30)
    await pocket.settle()
    async with pocket.as_staff("inspector") as uow:
        await answer_case.approve(uow, case.id, None, 0, 30)
    await pocket.settle()
    async with pocket.runtime.units_of_work(Actor("citizen")) as uow:
        await citizen_case.dissatisfied(uow, case.id, "Vẫn chưa xin lỗi tôi", [])
    await pocket.settle()


async def test_nothing_about_conduct_ever_enters_a_group_or_a_chat_that_may_not_see_it(pocket: Pocket) -> None:
    await everything_that_happens(pocket)
    case = await pocket.case()
    async with pocket.runtime.database.reading() as session:
        rows = (await session.exec(select(OutboxRow).where(OutboxRow.account_id == "bot"))).all()
        chats = {c.id: c.external_id for c in (await session.exec(select(ContactRow))).all()}
    told = {chats[row.contact_id] for row in rows if case.code in str(row.body) or case.id in str(row.body)}
    words = {chats[row.contact_id] for row in rows if "hách dịch" in str(row.body) and "/tim" not in str(row.body)}
    inspector = pocket.card("inspector").id.partition(":")[0]
    assert told == {inspector}
    assert words <= {inspector}


@pytest.mark.parametrize(("percent", "told"), [
    (80, {"official"}), (100, {"official", "head"}), (150, {"official", "head", "leader", "inspector"}),
])  # fmt: skip
async def test_reminders_climb(pocket: Pocket, percent: int, told: set[str]) -> None:
    people = ("official", "head", "leader", "inspector", "stranger", "auditor", "admin")
    await pocket.link(*people)
    await pocket.link_group()
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Nhận việc")
    await pocket.settle()
    minutes = (await pocket.case(case)).budget * percent // 100 + 5
    while minutes > 0:  # working time, from 9:00 on Monday: 4 hours in the morning, 4 in the afternoon
        pocket.clock.forward(minutes=15)
        local = (pocket.clock.now.hour + 7) % 24
        if pocket.clock.now.weekday() < 5 and (8 <= local < 12 or 13 <= local < 17):
            minutes -= 15
    await remind_deadlines(pocket.runtime)
    await pocket.settle()
    reminded = {who for who in (*people, GROUP) if any(f"{percent}%" in m.text for m in pocket.screen(who))}
    assert reminded == told | {GROUP}


async def test_an_administrator_who_writes_as_the_group_is_answered(pocket: Pocket) -> None:
    code = await pocket.group_code()
    await pocket.news("anonymous_command", GROUP, text=f"/start {code}")
    assert "nhận thẻ việc của Phòng Kinh tế" in pocket.screen(GROUP)[-1].text
    await pocket.news("anonymous_command", GROUP, text="/viec")
    assert "ẩn danh" in pocket.screen(GROUP)[-1].text
    before = len(pocket.screen(GROUP))
    await pocket.news("anonymous_command", GROUP, text="/luat")
    await pocket.news("anonymous_command", "-5", text="/viec")
    assert len(pocket.screen(GROUP)) == before
    assert pocket.screen("-5") == []
