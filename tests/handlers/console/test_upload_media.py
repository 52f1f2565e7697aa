"""Photos and files: in, checked, and out again to those who may see them."""

import io
import zipfile

import pytest
from PIL import Image

from bot.store import files
from tests.handlers.console.visitor import Office, hidden, photo

EXIF_DEVICE = 0x010F


def with_exif() -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (40, 30), "navy")
    exif = Image.Exif()
    exif[EXIF_DEVICE] = "Secret Camera"
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def docx() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return out.getvalue()


async def test_a_photo_is_encoded_anew_and_shown_small(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    answer = await visitor.upload(f"/cases/{case.id}/files", "C:\\ảnh <1>.png", with_exif())
    fragment = await answer.text()
    file_id = hidden(fragment, "file_ids")
    full = await visitor.get(f"/media/{file_id}")
    data = await full.read()
    assert full.headers["Content-Type"] == "image/jpeg"
    assert b"Secret Camera" not in data
    assert Image.open(io.BytesIO(data)).size == (40, 30)
    small = await visitor.get(f"/media/{file_id}/thumb")
    assert small.headers["Content-Type"] == "image/jpeg"
    assert full.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in full.headers["Content-Security-Policy"]
    assert full.headers["Content-Disposition"].startswith("inline")
    async with office.runtime.database.reading() as session:
        row = await files.file(session, file_id)
    assert row is not None
    assert row.name == "ảnh -1-.jpg"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("virus.exe", b"MZ" + b"x" * 100, "Chỉ nhận ảnh, PDF, DOC, DOCX, CSV."),
        ("anh.jpg", b"<html>", "không phải là ảnh"),
        ("anh.svg", b"<svg onload=alert(1)>", "Chỉ nhận ảnh, PDF, DOC, DOCX, CSV."),
        ("don.pdf", b"not a pdf", "Không nhận tệp"),
        ("don.docx", b"PK\x03\x04rubbish", "Không nhận tệp"),
        ("don.doc", b"plain", "Không nhận tệp"),
        ("bang.csv", b"a,b\x00", "Không nhận tệp"),
    ],
)
async def test_what_is_not_what_it_says_is_refused_in_words(office: Office, name: str, data: bytes, words: str) -> None:
    case = await office.make_case()
    answer = await (await office.enter("official")).upload(f"/cases/{case.id}/files", name, data)
    fragment = await answer.text()
    assert words in fragment
    assert "file_ids" not in fragment


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("don.pdf", b"%PDF-1.7 x", "application/pdf"),
        ("don.docx", docx(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("bang.csv", "tên,số\nHoà,1\n".encode(), "text/csv"),
    ],
)
async def test_documents_are_saved_and_not_opened(office: Office, name: str, data: bytes, media_type: str) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    fragment = await (await visitor.upload(f"/cases/{case.id}/files", name, data)).text()
    answer = await visitor.get(f"/media/{hidden(fragment, 'file_ids')}")
    assert await answer.read() == data
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_a_huge_picture_is_refused_before_it_is_decoded(office: Office) -> None:
    case = await office.make_case()
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    answer = await (await office.enter("official")).upload(f"/cases/{case.id}/files", "to.png", out.getvalue())
    assert "điểm ảnh quá lớn" in await answer.text()


async def test_too_much_at_once_is_413_in_words(office: Office) -> None:
    case = await office.make_case()
    most = office.runtime.settings.files.max_file_mb * 1024 * 1024
    visitor = await office.enter("official")
    answer = await visitor.upload(f"/cases/{case.id}/files", "to.jpg", b"x" * (most + 200_000))
    assert answer.status == 413
    assert "quá lớn" in await answer.text()


async def test_ordinary_forms_stay_small(office: Office) -> None:
    visitor = await office.enter("official")
    answer = await visitor.upload("/me/language", "to.txt", b"x" * 2_000_000)
    assert answer.status == 413


async def test_a_citizens_photo_is_for_those_who_see_the_case(office: Office) -> None:
    case = await office.make_case(attachments=(photo(),))
    row = await office.photo_of(case)
    visitor = await office.enter("official")
    assert await (await visitor.get(f"/media/{row.id}")).read() == b"full"
    assert await (await visitor.get(f"/media/{row.id}/thumb")).read() == b"small"
    assert (await (await office.enter("stranger")).get(f"/media/{row.id}")).status == 404
    assert (await office.client.get(f"/media/{row.id}", allow_redirects=False)).status == 303
    assert (await visitor.get("/media/unknown")).status == 404


async def test_a_photo_of_a_restricted_case_is_for_inspectors(office: Office) -> None:
    case = await office.make_case("Cán bộ hách dịch", "thai-do-can-bo", attachments=(photo(),))
    row = await office.photo_of(case)
    assert (await (await office.enter("leader")).get(f"/media/{row.id}")).status == 404
    assert (await (await office.enter("inspector")).get(f"/media/{row.id}")).status == 200


async def test_a_deleted_file_is_gone(office: Office) -> None:
    case = await office.make_case(attachments=(photo(),))
    row = await office.photo_of(case)
    async with office.runtime.units_of_work() as uow:
        await files.mark_deleted(uow.session, row.id, uow.now)
    assert (await (await office.enter("official")).get(f"/media/{row.id}")).status == 404
