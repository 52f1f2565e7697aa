"""Linking by code: once, in time, in the right place, by no guessing; and how it ends."""

import pytest
from sqlmodel import select

from bot.actions import official_links, staff
from bot.store import links
from bot.store import staff as staff_rows
from bot.store.links import LinkCodeRow
from tests.handlers.official.pocket import BOT, GROUP, SENDERS, Pocket


async def code_of(pocket: Pocket, key: str) -> str:
    async with pocket.runtime.units_of_work() as uow:
        person = await staff_rows.person(uow.session, key)
        assert person is not None
        return await official_links.make_code(uow, pocket.runtime.box, person)


async def linked(pocket: Pocket, sender: str) -> str | None:
    async with pocket.runtime.database.reading() as session:
        found = await links.official(session, "bot", SENDERS.get(sender, sender))
    return found.person.id if found else None


@pytest.mark.parametrize("form", ["{}", "/start {}", "/start@loa_bot {}", " {} ", "/noi {}"])
async def test_the_code_is_taken_in_every_form(pocket: Pocket, form: str) -> None:
    said = await pocket.say("official", form.format(await code_of(pocket, "official")))
    assert "Đã nối chat này với tài khoản của Cán bộ official" in said[0].text
    assert await linked(pocket, "official") == "official"


async def test_letters_may_be_small(pocket: Pocket) -> None:
    await pocket.say("official", (await code_of(pocket, "official")).lower())
    assert await linked(pocket, "official") == "official"


async def test_a_code_works_once(pocket: Pocket) -> None:
    code = await code_of(pocket, "official")
    await pocket.say("official", code)
    said = await pocket.say("7777", code)
    assert "đã dùng rồi" in said[0].text
    assert await linked(pocket, "7777") is None
    assert await linked(pocket, "official") == "official"


async def test_a_code_ends_after_ten_minutes(pocket: Pocket) -> None:
    code = await code_of(pocket, "official")
    pocket.clock.forward(minutes=10)
    said = await pocket.say("official", code)
    assert "hết hạn" in said[0].text
    assert await linked(pocket, "official") is None


async def test_a_new_code_ends_the_one_before(pocket: Pocket) -> None:
    old, new = await code_of(pocket, "official"), await code_of(pocket, "official")
    assert "hết hạn" in (await pocket.say("official", old))[0].text
    await pocket.say("official", new)
    assert await linked(pocket, "official") == "official"


async def test_whoever_was_deactivated_links_nothing(pocket: Pocket) -> None:
    code = await code_of(pocket, "official")
    async with pocket.runtime.units_of_work() as uow:
        person = await staff_rows.person(uow.session, "official")
        assert person is not None
        person.active = False
    assert "đã khoá" in (await pocket.say("official", code))[0].text
    assert await linked(pocket, "official") is None


async def test_deactivating_ends_codes_too(pocket: Pocket) -> None:
    code = await code_of(pocket, "official")
    async with pocket.runtime.units_of_work() as uow:
        await staff.deactivate(uow, "official")
        await staff.activate(uow, "official")
    assert "hết hạn" in (await pocket.say("official", code))[0].text


async def test_guessing_makes_wait_and_a_right_code_waits_too(pocket: Pocket) -> None:
    code = await code_of(pocket, "official")
    for _ in range(5):
        assert "không đúng" in (await pocket.say("7777", "LK-AAAAAAAA"))[0].text
    pocket.clock.forward(seconds=2)
    assert "không đúng" in (await pocket.say("7777", "LK-AAAAAAAA"))[0].text
    for _ in range(3):
        pocket.clock.forward(seconds=600)
        await pocket.say("7777", "LK-AAAAAAAA")
    assert "chờ ít phút" in (await pocket.say("7777", code))[0].text
    assert await linked(pocket, "7777") is None
    assert "Đã nối" not in " ".join(m.text for m in pocket.screen("7777"))
    fresh = await code_of(pocket, "official")
    await pocket.say("official", fresh)
    assert await linked(pocket, "official") == "official", "others are not kept waiting"


async def test_the_database_does_not_hold_the_code(pocket: Pocket) -> None:
    code = await code_of(pocket, "official")
    async with pocket.runtime.database.reading() as session:
        (row,) = (await session.exec(select(LinkCodeRow))).all()
    assert code not in repr(row)
    assert code.removeprefix("LK-") not in repr(row)


async def test_codes_in_the_wrong_place_count_no_more(pocket: Pocket) -> None:
    own, group = await code_of(pocket, "official"), await pocket.group_code()
    assert "mã cá nhân" in (await pocket.say("official", f"/start {own}", chat=GROUP))[0].text
    assert "mã cho nhóm" in (await pocket.say("official", group))[0].text
    assert "đã dùng" in (await pocket.say("official", own))[0].text
    assert "đã dùng" in (await pocket.say("official", f"/start {group}", chat=GROUP))[0].text
    assert await linked(pocket, "official") is None


