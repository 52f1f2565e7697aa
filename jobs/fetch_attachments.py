"""Fetch what citizens attached: distrusted, bounded, cleaned, or the reason kept why it could not be."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

import aiohttp

from bot import metrics
from bot.actions import dossier_photos
from bot.actions.files import file_name
from bot.barcodes import texts_in
from bot.channels.channel import FetchesFiles, FileRefusedError
from bot.clock import new_id
from bot.documents import read_proof
from bot.domain.delivery import SendError
from bot.domain.dossier_code import found_in
from bot.logs import logger
from bot.pictures import Picture, PictureError, inspect_file, read_picture
from bot.runtime import Runtime, ref
from bot.store import accounts, messages
from bot.store.files import FileRow
from bot.store.messages import AttachmentRow, MessageRow

_log = logger("attachments")
_BATCH = 10
_PAUSES = (5, 60, 600, 3600)
_MOST_TRIES = 8
"""What so many workers began and none ended is given up: it may be what ends them."""
_SECONDS = 30
_CHUNK = 64 * 1024
_MEGABYTE = 1024 * 1024


class NotFetchableError(Exception):
    """The attachment cannot be kept; `reason` is a word for templates, `again` says whether to try later."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again


async def fetch_attachments(runtime: Runtime) -> int:
    """Fetch every attachment that is due; returns how many were settled."""
    settled = 0
    while True:
        async with runtime.units_of_work() as uow:
            found = await messages.due_attachments(uow.session, uow.now, _BATCH)
            due = [row for row in found if row.attempts < _MOST_TRIES]
            for row in found:
                if row.attempts >= _MOST_TRIES:
                    await messages.settle_attachment(uow.session, row.id, state="failed", failure="technical")
            for row in due:
                values = {"attempts": row.attempts + 1, "next_attempt_at": uow.now + timedelta(seconds=2 * _SECONDS)}
                await messages.settle_attachment(uow.session, row.id, **values)
        if not found:
            return settled
        await asyncio.gather(*(_one(runtime, row) for row in due))
        settled += len(found)


async def _one(runtime: Runtime, row: AttachmentRow) -> None:
    try:
        data = await _download(runtime, row)
        file = await _keep(runtime, row, data)
        codes = await _dossier_codes(runtime, row, file)
    except NotFetchableError as error:
        await _not_kept(runtime, row, error)
        return
    except Exception:  # noqa: BLE001 - one photo that breaks must not keep the others
        _log.exception("fetching broke", attachment=row.id)
        await _not_kept(runtime, row, NotFetchableError("technical", again=True))
        return
    metrics.attachments.labels("stored").inc()
    async with runtime.units_of_work() as uow:
        uow.session.add(file)
        await uow.session.flush()
        values = {"state": "stored", "file_id": file.id, "size": file.size, "codes": " ".join(codes or ())}
        if not await messages.settle_attachment(uow.session, row.id, **values):
            file.deleted_at = uow.now
            await _drop(runtime, file)
            return
        fresh = await uow.session.get(AttachmentRow, row.id)
        if fresh is not None and fresh.case_id:
            uow.announce(f"case:{fresh.case_id}")
    if codes is not None:
        async with runtime.units_of_work() as uow:
            await dossier_photos.was_read(uow, row.id, codes)


async def _dossier_codes(runtime: Runtime, row: AttachmentRow, file: FileRow) -> list[str] | None:
    """Return the dossiers' codes that a photo shows, None for one in which none is looked for.

    Nothing else of what its QR codes say is kept: that of an identity card holds a whole person.
    """
    if row.kind != "image":
        return None
    async with runtime.database.reading() as session:
        if not await dossier_photos.may_show_code(session, row.id):
            return None
    texts = await asyncio.to_thread(texts_in, await runtime.blobs.get(file.key))
    return list(dict.fromkeys(code for text in texts for code in found_in(unquote(text))))[: dossier_photos.MOST_CODES]


async def _download(runtime: Runtime, row: AttachmentRow) -> bytes:
    limits = runtime.settings.files
    most = (limits.max_image_mb if row.kind in {"image", "gif"} else limits.max_file_mb) * _MEGABYTE
    if (row.size or 0) > most:
        raise NotFetchableError("too_large")
    address = await _address(runtime, row)
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with runtime.http.get(address, timeout=timeout, allow_redirects=False) as answer:
            if answer.status != HTTPStatus.OK:
                raise NotFetchableError("gone", again=answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR)
            if (answer.content_length or 0) > most:
                raise NotFetchableError("too_large")
            data = bytearray()
            async for chunk in answer.content.iter_chunked(_CHUNK):
                data += chunk
                if len(data) > most:
                    raise NotFetchableError("too_large")
            return bytes(data)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NotFetchableError("not_reachable", again=True) from error


