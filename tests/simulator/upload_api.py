"""Endpoints that take files: kinds and sizes are really checked, 5 000 a month each (api.md section 3.2)."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import BodyPartReader

from .errors import ApiError
from .gateway import ApiCall, Route
from .media import picture_type
from .model import Json, Upload

MEGABYTE = 1024 * 1024
MONTHLY_MAX = 5000
MOST_BYTES = {"image": MEGABYTE, "gif": 5 * MEGABYTE, "file": 5 * MEGABYTE}
DOCUMENT_MARKS = {"pdf": b"%PDF-", "doc": b"\xd0\xcf\x11\xe0", "docx": b"PK\x03\x04", "csv": b""}


def upload(kind: str) -> Callable[[ApiCall], Awaitable[Json]]:
    """Return the endpoint that takes files of a kind: image, gif or file."""

    async def take(call: ApiCall) -> Json:
        name, data = await _part(call, MOST_BYTES[kind])
        if not data or not _fits(kind, name, data):
            raise ApiError(-201, "file")
        provider, oa = call.provider, call.oa
        month = f"{kind} {datetime.fromtimestamp(provider.clock.now(), UTC):%Y-%m}"
        if oa.uploads_made.get(month, 0) >= MONTHLY_MAX:
            raise ApiError(-211)
        oa.uploads_made[month] = oa.uploads_made.get(month, 0) + 1
        kept = Upload(
            upload_id=provider.world.new_hex(40),
            oa_id=oa.oa_id,
            kind=kind,
            media=provider.media.add(data, name),
            name=name,
            size=len(data),
            checksum=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            at_ms=provider.clock.now_ms(),
        )
        provider.world.uploads[kept.upload_id] = kept
        provider.world.touch("upload", oa_id=oa.oa_id)
        call.note.params = {"file": name, "size": len(data)}
        return {"token" if kind == "file" else "attachment_id": kept.upload_id}

    return take


async def _part(call: ApiCall, most: int) -> tuple[str, bytes]:
    if call.request.content_type != "multipart/form-data":
        raise ApiError(-201, "multipart/form-data")
    async for part in await call.request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "file":
            data = b""
            while block := await part.read_chunk(65536):
                data += block
                if len(data) > most:
                    raise ApiError(-210, f"file is larger than {most} bytes")
            return part.filename or "", data
    raise ApiError(-201, "file is missing")


def _fits(kind: str, name: str, data: bytes) -> bool:
    if kind == "image":
        return picture_type(data) in {"image/jpeg", "image/png"}
    if kind == "gif":
        return picture_type(data) == "image/gif"
    ending = name.rpartition(".")[2].lower()
    return ending in DOCUMENT_MARKS and data.startswith(DOCUMENT_MARKS[ending])


ROUTES = [Route("POST", f"/v2.0/oa/upload/{kind}", upload(kind)) for kind in MOST_BYTES]