async def test_another_chat_of_the_same_person_takes_the_place_of_the_first(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.say("7777", await code_of(pocket, "official"))
    assert await linked(pocket, "official") is None
    assert await linked(pocket, "7777") == "official"
    await pocket.settle()
    old = pocket.screen("official")[-1]
    assert case.code not in old.text
    assert "không còn hiệu lực" in old.text


async def test_another_person_in_the_same_chat_takes_the_place_of_the_first(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.say("official", await code_of(pocket, "head"))
    assert await linked(pocket, "official") == "head"


@pytest.mark.parametrize("words", ["/huycanbo", "Hủy liên kết cán bộ", "huy lien ket can bo"])
async def test_unlinking_by_word(pocket: Pocket, words: str) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    card = pocket.card("official")
    assert "Đã thôi nối" in (await pocket.say("official", words))[0].text
    assert await linked(pocket, "official") is None
    await pocket.settle()
    assert case.code not in card.text
    assert not card.buttons


async def test_who_leaves_is_cut_off_at_once(pocket: Pocket) -> None:
    await pocket.link("official", "head")
    await pocket.link_group()
    case = await pocket.new_case()
    own, shared = pocket.card("official"), pocket.card(GROUP)
    take, answer = own.payload("Nhận việc"), own.payload("Trả lời")
    await pocket.press("official", answer)
    async with pocket.runtime.units_of_work() as uow:
        await staff.deactivate(uow, "official")
    assert await pocket.press("official", take) == ""
    assert any("Phản ánh" in label for label in pocket.screen("official")[-1].labels), "an ordinary citizen's menu"
    assert "Chưa nối" in await pocket.tap("official", shared, "Nhận việc", GROUP)
    await pocket.say("official", "Đã thay bóng đèn trước cổng chợ lúc 15 giờ.", quotes=own.id)
    now = await pocket.case(case)
    assert (now.state, now.owner_id) == ("assigned", None)
    await pocket.settle()
    assert case.code not in own.text
    edits = own.edits
    async with pocket.as_staff("head") as uow:
        from bot.actions import work_case

        await work_case.accept(uow, case.id)
    await pocket.settle()
    assert own.edits == edits, "nothing more is told there"
    assert "đang xử lý" in shared.text


async def test_who_loses_the_role_sees_nothing_more(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    card = pocket.card("official")
    take = card.payload("Nhận việc")
    async with pocket.runtime.units_of_work() as uow:
        await staff.take_role(uow, "official", "official", "economy")
    assert "Không có quyền" in await pocket.press("official", take)
    await pocket.settle()
    assert "không còn thuộc phạm vi" in card.text
    assert not card.buttons
    assert "Không có việc" in (await pocket.say("official", "/viec"))[0].text
    assert "Không tìm thấy" in (await pocket.say("official", f"/tim {case.code}"))[0].text


async def test_an_answer_begun_before_the_cut_is_not_finished_after_it(pocket: Pocket) -> None:
    from bot.domain.update import Attachment, AttachmentKind
    from tests.handlers.official.test_answers import answers_of, fetched

    await pocket.link("official")
    case = await pocket.new_case()
    photo = Attachment(kind=AttachmentKind.IMAGE, url="tg:1")
    await pocket.say("official", "Đã thay bóng đèn lúc 15 giờ.", photo, quotes=pocket.card("official").id)
    async with pocket.runtime.units_of_work() as uow:
        await staff.deactivate(uow, "official")
    await fetched(pocket)
    await pocket.quiet()
    assert await answers_of(pocket, case.id) == []


async def test_a_code_at_an_official_account_is_a_citizens_word(pocket: Pocket) -> None:
    """Where no desk is, nothing is redeemed."""
    from bot.domain.update import MessageReceived
    from handlers.dispatch import dispatch
    from tests import commune

    code = await code_of(pocket, "official")
    async with pocket.runtime.units_of_work() as uow:
        account = await pocket.runtime.account_row(uow, "zalo", commune.OA)
        assert account is not None
        update = MessageReceived(
            account=commune.OA, external_id="z1", sender="333", occurred_at=uow.now, message_id="z1", text=code
        )
        await dispatch(pocket.desk, uow, account, update, 0)
    await pocket.say("official", code)
    assert await linked(pocket, "official") == "official"
    assert BOT


async def test_a_group_code_ends_with_the_right_to_make_it(pocket: Pocket) -> None:
    code = await pocket.group_code()
    async with pocket.runtime.units_of_work() as uow:
        for held in await staff_rows.roles(uow.session, "head"):
            await staff.take_role(uow, "head", held.role, held.unit_id)
    assert "không còn quyền" in (await pocket.say("9999", f"/start {code}", chat=GROUP))[0].text
    async with pocket.runtime.units_of_work() as uow:
        assert await links.groups_of(uow.session, ["economy"]) == []
        await staff.grant_role(uow, "head", "unit_head", "economy")
    assert "đã dùng" in (await pocket.say("9999", f"/start {code}", chat=GROUP))[0].text
