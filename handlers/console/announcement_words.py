"""Write what an announcement says: kind and topic, words with merge fields, a button, a picture."""

import asyncio
import hmac

from aiohttp import web

from bot.actions import announcement_pictures
from bot.actions import announcements as actions
from bot.actions.announcement_pictures import blob_key
from bot.actions.announcement_senders import fields_known, free_text
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


async def _page(
    request: web.Request, errors: Errors, form: Form | None, status: int = 200, waiting: str = ""
) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        at = await step_of(request, session)
        if not isinstance(at, Step):
            return at
        known = await fields_known(session, at.row, NAME_FIELD)
        named = fields_of(await free_text(session, at.row))
        topics = await marks.topics(session, at.home)
        picture = await files.file(session, at.row.file_id) if at.row.file_id else None
        chosen = await files.file(session, waiting) if waiting and waiting != at.row.file_id else None
    values = {
        "typed": {name: form.text(name) if form else getattr(at.row, name) or "" for name in FIELDS},
        "kinds": [kind.value for kind in Kind],
        "topics": topics,
        "limits": LIMITS,
        "fields": sorted(known),
        "missing": sorted(named - known),
        "picture": picture,
        "chosen": chosen,
        "chosen_as": _token(request, waiting) if chosen else "",
        "most_mb": runtime_of(request).settings.files.max_file_mb,
    }
    return show(request, at, "words", values, errors, status)


async def submit(request: web.Request) -> web.Response:
    """Save the words; a picture that was chosen is kept even when the words are not right yet, or out of date."""
    form = await form_of(request)
    version, waiting = form.number("version") or 0, _waiting(request, form)

    async def again(errors: Errors, status: int) -> web.Response:
        return await _page(request, errors, form, status, waiting)

    try:
        if form.uploads("picture"):
            waiting = await _stored(request, form.uploads("picture")[0])
        version = await _save_picture(request, form, version, waiting)
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


def _token(request: web.Request, file_id: str) -> str:
    """Name a picture that waits to be saved in a way that only this announcement's form can have it from us."""
    signed = runtime_of(request).box.sign(f"picture {request.match_info['id']} {file_id}")
    return f"{file_id}.{signed}"


def _waiting(request: web.Request, form: Form) -> str:
    """Return the picture that was chosen before and could not be saved yet; "" for none, or one of somebody else."""
    given = form.text("chosen_picture")
    file_id = given.partition(".")[0]
    return file_id if file_id and hmac.compare_digest(given.encode(), _token(request, file_id).encode()) else ""


async def _save_picture(request: web.Request, form: Form, version: int, file_id: str) -> int:
    """Give the announcement the picture that was chosen, or take the old one away; returns the version after that."""
    if not file_id and not form.text("remove_picture"):
        return version
    async with writing(request) as uow:
        row, _ = await visible(request, uow.session, WRITE)
        if file_id and row.file_id == file_id:
            return version
        return (await actions.picture(uow, row.id, version, file_id or None)).version


async def _stored(request: web.Request, upload: web.FileField) -> str:
    """Keep a picture of which it is not known yet whether it can be saved; returns its id."""
    runtime, name = runtime_of(request), upload.filename
    async with runtime.database.reading() as session:
        row, _ = await visible(request, session, WRITE)
    if row.state != State.DRAFT:
        raise ConflictError(f"announcement {row.id} is {row.state}")
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
        await announcement_pictures.note(uow, file_id, picture, name)
    return file_id


async def picture(request: web.Request) -> web.Response:
    """Answer with the picture of an announcement."""
    async with runtime_of(request).database.reading() as session:
        row, _ = await visible(request, session)
        found = await files.file(session, row.file_id) if row.file_id else None
    if found is None:
        raise NotFoundError("picture")
    return await give_out(request, found.key, found.media_type, found.name)
