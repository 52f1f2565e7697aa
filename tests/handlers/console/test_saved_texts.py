"""The page of texts that announcements are written from."""

import html
from datetime import date

import pytest

from bot.starting_points import starting_points
from bot.store import saved_texts
from bot.store.staff import StaffRoleRow, StaffRow
from bot.store.units import UnitRow
from tests.handlers.console.visitor import Office, Visitor, hidden

TEXTS = "/announcements/texts"
GIVEN = {"name": "Họp thôn", "kind": "notice", "title": "Mời họp", "text": "Kính mời {{Tên}} <dự> họp."}


async def writer(office: Office, unit_id: str = "commune", key: str = "writer") -> Visitor:
    """Sign in somebody who writes announcements of a unit."""
    async with office.runtime.units_of_work() as uow:
        person = StaffRow(
            id=key, email=f"{key}@thanhoai.example", name=f"Cán bộ {key}", password="-", created_at=uow.now
        )
        uow.session.add(person)
        await uow.session.flush()
        uow.session.add(StaffRoleRow(staff_id=key, role="broadcaster", unit_id=unit_id))
    return await office.enter(key)


async def add(visitor: Visitor, unit_id: str = "commune", **changes: str) -> str:
    """Save a new text and return its address."""
    answer = await visitor.post(TEXTS, {"unit_id": unit_id, **GIVEN, **changes})
    assert answer.status == 303, await answer.text()
    return answer.headers["Location"].split("?")[0]


async def test_a_text_is_written_changed_renamed_and_ended(office: Office) -> None:
    visitor = await writer(office)
    assert "Chưa có văn bản nào" in await visitor.page(TEXTS)
    address = await add(visitor)
    page = await visitor.page(address)
    assert "Kính mời {{Tên}} &lt;dự&gt; họp." in page
    answer = await visitor.post(address, {**GIVEN, "text": "Bản sau", "version": hidden(page, "version")})
    assert answer.headers["Location"] == f"{address}?done=saved"
    await visitor.post(f"{address}/rename", {"name": "Họp tổ", "version": "2"})
    page = await visitor.page(address)
    assert all(words in page for words in ("Bản 1", "Bản 2", "Bản 3", "Họp tổ", "Cán bộ writer", "&lt;dự&gt;"))
    assert "Họp tổ" in await visitor.page(TEXTS)
    answer = await visitor.post(f"{address}/end", {"version": "3"})
    assert answer.headers["Location"] == f"{TEXTS}?unit=commune&done=text_ended"
    listed = await visitor.page(answer.headers["Location"])
    assert "Chưa có văn bản nào" in listed
    assert "Văn bản đã ngừng dùng" in listed
    assert "Đã ngừng dùng văn bản" in listed
    ended = await visitor.page(address)
    assert "Văn bản này đã ngừng dùng" in ended
    assert "Lưu bản mới" not in ended


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "Chưa nhập nội dung"),
        ({"text": ""}, "Chưa nhập nội dung"),
        ({"kind": "x"}, "Hãy chọn loại thông báo"),
        ({"text": "Mời {{Tên"}, "ngoặc nhọn mở mà không đóng"),
        ({"button_label": "Xem"}, "Nút cần có cả chữ"),
        ({"button_label": "Xem", "button_url": "ftp://x.example"}, "Địa chỉ trang không hợp lệ"),
        ({"unit_id": "other"}, "Hãy chọn một đơn vị"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    office: Office, change: dict[str, str], words: str
) -> None:
    async with office.runtime.units_of_work() as uow:
        since = date(2025, 7, 1)
        uow.session.add(UnitRow(id="other", code="1", name="Xã khác", kind="commune", path="/other/", valid_from=since))
    visitor = await writer(office)
    answer = await visitor.post(TEXTS, {"unit_id": "commune", **GIVEN, **change})
    assert answer.status == 422
    page = await answer.text()
    assert words in page
    assert "Mời họp" in page


async def test_a_version_that_somebody_else_has_replaced_is_not_overwritten(office: Office) -> None:
    visitor = await writer(office)
    address = await add(visitor)
    await visitor.post(address, {**GIVEN, "text": "Của người khác", "version": "1"})
    answer = await visitor.post(address, {**GIVEN, "text": "Của tôi", "version": "1"})
    assert answer.status == 409
    page = await answer.text()
    assert "Người khác vừa lưu" in page
    assert "Của tôi" in page
    assert "Của người khác" in page
    assert hidden(page, "version") == "2"


async def test_a_name_that_cannot_be_leaves_the_words_alone(office: Office) -> None:
    visitor = await writer(office)
    address = await add(visitor)
    await add(visitor, name="Chợ phiên")
    answer = await visitor.post(f"{address}/rename", {"name": "chợ phiên", "version": "1"})
    assert answer.status == 422
    page = await answer.text()
    assert "Đã có mục mang tên này" in page
    assert "Kính mời" in page


async def test_texts_of_units_above_are_read_and_not_changed(office: Office) -> None:
    above = await writer(office)
    address = await add(above)
    below = await writer(office, "economy", "below")
    listed = await below.page(TEXTS)
    assert "Họp thôn" in listed
    assert "của UBND xã Thanh Oai" in listed
    page = await below.page(address)
    assert "Kính mời" in page
    assert "Lưu bản mới" not in page
    for path in (address, f"{address}/rename", f"{address}/end"):
        assert (await below.post(path, {**GIVEN, "version": "1"})).status == 404
    own = await add(below, "economy", name="Của phòng")
    assert "Lưu bản mới" in await above.page(own)
    beside = await writer(office, "police", "beside")
    assert "Của phòng" not in await beside.page(TEXTS)
    assert (await beside.get(own)).status == 404
    assert (await beside.get(f"{TEXTS}/nothing")).status == 404


async def test_only_who_writes_announcements_gets_in(office: Office) -> None:
    address = await add(await writer(office))
    for key in ("official", "leader", "admin", "auditor"):
        visitor = await office.enter(key)
        assert (await visitor.get(TEXTS)).status == 403, key
        assert (await visitor.post(address, {**GIVEN, "version": "1"})).status == 403, key
        assert "Văn bản mẫu" not in await visitor.page("/me"), key
    async with office.runtime.database.reading() as session:
        assert len(await saved_texts.versions(session, address.rpartition("/")[2])) == 1


async def test_a_starting_point_fills_in_the_form(office: Office) -> None:
    visitor = await writer(office)
    listed = await visitor.page(TEXTS)
    for point in starting_points():
        assert point.name in html.unescape(listed)
        page = html.unescape(await visitor.page(f"{TEXTS}?start={point.key}"))
        assert point.text in page
        assert f'value="{point.title}"' in page
        await add(visitor, name=point.name, kind=point.kind, title=point.title, text=point.text)
    assert (await visitor.get(f"{TEXTS}?start=../../x")).status == 200


async def test_the_page_speaks_english(office: Office) -> None:
    visitor = await writer(office)
    address = await add(visitor)
    await visitor.post("/me/language", {"language": "en"})
    assert "Saved texts" in await visitor.page(TEXTS)
    assert "Save a new version" in await visitor.page(address)
