"""/viec and /tim: what is mine, what may be seen, and what anybody else who types them sees."""

import pytest
from sqlmodel import select

from bot.actions import answer_case, work_case
from bot.store.messages import MessageRow
from tests.handlers.official.pocket import GROUP, Pocket

PLACES = (
    "Kim Lâm",
    "Cát Động",
    "Bình Minh",
    "Kim Thư",
    "Cự Khê",
    "Bích Hòa",
    "Mỹ Hưng",
    "Thanh Cao",
    "Tam Hưng",
    "Dân Hòa",
)


async def many(pocket: Pocket) -> list[str]:
    codes: list[str] = []
    for place in PLACES:
        case = await pocket.make_case(text=f"Đèn đường thôn {place} hỏng, tối om", citizen=f"33{len(codes)}")
        pocket.clock.forward(hours=8)
        codes.append(case.code)
    return codes


async def test_my_open_work_by_what_is_due_first_in_pages(pocket: Pocket) -> None:
    await pocket.link("official")
    codes = await many(pocket)
    said = await pocket.say("official", "/viec")
    page = said[0]
    assert "Việc đang mở: 10 (trang 1/2)" in page.text
    assert page.labels == [*codes[:8], "Trang sau ›"]
    await pocket.tap("official", page, "Trang sau")
    assert page.labels == [*codes[8:], "‹ Trang trước"]
    assert page.edits == 1
    await pocket.tap("official", page, codes[9])
    assert codes[9] in pocket.card("official").text


async def test_mine_is_what_i_or_nobody_has_and_what_waits_for_my_approval(pocket: Pocket) -> None:
    await pocket.link("official", "head", "stranger", "leader", "auditor")
    free, taken, drafted = [
        await pocket.make_case(text=f"Đèn số {n} hỏng rồi, tối quá", citizen=f"3{n}") for n in "123"
    ]
    async with pocket.as_staff("head") as uow:
        await work_case.accept(uow, taken.id)
    async with pocket.as_staff("official") as uow:
        await work_case.accept(uow, drafted.id)
    async with pocket.as_staff("official") as uow:
        await answer_case.submit(uow, drafted.id, None, "Đã thay bóng đèn lúc 15 giờ hôm nay.", [], 0, 30)
    expected = {
        "official": {free.code, drafted.code},
        "head": {free.code, taken.code, drafted.code},
        "leader": {free.code, drafted.code},
        "stranger": set(),
        "auditor": set(),
    }
    for who, codes in expected.items():
        said = await pocket.say(who, "/viec")
        assert set(said[0].labels) == codes, who


@pytest.mark.parametrize("words", ["{code}", "{bare}", "đèn đường kim lâm", "den duong KIM LAM"])
async def test_finding_one_shows_its_card(pocket: Pocket, words: str) -> None:
    await pocket.link("official")
    case = await pocket.make_case()
    await pocket.make_case(text="Mất nước thôn Cát Động hai ngày rồi", citizen="44")
    said = await pocket.say("official", "/tim " + words.format(code=case.code, bare=case.code.lower()))
    assert case.code in said[0].text
    assert "/cases/" in said[0].text


async def test_finding_several_lists_them_and_none_says_so(pocket: Pocket) -> None:
    await pocket.link("official")
    codes = await many(pocket)
    said = await pocket.say("official", "/tim đèn đường")
    assert len(said[0].labels) == 8
    assert set(said[0].labels) <= set(codes)
    assert "Thêm từ" in said[0].text
    assert "Không tìm thấy" in (await pocket.say("official", "/tim máy bay"))[0].text
    assert "/tim" in (await pocket.say("official", "/tim"))[0].text


async def test_what_may_not_be_seen_is_not_found(pocket: Pocket) -> None:
    await pocket.link("stranger", "official")
    case = await pocket.make_case()
    hidden = await pocket.make_case(text="Cán bộ hách dịch, nhũng nhiễu dân", category="thai-do-can-bo", citizen="44")
    for words in (case.code, "đèn đường", hidden.code, "hách dịch"):
        assert "Không tìm thấy" in (await pocket.say("stranger", f"/tim {words}"))[0].text
    assert "Không tìm thấy" in (await pocket.say("official", f"/tim {hidden.code}"))[0].text


async def test_in_a_group_the_units_own_and_no_personal_data(pocket: Pocket) -> None:
    await pocket.link("inspector", "stranger")
    await pocket.link_group()
    mine = await pocket.make_case(place="Nhà ông Tư 0912345678")
    await pocket.make_case(text="Bắt trộm xe đạp ở thôn Cát Động", category="khac", citizen="44")
    await pocket.make_case(text="Cán bộ hách dịch, nhũng nhiễu dân", category="thai-do-can-bo", citizen="55")
    said = await pocket.say("inspector", "/viec", chat=GROUP)
    assert said[0].labels == [mine.code]
    assert "0912345678" not in said[0].text
    assert "Không có việc" in (await pocket.say("stranger", "/viec", chat=GROUP))[0].text
    assert "Không tìm thấy" in (await pocket.say("inspector", "/tim hách dịch", chat=GROUP))[0].text
    said = await pocket.say("inspector", f"/tim {mine.code}", chat=GROUP)
    assert "Người gửi" not in said[0].text


@pytest.mark.parametrize("words", ["/viec", "/tim đèn đường", "/tim", "/huycanbo", "/khongbiet"])
async def test_a_citizen_who_types_them_sees_the_menu(pocket: Pocket, words: str) -> None:
    await pocket.say("7777", "/start")
    said = await pocket.say("7777", words)
    assert any("Phản ánh" in label for label in said[0].labels)


async def test_unknown_commands_of_officials_open_the_menu(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.say("official", "/start")
    said = await pocket.say("official", "/khongbiet")
    assert any("Phản ánh" in label for label in said[0].labels)


async def test_lists_in_a_group_hide_the_senders_name_as_cards_do(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.link_group()
    await pocket.make_case(place="Nhà bà Nguyễn Thị Hoà, ngõ 3")
    listed = (await pocket.say("official", "/viec", chat=GROUP))[0].text
    assert "Nguyễn Thị Hoà" not in listed
    assert "ngõ 3" in listed
    assert "Nguyễn Thị Hoà" in (await pocket.say("official", "/viec"))[0].text


@pytest.mark.parametrize("words", ["/viec", "/tim đèn đường"])
async def test_the_books_keep_what_a_citizen_typed(pocket: Pocket, words: str) -> None:
    await pocket.say("7777", words)
    async with pocket.runtime.database.reading() as session:
        typed = (await session.exec(select(MessageRow.text).where(MessageRow.direction == "in"))).all()
    assert typed == [words]
