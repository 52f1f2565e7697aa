"""Announcements composed step by step, handed over, approved by another, and shown to those whom they concern."""

import html
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import FormData
from sqlmodel import col, select

from bot.actions import announcements as actions
from bot.actions import contacts, saved_texts
from bot.domain.access import GRANTS, Role
from bot.domain.privacy import normalise_phone
from bot.store import accounts
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.audit import AuditRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierPersonRow, DossierRow
from bot.store.marks import MarkRow, TopicRow
from bot.store.outbox import OutboxRow
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.recipients import ListedRow, RecipientListRow
from bot.store.staff import StaffRoleRow, StaffRow
from bot.store.unit_of_work import Actor
from bot.store.units import UnitRow
from handlers.routes import TABLE
from tests import commune
from tests.bot.domain.test_cap import cap, info
from tests.handlers.console.test_events import read_until
from tests.handlers.console.visitor import Office, Visitor, hidden, picture_bytes

WORDS = {
    "kind": "notice",
    "topic_id": "",
    "title": "Mời họp thôn",
    "text": "Kính mời {{Tên}} đến họp <tối nay>.",
    "button_label": "",
    "button_url": "",
}
RULES = {"by": "rules"}
NOW = {"kind": "now"}


async def member(office: Office, role: str, key: str = "", unit_id: str = "commune") -> Visitor:
    """Sign in somebody with one role."""
    key = key or role
    async with office.runtime.units_of_work() as uow:
        person = StaffRow(
            id=key, email=f"{key}@thanhoai.example", name=f"Cán bộ {key}", password="-", created_at=uow.now
        )
        uow.session.add(person)
        await uow.session.flush()
        uow.session.add(StaffRoleRow(staff_id=key, role=role, unit_id=unit_id))
    return await office.enter(key)


async def citizens(office: Office, number: int = 3, account: str = "account", **values: Any) -> list[str]:
    """Let people of an account have written just now; returns their ids."""
    async with office.runtime.units_of_work() as uow:
        row = await accounts.account(uow.session, account)
        assert row is not None
        made = []
        for n in range(number):
            contact = await contacts.met(uow, row, f"33334444555566{account[-1]}{n:04d}", interacts=True)
            contact.name = contact.name or "Nguyễn Thị Hoà"
            for name, value in values.items():
                setattr(contact, name, value)
            made.append(contact.id)
    return made


async def mark(office: Office, contact_id: str, kind: str, value: str, *, chosen: bool = True) -> None:
    async with office.runtime.units_of_work() as uow:
        uow.session.add(MarkRow(kind=kind, value=value, contact_id=contact_id, chosen=chosen, at=uow.now))


async def begun(visitor: Visitor, **fields: str) -> str:
    """Begin an announcement and return its address."""
    answer = await visitor.post("/announcements", {"unit_id": "commune", **fields})
    assert answer.status == 303, await answer.text()
    return answer.headers["Location"].removesuffix("/words")


async def step(visitor: Visitor, address: str, name: str, fields: dict[str, Any]) -> str:
    """Save one step with the version that its page shows; returns where one is led."""
    version = hidden(await visitor.page(f"{address}/{name}"), "version")
    answer = await visitor.post(f"{address}/{name}", {"version": version, **fields})
    assert answer.status == 303, html.unescape(await answer.text())
    return answer.headers["Location"].removeprefix(f"{address}/")


async def composed(visitor: Visitor, **words: str) -> str:
    address = await begun(visitor)
    await step(visitor, address, "words", {**WORDS, **words})
    await step(visitor, address, "audience", RULES)
    await step(visitor, address, "schedule", NOW)
    return address


async def submitted(visitor: Visitor, **words: str) -> str:
    address = await composed(visitor, **words)
    version = hidden(await visitor.page(f"{address}/check"), "version")
    answer = await visitor.post(f"{address}/submit", {"version": version})
    assert answer.status == 303, html.unescape(await answer.text())
    return address


async def row_of(office: Office, address: str) -> AnnouncementRow:
    async with office.runtime.database.reading() as session:
        row = await session.get(AnnouncementRow, address.rpartition("/")[2])
        assert row is not None
        return row


async def text_of(answer: Any) -> str:
    return html.unescape(await answer.text())


async def deeds(office: Office, address: str) -> list[str]:
    async with office.runtime.database.reading() as session:
        query = select(AuditRow.action).where(AuditRow.subject == f"announcement:{address.rpartition('/')[2]}")
        return list((await session.exec(query.order_by(col(AuditRow.at), col(AuditRow.id)))).all())


async def test_an_announcement_is_composed_handed_over_and_approved_by_another(office: Office) -> None:
    writer, approver = await member(office, "broadcaster"), await member(office, "approver")
    await citizens(office)
    assert "Không có thông báo nào" in await writer.page("/announcements")
    address = await begun(writer)
    assert await step(writer, address, "words", WORDS) == "audience"
    assert await step(writer, address, "audience", {**RULES, "area": ["kim-lam"]}) == "schedule"
    assert await step(writer, address, "schedule", NOW) == "check"
    page = await writer.page(f"{address}/check")
    assert "Không có ai nhận được thông báo này" in page
    assert "Người theo dõi UBND xã Thanh Oai ở Thôn Kim Lâm." in page
    refused = await writer.post(f"{address}/submit", {"version": hidden(page, "version")})
    assert refused.status == 422
    assert "Không có ai nhận được" in await refused.text()
    assert await step(writer, address, "audience", {**RULES, "then": "check"}) == "check"
    page = await writer.page(f"{address}/check")
    assert "Kính mời {{Tên}} đến họp &lt;tối nay&gt;." in page
    assert "Chưa trình duyệt được" not in page
    answer = await writer.post(f"{address}/submit", {"version": hidden(page, "version")})
    assert answer.headers["Location"] == f"{address}?done=announcement_submitted"
    waiting = await writer.page(address)
    assert "Đang chờ duyệt" in waiting
    assert f"{address}/approve" not in waiting
    assert (await writer.get(f"{address}/words")).headers["Location"] == address
    page = await approver.page(address)
    answer = await approver.post(f"{address}/approve", {"version": hidden(page, "version")})
    assert answer.headers["Location"] == f"{address}?done=announcement_approved"
    row = await row_of(office, address)
    assert (row.state, row.created_by, row.submitted_by, row.approved_by) == (
        "approved", "broadcaster", "broadcaster", "approver",
    )  # fmt: skip
    assert (await deeds(office, address))[-2:] == ["announcement.submit", "announcement.approve"]
    page = await writer.page(address)
    assert "Cán bộ approver" in page
    assert "Đã duyệt, chờ gửi" in page


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"text": " "}, "text", "Chưa nhập nội dung"),
        ({"title": "x" * 101}, "title", "Quá dài, tối đa 100 ký tự"),
        ({"text": "x" * 6001}, "text", "Quá dài, tối đa 6000 ký tự"),
        ({"text": "Kính gửi {{Tên"}, "text", "ngoặc nhọn"),
        ({"button_label": "Xem"}, "button_url", "cả chữ trên nút"),
        ({"button_url": "https://xa.example"}, "button_label", "cả chữ trên nút"),
        ({"button_label": "Xem", "button_url": "javascript:alert(1)"}, "button_url", "Địa chỉ trang không hợp lệ"),
        ({"topic_id": "somebody-elses"}, "topic_id", "Hãy chọn một chủ đề"),
        ({"kind": "nonsense"}, "kind", "Hãy chọn loại"),
    ],
)
async def test_words_that_are_wrong_are_said_and_kept(
    office: Office, changes: dict[str, str], field: str, said: str
) -> None:
    writer = await member(office, "broadcaster")
    address = await begun(writer)
    answer = await writer.post(f"{address}/words", {"version": "1", **WORDS, "title": "Giữ lại", **changes})
    assert answer.status == 422
    text = await text_of(answer)
    assert f'id="error-{field}"' in text
    assert said in text
    if "title" not in changes:
        assert "Giữ lại" in text
    assert (await row_of(office, address)).text == ""


