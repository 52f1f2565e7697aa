"""Topics of announcements in administration, and what the sender of a case is known by."""

import re
from datetime import date

import pytest

from bot.actions import marks
from bot.store import marks as rows
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow
from bot.store.units import UnitRow
from tests.handlers.console.visitor import Office, Visitor


async def names(office: Office, unit_id: str = "commune") -> list[tuple[str, bool, bool]]:
    async with office.runtime.database.reading() as session:
        found = await rows.own_topics(session, unit_id)
    return [(row.name, row.default_on, row.advert) for row in found]


async def topic_id(office: Office, name: str) -> str:
    async with office.runtime.database.reading() as session:
        return next(row.id for row in await rows.own_topics(session, "commune") if row.name == name)


async def add(visitor: Visitor, name: str, unit: str = "commune", **fields: str) -> None:
    answer = await visitor.post("/admin/topics", {"unit_id": unit, "name": name, **fields})
    assert answer.headers["Location"] == f"/admin/topics?unit={unit}&done=saved"


async def test_topics_are_added_changed_put_in_order_and_ended(office: Office) -> None:
    visitor = await office.enter("admin")
    assert "Chưa có chủ đề nào" in await visitor.page("/admin/topics")
    await add(visitor, "Họp thôn <tổ>", default_on="1")
    await add(visitor, "Phiên chợ", default_on="1", advert="1")
    await add(visitor, "Lịch cắt điện")
    page = await visitor.page("/admin/topics?unit=commune")
    assert "Họp thôn &lt;tổ&gt;" in page
    assert "Quảng bá" in page
    market = await topic_id(office, "Phiên chợ")
    assert (await visitor.post(f"/admin/topics/{market}/move", {"direction": "up"})).status == 303
    change = {"unit_id": "commune", "topic_id": market, "name": "Chợ phiên", "advert": "1"}
    assert (await visitor.post("/admin/topics", change)).status == 303
    power = await topic_id(office, "Lịch cắt điện")
    answer = await visitor.post(f"/admin/topics/{power}/end")
    assert answer.headers["Location"] == "/admin/topics?unit=commune&done=topic_ended"
    assert await names(office) == [("Chợ phiên", False, True), ("Họp thôn <tổ>", True, False)]
    page = await visitor.page("/admin/topics")
    assert "Lịch cắt điện" not in page
    assert (await visitor.post(f"/admin/topics/{power}/end")).status == 404
    assert "Thôi dùng chủ đề thông báo" in await visitor.page("/admin/audit?kind=topic")


async def test_the_topics_of_units_above_are_shown_and_not_changed_there(office: Office) -> None:
    visitor = await office.enter("admin")
    await add(visitor, "Họp thôn")
    page = await visitor.page("/admin/topics?unit=office")
    assert "Chủ đề của đơn vị cấp trên" in page
    assert "UBND xã Thanh Oai" in page
    assert f"/admin/topics/{await topic_id(office, 'Họp thôn')}/move" not in page
    assert f"/admin/topics/{await topic_id(office, 'Họp thôn')}/end" not in page


@pytest.mark.parametrize(
    ("name", "words"), [("", "Chưa nhập"), ("x" * 46, "tối đa 45"), ("hop thon", "Đã có mục mang tên này")]
)
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(office: Office, name: str, words: str) -> None:
    visitor = await office.enter("admin")
    await add(visitor, "Họp thôn")
    answer = await visitor.post("/admin/topics", {"unit_id": "commune", "name": name, "advert": "1"})
    page = await answer.text()
    assert answer.status == 422
    assert words in page
    assert f'value="{name}"' in page
    assert len(await names(office)) == 1


