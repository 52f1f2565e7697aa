"""Give out photos and files to those who may see the case they belong to."""

import unicodedata
from urllib.parse import quote

from aiohttp import web

from bot.domain.text import clean
from bot.errors import NotFoundError
from bot.store import cases, files, messages
from bot.store.files import FileRow
from handlers.console.case_access import may_see
from handlers.console.page import runtime_of, visit_of

_INLINE = frozenset({"image/jpeg", "audio/mpeg", "audio/aac", "audio/ogg", "audio/wav", "video/mp4", "video/webm"})
"""Kinds that browsers show without running anything; others are saved."""
_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; sandbox"
_PRIVATELY = "private, max-age=86400, immutable"


async def full(request: web.Request) -> web.Response:
    """Answer with a file."""
    row = await _visible(request)
    return await give_out(request, row.key, row.media_type, row.name)


async def thumbnail(request: web.Request) -> web.Response:
    """Answer with the small picture of a photo."""
    row = await _visible(request)
    if row.thumbnail_key is None:
        raise NotFoundError("thumbnail")
    return await give_out(request, row.thumbnail_key, "image/jpeg", "thumbnail.jpg")


async def _visible(request: web.Request) -> FileRow:
    async with runtime_of(request).database.reading() as session:
        row = await files.file(session, request.match_info["id"])
        case_id = (row.case_id or await messages.case_of_file(session, row.id)) if row else None
        case = await cases.case(session, case_id) if case_id else None
    if row is None or case is None or not may_see(visit_of(request), case):
        raise NotFoundError("file")
    return row


async def give_out(request: web.Request, key: str, media_type: str, name: str) -> web.Response:
    """Answer with the bytes of a key, shown or saved as their kind allows; raises NotFoundError."""
    try:
        data = await runtime_of(request).blobs.get(key)
    except FileNotFoundError as error:
        raise NotFoundError("file") from error
    how = "inline" if media_type in _INLINE else "attachment"
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": disposition(how, name),
        "Content-Security-Policy": _POLICY,
        "Cache-Control": _PRIVATELY,
    }
    return web.Response(body=data, headers=headers)


def disposition(how: str, name: str) -> str:
    """Return a Content-Disposition that says a file's name to every browser (RFC 6266, RFC 5987).

    Nothing that could end the header or the name early is left in it: no controls, quotes or separators of paths.
    """
    tidy = "".join(c for c in clean(name) if c.isprintable() and c not in '"\\/').strip(". ") or "file"
    bare = unicodedata.normalize("NFKD", tidy.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore").decode()
    plain = bare.replace("%", "").strip(". ") or "file"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(tidy, safe='')}"