async def test_several_wrong_words_are_said_at_once(office: Office) -> None:
    writer = await member(office, "broadcaster")
    address = await begun(writer)
    answer = await writer.post(f"{address}/words", {"version": "1", **WORDS, "text": "", "button_label": "Xem"})
    text = await answer.text()
    assert 'id="error-text"' in text
    assert 'id="error-button_url"' in text


async def test_a_picture_is_cleaned_kept_shown_and_taken_away(office: Office) -> None:
    writer, stranger = await member(office, "broadcaster"), await office.enter("official")
    address = await begun(writer)

    async def send(data: bytes, **fields: str) -> Any:
        form = FormData(quote_fields=False)
        for name, value in {"csrf": writer.csrf, **WORDS, **fields}.items():
            form.add_field(name, value)
        if data:
            form.add_field("picture", io.BytesIO(data), filename="cờ.png", content_type="image/png")
        return await writer.post(f"{address}/words", form)

    answer = await send(b"rubbish", version="1")
    assert answer.status == 422
    text = await text_of(answer)
    assert "“cờ.png” không phải là ảnh đọc được" in text
    assert "Mời họp thôn" in text
    answer = await send(picture_bytes(kind="PNG"), version="1", text="")
    assert answer.status == 422
    kept = await row_of(office, address)
    assert kept.file_id is not None
    assert f"picture?f={kept.file_id}" in await answer.text()
    assert (await send(b"", version=str(kept.version))).status == 303
    shown = await writer.get(f"{address}/picture")
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert (await stranger.get(f"{address}/picture")).status == 403
    preview = await writer.page(f"{address}/preview")
    assert f"{address}/picture?f={kept.file_id}" in preview
    kept = await row_of(office, address)
    assert (await send(b"", version=str(kept.version), remove_picture="1")).status == 303
    assert (await row_of(office, address)).file_id is None
    assert (await writer.get(f"{address}/picture")).status == 404
    conflict = await send(picture_bytes(), version="1")
    assert conflict.status == 409


async def test_nothing_is_overwritten_that_somebody_else_has_saved(office: Office) -> None:
    writer, other = await member(office, "broadcaster"), await member(office, "broadcaster", "other")
    await citizens(office)
    address = await composed(writer)
    old = {
        name: hidden(await writer.page(f"{address}/{name}"), "version") for name in ("words", "audience", "schedule")
    }
    await step(other, address, "words", {**WORDS, "title": "Của người khác"})
    fields: dict[str, dict[str, Any]] = {
        "words": {**WORDS, "title": "Của tôi"},
        "audience": {**RULES, "area": ["cat-dong"]},
        "schedule": {"kind": "weekly", "weekdays": ["2"], "time": "09:00"},
    }
    for name, version in old.items():
        answer = await writer.post(f"{address}/{name}", {"version": version, **fields[name]})
        assert answer.status == 409, name
        text = await text_of(answer)
        assert "Người khác vừa lưu một bản mới hơn" in text
        assert {"words": "Của tôi", "audience": "cat-dong", "schedule": "09:00"}[name] in text
        assert hidden(text, "version") != version
        saved = text.partition("Bản mới nhất đang lưu")[2].partition("step-form")[0]
        theirs = {"words": "Của người khác", "audience": "Người theo dõi", "schedule": "Gửi ngay sau khi"}
        assert [part for part, words in theirs.items() if words in saved] == [name]
    answer = await writer.post(f"{address}/submit", {"version": old["words"]})
    assert answer.status == 409
    assert "vừa có thay đổi" in await answer.text()
    assert (await row_of(office, address)).title == "Của người khác"
    await step(writer, address, "words", fields["words"])
    assert (await row_of(office, address)).title == "Của tôi"


async def test_what_is_no_draft_any_more_is_not_changed(office: Office) -> None:
    writer = await member(office, "broadcaster")
    await citizens(office)
    address = await submitted(writer)
    for name in ("words", "audience", "ways", "schedule", "check"):
        assert (await writer.get(f"{address}/{name}")).headers["Location"] == address
    posts: dict[str, dict[str, Any]] = {"words": WORDS, "audience": RULES, "schedule": NOW, "ways": {}}
    for name, fields in posts.items():
        answer = await writer.post(f"{address}/{name}", {"version": "5", **fields})
        assert answer.status == 409, name
        text = await text_of(answer)
        assert "Chưa lưu được: thông báo đã được trình duyệt" in text
        assert "<fieldset disabled>" in text
        assert "Bản mới nhất đang lưu" in text
        if name == "words":
            assert f'readonly form="nothing">{WORDS["title"]}\n{WORDS["text"]}' in text
    for name in ("test", "remove"):
        assert (await writer.post(f"{address}/{name}", {"version": "5", "phone": "0900000001"})).status == 409, name


async def test_whom_it_is_for_is_chosen_by_rules_and_said_in_one_sentence(office: Office) -> None:
    writer = await member(office, "broadcaster")
    first, second, _ = await citizens(office)
    async with office.runtime.units_of_work() as uow:
        uow.session.add(TopicRow(id="meeting", unit_id="commune", name="Họp thôn"))
    for contact, kind, value in (
        (first, "area", "kim-lam"), (second, "area", "cat-dong"), (first, "topic", "meeting"),
        (second, "tag", "trưởng thôn"), (second, "topic", "meeting"),
    ):  # fmt: skip
        await mark(office, contact, kind, value)
    address = await begun(writer)
    page = await writer.page(f"{address}/audience")
    assert all(words in page for words in ("Thôn Kim Lâm", "Thôn Cát Động", "Họp thôn", "trưởng thôn"))
    rules = {**RULES, "area": ["kim-lam", "cat-dong"], "topic": ["meeting"], "without": ["trưởng thôn"]}
    seen = await text_of(await writer.post(f"{address}/reach", {"step": "audience", **rules}))
    sentence = (
        "Người theo dõi UBND xã Thanh Oai ở Thôn Kim Lâm hoặc Thôn Cát Động, đã chọn nhận Họp thôn, "
        "trừ ai có nhãn trưởng thôn."
    )
    assert sentence in " ".join(seen.split())
    assert "<strong>1</strong> người sẽ nhận được" in seen
    assert (await row_of(office, address)).audience == {}
    await step(writer, address, "audience", rules)
    assert (await row_of(office, address)).audience == {
        "area_ids": ["kim-lam", "cat-dong"], "topic_ids": ["meeting"], "without_tags": ["trưởng thôn"],
    }  # fmt: skip
    assert sentence in " ".join(html.unescape(await writer.page(f"{address}/reach")).split())


