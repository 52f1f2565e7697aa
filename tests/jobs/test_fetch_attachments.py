"""What citizens attach is distrusted: whatever arrives, the case goes on and the thread says what happened."""

from collections.abc import AsyncIterator

import pytest

from bot.config import Settings
from bot.store.files import FileRow
from bot.store.messages import AttachmentRow, MessageRow
from tests.live import Live, running
from tests.simulator.simulator import Phone, Simulator


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    async with Simulator(time_scale=1000) as simulator, running(settings, simulator) as it:
        yield it


async def settled(live: Live) -> list[AttachmentRow]:
    async def all_settled() -> list[AttachmentRow] | None:
        rows = await live.rows(AttachmentRow)
        return rows if rows and all(row.state != "pending" or row.failure for row in rows) else None

    rows: list[AttachmentRow] = await live.until(all_settled)
    return rows


async def report_with_photos(live: Live, number: int = 1) -> Phone:
    phone = await live.phone()
    await phone.follow()
    await phone.wait_for("Xin chào")
    await phone.say("phản ánh")
    await phone.wait_for("về việc gì")
    await phone.say("2")
    await phone.wait_for("kể rõ sự việc")
    await phone.say("Đèn đường thôn Kim Lâm hỏng ba hôm nay")
    await phone.wait_for("gửi luôn")
    await phone.images(count=number)
    await phone.wait_for("kiểm tra lại")
    await phone.say("gửi")
    await phone.wait_for("Mã: PA-")
    return phone


async def test_photos_are_stored_cleaned_and_small_enough_to_send_on(live: Live) -> None:
    await report_with_photos(live, 3)
    rows = await settled(live)
    assert [row.state for row in rows] == ["stored"] * 3
    files = await live.rows(FileRow)
    assert {f.media_type for f in files} == {"image/jpeg"}
    for file in files:
        assert len(await live.runtime.blobs.get(file.key)) == file.size <= 1024 * 1024
        assert b"Exif" not in await live.runtime.blobs.get(file.key)
        assert file.thumbnail_key
        assert await live.runtime.blobs.get(file.thumbnail_key)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("media_not_image", "not_a_picture"), ("media_404", "gone"), ("media_huge", "too_large")],
)
async def test_a_photo_that_is_none_leaves_a_case_and_a_reason(live: Live, fault: str, reason: str) -> None:
    await live.simulator.fault(fault)
    await report_with_photos(live)
    [row] = await settled(live)
    assert (row.state, row.failure, row.file_id) == ("failed", reason, None)
    [case] = await live.cases()
    assert row.case_id == case.id


async def test_an_address_outside_the_providers_hosts_is_never_fetched(live: Live) -> None:
    phone = await live.phone()
    oa = live.simulator.provider.world.oa(phone.oa_id)
    for url in (
        "http://169.254.169.254/latest",
        "http://localhost:1/x.jpg",
        "file:///etc/passwd",
        "http://zdn.vn.evil.example/",
    ):
        attachment = {"type": "image", "payload": {"url": url, "thumbnail": url}}
        payload = {
            "app_id": oa.app_id,
            "sender": {"id": phone.user_id},
            "recipient": {"id": oa.oa_id},
            "event_name": "user_send_image",
            "message": {"msg_id": url, "attachments": [attachment]},
            "timestamp": "1795420861017",
        }
        await live.simulator.verbs.raw(oa_id=oa.oa_id, payload=payload)

    async def four() -> bool:
        return len(await live.rows(AttachmentRow)) == 4

    await live.until(four)
    rows = await settled(live)
    assert {(row.state, row.failure) for row in rows} == {("failed", "foreign_host"), ("described", "")}


async def test_voice_files_and_clips_are_kept(live: Live) -> None:
    phone = await live.phone()
    await phone.follow()
    await phone.wait_for("Xin chào")
    await phone.audio()
    await phone.video()
    await phone.file()

    async def three() -> bool:
        return len(await live.rows(AttachmentRow)) == 3

    await live.until(three)
    rows = await settled(live)
    assert {row.kind: row.state for row in rows} == {"audio": "stored", "video": "stored", "file": "stored"}
    assert len([m for m in await live.rows(MessageRow) if m.direction == "in"]) == 3
