"""Take photos and files for an answer: checked, cleaned, kept even when the rest of the form is not right yet."""

import asyncio

from aiohttp import web

from bot.actions import files as actions
from bot.actions.answer_case import MAX_PROOFS
from bot.clock import new_id
from bot.documents import read_proof
from bot.domain.access import Permission
from bot.errors import InvalidInputError
from bot.pictures import PictureError
from bot.store.cases import CaseRow
from bot.store.files import FileRow
from handlers.console.case_access import visible_case
from handlers.console.page import form_of, render, runtime_of, writing

_MEGABYTE = 1024 * 1024


async def add(request: web.Request) -> web.Response:
    """Store what was chosen and answer with one line for each, or with what is wrong."""
    form = await form_of(request)
    async with runtime_of(request).database.reading() as session:
        case = await visible_case(request, session, Permission.CASE_WORK)
    kept: list[FileRow] = []
    problems: list[InvalidInputError] = []
    uploads = form.uploads("files")
    if len(uploads) > MAX_PROOFS:
        problems.append(InvalidInputError("files", "too_many", most=MAX_PROOFS))
    for upload in uploads[:MAX_PROOFS]:
        try:
            kept.append(await store_upload(request, case, upload))
        except InvalidInputError as error:
            problems.append(error)
    return render(request, "case/uploaded", {"files": kept, "problems": problems})


async def store_upload(request: web.Request, case: CaseRow, upload: web.FileField) -> FileRow:
    """Keep one file of a case; raises InvalidInputError `files` with the reason why it cannot be taken."""
    runtime = runtime_of(request)
    most = runtime.settings.files.max_file_mb * _MEGABYTE
    data = await asyncio.to_thread(upload.file.read, most + 1)
    name = upload.filename
    if len(data) > most:
        raise InvalidInputError("files", "too_large", name=name, most=runtime.settings.files.max_file_mb)
    try:
        picture = await asyncio.to_thread(read_proof, data, name)
    except PictureError as error:
        raise InvalidInputError("files", error.reason, name=name, most=5) from error
    file_id = new_id()
    key = actions.blob_key(file_id)
    await runtime.blobs.put(key, picture.data)
    if picture.thumbnail is not None:
        await runtime.blobs.put(f"{key}.thumb", picture.thumbnail)
    async with writing(request) as uow:
        return await actions.keep(uow, file_id, case.id, picture, name)