async def test_people_with_dossiers_in_a_field_are_chosen_counted_and_named(office: Office) -> None:
    writer = await member(office, "broadcaster")
    first, second, _ = await citizens(office)
    async with office.runtime.units_of_work() as uow:
        for n, (field, path, contact_id, finished) in enumerate((
            ("Đất đai", "/commune/", first, uow.now), ("Hộ tịch", "/commune/", second, None),
            ("Đất đai", "/elsewhere/", second, None), ("Thuế <lạ>", "/elsewhere/", first, None),
        )):  # fmt: skip
            uow.session.add(
                DossierRow(
                    id=f"d{n}",
                    code=f"H01.1-261101-000{n}",
                    squeezed="",
                    tail="",
                    unit_id="commune",
                    path=path,
                    field=field,
                    status=4,
                    status_at=uow.now,
                    finished_at=finished,
                    created_at=uow.now,
                    updated_at=uow.now,
                )
            )
            await uow.session.flush()
            uow.session.add(DossierPersonRow(dossier_id=f"d{n}", contact_id=contact_id, how="staff", at=uow.now))
    address = await begun(writer)
    page = await writer.page(f"{address}/audience")
    assert 'name="field" value="Đất đai"' in page
    assert "Thuế" not in page, "a field of another unit's dossiers"
    for rules, words, number in (
        ({"field": ["Đất đai"]}, "đã có hồ sơ thuộc lĩnh vực Đất đai", 1),
        ({"field": ["Đất đai", "Hộ tịch"]}, "đã có hồ sơ thuộc lĩnh vực Đất đai hoặc Hộ tịch", 2),
        ({"field": ["Đất đai"], "dossier": "open"}, "đang có hồ sơ chưa xong thuộc lĩnh vực Đất đai", 0),
        ({"dossier": "open"}, "Người theo dõi UBND xã Thanh Oai.", 3),
    ):  # fmt: skip
        seen = await text_of(await writer.post(f"{address}/reach", {"step": "audience", **RULES, **rules}))
        assert words in " ".join(seen.split())
        assert f"<strong>{number}</strong> người sẽ nhận được" in seen or not number
    chosen = {"dossier_fields": ["Hộ tịch"], "dossier_state": "open"}
    await step(writer, address, "audience", {**RULES, "field": ["Hộ tịch"], "dossier": "open"})
    assert (await row_of(office, address)).audience == chosen
    page = await writer.page(f"{address}/audience")
    assert 'value="Hộ tịch" checked' in page
    assert 'name="dossier" value="open" checked' in page
    assert "đang có hồ sơ chưa xong thuộc lĩnh vực Hộ tịch" in html.unescape(await writer.page(f"{address}/check"))


async def test_an_uploaded_list_is_chosen_and_its_columns_are_merge_fields(office: Office) -> None:
    writer = await member(office, "broadcaster")
    async with office.runtime.units_of_work() as uow:
        for unit_id, list_id in (("commune", "mine"), ("police", "below"), ("elsewhere", "foreign")):
            if unit_id == "elsewhere":
                other = UnitRow(
                    id=unit_id, code="1", name="Xã khác", kind="commune", path="/elsewhere/",
                    valid_from=uow.now.date(),
                )  # fmt: skip
                uow.session.add(other)
                await uow.session.flush()
            uow.session.add(
                RecipientListRow(
                    id=list_id,
                    unit_id=unit_id,
                    name=f"Danh sách {list_id}",
                    file_name="a.xlsx",
                    state="ready",
                    columns=["Họ tên", "Số tiền"],
                    key_column="Số điện thoại",
                    key_kind="phone",
                    good=1,
                    made_by="official",
                    created_at=uow.now,
                )
            )
        await uow.session.flush()
        uow.session.add(
            ListedRow(
                list_id="mine",
                n=2,
                recipient="phone:abc",
                address="00",
                merged={"Họ tên": "Trần Thị <Thử>", "Số tiền": "500.000", "Giấy tờ": "001200000001"},
            )
        )
    address = await begun(writer)
    page = await writer.page(f"{address}/audience")
    assert "Danh sách mine" in page
    assert "Danh sách below" in page
    assert "Danh sách foreign" not in page
    for list_id, said in (("", "Hãy chọn một danh sách"), ("foreign", "không còn nữa"), ("none", "không còn nữa")):
        answer = await writer.post(f"{address}/audience", {"version": "1", "by": "list", "list_id": list_id})
        assert answer.status == 422
        assert said in await answer.text()
    seen = await writer.post(f"{address}/reach", {"step": "audience", "by": "list", "list_id": "foreign"})
    assert "không còn nữa" in await seen.text()
    await step(writer, address, "audience", {"by": "list", "list_id": "mine"})
    words = await writer.page(f"{address}/words")
    assert 'data-insert="{{Số tiền}}"' in words
    text = "Gửi {{Họ tên}}, số tiền {{Số tiền}}, {{Chưa có}}"
    await step(writer, address, "words", {**WORDS, "text": text})
    preview = await text_of(await writer.get(f"{address}/preview"))
    assert "Gửi [Họ tên], số tiền [Số tiền], {{Chưa có}}" in preview
    check = html.unescape(await writer.page(f"{address}/check"))
    assert "Chỗ điền “Chưa có” không có trong dữ liệu" in check
    assert "Người trong danh sách “Danh sách mine”" in check
    missing = html.unescape(await writer.page(f"{address}/words"))
    assert "Cần danh sách người nhận có các cột: Chưa có" in missing


async def test_somebody_elses_units_and_villages_are_refused(office: Office) -> None:
    writer = await member(office, "broadcaster", unit_id="economy")
    async with office.runtime.units_of_work() as uow:
        uow.session.add(commune.account_of(uow, "zalo", "state", "999", "economys", "economy"))
    address = await begun(writer, unit_id="economy")
    for wrong in ({"unit": ["police"]}, {"unit": ["commune"]}, {"unit": ["nonsense"]}):
        for path in ("audience", "reach"):
            answer = await writer.post(f"{address}/{path}", {"version": "1", "step": "audience", **RULES, **wrong})
            assert "Hãy chọn một đơn vị" in await answer.text(), (wrong, path)
    answer = await writer.post(f"{address}/audience", {"version": "1", **RULES, "area": ["nonsense"]})
    assert answer.status == 422
    assert "Hãy chọn một thôn" in await answer.text()
    too_many = await writer.post(f"{address}/audience", {"version": "1", **RULES, "tag": [str(n) for n in range(501)]})
    assert too_many.status == 422
    assert "quá nhiều mục" in await too_many.text()