async def test_another_communes_topics_are_out_of_reach(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        since = date(2025, 7, 1)
        uow.session.add(UnitRow(id="other", code="1", name="Xã khác", kind="commune", path="/other/", valid_from=since))
        await uow.session.flush()
        uow.session.add(rows.TopicRow(id="theirs", unit_id="other", name="Của xã khác"))
    visitor = await office.enter("admin")
    assert "Của xã khác" not in await visitor.page("/admin/topics?unit=other")
    assert (await visitor.post("/admin/topics", {"unit_id": "other", "name": "x"})).status == 404
    own = {"unit_id": "commune", "topic_id": "theirs", "name": "x"}
    assert (await visitor.post("/admin/topics", own)).status == 404
    for verb in ("move", "end"):
        assert (await visitor.post(f"/admin/topics/theirs/{verb}", {"direction": "up"})).status == 404


# the sender of a case


async def known_by(office: Office, case: CaseRow) -> marks.Choices:
    async with office.runtime.database.reading() as session:
        contact = await session.get(ContactRow, case.contact_id)
        assert contact is not None
        return await marks.choices_of(session, contact)


async def test_staff_set_villages_and_tags_of_a_sender(office: Office) -> None:
    case, visitor = await office.make_case(), await office.enter("official")
    fields = {"area_id": "kim-lam", "tags": "Hộ kinh doanh, người cao tuổi ,", "tags_before": ""}
    answer = await visitor.post(f"/cases/{case.id}/sender-marks", fields)
    assert answer.headers["Location"] == f"/cases/{case.id}?done=saved"
    found = await known_by(office, case)
    assert (found.by["kim-lam"], found.tags) == ("staff", ("hộ kinh doanh", "người cao tuổi"))
    page = await visitor.page(f"/cases/{case.id}")
    assert 'name="areas_before" value="kim-lam"' in page
    assert 'name="tags_before" value="hộ kinh doanh, người cao tuổi"' in page
    fields = {"areas_before": "kim-lam", "tags": "người cao tuổi", "tags_before": "hộ kinh doanh, người cao tuổi"}
    assert (await visitor.post(f"/cases/{case.id}/sender-marks", fields)).status == 303
    found = await known_by(office, case)
    assert (found.my_villages, found.tags) == ((), ("người cao tuổi",))


async def test_what_a_colleague_has_set_meanwhile_stays(office: Office) -> None:
    case, visitor, other = await office.make_case(), await office.enter("official"), await office.enter("head")
    await other.post(f"/cases/{case.id}/sender-marks", {"tags": "hộ kinh doanh", "tags_before": ""})
    await visitor.post(f"/cases/{case.id}/sender-marks", {"tags": "người cao tuổi", "tags_before": ""})
    assert (await known_by(office, case)).tags == ("hộ kinh doanh", "người cao tuổi")


async def test_what_the_sender_has_chosen_is_shown_and_stays(office: Office) -> None:
    case, visitor = await office.make_case(), await office.enter("official")
    async with office.runtime.units_of_work() as uow:
        contact = await uow.session.get(ContactRow, case.contact_id)
        assert contact is not None
        await marks.choose_area(uow, contact, "kim-lam")
        await marks.leave_area(uow, contact, "cat-dong")
    page = await visitor.page(f"/cases/{case.id}")
    assert re.search(r"Thôn Kim Lâm <span[^>]*>\(tự chọn\)", page)
    assert 'value="kim-lam"' not in page
    await visitor.post(f"/cases/{case.id}/sender-marks", {"areas_before": "kim-lam"})
    answer = await visitor.post(f"/cases/{case.id}/sender-marks", {"area_id": "cat-dong", "tags": "giữ lại"})
    page = await answer.text()
    assert answer.status == 422
    assert "đã tự bỏ theo dõi" in page
    assert 'value="giữ lại"' in page
    found = await known_by(office, case)
    assert ([area.id for area in found.my_villages], found.tags) == (["kim-lam"], ())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"area_id": "elsewhere"}, "Hãy chọn một thôn, tổ"),
        ({"tags": "x" * 41}, "tối đa 40"),
        ({"tags": ",".join(str(n) for n in range(21))}, "tối đa 20 nhãn"),
    ],
)
async def test_what_cannot_be_set_is_said(office: Office, fields: dict[str, str], words: str) -> None:
    case, visitor = await office.make_case(), await office.enter("official")
    answer = await visitor.post(f"/cases/{case.id}/sender-marks", fields)
    assert answer.status == 422
    assert words in await answer.text()
    assert (await known_by(office, case)).tags == ()


async def test_only_who_works_on_the_case_sets_them(office: Office) -> None:
    case = await office.make_case()
    stranger, leader = await office.enter("stranger"), await office.enter("leader")
    assert (await stranger.post(f"/cases/{case.id}/sender-marks", {"tags": "x"})).status == 404
    assert (await leader.post(f"/cases/{case.id}/sender-marks", {"tags": "x"})).status == 403
    assert "sender-marks" not in await leader.page(f"/cases/{case.id}")


async def test_nobody_is_marked_who_is_not_known(office: Office) -> None:
    case, visitor = await office.make_case(), await office.enter("official")
    async with office.runtime.units_of_work() as uow:
        contact = await uow.session.get(ContactRow, case.contact_id)
        assert contact is not None
        contact.anonymous = True
    assert "sender-marks" not in await visitor.page(f"/cases/{case.id}")
    assert (await visitor.post(f"/cases/{case.id}/sender-marks", {"tags": "x"})).status == 404
