"""The pocket desk, end to end: officials on Telegram work off what a citizen reports on either channel."""

from dataclasses import dataclass

import pytest

from bot.actions import official_links
from bot.store import staff
from bot.store.contacts import ContactRow
from tests.live import BOT, STATE_OA, Live
from tests.simulator.simulator import Phone
from tests.simulator.telegram.model import Message
from tests.simulator.telegram.phone import TelegramGroup, TelegramPhone
from tests.stories.test_journey import PROVIDERS, in_state

PEOPLE = {"official": "Cán bộ Thử Nghiệm", "head": "Trưởng phòng Thử Nghiệm"}
SECONDS = 30.0


@dataclass
class Desk:
    """Two officials whose chats are linked, and the group of their unit."""

    live: Live
    official: TelegramPhone
    head: TelegramPhone
    group: TelegramGroup

    def in_group(self, who: TelegramPhone) -> TelegramPhone:
        return self.group.phone(who.user_id)

    @property
    def group_cards(self) -> list[Message]:
        return [message for message in self.in_group(self.head).inbox if "/cases/" in message.text]


async def code_for(live: Live, key: str, unit_id: str = "") -> str:
    """Return a one-time code as the console shows it, of a person or for the group of a unit."""
    async with live.runtime.units_of_work() as uow:
        person = await staff.person(uow.session, key)
        assert person is not None
        if not unit_id:
            return await official_links.make_code(uow, live.runtime.box, person)
        grants = await staff.grants(uow.session, key)
        return await official_links.make_group_code(uow, live.runtime.box, person, grants, unit_id)


@pytest.fixture
async def desk(live: Live) -> Desk:
    phones = {}
    for key, name in PEOPLE.items():
        phone = phones[key] = await live.simulator.telegram_phone(BOT, name=name)
        await phone.start(payload=await code_for(live, key))
        await phone.wait_for("Đã nối chat này")
    group = await live.simulator.telegram_group(BOT, phones["head"], phones["official"], title="Phòng Kinh tế")
    await group.add_bot()
    await group.phone(phones["head"].user_id).wait_for("lấy mã nhóm")
    await group.phone(phones["head"].user_id).say(f"/start {await code_for(live, 'head', 'economy')}")
    await group.phone(phones["head"].user_id).wait_for("nhận thẻ việc của Phòng Kinh tế")
    return Desk(live, phones["official"], phones["head"], group)


async def reported(live: Live, account: str) -> tuple[Phone | TelegramPhone, str]:
    """Let a citizen report a broken lamp; returns the phone and the case's code."""
    citizen = await live.citizen(account)
    await citizen.follow()
    await citizen.wait_for("Xin chào")
    for text, answer in (
        ("phan anh", "về việc gì"), ("2", "kể rõ sự việc"),
        ("Đèn đường thôn Kim Lâm hỏng ba hôm nay, tối <rất> nguy hiểm & sợ", "gửi luôn"),
        ("xong", "kiểm tra lại"), ("gửi", "Mã: PA-"),
    ):  # fmt: skip
        await citizen.say(text)
        await citizen.wait_for(answer)
    [case] = await live.cases()
    return citizen, case.code


async def card_of(phone: TelegramPhone, words: str) -> Message:
    return await phone.wait_for(words, timeout=SECONDS)