async def test_figures_say_who_is_reached_how_at_what_cost_and_who_not_and_why(office: Office) -> None:
    writer = await member(office, "broadcaster")
    people = await citizens(office, 6)
    async with office.runtime.units_of_work() as uow:
        rows = {row.id: row for row in (await uow.session.exec(select(ContactRow))).all()}
        rows[people[0]].last_interaction_at = uow.now - timedelta(hours=60)
        rows[people[1]].last_interaction_at = uow.now - timedelta(days=20)
        rows[people[2]].gone = "recipient_blocked"
        rows[people[3]].stopped_at = uow.now
        account = await uow.session.get(AccountRow, "account")
        assert account is not None
        account.quota = {"reply": {"remaining": 8, "at": uow.now.isoformat()}}
        uow.session.add(commune.account_of(uow, "telegram", "", commune.BOT, "bot"))
    await citizens(office, 2, "bot")
    address = await composed(writer)
    figures = " ".join(html.unescape(await writer.page(f"{address}/reach")).split())
    assert "<strong>5</strong> người sẽ nhận được" in figures
    assert "còn trong hạn trả lời)</th><td>3</td><td>55 đ</td>" in figures
    assert "Telegram</th><td>2</td><td>miễn phí</td>" in figures
    assert "Không gửi tới được 2 người" in figures
    assert "1: lâu chưa nhắn cho OA" in figures
    assert "1: đã chặn hoặc bỏ theo dõi" in figures
    assert "1: đã nhắn dừng nhận thông báo" in figures
    assert "Tin trả lời miễn phí: còn 8" in figures
    assert "dưới 1 phút" in figures
    assert "1 tin" in figures


async def template(office: Office, template_id: str = "77", **values: Any) -> None:
    parameters = [
        {"name": "customer_name", "type": "CUSTOMER_NAME", "required": True, "shortest": 0, "longest": 30},
        {"name": "amount", "type": "NUMBER", "required": True, "shortest": 0, "longest": 12},
        {"name": "note", "type": "", "required": False, "shortest": 0, "longest": 5},
    ]
    given: dict[str, Any] = {
        "name": f"Mẫu {template_id}", "status": "ENABLE", "by_user": True, "by_phone": True, "price_user": 200,
        "price_phone": 300, "parameters": parameters, "text": "Kính gửi <customer_name>",
    }  # fmt: skip
    async with office.runtime.units_of_work() as uow:
        uow.session.add(ProviderTemplateRow(account_id="account", template_id=template_id, **{**given, **values}))


async def test_a_template_stands_in_where_free_text_may_not_go(office: Office) -> None:
    writer = await member(office, "broadcaster")
    await template(office)
    await template(office, "78", status="DISABLE")
    people = await citizens(office, 2)
    async with office.runtime.units_of_work() as uow:
        row = await uow.session.get(ContactRow, people[0])
        assert row is not None
        row.last_interaction_at = uow.now - timedelta(days=20)
    address = await begun(writer)
    await step(writer, address, "words", WORDS)
    assert await step(writer, address, "audience", RULES) == "ways"
    page = await writer.page(f"{address}/ways")
    assert "Mẫu 77" in page
    assert "Mẫu 78" not in page
    assert "customer_name" not in page
    page = html.unescape(await writer.page(f"{address}/ways?template_account=77"))
    assert 'name="p:account:customer_name" value="{{Tên}}"' in page
    assert "tối đa 30 ký tự" in page
    chosen = {"template_account": "77", "p:account:customer_name": "{{Tên}}", "p:account:amount": "một", "step": "ways"}
    seen = html.unescape(await (await writer.post(f"{address}/reach", chosen)).text())
    assert "tin theo mẫu cho người theo dõi</th><td>1</td><td>200 đ</td>" in seen
    version = hidden(page, "version")
    answer = await writer.post(f"{address}/ways", {"version": version, **chosen, "p:account:note": "quá dài"})
    assert answer.status == 422
    text = await text_of(answer)
    assert "phải là số" in text
    assert "dài 7 ký tự, tối đa 5" in text
    assert 'value="quá dài"' in text
    missing = await writer.post(f"{address}/ways", {"version": version, "template_account": "77"})
    assert "chưa có giá trị" in await missing.text()
    fields = {"template_account": "77", "p:account:customer_name": "{{Tên}}", "p:account:amount": "500"}
    assert await step(writer, address, "ways", fields) == "schedule"
    assert (await row_of(office, address)).templates == {
        "account": {"template_id": "77", "parameters": {"customer_name": "{{Tên}}", "amount": "500"}}
    }
    await step(writer, address, "schedule", NOW)
    check = html.unescape(await writer.page(f"{address}/check"))
    assert "Mẫu 77" in check
    assert "Chưa trình duyệt được" not in check
    async with office.runtime.units_of_work() as uow:
        found = await uow.session.get(ProviderTemplateRow, ("account", "77"))
        assert found is not None
        found.status = "DISABLE"
    check = html.unescape(await writer.page(f"{address}/check"))
    assert "hiện không gửi được" in check
    assert f'href="{address}/ways?back=check"' in check
    assert "Mẫu này hiện không gửi được" in await writer.page(f"{address}/ways")
    conflict = await writer.post(f"{address}/ways", {"version": "1", **fields})
    assert conflict.status == 409
    nonsense = {"template_account": "nonsense"}
    await step(writer, address, "ways", nonsense)
    assert (await row_of(office, address)).templates == {}


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"kind": "once"}, "at", "Hãy chọn ngày và giờ gửi"),
        ({"kind": "once", "date": "2026-13-01", "clock": "08:00"}, "at", "Ngày không hợp lệ"),
        ({"kind": "once", "date": "2026-11-24", "clock": "25:00"}, "at", "Giờ không hợp lệ"),
        ({"kind": "once", "date": "2026-11-22", "clock": "08:00"}, "at", "Thời điểm này đã qua"),
        ({"kind": "once", "date": "2028-11-22", "clock": "08:00"}, "at", "trong vòng một năm"),
        ({"kind": "once", "date": "2026-11-24", "clock": "23:00"}, "at", "từ 06:00 đến 22:00"),
        ({"kind": "weekly"}, "weekdays", "ít nhất một ngày"),
        ({"kind": "weekly", "weekdays": ["0"], "time": "5 giờ"}, "time", "Giờ không hợp lệ"),
        ({"kind": "weekly", "weekdays": ["0"], "time": "05:00"}, "time", "từ 06:00 đến 22:00"),
        ({"kind": "weekly", "weekdays": ["0"], "skip": "before"}, "skip", "Chỉ lịch hằng tháng"),
        ({"kind": "monthly", "day": "32"}, "day", "từ 1 đến 31"),
        ({"kind": "monthly", "day": "5", "until": "hôm nay"}, "until", "Ngày không hợp lệ"),
        ({"kind": "monthly", "day": "5", "until": "2026-11-22"}, "until", "đã qua"),
        ({"kind": "monthly", "day": "5", "until": "2026-11-25"}, "until", "không có lần gửi nào"),
        ({"kind": "monthly", "day": "5", "times": "nhiều"}, "times", "số nguyên"),
        ({"kind": "nonsense"}, "kind", "Hãy chọn thời điểm gửi"),
    ],
)
async def test_a_schedule_that_is_wrong_is_said_and_kept(
    office: Office, fields: dict[str, Any], field: str, said: str
) -> None:
    writer = await member(office, "broadcaster")
    address = await begun(writer)
    answer = await writer.post(f"{address}/schedule", {"version": "1", **fields})
    assert answer.status == 422
    text = await text_of(answer)
    assert f'id="error-{field}"' in text
    assert said in text
    assert (await row_of(office, address)).schedule == {}
    if field not in {"time", "at"} or "06:00" not in said:
        shown = await text_of(await writer.post(f"{address}/dates", fields))
        assert said in shown


