"""Check that a document an official attaches is what its name says, by its content."""

import hashlib
import io
import zipfile

from bot.pictures import Picture, PictureError, read_picture

MAX_DOCUMENT = 5 * 1024 * 1024
"""Zalo takes files of at most 5 MB, and only these four kinds (contract §3.2)."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ENDINGS = ("pdf", "doc", "docx", "csv")
_PICTURES = ("jpg", "jpeg", "png", "gif", "webp")


def read_proof(data: bytes, name: str) -> Picture:
    """Return what an official attaches to an answer as it is kept: a cleaned picture, or a document checked by content.

    Raises PictureError not_a_picture | not_a_known_file | too_many_pixels | too_large.
    """
    ending = name.rpartition(".")[2].lower()
    if ending in ENDINGS:
        return read_document(data, name)
    try:
        return read_picture(data)
    except PictureError as error:
        if error.reason == "not_a_picture" and ending not in _PICTURES:
            raise PictureError("not_a_known_file") from error
        raise


def read_document(data: bytes, name: str) -> Picture:
    """Return a pdf, doc, docx or csv as it is kept; raises PictureError not_a_known_file | too_large."""
    if len(data) > MAX_DOCUMENT:
        raise PictureError("too_large")
    ending = name.rpartition(".")[2].lower()
    media_type = _media_type(data, ending)
    if media_type is None:
        raise PictureError("not_a_known_file")
    return Picture(data, media_type, name, hashlib.sha256(data).hexdigest())


def _media_type(data: bytes, ending: str) -> str | None:
    if ending == "pdf" and data.startswith(b"%PDF-"):
        return "application/pdf"
    if ending == "doc" and data.startswith(_OLE):
        return "application/msword"
    if ending == "docx" and _is_docx(data):
        return _DOCX
    if ending == "csv" and _is_text(data):
        return "text/csv"
    return None


def _is_docx(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "word/document.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def _is_text(data: bytes) -> bool:
    try:
        return b"\x00" not in data and bool(data.decode("utf-8").strip())
    except UnicodeDecodeError:
        return False
