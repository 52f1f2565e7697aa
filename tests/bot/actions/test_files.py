"""Names and places of what officials attach, and what counts as a document."""

import io
import zipfile

import pytest

from bot.actions import files as actions
from bot.documents import MAX_DOCUMENT, read_document
from bot.pictures import PictureError
from bot.runtime import Runtime
from bot.store import files
from tests import commune


@pytest.mark.parametrize(
    ("given", "media_type", "name"),
    [
        ("hiện trường.PNG", "image/jpeg", "hiện trường.jpg"),
        ("C:\\fake\\path\\a.jpeg", "image/jpeg", "a.jpg"),
        ("../../etc/passwd", "image/jpeg", "passwd.jpg"),
        ('a"b<c>.pdf', "application/pdf", "a-b-c-.pdf"),
        ("", "image/jpeg", "anh.jpg"),
        (".pdf", "application/pdf", "tep.pdf"),
        ("x" * 300 + ".docx", "application/x", "x" * 100 + ".docx"),
        ("a\r\nSet-Cookie: x.csv", "text/csv", "a-Set-Cookie- x.csv"),
    ],
)
def test_a_name_is_made_harmless(given: str, media_type: str, name: str) -> None:
    assert actions.file_name(given, media_type) == name


def test_a_document_is_what_its_content_says() -> None:
    assert read_document(b"%PDF-1.4", "a.PDF").media_type == "application/pdf"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("xl/workbook.xml", "x")
    for data, name in ((archive.getvalue(), "a.docx"), (b"%PDF", "a.exe"), (b"", "a.csv"), (b"\xff\xfe", "a.csv")):
        with pytest.raises(PictureError, match="not_a_known_file"):
            read_document(data, name)
    with pytest.raises(PictureError, match="too_large"):
        read_document(b"%PDF-" + b"x" * MAX_DOCUMENT, "a.pdf")


async def test_a_file_belongs_to_its_case_and_leaves_a_trail(runtime: Runtime) -> None:
    from tests.handlers.console.visitor import Office

    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    case = await Office(runtime, None, None).make_case()  # type: ignore[arg-type]  # no page is asked
    document = read_document(b"%PDF-1.4", "biên bản.pdf")
    async with runtime.units_of_work() as uow:
        row = await actions.keep(uow, "file-1", case.id, document, "biên bản.pdf")
    assert (row.case_id, row.key, row.thumbnail_key) == (case.id, "file/file-1", None)
    async with runtime.database.reading() as session:
        found = await files.file(session, "file-1")
    assert found is not None
    assert found.name == "biên bản.pdf"