@pytest.mark.parametrize(
    ("fields", "sentence", "dates"),
    [
        (NOW, "Gửi ngay sau khi được duyệt.", ["Gửi ngay khi được duyệt."]),
        (
            {"kind": "once", "date": "2026-11-24", "clock": "14:30"},
            "Gửi một lần lúc 14:30 thứ Ba, 24/11/2026.",
            ["14:30 thứ Ba, 24/11/2026"],
        ),
        (
            {"kind": "weekly", "weekdays": ["1", "5"], "time": "09:00", "times": "3"},
            "Hằng tuần vào thứ Ba, thứ Bảy lúc 09:00; tối đa 3 lần.",
            ["09:00 thứ Ba, 24/11/2026", "09:00 thứ Bảy, 28/11/2026", "09:00 thứ Ba, 01/12/2026"],
        ),
        (
            {"kind": "monthly", "day": "5", "time": "07:00", "skip": "after", "until": "2027-01-31"},
            "Hằng tháng vào ngày 5 lúc 07:00; trùng ngày nghỉ: gửi vào ngày làm việc ngay sau; đến hết 31/01/2027.",
            ["07:00 thứ Hai, 07/12/2026", "07:00 thứ Ba, 05/01/2027"],
        ),
        (
            {"kind": "last_working_day", "time": "16:00"},
            "Vào ngày làm việc cuối cùng của mỗi tháng lúc 16:00.",
            ["16:00 thứ Hai, 30/11/2026", "16:00 thứ Năm, 31/12/2026"],
        ),
    ],
)
async def test_when_it_leaves_is_shown_before_it_is_saved_and_said_in_words(
    office: Office, fields: dict[str, Any], sentence: str, dates: list[str]
) -> None:
    writer = await member(office, "broadcaster")
    address = await begun(writer)
    shown = " ".join((await text_of(await writer.post(f"{address}/dates", fields))).split())
    assert [words for words in dates if words not in shown] == []
    await step(writer, address, "schedule", fields)
    assert sentence in " ".join(html.unescape(await writer.page(address)).split())
    again = await writer.page(f"{address}/schedule")
    assert re.search(rf'value="{fields["kind"]}" checked', again)


async def test_quiet_hours_are_said_while_one_chooses(office: Office) -> None:
    writer = await member(office, "broadcaster")
    address = await begun(writer)
    late = {"kind": "once", "date": "2026-11-24", "clock": "23:00"}
    assert "không gửi trước 06:00 thứ Tư, 25/11/2026" in await text_of(await writer.post(f"{address}/dates", late))
    assert "từ 06:00 đến 22:00" in await writer.page(f"{address}/schedule")
    office.clock.forward(hours=14)
    writer = await office.enter("broadcaster")
    assert "chờ đến 06:00 thứ Ba" in await text_of(await writer.post(f"{address}/dates", NOW))
    await step(writer, address, "words", {**WORDS, "kind": "emergency"})
    assert "bất cứ giờ nào" in await writer.page(f"{address}/schedule")
    assert "chờ đến" not in await text_of(await writer.post(f"{address}/dates", NOW))


async def test_phones_show_the_parts_the_label_the_button_and_nobodys_name(office: Office) -> None:
    writer = await member(office, "broadcaster")
    async with office.runtime.units_of_work() as uow:
        uow.session.add(commune.account_of(uow, "telegram", "", commune.BOT, "bot"))
    address = await begun(writer)
    typed = {
        **WORDS, "kind": "advert", "text": "Kính gửi {{Tên}}. " + "Miến dong ngon. " * 200,
        "button_label": "Xem thêm", "button_url": "https://xa.example/ocop",
    }  # fmt: skip
    shown = await text_of(await writer.post(f"{address}/preview", typed))
    assert shown.count("<figure") == 2
    assert "Tách thành 2 tin" in shown
    assert "Một tin" in shown
    assert shown.count("[QC] Mời họp thôn") == 2
    assert shown.count("Xem thêm") == 2
    assert "Kính gửi Ông/Bà." in shown
    assert (await row_of(office, address)).text == ""
    assert "Chưa có nội dung để xem" in await writer.page(f"{address}/preview")


async def trial_contact(office: Office, phone: str = "0900000001", tag: str = "thử", **values: Any) -> None:
    box, number = office.runtime.box, normalise_phone(phone)
    assert number is not None
    [contact] = await citizens(office, 1, phone=box.seal(number), phone_hash=box.fingerprint(number), **values)
    if tag:
        await mark(office, contact, "tag", tag)


@pytest.mark.parametrize("tag", ["thử", "cán bộ"])
async def test_a_trial_goes_to_a_phone_of_the_office_marked_as_such(office: Office, tag: str) -> None:
    writer = await member(office, "broadcaster")
    await trial_contact(office, tag=tag)
    address = await composed(writer)
    answer = await writer.post(f"{address}/test", {"phone": "+84 900 000 001"})
    assert answer.headers["Location"] == f"{address}/check?done=trial_sent"
    async with office.runtime.database.reading() as session:
        [row] = (await session.exec(select(OutboxRow))).all()
    assert row.body["title"] == "[Gửi thử] Mời họp thôn"
    assert row.text == "Kính mời Ông/Bà đến họp <tối nay>."
    assert (row.purpose, row.lane) == ("announcement_trial", 0)
    assert "announcement.trial" in await deeds(office, address)
    await step(writer, address, "words", {**WORDS, "title": ""})
    await writer.post(f"{address}/test", {"phone": "0900000001"})
    async with office.runtime.database.reading() as session:
        rows = (await session.exec(select(OutboxRow).order_by(col(OutboxRow.id)))).all()
    assert rows[-1].text.startswith("[Gửi thử] Kính mời")


REFUSED = "Không gửi thử tới đây được. Chỉ gửi thử tới chat Telegram đã liên kết"


