"""One person on Zalo and on Telegram: the chats are linked by the person's word in both, through both providers."""

import re

from bot.store.contacts import ContactRow
from tests.live import BOT, BUSINESS_OA, Live


async def test_one_person_links_zalo_and_telegram_and_parts_them_again(live: Live) -> None:
    zalo = await live.phone(BUSINESS_OA)
    number = live.simulator.provider.world.people[zalo.user_id].phone
    telegram = await live.simulator.telegram_phone(BOT, phone=number)
    await zalo.say("Đèn đường thôn Kim Lâm hỏng ba hôm nay, tối đi rất nguy hiểm")
    await zalo.wait_for("thành phản ánh?")
    await zalo.say("gửi")
    await zalo.wait_for("Mã: PA-")
    await zalo.say("nối kênh")
    await live.simulator.wait(lambda: any(m.kind == "request_user_info" for m in zalo.inbox), 10)
    await zalo.submit_info()
    await zalo.wait_for("đã được lưu")

    await telegram.follow()
    await telegram.wait_for("Xin chào")
    await telegram.say("/noikenh")
    await telegram.wait_for("bấm nút chia sẻ số")
    assert telegram.keyboard == ["Chia sẻ số điện thoại"]
    await telegram.share_contact()
    await telegram.wait_for("đồng ý nối không")
    await telegram.tap(label="Đồng ý nối")
    told = await telegram.wait_for("NỐI ")
    found = re.search(r"NỐI \d{6}", told.text)
    assert found is not None
    await zalo.say(found[0])
    await zalo.wait_for("đang nối với")
    await telegram.wait_for("Đã nối với kênh")

    [case] = await live.cases()
    await telegram.say("phản ánh của tôi")
    await telegram.wait_for(f"{case.code} (")
    await telegram.say("bỏ nối")
    await telegram.wait_for("Đã bỏ nối")
    await telegram.say("phản ánh của tôi")
    await telegram.wait_for("chưa gửi phản ánh")


async def test_the_phone_of_somebody_else_is_a_card_and_links_nothing(live: Live) -> None:
    victim = await live.telegram_phone()
    attacker = await live.telegram_phone()
    await attacker.follow()
    await attacker.wait_for("Xin chào")
    await attacker.share_contact(of=victim.user_id)
    await attacker.wait_for("danh thiếp")
    rows = await live.rows(ContactRow)
    assert [row.phone_hash for row in rows] == [None]
