"""Prepare pictures and files for sending: bytes the first time, Telegram's own id for every message after that."""

from collections import OrderedDict

from aiogram.types import BufferedInputFile
from aiogram.types import Message as SentMessage

from bot.channels.channel import FileContent, LoadFile
from bot.channels.telegram.limits import MAX_PHOTO, MAX_UPLOAD
from bot.channels.telegram.outgoing import Upload, reference_of
from bot.domain.delivery import MessageInvalidError, TemporaryError
from bot.domain.message import Media
from bot.errors import NotFoundError

_MOST_REMEMBERED = 10_000
_GIFS = (b"GIF87a", b"GIF89a")
_PHOTOS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_ENDINGS = {"photo": ".jpg", "animation": ".gif", "document": ""}


class Uploads:
    """Remember what has been uploaded by which bot, in this process; ids of files are good for the bot alone."""

    def __init__(self, load_file: LoadFile) -> None:
        self._load_file = load_file
        self._known: OrderedDict[tuple[str, str], Upload] = OrderedDict()

    async def get(self, account_id: str, media: Media, *, whole: bool = False) -> Upload:
        """Return what to send for a file; `whole` as a document, which Telegram leaves as it is.

        Raises MessageInvalidError for a file that is missing or too large, TemporaryError while it cannot be read.
        """
        known = self._known.get((account_id, media.file_id))
        if known is not None and not whole:
            return known
        content = await self._load(media.file_id)
        if len(content.data) > MAX_UPLOAD:
            raise MessageInvalidError("telegram_file_too_large", f"{len(content.data)} bytes")
        way = "document" if whole else _way(media, content)
        return Upload(way, BufferedInputFile(content.data, _file_name(media.name or content.name, way)))

    def remember(self, account_id: str, media: Media, upload: Upload, sent: SentMessage) -> None:
        """Keep the id under which Telegram holds what was sent."""
        reference = reference_of(sent)
        if reference is None or isinstance(upload.content, str):
            return
        self._known[account_id, media.file_id] = Upload(upload.way, reference)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)

    def forget(self, account_id: str, media: Media) -> None:
        """Drop an id that Telegram does not know any more."""
        self._known.pop((account_id, media.file_id), None)

    async def _load(self, file_id: str) -> FileContent:
        try:
            return await self._load_file(file_id)
        except NotFoundError:
            raise MessageInvalidError("file_missing") from None
        except Exception as error:
            # The store of files may be away for a while; nothing has been sent yet.
            raise TemporaryError("file_unavailable", type(error).__name__) from error


def _way(media: Media, content: FileContent) -> str:
    # What the bytes are decides, not what somebody called them; a photo beyond the limit goes as a file.
    if media.kind == "file":
        return "document"
    if content.data.startswith(_GIFS):
        return "animation"
    return "photo" if content.data.startswith(_PHOTOS) and len(content.data) <= MAX_PHOTO else "document"


def _file_name(name: str, way: str) -> str:
    clean = "".join(c for c in name if c.isprintable() and c not in '"\\/').strip()[-100:]
    return clean or f"tep{_ENDINGS[way]}"