@pytest.mark.parametrize(
    ("phone", "values", "said"),
    [
        ("123", {}, "Số điện thoại không hợp lệ"),
        ("0900000009", {}, REFUSED),
        ("0900000001", {"tag": ""}, REFUSED),
        ("0900000001", {"tag": "trưởng thôn"}, REFUSED),
        ("0900000001", {"stopped": True}, REFUSED),
        ("0900000001", {"gone": "recipient_blocked"}, REFUSED),
        ("0900000001", {"silent": True}, REFUSED),
    ],
)
async def test_a_trial_that_cannot_be_sent_says_what_to_do_and_nothing_of_whom_it_knows(
    office: Office, phone: str, values: dict[str, Any], said: str
) -> None:
    writer = await member(office, "broadcaster")
    now = office.runtime.now()
    given = {
        **({"stopped_at": now} if "stopped" in values else {}),
        **({"last_interaction_at": now - timedelta(days=8)} if "silent" in values else {}),
        **({"gone": values["gone"]} if "gone" in values else {}),
    }
    await trial_contact(office, tag=values.get("tag", "thử"), **given)
    address = await composed(writer)
    answer = await writer.post(f"{address}/test", {"phone": phone})
    assert answer.status == 422
    text = await text_of(answer)
    assert said in text
    assert f'value="{phone}"' in text
    async with office.runtime.database.reading() as session:
        assert (await session.exec(select(OutboxRow))).all() == []


async def test_a_trial_goes_to_ones_own_linked_chat_and_to_nobody_elses(office: Office) -> None:
    from bot.store.links import StaffLinkRow

    writer = await member(office, "broadcaster")
    async with office.runtime.units_of_work() as uow:
        uow.session.add(commune.account_of(uow, "telegram", "", commune.BOT, "bot"))
    mine, other = await citizens(office, 2, "bot")
    [zalo] = await citizens(office, 1)
    linked = (mine, "bot", "broadcaster"), (other, "bot", "head"), (zalo, "account", "broadcaster")
    async with office.runtime.units_of_work() as uow:
        for contact, account, key in linked:
            uow.session.add(StaffLinkRow(contact_id=contact, account_id=account, staff_id=key, linked_at=uow.now))
    address = await composed(writer)
    assert (await writer.page(f"{address}/check")).count("Chat của tôi") == 1
    for contact in (other, zalo):
        refused = await writer.post(f"{address}/test", {"to": contact})
        assert refused.status == 422
        assert REFUSED in await text_of(refused)
    assert (await writer.post(f"{address}/test", {"to": mine})).status == 303
    async with office.runtime.database.reading() as session:
        [row] = (await session.exec(select(OutboxRow))).all()
    assert row.contact_id == mine
    empty = await begun(writer)
    assert "Chưa có nội dung để gửi thử" in await (await writer.post(f"{empty}/test", {"to": mine})).text()


async def test_one_begins_with_a_starting_point_a_text_or_an_earlier_announcement(office: Office) -> None:
    writer = await member(office, "broadcaster")
    async with office.runtime.units_of_work() as uow:
        uow.session.add(TopicRow(id="village", unit_id="commune", name="Thôn, tổ dân phố"))
    page = await writer.page("/announcements/new")
    assert "Họp thôn, tổ dân phố" in page
    page = html.unescape(await writer.page("/announcements/new?unit=commune&start=village_meeting"))
    fields = re.findall(r'<label class="form-label" for="shared-(\d)">([^<]+)</label>', page)
    assert ("0", "Thôn") in fields
    address = await begun(writer, start="village_meeting", shared_0="thôn <Kim Lâm>")
    row = await row_of(office, address)
    assert (row.title, row.topic_id, row.kind) == ("Mời họp thôn <Kim Lâm>", "village", "notice")
    assert "{{Giờ}}" in row.text
    assert "chưa chọn ngày giờ" in await writer.page(address)
    async with office.runtime.units_of_work(Actor("staff", "broadcaster")) as uow:
        text = await saved_texts.add(
            uow, "commune", {"name": "Mẫu của xã", "kind": "advert", "title": "Chợ", "text": "Chợ họp sáng nay"}
        )
        foreign = await saved_texts.add(uow, "police", {"name": "Của công an", "kind": "notice", "text": "Khác"})
    assert "Mẫu của xã" in await writer.page("/announcements/new")
    row = await row_of(office, await begun(writer, text_id=text.id))
    assert (row.title, row.text, row.kind) == ("Chợ", "Chợ họp sáng nay", "advert")
    for wrong in ({"text_id": foreign.id}, {"unit_id": "nonsense"}, {"like": "nonsense"}):
        answer = await writer.post("/announcements", {"unit_id": "commune", **wrong})
        assert answer.status == 422, wrong
    copy = await row_of(office, await begun(writer, like=address.rpartition("/")[2]))
    assert (copy.title, copy.state, copy.schedule) == ("Mời họp thôn <Kim Lâm>", "draft", {})


def warning_form(visitor: Visitor, data: bytes, unit_id: str = "commune") -> FormData:
    form = FormData(quote_fields=False)
    form.add_field("csrf", visitor.csrf)
    form.add_field("unit_id", unit_id)
    if data:
        form.add_field("file", io.BytesIO(data), filename="bao.xml", content_type="application/xml")
    return form


async def test_an_official_warning_becomes_a_draft_of_an_emergency(office: Office) -> None:
    writer = await member(office, "broadcaster")
    answer = await writer.post("/announcements/cap", warning_form(writer, cap(info(), status="Exercise")))
    assert answer.status == 303
    page = await writer.page(answer.headers["Location"])
    assert "Tin gốc là tin diễn tập" in page
    assert "đọc lại từng câu" in page
    answer = await writer.post("/announcements/cap", warning_form(writer, cap(info())))
    address = answer.headers["Location"].partition("/words")[0]
    row = await row_of(office, address)
    assert (row.kind, row.title) == ("emergency", "Bão số 1 đi vào đất liền đêm nay")
    assert "Gió cấp 9" in row.text
    for data, said in (
        (b"", "Hãy chọn một tệp"),
        (b"<a/>", "không phải là tệp cảnh báo"),
        (b"x" * 1_100_000, "lớn hơn"),
    ):
        answer = await writer.post("/announcements/cap", warning_form(writer, data))
        assert answer.status == 422
        assert said in await answer.text()
    answer = await writer.post("/announcements/cap", warning_form(writer, cap(info()), "nonsense"))
    assert answer.status == 422


async def test_an_emergency_is_approved_only_with_one_more_confirmation(office: Office) -> None:
    writer, approver = await member(office, "broadcaster"), await member(office, "approver")
    await citizens(office)
    address = await submitted(writer, kind="emergency")
    page = await approver.page(address)
    assert 'name="confirmed"' in page
    fields = {"version": hidden(page, "version")}
    answer = await approver.post(f"{address}/approve", fields)
    assert answer.status == 422
    assert "Hãy đánh dấu xác nhận" in await answer.text()
    assert (await approver.post(f"{address}/approve", {**fields, "confirmed": "yes"})).status == 303
    again = await approver.post(f"{address}/approve", {**fields, "confirmed": "yes"})
    assert again.status == 409
    assert "vừa có thay đổi" in await again.text()


