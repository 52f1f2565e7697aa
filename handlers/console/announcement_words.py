"""Write what an announcement says: kind and topic, words with merge fields, a button, a picture."""

import asyncio

from aiohttp import web

from bot.actions import announcement_pictures
from bot.actions import announcements as actions
from bot.actions.announcement_senders import fields_known, free_text
from bot.actions.files import blob_key
from bot.clock import new_id
from bot.domain.announcement import MAX_LABEL, MAX_TEXT, MAX_TITLE, MAX_URL, NAME_FIELD, Kind, State, words_wrong
from bot.domain.broadcast import fields_of
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.pictures import PictureError, read_picture
from bot.store import files, marks
from bot.store.announcements import AnnouncementRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.announcement_access import WRITE, visible
from handlers.console.announcement_steps import Step, save, show, step_of
from handlers.console.media import give_out
from handlers.console.page import Errors, Form, form_of, runtime_of, writing

FIELDS = ("kind", "topic_id", "title", "text", "button_label", "button_url")
_WORDS = FIELDS[2:]
LIMITS = {"title": MAX_TITLE, "text": MAX_TEXT, "button_label": MAX_LABEL, "button_url": MAX_URL}
_MEGABYTE = 1024 * 1024


async def page(request: web.Request) -> web.Response:
    """Show the words."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        at = await step_of(request, session)
        if not isinstance(at, Step):
            return at
        known = await fields_known(session, at.row, NAME_FIELD)
        named = fields_of(await free_text(session, at.row))
        topics = await marks.topics(session, at.home)
        picture = await files.file(session, at.row.file_id) if at.row.file_id else None
    values = {
        "typed": {name: form.text(name) if form else getattr(at.row, name) or "" for name in FIELDS},
        "kinds": [kind.value for kind in Kind],
        "topics": topics,
        "limits": LIMITS,
        "fields": sorted(known),
        "missing": sorted(named - known),
        "picture": picture,
        "most_mb": runtime_of(request).settings.files.max_file_mb,
        "remarks": [word for word in request.query.get("remarks", "").split(",") if word],
    }
    return show(request, at, "words", values, errors, status)


async def submit(request: web.Request) -> web.Response:
    """Save the words; a picture that was chosen is kept even when the words are not right yet."""
    form = await form_of(request)
    version = form.number("version") or 0

    async def again(errors: Errors, status: int) -> web.Response:
        return await _page(request, errors, form, status)

    try:
        version = await _save_picture(request, form, version)
    except InvalidInputError as error:
        return await again({error.field: error}, 422)
    except ConflictError:
        return await again({"version": InvalidInputError("version", "changed_meanwhile")}, 409)
    wrong = words_wrong(*(form.text(name) for name in _WORDS))
    if wrong:
        return await again({error.field: error for error in reversed(wrong)}, 422)

    async def deed(uow: UnitOfWork, row: AnnouncementRow, home: UnitRow) -> None:
        topic_id = form.text("topic_id") or None
        known = {topic.id for topic in await marks.topics(uow.session, home)}
        if topic_id is not None and topic_id not in known | {row.topic_id}:
            raise InvalidInputError("topic_id", "unknown_topic")
        words = {name: form.text(name) for name in _WORDS}
        await actions.write(uow, row.id, version, kind=form.text("kind"), topic_id=topic_id, words=words)

    return await save(request, "words", form, deed, again)


async def _save_picture(request: web.Request, form: Form, version: int) -> int:
    """Keep the picture that was chosen, or take the old one away; returns the version after that."""
    chosen = form.uploads("picture")
    if not chosen and not form.text("remove_picture"):
        return version
    async with runtime_of(request).database.reading() as session:
        row, _ = await visible(request, session, WRITE)
    if row.state != State.DRAFT or row.version != version:
        raise ConflictError(f"announcement {row.id} has changed")
    if not chosen:
        async with writing(request) as uow:
            return (await actions.picture(uow, row.id, version, None)).version
    return await _keep(request, row.id, version, chosen[0])


async def _keep(request: web.Request, announcement_id: str, version: int, upload: web.FileField) -> int:
    runtime, name = runtime_of(request), upload.filename
    most = runtime.settings.files.max_file_mb
    data = await asyncio.to_thread(upload.file.read, most * _MEGABYTE + 1)
    if len(data) > most * _MEGABYTE:
        raise InvalidInputError("picture", "too_large", name=name, most=most)
    try:
        picture = await asyncio.to_thread(read_picture, data)
    except PictureError as error:
        raise InvalidInputError("picture", error.reason, name=name) from error
    file_id = new_id()
    await runtime.blobs.put(blob_key(file_id), picture.data)
    if picture.thumbnail is not None:
        await runtime.blobs.put(f"{blob_key(file_id)}.thumb", picture.thumbnail)
    async with writing(request) as uow:
        row = await announcement_pictures.keep(uow, announcement_id, version, file_id, picture, name)
        return row.version


async def picture(request: web.Request) -> web.Response:
    """Answer with the picture of an announcement."""
    async with runtime_of(request).database.reading() as session:
        row, _ = await visible(request, session)
        found = await files.file(session, row.file_id) if row.file_id else None
    if found is None:
        raise NotFoundError("picture")
    return await give_out(request, found.key, found.media_type, found.name)
