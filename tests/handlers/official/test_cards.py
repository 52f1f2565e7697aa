"""Cards: who gets one, what it shows, and that it never shows what was true yesterday."""

from bot.actions import answer_case, citizen_case, work_case
from bot.store.unit_of_work import Actor
from tests.handlers.official.pocket import GROUP, Pocket


async def test_a_new_case_reaches_the_units_people_and_its_group(pocket: Pocket) -> None:
    await pocket.link("official", "stranger", "leader", "admin", "auditor", "inspector")
    await pocket.link_group()
    case = await pocket.new_case()
    for chat in ("official", GROUP):
        card = pocket.card(chat)
        assert case.code in card.text
        assert "Phản ánh mới" in card.text
        assert "Đèn đường thôn Kim Lâm hỏng" in card.text
        assert "Hạn trả lời: " in card.text
        assert "🟢" in card.text
        assert f"{pocket.desk.public_url}/cases/{case.id}" in card.text
        assert card.labels == ["Nhận việc", "Trả lời", "Hỏi lại", "Chuyển"]
    for other in ("stranger", "leader", "admin", "auditor", "inspector", "head"):
        assert not pocket.has_card(other), other


async def test_colleagues_above_are_told_only_where_the_unit_itself_has_nobody(pocket: Pocket) -> None:
    await pocket.link("inspector")
    await pocket.new_case()
    assert pocket.has_card("inspector")