async def test_news_of_another_version_leave_the_form_as_it_is_and_say_so(office: Office) -> None:
    writer, approver = await member(office, "broadcaster"), await member(office, "approver")
    await citizens(office)
    address = await submitted(writer)
    page = await approver.page(address)
    version = hidden(page, "version")
    [live] = re.findall(r'id="live" hx-get="([^"]+)"', page)
    [swapped] = re.findall(r'hx-select-oob="([^"]+)"', page)
    assert "#state" not in swapped
    same = await approver.page(live)
    assert "tải lại trang" not in same
    assert 'id="deeds"' in same
    await writer.post(f"{address}/withdraw", {"version": version})
    await step(writer, address, "words", {**WORDS, "text": "Lời khác"})
    await writer.post(f"{address}/submit", {"version": hidden(await writer.page(f"{address}/check"), "version")})
    news = await approver.page(live)
    assert "Thông báo vừa thay đổi, tải lại trang" in news
    assert 'id="deeds"' not in news
    assert f'id="live" hx-get="{live}"' in news
    answer = await approver.post(f"{address}/approve", {"version": version})
    assert answer.status == 409
    assert (await row_of(office, address)).state == "submitted"


async def test_what_has_become_wrong_meanwhile_is_not_approved(office: Office) -> None:
    writer, approver = await member(office, "broadcaster"), await member(office, "approver")
    await citizens(office)
    address = await composed(writer)
    await step(writer, address, "schedule", {"kind": "once", "date": "2026-11-23", "clock": "09:30"})
    version = hidden(await writer.page(f"{address}/check"), "version")
    await writer.post(f"{address}/submit", {"version": version})
    office.clock.forward(hours=1)
    page = html.unescape(await approver.page(address))
    assert "Bây giờ chưa duyệt được" in page
    assert "đã qua" in page
    answer = await approver.post(f"{address}/approve", {"version": hidden(page, "version")})
    assert answer.status == 422
    assert (await row_of(office, address)).state == "submitted"


async def test_whoever_wrote_it_is_told_why_they_cannot_approve(office: Office) -> None:
    both = await member(office, "broadcaster")
    async with office.runtime.units_of_work() as uow:
        uow.session.add(StaffRoleRow(staff_id="broadcaster", role="approver", unit_id="commune"))
    await citizens(office)
    address = await submitted(both)
    page = await both.page(address)
    assert "cần người khác duyệt" in page
    assert f"{address}/approve" not in page
    answer = await both.post(f"{address}/approve", {"version": hidden(page, "version")})
    assert answer.status == 403


@pytest.mark.parametrize("part", ["words", "audience", "schedule", "picture", "copy", "nothing"])
async def test_whoever_has_changed_it_approves_it_never_though_others_began_and_submitted_it(
    office: Office, part: str
) -> None:
    author, both = await member(office, "broadcaster", "author"), await member(office, "broadcaster", "both")
    await citizens(office)
    async with office.runtime.units_of_work() as uow:
        uow.session.add(StaffRoleRow(staff_id="both", role="approver", unit_id="commune"))
    both = await office.enter("both")
    address = await composed(both if part == "copy" else author)
    fields: dict[str, Any] = {"words": WORDS, "audience": RULES, "schedule": NOW}
    if part == "copy":
        address = await begun(author, like=address.rpartition("/")[2])
        await step(author, address, "audience", RULES)
    elif part == "picture":
        await step(both, address, "words", {**WORDS, "remove_picture": "1"})
    elif part in fields:
        await step(both, address, part, fields[part])
    version = hidden(await author.page(f"{address}/check"), "version")
    await author.post(f"{address}/submit", {"version": version})
    page = await both.page(address)
    answer = await both.post(f"{address}/approve", {"version": hidden(page, "version")})
    assert ("cần người khác duyệt" in page, f"{address}/approve" in page, answer.status) == (
        (False, True, 303) if part == "nothing" else (True, False, 403)
    )
    assert (await row_of(office, address)).state == ("approved" if part == "nothing" else "submitted")


async def test_a_copy_of_what_was_approved_may_be_approved_by_whoever_wrote_that(office: Office) -> None:
    author, both = await member(office, "broadcaster", "author"), await member(office, "broadcaster", "both")
    approver = await member(office, "approver")
    await citizens(office)
    address = await submitted(both)
    await approver.post(f"{address}/approve", {"version": hidden(await approver.page(address), "version")})
    copy = await row_of(office, await begun(author, like=address.rpartition("/")[2]))
    assert (copy.text, copy.writers, copy.created_by) == (WORDS["text"], [], "author")


async def test_it_is_sent_back_with_a_reason_taken_back_ended_copied_and_removed(office: Office) -> None:
    writer, approver = await member(office, "broadcaster"), await member(office, "approver")
    await citizens(office)
    address = await submitted(writer)
    version = hidden(await approver.page(address), "version")
    answer = await approver.post(f"{address}/send-back", {"version": version, "reason": " "})
    assert answer.status == 422
    reason = {"version": version, "reason": "Thiếu <giờ> họp"}
    assert (await approver.post(f"{address}/send-back", reason)).status == 303
    for path in (address, f"{address}/words"):
        assert "Thiếu &lt;giờ&gt; họp" in await writer.page(path)
    assert "Bị trả lại" in await writer.page("/announcements")
    version = hidden(await writer.page(f"{address}/check"), "version")
    assert (await writer.post(f"{address}/submit", {"version": version})).status == 303
    version = hidden(await writer.page(address), "version")
    assert (await writer.post(f"{address}/withdraw", {"version": "1"})).status == 409
    assert (await writer.post(f"{address}/withdraw", {"version": version})).status == 303
    await step(writer, address, "schedule", {"kind": "weekly", "weekdays": ["0"], "time": "09:00"})
    version = hidden(await writer.page(f"{address}/check"), "version")
    await writer.post(f"{address}/submit", {"version": version})
    version = hidden(await approver.page(address), "version")
    assert "Duyệt một lần cho mọi lần gửi" in await approver.page(address)
    await approver.post(f"{address}/approve", {"version": version})
    page = await approver.page(address)
    assert f"{address}/end" in page
    answer = await approver.post(f"{address}/end", {"version": hidden(page, "version")})
    assert answer.headers["Location"] == f"{address}?done=announcement_ended"
    assert (await row_of(office, address)).state == "ended"
    assert "announcement.end" in await deeds(office, address)
    copy = await begun(writer, like=address.rpartition("/")[2])
    answer = await writer.post(f"{copy}/remove", {"version": hidden(await writer.page(copy), "version")})
    assert answer.headers["Location"] == "/announcements?done=removed"
    assert (await writer.get(copy)).status == 404


