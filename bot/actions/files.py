"""Note what an official has attached to a case; the bytes were stored before."""

from bot.actions.case_trail import audit
from bot.domain.text import clean
from bot.pictures import Picture
from bot.store.files import FileRow
from bot.store.unit_of_work import UnitOfWork

MAX_NAME = 100


def file_name(given: str, media_type: str) -> str:
    """Return a name for readers: the last part of what was given, harmless, with the ending of what it now is."""
    last = clean(given).replace("\\", "/").rpartition("/")[2]
    plain = "".join("-" if c in '<>:"|?*;%\n\t' else c for c in last).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    if media_type == "image/jpeg":
        return f"{(stem if dot else plain)[:MAX_NAME] or 'anh'}.jpg"
    return f"{stem[:MAX_NAME] or 'tep'}.{ending[:5]}"


def blob_key(file_id: str) -> str:
    """Return where the bytes of a file lie; the thumbnail has `.thumb` behind it."""
    return f"{file_id[:4]}/{file_id}"


async def keep(uow: UnitOfWork, file_id: str, case_id: str, picture: Picture, given_name: str) -> FileRow:
    """Note a file that is to leave with an answer of this case."""
    key = blob_key(file_id)
    row = FileRow(
        id=file_id,
        key=key,
        thumbnail_key=f"{key}.thumb" if picture.thumbnail is not None else None,
        media_type=picture.media_type,
        name=file_name(given_name, picture.media_type),
        size=len(picture.data),
        sha256=picture.sha256,
        width=picture.width,
        height=picture.height,
        case_id=case_id,
        created_at=uow.now,
    )
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, "file.add", f"case:{case_id}", {"file": file_id, "media_type": picture.media_type})
    return row
