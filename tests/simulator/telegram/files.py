"""Files: taken from an upload, an address or an earlier message; named by getFile; downloaded with the token."""

import asyncio
import mimetypes
import struct
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from tests.simulator.media import picture_type

from . import views
from .errors import RefusalError, bad
from .gateway import ApiCall, Method
from .model import Json, StoredFile
from .params import Part

if TYPE_CHECKING:
    from .provider import Telegram

DOWNLOAD_MAX = 20 * 1024 * 1024
PHOTO_MAX = 10 * 1024 * 1024
UPLOAD_MAX = 50 * 1024 * 1024
BY_ADDRESS_MAX = {"photo": 5 * 1024 * 1024}
PATH_LIFE_S = 3600.0
FOLDERS = {"photo": "photos", "voice": "voice", "video": "videos", "sticker": "stickers"}


def keep(telegram: "Telegram", kind: str, data: bytes, name: str, mime: str = "", duration: int = 0) -> StoredFile:
    """Keep bytes as a file of Telegram."""
    stored = telegram.media.add(data, name, mime)
    return keep_named(telegram, kind, stored, name, duration=duration)


def keep_named(
    telegram: "Telegram", kind: str, media: str, name: str, *, duration: int = 0, size: int = 0
) -> StoredFile:
    """Keep one of the simulator's media as a file of Telegram; `size` tells another than the true one."""
    mime, data = telegram.media.read(media)
    width, height = dimensions(data)
    key = telegram.world.new_hex()
    file = StoredFile(key, kind, media, name, mime, size or len(data), width, height, duration)
    telegram.world.files[key] = file
    return file


def dimensions(data: bytes) -> tuple[int, int]:
    """Return width and height of a PNG; other pictures count as 1280 x 720."""
    if picture_type(data) == "image/png":
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    return 1280, 720


async def take_file(call: ApiCall, kind: str, named: str, part: Part | None = None) -> str:
    """Return the key of the file that a send names: attach://…, an address, a file id, or the part itself."""
    if named.startswith("attach://"):
        part = call.params.parts.get(named.removeprefix("attach://"))
        if part is None:
            raise bad("there is no file with the given name in the request")
    if part is not None:
        return _check(call, kind, part)
    if named.startswith(("http://", "https://")):
        return _check(call, kind, await _fetch(call, kind, named))
    if not named:
        raise bad(f"there is no {kind} in the request")
    return _by_id(call, named).key


def _check(call: ApiCall, kind: str, part: Part) -> str:
    if len(part.data) > (PHOTO_MAX if kind == "photo" else UPLOAD_MAX):
        raise RefusalError(413, "Request Entity Too Large")
    if not part.data:
        raise bad("file must be non-empty")
    if kind == "photo" and not picture_type(part.data):
        raise bad("IMAGE_PROCESS_FAILED")
    mime = part.mime or mimetypes.guess_type(part.name)[0] or "application/octet-stream"
    return keep(call.telegram, kind, part.data, part.name, mime).key


async def _fetch(call: ApiCall, kind: str, url: str) -> Part:
    most = BY_ADDRESS_MAX.get(kind, DOWNLOAD_MAX)
    try:
        async with call.telegram.http.get(url) as answer:
            if answer.status != 200:
                raise bad("failed to get HTTP URL content")
            data = b""
            while len(data) <= most and (more := await answer.content.read(most)):
                data += more
            mime = answer.content_type
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise bad("failed to get HTTP URL content") from None
    if len(data) > most or (kind == "photo" and not picture_type(data)):
        raise bad("wrong type of the web page content")
    return Part(url.partition("?")[0].rpartition("/")[2] or "file", mime, data)


def _by_id(call: ApiCall, file_id: str) -> StoredFile:
    """Return the file that this bot knows by this id; ids of other bots are no good. Raises RefusalError."""
    mine = f"F{call.bot.bot_id}-"
    file = (
        call.telegram.world.files.get(file_id.removeprefix(mine).removesuffix("s"))
        if file_id.startswith(mine)
        else None
    )
    if file is None:
        raise bad("wrong file identifier/HTTP URL specified")
    return file


async def get_file(call: ApiCall) -> Json:
    """Name the path under which a file of at most 20 MB can be downloaded for an hour."""
    wanted = call.params.text("file_id")
    file = _by_id(call, wanted)
    if file.size > DOWNLOAD_MAX:
        raise bad("file is too big")
    world = call.telegram.world
    ending = mimetypes.guess_extension(file.mime) or ".bin"
    path = f"{FOLDERS.get(file.kind, 'documents')}/file_{len(world.paths)}{ending}"
    world.paths[path] = file.key, world.clock.now() + PATH_LIFE_S
    ids = views.file_ids(file, call.bot.bot_id, "s" if wanted.endswith("s") else "")
    return ids | {"file_size": file.size, "file_path": path}


async def download(telegram: "Telegram", request: web.Request) -> web.StreamResponse:
    """Answer GET /file/bot<token>/<path>."""
    bot = telegram.bot_by_token(request.match_info["token"])
    if bot is None:
        return _refuse(401, "Unauthorized")
    if hang := telegram.faults.take("files_hang", bot.bot_id):
        await asyncio.sleep(hang.seconds)
    key, until = telegram.world.paths.get(request.match_info["path"], ("", 0.0))
    if until < telegram.world.clock.now() or telegram.faults.take("files_404", bot.bot_id):
        return _refuse(404, "Not Found: file path not found")
    data = telegram.media.read(telegram.world.files[key].media)[1]
    return web.Response(body=data, content_type="application/octet-stream")


def _refuse(code: int, description: str) -> web.Response:
    return web.json_response(RefusalError(code, description).body(), status=code)


METHODS = [Method("getFile", get_file)]