async def test_the_list_is_filtered_searched_and_paged(office: Office) -> None:
    writer, other = await member(office, "broadcaster"), await member(office, "broadcaster", "police-writer", "police")
    await citizens(office)
    await begun(other, unit_id="police")
    await submitted(writer, title="Chi trả trợ cấp")
    async with office.runtime.units_of_work(Actor("staff", "broadcaster")) as uow:
        for n in range(26):
            row = await actions.create(uow, "commune")
            row.title = f"Thông báo số {n}"
    page = await writer.page("/announcements")
    assert page.count("data-row") == 25
    assert "Trang sau" in page
    assert "Thông báo số 25" in page
    second = await writer.page("/announcements?page=2")
    assert second.count("data-row") == 3
    waiting = await writer.page("/announcements?state=submitted")
    assert waiting.count("data-row") == 1
    assert "Chi trả trợ cấp" in waiting
    for words in ("tro cap", "TRỢ CẤP", "den hop"):
        found = await writer.page(f"/announcements?q={words}")
        assert found.count("data-row") == 1, words
    assert "Không có thông báo nào" in await writer.page("/announcements?q=khong+co+gi&state=nonsense")
    mine = await other.page("/announcements")
    assert mine.count("data-row") == 1
    assert "Chi trả" not in mine


async def test_the_list_shows_how_far_the_last_run_is_and_when_the_next_one_leaves(office: Office) -> None:
    writer = await member(office, "broadcaster")
    address = await composed(writer)
    async with office.runtime.units_of_work() as uow:
        row = await uow.session.get(AnnouncementRow, address.rpartition("/")[2])
        assert row is not None
        row.state = "approved"
        for number in (1, 2):
            run = RunRow(
                id=f"run-{number}", announcement_id=row.id, number=number, state="running", due_at=uow.now,
                created_at=uow.now, progress_at=uow.now,
            )  # fmt: skip
            uow.session.add(run)
        await uow.session.flush()
        for way, total in (("chat", 2000), ("none", 7)):
            sent = BroadcastRow(
                account_id="account", unit_id="commune", run_id="run-2", way=way, message={}, total=total,
                created_at=uow.now,
            )  # fmt: skip
            uow.session.add(sent)
            await uow.session.flush()
            if way == "chat":
                assert sent.id is not None
                uow.session.add(ChunkRow(broadcast_id=sent.id, first=1, last=1024, state="done"))
                uow.session.add(ChunkRow(broadcast_id=sent.id, first=1025, last=2000, state="running"))
                for n, state in enumerate(("sent", "failed", "queued", "sending"), 1025):
                    uow.session.add(DeliveryRow(broadcast_id=sent.id, n=n, recipient=f"r{n}", address="a", state=state))
    page = await writer.page("/announcements")
    assert '<progress class="clock-bar" value="1026" max="2000"' in page
    assert "1.026 / 2.000 người" in page
    assert "Đang gửi" in page
    assert "Lần 2" in page
    one = await writer.page(address)
    assert f'href="{address}/runs/run-2"' in one
    assert "1.026 / 2.000 người" in one


async def test_open_pages_hear_of_what_they_may_know(office: Office) -> None:
    writer, other = await member(office, "broadcaster"), await member(office, "broadcaster", "police-writer", "police")
    address = await begun(writer)
    topic = f"announcement:{address.rpartition('/')[2]}"
    assert (await other.get(f"/events?topics={topic}")).status == 404
    assert (await (await office.enter("official")).get("/events?topics=announcements")).status == 404
    answer = await writer.get(f"/events?topics=announcements,{topic}")
    await read_until(answer, b"welcome")
    await step(writer, address, "words", WORDS)
    heard = await read_until(answer, f"event: {topic}\n".encode())
    assert b"event: announcements" in heard
    answer.close()
    made = office.clock.now.timestamp() - 60
    late = await writer.get(f"/events?topics={topic}&since={made}")
    await read_until(late, f"event: {topic}\n".encode())
    late.close()


OWN = [route for route in TABLE if route.handler.__module__.startswith("handlers.console.announcement")]
OURS = [
    route
    for route in OWN
    if route.handler.__module__.rpartition(".")[2]
    in {
        "announcements", "announcement_audience", "announcement_check", "announcement_new", "announcement_page",
        "announcement_preview", "announcement_reach", "announcement_schedule", "announcement_ways",
        "announcement_words",
    }
]  # fmt: skip


@pytest.mark.parametrize("role", [role.value for role in Role])
async def test_every_address_asks_for_its_permission(office: Office, role: str) -> None:
    writer = await member(office, "broadcaster", "author")
    await citizens(office)
    address = await submitted(writer)
    visitor = await member(office, role, "somebody")
    for route in OURS:
        path = route.path.replace("{id}", address.rpartition("/")[2])
        answer = await visitor.client.request(
            route.method, path, headers={"Cookie": f"loa={visitor.token}", "X-CSRF-Token": visitor.csrf},
            allow_redirects=False,
        )  # fmt: skip
        if route.permission not in GRANTS[Role(role)]:
            assert answer.status == 403, (route.method, route.path)
        elif route.path.endswith("/end") and role == "auditor":
            assert answer.status == 403
        else:
            assert answer.status not in {401, 403, 500}, (route.method, route.path)


async def test_another_units_announcement_does_not_exist(office: Office) -> None:
    writer = await member(office, "broadcaster", "author")
    await citizens(office)
    address = await submitted(writer)
    stranger = await member(office, "broadcaster", "stranger-writer", "police")
    async with office.runtime.units_of_work() as uow:
        uow.session.add(StaffRoleRow(staff_id="stranger-writer", role="approver", unit_id="police"))
    stranger = await office.enter("stranger-writer")
    for route in OURS:
        if "{id}" not in route.path:
            continue
        path = route.path.replace("{id}", address.rpartition("/")[2])
        send = stranger.get if route.method == "GET" else stranger.post
        assert (await send(path)).status == 404, (route.method, route.path)
    answer = await stranger.post("/announcements", {"like": address.rpartition("/")[2]})
    assert answer.status == 422
    assert (await row_of(office, address)).state == "submitted"


async def test_pages_speak_english_too(office: Office) -> None:
    writer = await member(office, "broadcaster")
    await citizens(office)
    async with office.runtime.units_of_work() as uow:
        person = await uow.session.get(StaffRow, "broadcaster")
        assert person is not None
        person.language = "en"
    address = await composed(writer)
    assert "Followers of UBND xã Thanh Oai" in await writer.page(f"{address}/reach")
    for name in ("words", "audience", "schedule", "check", "ways"):
        assert "Save and go on" in await writer.page(f"{address}/{name}") or name == "check"
    assert "It leaves as soon as it is approved." in await writer.page(address)


async def test_whoever_only_announces_begins_with_the_announcements(office: Office) -> None:
    writer = await member(office, "broadcaster")
    assert (await writer.get("/")).headers["Location"] == "/announcements"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "once", "date": "0001-01-01", "clock": "00:00"}, "Ngày không hợp lệ"),
        ({"kind": "weekly", "weekdays": ["2"], "time": "09:00", "times": "--5"}, "Phải là một số nguyên"),
    ],
    ids=["the first of all days", "two minus signs"],
)
async def test_odd_days_and_numbers_are_named(office: Office, fields: dict[str, Any], words: str) -> None:
    visitor = await member(office, "broadcaster")
    address = await begun(visitor)
    version = hidden(await visitor.page(f"{address}/schedule"), "version")
    answer = await visitor.post(f"{address}/schedule", {**fields, "version": version})
    assert answer.status == 422
    assert words in await answer.text()