async def _address(runtime: Runtime, row: AttachmentRow) -> str:
    """Return where the bytes are: the address that came, if it is one of the provider's, or what the provider says."""
    if urlsplit(row.url).scheme in {"http", "https"}:
        _require_known_host(runtime, row.url)
        return row.url
    async with runtime.database.reading() as session:
        account_id = await messages.account_of(session, row.message_id)
        account = await accounts.account(session, account_id) if account_id else None
    channel = runtime.channels.get(account.provider) if account is not None else None
    if account is None or not isinstance(channel, FetchesFiles):
        raise NotFetchableError("foreign_host")
    try:
        return await channel.file_address(ref(account), row.url)
    except FileRefusedError as error:
        raise NotFetchableError(error.reason, again=error.again) from None
    except SendError as error:
        _log.warning("provider does not say where a file is", attachment=row.id, reason=error.reason)
        raise NotFetchableError("not_reachable", again=True) from None


def _require_known_host(runtime: Runtime, url: str) -> None:
    """Refuse addresses outside the provider's media hosts, so that a webhook cannot make us call the inside."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    known = runtime.settings.zalo.media_hosts
    if not any(host == k or host.endswith(f".{k}") for k in known):
        raise NotFetchableError("foreign_host")


async def _keep(runtime: Runtime, row: AttachmentRow, data: bytes) -> FileRow:
    proof = await _is_proof(runtime, row)
    try:
        if proof and row.kind == "file":
            picture: Picture = await asyncio.to_thread(read_proof, data, row.name)
        elif row.kind in {"image", "gif"}:
            picture = await asyncio.to_thread(read_picture, data)
        else:
            picture = await asyncio.to_thread(inspect_file, data, row.kind, row.name)
    except PictureError as error:
        raise NotFetchableError(error.reason) from error
    file_id = new_id()
    key = f"{file_id[:4]}/{file_id}"
    await runtime.blobs.put(key, picture.data)
    if picture.thumbnail is not None:
        await runtime.blobs.put(f"{key}.thumb", picture.thumbnail)
    return FileRow(
        id=file_id,
        key=key,
        thumbnail_key=f"{key}.thumb" if picture.thumbnail is not None else None,
        media_type=picture.media_type,
        name=file_name(row.name, picture.media_type) if proof else row.name or picture.name,
        size=len(picture.data),
        sha256=picture.sha256,
        width=picture.width,
        height=picture.height,
        created_at=runtime.now(),
    )


async def _is_proof(runtime: Runtime, row: AttachmentRow) -> bool:
    """Say whether an official sent it, to leave with an answer: then it must be what the console takes."""
    async with runtime.database.reading() as session:
        message = await session.get(MessageRow, row.message_id)
    return message is not None and message.author == "staff"


async def _drop(runtime: Runtime, file: FileRow) -> None:
    """Delete the bytes of a photo that was discarded while it was being fetched."""
    await runtime.blobs.delete(file.key)
    if file.thumbnail_key:
        await runtime.blobs.delete(file.thumbnail_key)


async def _not_kept(runtime: Runtime, row: AttachmentRow, error: NotFetchableError) -> None:
    again = error.again and row.attempts < len(_PAUSES)
    metrics.attachments.labels("retry" if again else error.reason).inc()
    _log.warning("attachment not kept", attachment=row.id, reason=error.reason, again=again)
    async with runtime.units_of_work() as uow:
        if again:
            pause = _PAUSES[row.attempts]
            at = uow.now + timedelta(seconds=pause)
            await messages.settle_attachment(uow.session, row.id, next_attempt_at=at, failure=error.reason)
            uow.after_commit("fetch_attachments", float(pause))
        else:
            await messages.settle_attachment(uow.session, row.id, state="failed", failure=error.reason)
            fresh = await uow.session.get(AttachmentRow, row.id)
            if fresh is not None and fresh.case_id:
                uow.announce(f"case:{fresh.case_id}")
