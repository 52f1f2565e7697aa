"""What the buttons of a case do, and what happens when two people press them."""

import asyncio

import pytest
from aiohttp import FormData

from bot.actions import work_case
from bot.store import cases, units
from bot.store.cases import AnswerRow
from bot.store.unit_of_work import Actor
from tests.handlers.console.visitor import Office, hidden, picture_bytes

ANSWER = "Đã thay bóng đèn mới, sáng từ tối nay."


async def answers(office: Office, case_id: str) -> list[AnswerRow]:
    async with office.runtime.database.reading() as session:
        return await cases.answers(session, case_id)


async def test_an_answer_goes_from_official_to_head_to_citizen(office: Office) -> None:
    case = await office.make_case()
    official, head = await office.enter("official"), await office.enter("head")
    assert (await official.post(f"/cases/{case.id}/accept", {"version": "1"})).status == 303
    page = await official.page(f"/cases/{case.id}")
    fields = {"text": ANSWER, "version": hidden(page, "version")}
    answer = await official.post(f"/cases/{case.id}/answer", fields)
    assert answer.headers["Location"] == f"/cases/{case.id}?done=submitted"
    assert (await office.case(case.id)).state == "drafted"
    assert "Duyệt và gửi" not in await official.page(f"/cases/{case.id}")
    page = await head.page(f"/cases/{case.id}")
    assert "Duyệt và gửi" in page
    approved = await head.post(f"/cases/{case.id}/approve", {"version": hidden(page, "version")})
    assert approved.status == 303
    assert (await office.case(case.id)).state == "approved"
    [row] = await answers(office, case.id)
    assert (row.author_id, row.approver_id, row.state) == ("official", "head", "approved")


async def test_a_head_who_answers_approves_with_the_same_button(office: Office) -> None:
    case = await office.make_case()
    head = await office.enter("head")
    page = await head.page(f"/cases/{case.id}")
    fields = {"text": ANSWER, "version": hidden(page, "version"), "approve": hidden(page, "approve")}
    assert "Trình duyệt" not in page
    answer = await head.post(f"/cases/{case.id}/answer", fields)
    assert answer.headers["Location"] == f"/cases/{case.id}?done=approved"
    assert (await office.case(case.id)).state == "approved"
    [row] = await answers(office, case.id)
    assert (row.author_id, row.approver_id) == ("head", "head")
    async with office.runtime.database.reading() as session:
        hops = [event.kind for event in await cases.events(session, case.id)]
    assert hops[-2:] == ["submit", "approve"]


async def test_a_word_in_the_form_gives_nobody_the_right_to_approve(office: Office) -> None:
    case = await office.make_case()
    official = await office.enter("official")
    assert 'name="approve"' not in await official.page(f"/cases/{case.id}")
    answer = await official.post(f"/cases/{case.id}/answer", {"text": ANSWER, "approve": "1"})
    assert answer.headers["Location"] == f"/cases/{case.id}?done=submitted"
    assert "chưa gửi cho công dân" in await official.page(answer.headers["Location"])
    assert (await office.case(case.id)).state == "drafted"


async def test_an_official_may_not_approve(office: Office) -> None:
    case = await office.make_case()
    official = await office.enter("official")
    await official.post(f"/cases/{case.id}/answer", {"text": ANSWER})
    assert (await official.post(f"/cases/{case.id}/approve")).status == 403
    assert (await office.case(case.id)).state == "drafted"


