"""Photos and files of an answer: nothing is left out in silence, and their names do no harm."""

import pytest
from aiohttp import FormData

from bot.actions.answer_case import MAX_PROOFS
from bot.store import cases
from handlers.console.media import disposition
from tests.handlers.console.visitor import Office, Visitor, photo, picture_bytes

ANSWER = "Đã thay bóng đèn mới, sáng từ tối nay."


def form_with(visitor: Visitor, number: int, kept: list[str], broken: bool = False) -> FormData:
    form = FormData()
    form.add_field("csrf", visitor.csrf)
    form.add_field("text", ANSWER)
    for file_id in kept:
        form.add_field("file_ids", file_id)
    for n in range(number):
        form.add_field("files", picture_bytes(), filename=f"{n}.jpg", content_type="image/jpeg")
    if broken:
        form.add_field("files", b"MZ", filename="virus.exe", content_type="image/jpeg")
    return form


def ids(page: str) -> list[str]:
    return [part.split('"')[0] for part in page.split('name="file_ids" value="')[1:]]


async def test_more_files_than_an_answer_takes_are_said_and_all_kept(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    answer = await visitor.post(f"/cases/{case.id}/answer", form_with(visitor, MAX_PROOFS + 1, []))
    page = await answer.text()
    assert answer.status == 422
    assert f"Tối đa {MAX_PROOFS} ảnh, tệp" in page
    assert ANSWER in page
    assert len(ids(page)) == MAX_PROOFS + 1
    again = await visitor.post(f"/cases/{case.id}/answer", form_with(visitor, 1, ids(page)))
    page = await again.text()
    assert again.status == 422
    assert len(ids(page)) == MAX_PROOFS + 2
    sent = await visitor.post(f"/cases/{case.id}/answer", form_with(visitor, 0, ids(page)[:MAX_PROOFS]))
    assert sent.status == 303
    async with office.runtime.database.reading() as session:
        [row] = await cases.answers(session, case.id)
    assert len(row.file_ids) == MAX_PROOFS


async def test_files_before_a_bad_one_are_kept(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    answer = await visitor.post(f"/cases/{case.id}/answer", form_with(visitor, 2, [], broken=True))
    page = await answer.text()
    assert answer.status == 422
    assert "virus.exe" in page
    assert len(ids(page)) == 2


async def test_uploading_too_many_at_once_says_so(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    page = await (await visitor.post(f"/cases/{case.id}/files", form_with(visitor, MAX_PROOFS + 1, []))).text()
    assert f"Tối đa {MAX_PROOFS} ảnh, tệp" in page
    assert len(ids(page)) == MAX_PROOFS


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("đơn ảnh.pdf", "don anh.pdf", "%C4%91%C6%A1n%20%E1%BA%A3nh.pdf"),
        ('a"; x="b.pdf', "a; x=b.pdf", "a%3B%20x%3Db.pdf"),
        ("a\r\nSet-Cookie: x\\..\\b.pdf", "aSet-Cookie: x..b.pdf", "aSet-Cookie%3A%20x..b.pdf"),
        ("../\u202egpj.exe\x7f", "gpj.exe", "gpj.exe"),
        ("100%41.csv", "10041.csv", "100%2541.csv"),
        ("\n", "file", "file"),
        ("图", "file", "%E5%9B%BE"),
    ],
)
def test_a_file_name_cannot_end_its_header(name: str, plain: str, encoded: str) -> None:
    assert disposition("inline", name) == f"inline; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


async def test_a_name_with_a_line_break_is_still_answered(office: Office) -> None:
    case = await office.make_case(attachments=(photo(),))
    row = await office.photo_of(case)
    async with office.runtime.units_of_work() as uow:
        found = await uow.session.get(type(row), row.id)
        assert found is not None
        found.name = 'ảnh\r\nX: "1".jpg'
    answer = await (await office.enter("official")).get(f"/media/{row.id}")
    assert answer.status == 200
    assert "X" not in answer.headers
    assert answer.headers["Content-Disposition"].startswith('inline; filename="anhX: 1.jpg"')
