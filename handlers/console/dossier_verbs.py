"""Do something to a dossier: each button of its page, with what was typed kept when it cannot be done."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.actions import apology_letters, dossier_settings, dossier_work
from bot.domain.access import Permission
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.letters import docx_of
from bot.store import dossiers
from bot.store.dossiers import DossierRow
from bot.store.unit_of_work import UnitOfWork
from handlers.console.dossier import Typed, page
from handlers.console.dossier_scope import REVEAL, WORK, day_in, visible_dossier
from handlers.console.media import disposition
from handlers.console.page import Form, form_of, of, runtime_of, see_other, visit_of, writing

Deed = Callable[[UnitOfWork, DossierRow, Form], Awaitable[str]]
_FIELDS = ("cause", "new_due", "who")
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def _act(request: web.Request, form_name: str, deed: Deed, permission: Permission = WORK) -> web.StreamResponse:
    """Run one deed in one transaction; on a conflict or a wrong field show the page again with everything typed."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            row = await visible_dossier(request, uow.session, permission)
            done = await deed(uow, row, form)
    except (InvalidInputError, ConflictError) as error:
        wrong = error if isinstance(error, InvalidInputError) else None
        typed = Typed(form_name, {name: form.text(name) for name in _FIELDS}, of(wrong) if wrong else {}, wrong is None)
        return await page(request, typed, 422 if wrong else 409)
    return see_other(f"/dossiers/{request.match_info['id']}", done=done)


async def late(request: web.Request) -> web.StreamResponse:
    """Tell why a dossier is late; with a new date it is put off, and the citizen gets an apology."""
    box = runtime_of(request).box

    async def deed(uow: UnitOfWork, row: DossierRow, form: Form) -> str:
        if not form.text("new_due"):
            await dossier_work.say_cause(uow, row, form.text("cause"))
            return "dossier_cause"
        await dossier_work.apologise(uow, box, row, form.text("cause"), day_in(form.text("new_due")))
        return "dossier_put_off"

    return await _act(request, "late", deed)


async def bind(request: web.Request) -> web.StreamResponse:
    """Bind people to a dossier, by their phone or the code of a case of theirs."""
    box, grants = runtime_of(request).box, visit_of(request).grants

    async def deed(uow: UnitOfWork, row: DossierRow, form: Form) -> str:
        await dossier_work.bind(uow, box, grants, row, form.text("who"))
        return "dossier_bound"

    return await _act(request, "bind", deed)


async def unbind(request: web.Request) -> web.StreamResponse:
    """End that a contact sees a dossier in full."""

    async def deed(uow: UnitOfWork, row: DossierRow, form: Form) -> str:
        await dossier_work.unbind(uow, row, form.text("contact"))
        return "dossier_unbound"

    return await _act(request, "bind", deed)


async def reveal(request: web.Request) -> web.StreamResponse:
    """Show name and phone once; that somebody looked is logged."""
    async with writing(request) as uow:
        row = await visible_dossier(request, uow.session, REVEAL)
        await dossier_work.reveal(uow, row)
    return await page(request, Typed(revealed=True))


async def letter(request: web.Request) -> web.StreamResponse:
    """Give out the letter of an apology as a docx document; that it was taken is logged, since it names the person."""
    runtime = runtime_of(request)
    async with writing(request) as uow:
        row = await visible_dossier(request, uow.session, WORK)
        notes = await dossiers.notes(uow.session, row.id)
        note = next((one for one in notes if one.id == request.match_info["note"] and one.kind == "apology"), None)
        if note is None:
            raise NotFoundError("apology")
        dossier_work.letter_taken(uow, row, note)
        chain = await dossier_settings.chain_of(uow.session, row.unit_id)
        name = runtime.box.open(row.applicant) if row.applicant else ""
        written = apology_letters.letter(row, note, name, chain)
    headers = {
        "Content-Disposition": disposition("attachment", f"Xin lỗi {row.code}.docx"),
        "Cache-Control": "no-store",
    }
    return web.Response(body=docx_of(written), content_type=_DOCX, headers=headers)
