"""Bring pictures and files to Zalo before they are sent, each once for many messages."""

import asyncio
import io
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import aiohttp

from bot.channels.channel import FileContent, LoadFile
from bot.channels.zalo.authorised import AuthorisedClient
from bot.channels.zalo.payload import text_of
from bot.clock import Now
from bot.domain.delivery import MessageInvalidError, TemporaryError
from bot.domain.message import Media
from bot.errors import NotFoundError

KEPT = timedelta(days=6, hours=12)
"""How long an upload is used again: Zalo keeps it 7 days (api.md 3.2) and takes 5 000 of each kind a month."""

DOCUMENT_TYPES = {
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "csv": "text/csv",
}

_MEGABYTE = 1024 * 1024
_MOST_BYTES = {"image": _MEGABYTE, "gif": 5 * _MEGABYTE, "file": 5 * _MEGABYTE}
_MOST_REMEMBERED = 10_000
_PICTURES = {b"\xff\xd8\xff": ("image", "image/jpeg"), b"\x89PNG\r\n\x1a\n": ("image", "image/png")}
_GIFS = (b"GIF87a", b"GIF89a")


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that Zalo holds: `kind` image, gif or file, its reference, and a gif's size in pixels."""

    kind: str
    reference: str
    width: int = 0
    height: int = 0


class Uploads:
    """Remember what has been uploaded for which account, in this process."""

    def __init__(self, api: AuthorisedClient, load_file: LoadFile, now: Now) -> None:
        self._api = api
        self._load_file = load_file
        self._now = now
        self._known: OrderedDict[tuple[str, str], tuple[Uploaded, datetime]] = OrderedDict()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def get(self, account_id: str, media: Media) -> Uploaded:
        """Return the upload of a file, made once however many messages want it.

        Raises MessageInvalidError for a file that is missing, too large or of a kind Zalo does not take, and the
        SendError family for a failed upload.
        """
        key = (account_id, media.file_id)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            known = self._known.get(key)
            if known is not None and self._now() - known[1] < KEPT:
                self._known.move_to_end(key)
                return known[0]
            uploaded = await self._upload(account_id, media)
            self._known[key] = (uploaded, self._now())
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
            return uploaded

    def forget(self, account_id: str, media: Media, uploaded: Uploaded) -> None:
        """Drop an upload that Zalo no longer knows, unless another send has replaced it already."""
        key = (account_id, media.file_id)
        known = self._known.get(key)
        if known is not None and known[0] == uploaded:
            del self._known[key]

    async def _upload(self, account_id: str, media: Media) -> Uploaded:
        try:
            content = await self._load_file(media.file_id)
        except NotFoundError:
            raise MessageInvalidError("file_missing") from None
        except Exception as error:
            # The store of files may be away for a while; nothing has been sent yet.
            raise TemporaryError("file_unavailable", type(error).__name__) from error
        name = media.name or content.name
        kind, media_type = _kind(name, content)
        if len(content.data) > _MOST_BYTES[kind]:
            raise MessageInvalidError("file_too_large", f"{len(content.data)} bytes")

        def form() -> aiohttp.FormData:
            # Like browsers: the name as it is, in UTF-8. Zalo tells the kind by the name's ending.
            data = aiohttp.FormData(quote_fields=False)
            data.add_field(
                "file", io.BytesIO(content.data), filename=_file_name(name, media_type), content_type=media_type
            )
            return data

        answer = await self._api.upload(account_id, f"/v2.0/oa/upload/{kind}", form)
        reference = text_of(answer.get("token" if kind == "file" else "attachment_id"))
        if not reference:
            raise TemporaryError("unreadable_answer", "no reference for the upload")
        width, height = (_gif_size(content.data)) if kind == "gif" else (0, 0)
        return Uploaded(kind, reference, width, height)


def _kind(name: str, content: FileContent) -> tuple[str, str]:
    # What the bytes are decides, not what somebody called them.
    if content.data.startswith(_GIFS):
        return "gif", "image/gif"
    for mark, found in _PICTURES.items():
        if content.data.startswith(mark):
            return found
    _, dot, ending = name.lower().rpartition(".")
    if not dot or ending not in DOCUMENT_TYPES:
        raise MessageInvalidError("file_type_unsupported", ending[:10])
    return "file", DOCUMENT_TYPES[ending]


def _gif_size(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def _file_name(name: str, media_type: str) -> str:
    clean = "".join(c for c in name if c.isprintable() and c not in '"\\/').strip()[-100:]
    endings = {"image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",), "image/gif": (".gif",)}.get(media_type)
    return clean if endings is None or clean.lower().endswith(endings) else f"{clean or 'anh'}{endings[0]}"
