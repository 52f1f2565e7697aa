"""Set from the page of a case what its sender is known by: villages and tags."""

from aiohttp import web

from bot.actions import marks
from bot.domain.access import Permission
from bot.domain.text import clean
from bot.errors import InvalidInputError, NotFoundError
from bot.store import contacts
from bot.store.contacts import ContactRow
from bot.store.unit_of_work import UnitOfWork
from handlers.console.case import Typed, page
from handlers.console.case_access import visible_case
from handlers.console.page import Form, form_of, of, see_other, writing

TAB = "sender"


async def save(request: web.Request) -> web.StreamResponse:
    """Change what was changed on the form; what a colleague has set meanwhile stays."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            case = await visible_case(request, uow.session, Permission.CASE_WORK)
            contact = await contacts.contact(uow.session, case.contact_id)
            if contact is None or contact.erased_at is not None or contact.anonymous:
                raise NotFoundError("sender")
            await _change_areas(uow, contact, form)
            await _change_tags(uow, contact, form)
            uow.announce(f"case:{case.id}")
    except InvalidInputError as error:
        fields = {name: form.text(name) for name in ("area_id", "tags")}
        return await page(request, Typed(tab=TAB, fields=fields, errors=of(error)), 422)
    return see_other(f"/cases/{case.id}", done="saved")


async def _change_areas(uow: UnitOfWork, contact: ContactRow, form: Form) -> None:
    kept = set(form.texts("areas"))
    for area_id in form.texts("areas_before"):
        if area_id not in kept:
            await marks.unset_area(uow, contact, area_id)
    if form.text("area_id"):
        await marks.set_area(uow, contact, form.text("area_id"))


async def _change_tags(uow: UnitOfWork, contact: ContactRow, form: Form) -> None:
    before, wanted = _tags(form.text("tags_before")), _tags(form.text("tags"))
    for word in before:
        if word not in wanted:
            await marks.untag(uow, contact, word)
    for word in wanted:
        if word not in before:
            await marks.tag(uow, contact, word)


def _tags(text: str) -> list[str]:
    parts = (clean(part) for part in text.replace(";", ",").replace("\n", ",").split(","))
    return list(dict.fromkeys(marks.tag_word(part) for part in parts if part))