@PROVIDERS
async def test_a_case_is_taken_answered_and_approved_from_the_pocket(desk: Desk, live: Live, account: str) -> None:
    citizen, code = await reported(live, account)
    card = await card_of(desk.in_group(desk.official), code)
    assert "tối <rất> nguy hiểm & sợ" in card.text
    await desk.in_group(desk.official).tap(label="Nhận việc")
    await desk.in_group(desk.official).wait_for_toast(f"Đã nhận {code}")
    await live.until(lambda: in_state(live, "in_progress"))
    await live.simulator.wait(lambda: "đang xử lý" in card.text, SECONDS)

    own = await card_of(desk.official, code)
    await desk.official.photo(text="Đã thay bóng đèn <số 12> lúc 15 giờ.", reply_to=own.message_id)
    await live.until(lambda: in_state(live, "drafted"), SECONDS)
    await card_of(desk.head, "Đã thay bóng đèn <số 12>")
    await live.simulator.wait(lambda: "chờ duyệt" in desk.group_cards[-1].text, SECONDS)
    await desk.head.tap(label="Duyệt và gửi")
    await citizen.wait_for("Đã thay bóng đèn <số 12>", timeout=SECONDS)
    await citizen.wait_for("đánh giá kết quả", timeout=SECONDS)
    await live.simulator.wait(lambda: "đã trả lời" in desk.group_cards[-1].text, SECONDS)
    assert not any("chờ duyệt" in message.text or "đang xử lý" in message.text for message in desk.group_cards)
    assert all("Nhận việc" not in [b["text"] for b in message.buttons] for message in desk.group_cards)


async def test_what_was_done_elsewhere_shows_in_every_chat_and_old_buttons_tell_the_state(
    desk: Desk, live: Live
) -> None:
    _, code = await reported(live, STATE_OA)
    card = await card_of(desk.in_group(desk.official), code)
    await live.simulator.wait(lambda: card.buttons, SECONDS)
    old = next(button["callback_data"] for button in card.buttons if button["text"] == "Nhận việc")
    await desk.in_group(desk.official).tap(label="Nhận việc")
    await live.simulator.wait(lambda: "đang xử lý" in card.text, SECONDS)
    own = await card_of(desk.head, code)
    await live.simulator.wait(lambda: "đang xử lý" in own.text, SECONDS)
    await desk.in_group(desk.head).old_tap(data=old, message_id=card.message_id)
    await desk.in_group(desk.head).wait_for_toast(code)


async def test_a_stranger_in_the_group_can_do_nothing(desk: Desk, live: Live) -> None:
    stranger = await live.telegram_phone()
    await live.simulator.telegram_verbs.add_member(chat_id=desk.group.chat_id, user_id=stranger.user_id)
    _, code = await reported(live, STATE_OA)
    await card_of(desk.in_group(desk.official), code)
    await desk.in_group(stranger).tap(label="Nhận việc")
    await live.simulator.wait(lambda: desk.in_group(stranger).toasts, SECONDS)
    assert (await live.cases())[0].state == "assigned"


async def test_the_group_becomes_a_supergroup_and_cards_go_on(desk: Desk, live: Live) -> None:
    grown = await desk.group.migrate()
    _, code = await reported(live, STATE_OA)
    await card_of(grown.phone(desk.head.user_id), code)


async def test_my_open_work_by_command(desk: Desk, live: Live) -> None:
    await desk.official.say("/viec")
    await desk.official.wait_for("Không có việc nào đang mở")
    _, code = await reported(live, BOT)
    await card_of(desk.official, code)
    await desk.official.say("/viec")
    listed = await desk.official.wait_for("Việc đang mở: 1", timeout=SECONDS)
    assert code in listed.text
    await desk.official.say(f"/tim {code}")
    citizen = await live.telegram_phone()
    await citizen.say("/viec")
    await citizen.wait_for("Xin chào", timeout=SECONDS)


async def test_a_bot_that_lost_and_got_its_rights_tells_the_group_what_it_missed(desk: Desk, live: Live) -> None:
    grown = await desk.group.migrate()
    phone = grown.phone(desk.head.user_id)
    _, code = await reported(live, STATE_OA)
    card = await card_of(phone, code)
    await grown.mute_bot()
    own = await card_of(desk.head, code)
    await live.simulator.wait(lambda: own.buttons, SECONDS)
    await desk.head.tap(label="Nhận việc")
    await live.until(lambda: in_state(live, "in_progress"), SECONDS)

    async def refused() -> bool:
        return any(contact.gone == "group_refuses" for contact in await live.rows(ContactRow))

    await live.until(refused, SECONDS)
    assert "đang xử lý" not in card.text
    await grown.mute_bot(muted=False)
    await live.simulator.wait(lambda: "đang xử lý" in card.text, SECONDS)
