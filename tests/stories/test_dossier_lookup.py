"""Dossiers looked up by photo and bound by phone, through both providers; digits that reach the dossier's phone."""

import re
from base64 import b64encode
from typing import Any

import pytest

from bot.store.messages import AttachmentRow
from jobs.fetch_templates import fetch_templates
from tests.dossier_world import CODE, receipt, report
from tests.live import BOT, BUSINESS_OA, STATE_OA, Live
from tests.simulator.simulator import Phone
from tests.simulator.telegram.phone import TelegramPhone

PHOTO = b64encode(receipt(f"https://dichvucong.gov.vn/tra-cuu?ma={CODE}", angle=12, noise=60)).decode()
TREES = b64encode(receipt("https://example.org/")).decode()


async def photograph(phone: Phone | TelegramPhone, data: str) -> None:
    await (phone.photo(data=data) if isinstance(phone, TelegramPhone) else phone.images(data=[data]))


def number_of(live: Live, phone: Phone | TelegramPhone) -> str:
    if isinstance(phone, TelegramPhone):
        return live.simulator.telegram.world.person(phone.user_id).phone
    return live.simulator.provider.world.people[phone.user_id].phone


@pytest.mark.parametrize("account", [BUSINESS_OA, BOT], ids=["business", "telegram"])
async def test_from_a_photo_of_the_receipt_to_the_details(live: Live, account: str) -> None:
    phone = await live.citizen(account)
    await report(live.runtime, live.runtime.now(), phone=f"84{number_of(live, phone)[-9:]}")
    await phone.follow()
    await phone.wait_for("Xin chào")
    await phone.say("tra cứu hồ sơ")
    await phone.wait_for("mã QR")
    await photograph(phone, TREES)
    await phone.wait_for("Chưa đọc được mã")
    await photograph(phone, PHOTO)
    await phone.wait_for("đang được xử lý")
    await phone.say(f"#hoso {CODE}")
    if isinstance(phone, TelegramPhone):
        await phone.wait_for("bấm nút chia sẻ số")
        await phone.share_contact()
    else:
        await live.simulator.wait(lambda: any(m.kind == "request_user_info" for m in phone.inbox), 10)
        await phone.submit_info()
    shown = await phone.wait_for("N. V. M.")
    assert "Nguyễn Văn" not in shown.text
    assert {row.state for row in await live.rows(AttachmentRow)} == {"discarded"}
    await photograph(phone, PHOTO)
    await live.until(lambda: told_twice(phone))


async def told_twice(phone: Phone | TelegramPhone) -> bool:
    return len([m for m in phone.inbox if "N. V. M." in m.text]) == 2


DIGITS: dict[str, Any] = {
    "template_id": "412396",
    "name": "Mã xác nhận",
    "text": "Mã xác nhận của Ông/Bà là <otp>",
    "params": {"otp": 6},
    "types": {"otp": "OTP"},
}


async def test_digits_reach_the_dossiers_phone_where_none_can_be_asked_for(live: Live) -> None:
    phone = await live.phone(STATE_OA)
    await live.simulator.verbs.add_template(oa_id=STATE_OA, **DIGITS)
    await fetch_templates(live.runtime)
    await report(live.runtime, live.runtime.now(), phone=f"84{number_of(live, phone)[-9:]}")
    await phone.say(CODE)
    await phone.wait_for("đang được xử lý")
    await phone.tap(payload=f"#hoso {CODE}")
    await phone.wait_for("gửi mã 6 số đến")
    await phone.tap(payload=f"#guima {CODE}")
    await phone.wait_for("Đã gửi mã 6 số")
    await live.simulator.wait(lambda: any(m.kind == "template" for m in phone.inbox), 10)
    [by_template] = [m for m in phone.inbox if m.kind == "template"]
    found = re.search(r"\d{6}", by_template.attachments[0]["payload"]["text"])
    assert found is not None
    await phone.say(found[0])
    await phone.wait_for("N. V. M.")
