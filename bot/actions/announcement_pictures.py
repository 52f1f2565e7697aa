"""Note pictures for announcements; their bytes were stored before."""

from bot.actions.files import file_name
from bot.pictures import Picture
from bot.store.files import ANNOUNCED, FileRow
from bot.store.unit_of_work import UnitOfWork


def blob_key(file_id: str) -> str:
    """Return where the bytes of such a picture lie; the thumbnail has `.thumb` behind it."""
    return f"{ANNOUNCED}{file_id}"


async def note(uow: UnitOfWork, file_id: str, picture: Picture, given_name: str) -> FileRow:
    """Note a picture that no announcement has yet; what none has got after a day is forgotten."""
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
        created_at=uow.now,
    )
    uow.session.add(row)
    await uow.session.flush()
    return row