async def test_a_head_of_another_unit_may_not_even_know(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("stranger")
    for verb in ("accept", "answer", "ask", "notes", "hand-over", "level", "merge"):
        assert (await visitor.post(f"/cases/{case.id}/{verb}", {"text": ANSWER})).status == 404, verb


async def test_a_unit_without_approval_sends_at_once(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        unit = await units.unit(uow.session, "economy")
        assert unit is not None
        unit.settings = {"approval": False}
    case = await office.make_case()
    official = await office.enter("official")
    assert "Gửi cho công dân" in await official.page(f"/cases/{case.id}")
    await official.post(f"/cases/{case.id}/answer", {"text": ANSWER})
    assert (await office.case(case.id)).state == "approved"


async def test_a_vague_answer_is_said_at_the_field_and_kept(office: Office) -> None:
    case = await office.make_case()
    answer = await (await office.enter("official")).post(f"/cases/{case.id}/answer", {"text": "Đã xử lý <b>"})
    page = await answer.text()
    assert answer.status == 422
    assert "ít nhất 20 ký tự" in page
    assert "Đã xử lý &lt;b&gt;" in page
    assert 'id="error-text"' in page


async def test_field_work_needs_a_photo_and_the_words_stay(office: Office) -> None:
    case = await office.make_case("Ổ gà lớn giữa đường", "ha-tang")
    official = await office.enter("leader")
    official = await office.enter("inspector")
    answer = await official.post(f"/cases/{case.id}/answer", {"text": ANSWER})
    assert answer.status == 422
    page = await answer.text()
    assert "ít nhất một ảnh" in page
    assert ANSWER in page


async def test_photos_are_kept_when_the_form_fails(office: Office) -> None:
    case = await office.make_case("Ổ gà lớn giữa đường", "ha-tang")
    visitor = await office.enter("inspector")
    form = FormData()
    form.add_field("csrf", visitor.csrf)
    form.add_field("text", "ngắn")
    form.add_field("files", picture_bytes(), filename="hiện trường.jpg", content_type="image/jpeg")
    answer = await visitor.post(f"/cases/{case.id}/answer", form)
    page = await answer.text()
    assert answer.status == 422
    file_id = hidden(page, "file_ids")
    sent = await visitor.post(f"/cases/{case.id}/answer", {"text": ANSWER, "file_ids": file_id})
    assert sent.status == 303
    [row] = await answers(office, case.id)
    assert row.file_ids == [file_id]


async def test_the_files_of_another_case_cannot_be_attached(office: Office) -> None:
    case = await office.make_case()
    other = await office.make_case("Cột điện nghiêng ở ngõ 9", citizen="1")
    visitor = await office.enter("official")
    fragment = await (await visitor.upload(f"/cases/{other.id}/files", "a.jpg", picture_bytes())).text()
    await visitor.post(f"/cases/{case.id}/answer", {"text": ANSWER, "file_ids": hidden(fragment, "file_ids")})
    [row] = await answers(office, case.id)
    assert row.file_ids == []


async def test_two_officials_at_once_overwrite_nothing(office: Office) -> None:
    case = await office.make_case()
    first, second = await office.enter("official"), await office.enter("head")
    page = await second.page(f"/cases/{case.id}")
    version, seen = hidden(page, "version"), hidden(page, "seen")
    await first.post(f"/cases/{case.id}/answer", {"text": ANSWER, "version": version})
    typed = "Tôi cũng đang trả lời việc này đây ạ."
    uploaded = await (await second.upload(f"/cases/{case.id}/files", "cột.jpg", picture_bytes())).text()
    fields = {"text": typed, "version": version, "seen": seen, "file_ids": hidden(uploaded, "file_ids")}
    answer = await second.post(f"/cases/{case.id}/answer", fields)
    page = await answer.text()
    assert answer.status == 409
    assert 'id="do-answer"' not in page
    kept = page.split('id="stranded"')[1]
    assert typed in kept
    assert "cột.jpg" in kept.split("</div>")[0]
    assert "Có người vừa thay đổi phản ánh này trước Ông/Bà" in page
    assert "Cán bộ official soạn câu trả lời" in page
    assert ANSWER in page
    assert [row.text for row in await answers(office, case.id)] == [ANSWER]


async def test_what_was_typed_survives_a_conflict(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    page = await visitor.page(f"/cases/{case.id}")
    async with office.runtime.units_of_work(Actor("staff", "head", "Trưởng phòng")) as uow:
        await work_case.accept(uow, case.id)
    fields = {"question": "Đoạn nào ạ?", "version": hidden(page, "version"), "seen": hidden(page, "seen")}
    answer = await visitor.post(f"/cases/{case.id}/ask", fields)
    text = await answer.text()
    assert answer.status == 409
    assert "Đoạn nào ạ?" in text
    assert "Trưởng phòng nhận xử lý" in text


@pytest.mark.parametrize(
    ("path", "field", "words"),
    [("ask", "question", "Đoạn nào ạ, gần số nhà bao nhiêu?"), ("refuse", "reason", "Không thuộc thẩm quyền của xã")],
)
async def test_words_of_any_form_that_is_gone_are_shown_to_copy(
    office: Office, path: str, field: str, words: str
) -> None:
    case = await office.make_case()
    visitor, other = await office.enter("head"), await office.enter("head")
    version = hidden(await visitor.page(f"/cases/{case.id}"), "version")
    await other.post(f"/cases/{case.id}/forward", {"agency": "Điện lực Thanh Oai", "reason": "Lưới của điện lực"})
    answer = await visitor.post(f"/cases/{case.id}/{path}", {field: words, "version": version})
    assert answer.status == 409
    assert words in (await answer.text()).split('id="stranded"')[1]


async def test_the_same_button_pressed_twice_answers_once(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    fields = {"text": ANSWER, "version": "1"}
    sent = await asyncio.gather(*(visitor.post(f"/cases/{case.id}/answer", fields) for _ in range(4)))
    assert sorted(answer.status for answer in sent) == [303, 409, 409, 409]
    assert len(await answers(office, case.id)) == 1


async def test_approval_can_be_undone_for_a_while(office: Office) -> None:
    office.undoable_for(10)
    case = await office.make_case()
    await (await office.enter("official")).post(f"/cases/{case.id}/answer", {"text": ANSWER})
    head = await office.enter("head")
    await head.post(f"/cases/{case.id}/approve")
    page = await head.page(f"/cases/{case.id}")
    assert "data-undo-until" in page
    undo = page.split(f'action="/cases/{case.id}/events/')[1].split('"')[0]
    assert (await head.post(f"/cases/{case.id}/events/{undo}")).status == 303
    assert (await office.case(case.id)).state == "drafted"
    page = await head.page(f"/cases/{case.id}")
    assert "data-undo-until" not in page
    assert "Duyệt và gửi" in page
    await head.post(f"/cases/{case.id}/approve")
    office.clock.forward(seconds=11)
    assert "data-undo-until" not in await head.page(f"/cases/{case.id}")


async def test_a_question_can_be_undone_and_pauses_the_clock(office: Office) -> None:
    office.undoable_for(10)
    case = await office.make_case()
    visitor = await office.enter("official")
    await visitor.post(f"/cases/{case.id}/ask", {"question": "Đoạn nào ạ?"})
    waiting = await office.case(case.id)
    assert (waiting.state, waiting.due_at) == ("waiting_for_citizen", None)
    page = await visitor.page(f"/cases/{case.id}")
    undo = page.split(f'action="/cases/{case.id}/events/')[1].split('"')[0]
    assert (await (await office.enter("auditor")).post(f"/cases/{case.id}/events/{undo}")).status == 403
    assert (await visitor.post(f"/cases/{case.id}/events/{undo}")).status == 303
    assert (await office.case(case.id)).state == "in_progress"
    assert (await visitor.post(f"/cases/{case.id}/events/nothing/undo")).status == 404


async def test_handing_over_needs_a_reason_and_leads_back_to_the_list(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    fields = {"unit_id": "police", "owner_id": "stranger", "reason": ""}
    answer = await visitor.post(f"/cases/{case.id}/hand-over", fields)
    assert answer.status == 422
    assert "Chưa nhập nội dung" in await answer.text()
    fields["reason"] = "Thuộc công an xã"
    answer = await visitor.post(f"/cases/{case.id}/hand-over", fields)
    assert answer.headers["Location"] == "/?done=assigned"
    moved = await office.case(case.id)
    assert (moved.unit_id, moved.owner_id, moved.state) == ("police", "stranger", "assigned")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unit_id": "nowhere"}, "Hãy chọn một đơn vị"),
        ({"unit_id": "police", "owner_id": "nobody"}, "không còn làm việc"),
        ({"unit_id": "economy"}, "đúng đơn vị"),
    ],
)
async def test_wrong_targets_are_said_at_their_field(office: Office, fields: dict[str, str], words: str) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    answer = await visitor.post(f"/cases/{case.id}/hand-over", {**fields, "reason": "Thuộc công an xã"})
    assert answer.status == 422
    assert words in await answer.text()


async def test_notes_levels_refusing_forwarding_and_joining(office: Office) -> None:
    made = [await office.make_case(f"Đèn hỏng ngõ {n}", citizen=str(n)) for n in range(4)]
    head = await office.enter("head")
    level = {"level": "urgent", "reason": "Nguy hiểm"}
    assert (await head.post(f"/cases/{made[0].id}/notes", {"note": "Đã gọi"})).status == 303
    assert (await head.post(f"/cases/{made[0].id}/level", level)).status == 303
    assert (await office.case(made[0].id)).level == "urgent"
    refuse = {"reason": "Không thuộc thẩm quyền", "basis": "Điều 5 Luật Tiếp công dân"}
    assert (await head.post(f"/cases/{made[1].id}/refuse", refuse)).status == 303
    assert (await office.case(made[1].id)).state == "refused"
    forward = {"agency": "Điện lực Thanh Oai", "reason": "Lưới điện của điện lực"}
    assert (await head.post(f"/cases/{made[2].id}/forward", forward)).status == 303
    assert (await office.case(made[2].id)).state == "forwarded"
    assert (await head.post(f"/cases/{made[3].id}/merge", {"into": made[0].code.lower()})).status == 303
    assert (await office.case(made[3].id)).merged_into_id == made[0].id
    assert made[3].code in await head.page(f"/cases/{made[0].id}")
    assert made[0].code in await head.page(f"/cases/{made[3].id}")


@pytest.mark.parametrize(
    ("verb", "fields", "words"),
    [
        ("level", {"level": "sooner", "reason": "Nguy hiểm"}, "chọn một mức độ"),
        ("level", {"level": "urgent", "reason": ""}, "Chưa nhập"),
        ("merge", {"into": "PA-22222"}, "Không tìm thấy phản ánh"),
        ("merge", {"into": "'; drop table cases"}, "Không tìm thấy phản ánh"),
        ("refuse", {"reason": "Không thuộc", "basis": ""}, "Chưa nhập"),
        ("forward", {"agency": "x", "reason": "Lưới điện"}, "ít nhất 5 ký tự"),
        ("ask", {"question": "?"}, "ít nhất 5 ký tự"),
        ("notes", {"note": " "}, "Chưa nhập"),
    ],
)
async def test_each_form_says_what_is_wrong(office: Office, verb: str, fields: dict[str, str], words: str) -> None:
    case = await office.make_case()
    answer = await (await office.enter("head")).post(f"/cases/{case.id}/{verb}", fields)
    assert answer.status == 422
    page = await answer.text()
    assert words in page
    assert 'class="tab-pane active show"' in page


async def test_joining_does_not_betray_a_restricted_case(office: Office) -> None:
    case = await office.make_case()
    secret = await office.make_case("Cán bộ hách dịch", "thai-do-can-bo", citizen="1")
    answer = await (await office.enter("head")).post(f"/cases/{case.id}/merge", {"into": secret.code})
    assert answer.status == 422
    assert "Không tìm thấy phản ánh" in await answer.text()


async def test_an_answer_is_sent_back_with_a_remark(office: Office) -> None:
    case = await office.make_case()
    await (await office.enter("official")).post(f"/cases/{case.id}/answer", {"text": ANSWER})
    head = await office.enter("head")
    assert (await head.post(f"/cases/{case.id}/send-back", {"remark": ""})).status == 422
    assert (await head.post(f"/cases/{case.id}/send-back", {"remark": "Nói rõ giờ"})).status == 303
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    assert "Nói rõ giờ" in page
    assert "Câu trả lời bị trả lại" in page


async def test_telling_the_citizen_another_way_closes_the_matter(office: Office) -> None:
    case = await office.make_case()
    await (await office.enter("official")).post(f"/cases/{case.id}/answer", {"text": ANSWER})
    head = await office.enter("head")
    await head.post(f"/cases/{case.id}/approve")
    assert "đã báo bằng cách khác" in await head.page(f"/cases/{case.id}")
    assert (await head.post(f"/cases/{case.id}/told", {"how": "Gọi điện lúc 9 giờ"})).status == 303
    assert (await office.case(case.id)).state == "answered"
