"""Note the picture of an announcement; its bytes were stored before."""

from bot.actions import announcements
from bot.actions.files import blob_key, file_name
from bot.pictures import Picture
from bot.store.announcements import AnnouncementRow
from bot.store.files import FileRow
from bot.store.unit_of_work import UnitOfWork


async def keep(
    uow: UnitOfWork, announcement_id: str, version: int, file_id: str, picture: Picture, given_name: str
) -> AnnouncementRow:
    """Give an announcement its picture in place of an earlier one; raises ConflictError as every change does."""
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
    return await announcements.picture(uow, announcement_id, version, file_id)