async def test_a_group_sees_no_personal_data(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.link_group()
    text = "Tôi là Nguyễn Thị Hoà, số 0912 345 678, CCCD 001085001234. Đèn đường hỏng"
    await pocket.new_case(text=text, place="Nhà 0987654321")
    shown = pocket.card(GROUP).text
    for hidden in ("Nguyễn Thị Hoà", "0912", "345 678", "0987", "001085001234", "Người gửi"):
        assert hidden not in shown
    own = pocket.card("official").text
    assert "Người gửi: Nguyễn Thị Hoà, 0900•••001" in own
    assert "001085001234" not in own


async def test_the_card_follows_what_happens_in_the_console(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.link_group()
    case = await pocket.new_case()
    async with pocket.as_staff("head") as uow:
        await work_case.accept(uow, case.id)
    await pocket.settle()
    for chat in ("official", GROUP):
        card = pocket.card(chat)
        assert "đang xử lý (Cán bộ head)" in card.text
        assert "Nhận việc" not in card.labels
        assert card.edits == 1
        assert len([m for m in pocket.screen(chat) if case.code in m.text]) == 1


async def test_many_changes_make_one_edit(pocket: Pocket) -> None:
    await pocket.link_group()
    case = await pocket.new_case()
    async with pocket.as_staff("official") as uow:
        await work_case.accept(uow, case.id)
    async with pocket.as_staff("head") as uow:
        await work_case.set_level(uow, case.id, None, "urgent", "Nguy hiểm cho trẻ em")
    async with pocket.as_staff("official") as uow:
        await work_case.add_note(uow, case.id, "Đã gọi thợ điện")
    await pocket.settle()
    card = pocket.card(GROUP)
    assert card.edits == 1
    assert "KHẨN" in card.text


async def test_a_change_before_the_card_has_left_changes_what_leaves(pocket: Pocket) -> None:
    from jobs.refresh_cards import refresh_cards

    await pocket.link_group()
    case = await pocket.make_case()
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    async with pocket.as_staff("official") as uow:
        await work_case.accept(uow, case.id)
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    await pocket.deliver()
    card = pocket.card(GROUP)
    assert card.edits == 0
    assert "đang xử lý" in card.text


async def test_a_card_on_its_way_is_edited_once_its_id_is_known(pocket: Pocket) -> None:
    from bot.actions.outgoing import sent
    from bot.store import outbox
    from jobs.refresh_cards import refresh_cards

    await pocket.link_group()
    case = await pocket.make_case()
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    async with pocket.runtime.units_of_work() as uow:
        (row,) = await outbox.claim(uow.session, "slow", uow.now, 60, 5)
    async with pocket.as_staff("official") as uow:
        await work_case.accept(uow, case.id)
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    assert await pocket.deliver() == 0
    async with pocket.runtime.units_of_work() as uow:
        from bot.domain.message import Message

        known = pocket._show(GROUP, Message.from_json(row.body))
        await outbox.record(uow.session, row.id, "slow", state="sent", provider_id=known, sent_at=uow.now)
        current = await outbox.row(uow.session, row.id)
        assert current is not None
        await sent(uow, current)
        assert ("refresh_cards", 0.0) in uow.wakes
    await pocket.settle()
    card = pocket.card(GROUP)
    assert card.edits == 1
    assert "đang xử lý" in card.text


async def test_a_hand_over_takes_the_case_out_of_one_group_and_into_another(pocket: Pocket) -> None:
    await pocket.link("official", "stranger")
    await pocket.link_group()
    await pocket.link_group("police", "leader", "-2")
    case = await pocket.new_case()
    async with pocket.as_staff("official") as uow:
        await work_case.hand_over(uow, case.id, None, "police", None, "Việc của công an")
    await pocket.settle()
    for chat in ("official", GROUP):
        last = pocket.screen(chat)[-1]
        assert "chuyển đơn vị khác" in last.text
        assert not last.buttons
    for chat in ("stranger", "-2"):
        assert case.code in pocket.card(chat).text


async def test_a_later_card_takes_the_place_of_an_earlier_one(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    async with pocket.as_staff("official") as uow:
        await work_case.ask_back(uow, case.id, None, "Đèn ở cột số mấy ạ?", 0, 30)
    await pocket.settle()
    assert "Tạm dừng tính hạn" in pocket.card("official").text
    async with pocket.runtime.units_of_work(Actor("citizen")) as uow:
        await citizen_case.reply(uow, await pocket.case(case), [], "Cột số 5")
    await pocket.settle()
    first, second = [m for m in pocket.screen("official") if case.code in m.text]
    assert "thẻ mới hơn" in first.text
    assert not first.buttons
    assert "vừa viết thêm" in second.text


async def test_the_head_is_asked_to_approve_and_reads_what(pocket: Pocket) -> None:
    await pocket.link("head", "leader")
    await pocket.link_group()
    case = await pocket.new_case()
    async with pocket.as_staff("official") as uow:
        await answer_case.submit(uow, case.id, None, "Đã thay bóng đèn trước cổng chợ lúc 15 giờ.", [], 0, 30)
    await pocket.settle()
    card = pocket.card("head")
    assert "Chờ duyệt câu trả lời" in card.text
    assert "Đã thay bóng đèn trước cổng chợ" in card.text
    assert card.labels == ["Duyệt và gửi", "Trả lại", "Chuyển"]
    assert "Chờ duyệt" in pocket.card(GROUP).text
    assert not pocket.has_card("leader")


async def test_an_answer_of_which_the_card_shows_a_part_is_not_approved_from_it(pocket: Pocket) -> None:
    await pocket.link("head")
    await pocket.link_group()
    case = await pocket.new_case()
    words = " ".join(["Đã thay bóng đèn trước cổng chợ."] * 70)
    async with pocket.as_staff("official") as uow:
        await answer_case.submit(uow, case.id, None, words, [], 0, 30)
    await pocket.settle()
    for chat in ("head", GROUP):
        card = pocket.card(chat)
        assert "chỉ là phần đầu" in card.text
        assert card.labels[0] == "Trả lại"
        assert f"/cases/{case.id}" in card.text
    card, version = pocket.card("head"), (await pocket.case(case)).version
    by_hand = card.payload("Trả lại").replace(":back:", ":ok:")
    assert by_hand.endswith(str(version))
    assert "đọc hết" in await pocket.press("head", by_hand, card.id)
    assert (await pocket.case(case)).state == "drafted"


async def test_an_answer_that_the_card_shows_whole_is_approved_from_it(pocket: Pocket) -> None:
    await pocket.link("head")
    case = await pocket.new_case()
    words = ("Đã thay bóng đèn. " * 100)[:1799] + "."
    async with pocket.as_staff("official") as uow:
        await answer_case.submit(uow, case.id, None, words, [], 0, 30)
    await pocket.settle()
    card = pocket.card("head")
    assert "chỉ là phần đầu" not in card.text
    await pocket.tap("head", card, "Duyệt và gửi")
    assert (await pocket.case(case)).state in {"approved", "answered"}
