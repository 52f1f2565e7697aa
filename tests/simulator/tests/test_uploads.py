"""Uploads: kinds and sizes are checked, and an upload can be used for seven days."""

import pytest

from tests.simulator.pictures import scene
from tests.simulator.samples import gif, pdf
from tests.simulator.simulator import Phone
from tests.simulator.tests.conftest import BUSINESS, DAY, STATE, Town

MEGABYTE = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"


def picture(key: str) -> dict[str, object]:
    elements = [{"media_type": "image", "attachment_id": key}]
    return {"attachment": {"type": "template", "payload": {"template_type": "media", "elements": elements}}}


async def test_an_upload_expires_after_seven_days(town: Town, phone: Phone) -> None:
    key = (await town.upload(phone.oa_id, "image", "bia.png", scene("canh-dong")))["data"]["attachment_id"]
    assert (await town.send(phone, picture(key)))["error"] == 0
    await town.later(6 * DAY)
    assert (await town.send(phone, picture(key)))["error"] == 0
    await phone.say("vẫn đây")
    await town.later(DAY + 60)
    assert (await town.send(phone, picture(key)))["error"] == -100
    assert len(phone.inbox) == 2


async def test_an_upload_belongs_to_its_oa_and_its_kind(town: Town, phone: Phone) -> None:
    other = BUSINESS if phone.oa_id == STATE else STATE
    foreign = (await town.upload(other, "image", "a.png", scene("canh-dong")))["data"]["attachment_id"]
    moving = (await town.upload(phone.oa_id, "gif", "a.gif", gif()))["data"]["attachment_id"]
    assert (await town.send(phone, picture(foreign)))["error"] == -201
    assert (await town.send(phone, picture(moving)))["error"] == -201


@pytest.mark.parametrize(
    ("kind", "name", "data", "code"),
    [
        ("image", "a.jpg", b"\xff\xd8\xff" + bytes(100), 0),
        ("image", "a.png", PNG + bytes(MEGABYTE - 8), 0),
        ("image", "a.png", PNG + bytes(MEGABYTE - 7), -210),
        ("image", "a.png", b"no picture", -201),
        ("image", "a.gif", gif(), -201),
        ("gif", "a.gif", gif(), 0),
        ("gif", "a.png", PNG, -201),
        ("file", "a.pdf", pdf(), 0),
        ("file", "a.csv", b"a,b", 0),
        ("file", "a.exe", b"MZ", -201),
        ("file", "a.pdf", b"MZ", -201),
        ("file", "a.csv", bytes(5 * MEGABYTE + 1), -210),
        ("file", "a.csv", b"", -201),
    ],
)  # fmt: skip
async def test_kinds_and_sizes(town: Town, kind: str, name: str, data: bytes, code: int) -> None:
    answer = await town.upload(STATE, kind, name, data)
    assert answer["error"] == code
    if not code:
        assert set(answer["data"]) == {"token" if kind == "file" else "attachment_id"}


async def test_five_thousand_uploads_a_month(town: Town) -> None:
    await town.upload(STATE, "file", "a.csv", b"a")
    [month] = town.simulator.provider.world.oas[STATE].uploads_made
    town.simulator.provider.world.oas[STATE].uploads_made[month] = 5000
    assert (await town.upload(STATE, "file", "a.csv", b"a"))["error"] == -211
    await town.later(32 * DAY)
    assert (await town.upload(STATE, "file", "a.csv", b"a"))["error"] == 0


async def test_an_upload_without_a_form_is_refused(town: Town) -> None:
    assert (await town.call(STATE, "/v2.0/oa/upload/image", {}))["error"] == -201
