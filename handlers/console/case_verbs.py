"""Do something to a case: each button of the case page, with what was typed kept when it cannot be done."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.actions import answer_case, case_rights, work_case
from bot.domain.access import Permission
from bot.domain.case import CaseState, Level
from bot.domain.words import case_code
from bot.errors import ConflictError, InvalidInputError
from bot.store import cases
from bot.store.cases import CaseRow
from bot.store.unit_of_work import UnitOfWork
from handlers.console.case import Typed, files_of, page, phone_of
from handlers.console.case_access import may_see, visible_case
from handlers.console.page import Form, form_of, of, runtime_of, see_other, visit_of, writing
from handlers.console.upload import store_upload

Deed = Callable[[UnitOfWork, CaseRow, Form, int | None], Awaitable[object]]
_FIELDS = (
    "text",
    "question",
    "note",
    "reason",
    "basis",
    "agency",
    "into",
    "unit_id",
    "complained_unit_id",
    "owner_id",
    "level",
    "remark",
    "how",
)


async def _act(request: web.Request, permission: Permission, tab: str, done: str, deed: Deed) -> web.StreamResponse:
    """Run one deed in one transaction; on a conflict or a wrong field show the page again with everything typed."""
    form = await form_of(request)
    case_id = request.match_info["id"]
    try:
        async with writing(request) as uow:
            case = await visible_case(request, uow.session, permission)
            await deed(uow, case, form, form.number("version"))
    except InvalidInputError as error:
        return await page(request, await _typed(request, form, tab, error), 422)
    except ConflictError:
        typed = await _typed(request, form, tab)
        typed.conflict = True
        return await page(request, typed, 409)
    return await _after(request, case_id, done)


async def _after(request: web.Request, case_id: str, done: str) -> web.Response:
    """Go back to the case, or to the list when it now belongs to others."""
    async with runtime_of(request).database.reading() as session:
        case = await cases.case(session, case_id)
    if case is not None and may_see(visit_of(request), case):
        return see_other(f"/cases/{case_id}", done=done)
    return see_other("/", done=done)


async def _typed(request: web.Request, form: Form, tab: str, error: InvalidInputError | None = None) -> Typed:
    async with runtime_of(request).database.reading() as session:
        case = await visible_case(request, session, Permission.CASE_READ)
        kept = await files_of(session, case, form.texts("file_ids"))
    return Typed(
        tab=tab,
        fields={name: form.text(name) for name in _FIELDS},
        files=kept,
        errors=of(error) if error else {},
        seen_events=form.number("seen") or 0,
    )


async def accept(request: web.Request) -> web.StreamResponse:
    """Take a case on."""

    async def deed(uow: UnitOfWork, case: CaseRow, _form: Form, version: int | None) -> None:
        await work_case.accept(uow, case.id, version)

    return await _act(request, Permission.CASE_WORK, "answer", "accepted", deed)


async def answer(request: web.Request) -> web.StreamResponse:
    """Put an answer before the head, with its photos and files; one who may approve does both at once."""
    form = await form_of(request)
    talk = runtime_of(request).settings.conversation
    async with runtime_of(request).database.reading() as session:
        case = await visible_case(request, session, Permission.CASE_WORK)
        kept = await files_of(session, case, form.texts("file_ids"))
    try:
        for upload in form.uploads("files"):
            kept.append(await store_upload(request, case, upload))
    except InvalidInputError as error:
        typed = await _typed(request, form, "answer", error)
        typed.files = kept
        return await page(request, typed, 422)
    file_ids = [row.id for row in kept]
    try:
        async with writing(request) as uow:
            case = await visible_case(request, uow.session, Permission.CASE_WORK)
            version = form.number("version")
            await answer_case.submit(
                uow, case.id, version, form.text("text"), file_ids, talk.undo_seconds, talk.live_minutes
            )
            done = "submitted" if case.state == CaseState.DRAFTED else "sending"
            own = form.text("approve") and visit_of(request).grants.over(Permission.CASE_APPROVE, case.path)
            if own and done == "submitted":
                await answer_case.approve(uow, case.id, None, talk.undo_seconds, talk.live_minutes)
                done = "approved"
    except (InvalidInputError, ConflictError) as error:
        wrong = error if isinstance(error, InvalidInputError) else None
        typed = await _typed(request, form, "answer", wrong)
        typed.files, typed.conflict = kept, wrong is None
        return await page(request, typed, 409 if wrong is None else 422)
    return await _after(request, case.id, done)


async def ask_back(request: web.Request) -> web.StreamResponse:
    """Ask the citizen."""
    talk = runtime_of(request).settings.conversation

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, version: int | None) -> None:
        question = form.text("question")
        await work_case.ask_back(uow, case.id, version, question, talk.undo_seconds, talk.live_minutes)

    return await _act(request, Permission.CASE_WORK, "ask", "asked", deed)


async def hand_over(request: web.Request) -> web.StreamResponse:
    """Give the case to another unit or person."""

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, version: int | None) -> None:
        owner = form.text("owner_id") or None
        await work_case.hand_over(uow, case.id, version, form.text("unit_id"), owner, form.text("reason"))

    return await _act(request, Permission.CASE_ASSIGN, "hand_over", "assigned", deed)


async def name_complained_unit(request: web.Request) -> web.StreamResponse:
    """Say which unit a report about conduct complains of."""

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, version: int | None) -> None:
        await work_case.name_complained_unit(uow, case.id, version, form.text("complained_unit_id"))

    return await _act(request, Permission.CASE_RESTRICTED, "complained_unit", "saved", deed)


async def add_note(request: web.Request) -> web.StreamResponse:
    """Add a note for colleagues."""

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, _version: int | None) -> None:
        await work_case.add_note(uow, case.id, form.text("note"))

    return await _act(request, Permission.CASE_ASSIGN, "note", "noted", deed)


async def set_level(request: web.Request) -> web.StreamResponse:
    """Change how much time the case gets."""

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, version: int | None) -> None:
        level = form.text("level")
        if level not in {known.value for known in Level}:
            raise InvalidInputError("level", "unknown_level")
        await work_case.set_level(uow, case.id, version, level, form.text("reason"))

    return await _act(request, Permission.CASE_ASSIGN, "level", "level_set", deed)


async def refuse(request: web.Request) -> web.StreamResponse:
    """Refuse the case with reason and legal basis."""

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, version: int | None) -> None:
        await work_case.refuse(uow, case.id, version, form.text("reason"), form.text("basis"))

    return await _act(request, Permission.CASE_REFUSE, "refuse", "refused", deed)


async def forward(request: web.Request) -> web.StreamResponse:
    """Pass the case to an agency outside."""

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, version: int | None) -> None:
        await work_case.forward(uow, case.id, version, form.text("agency"), form.text("reason"))

    return await _act(request, Permission.CASE_REFUSE, "forward", "forwarded", deed)


async def merge(request: web.Request) -> web.StreamResponse:
    """Join the case to another one."""
    visit = visit_of(request)

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, version: int | None) -> None:
        code = case_code(form.text("into")) or ""
        target = await cases.by_code(uow.session, code) if code else None
        if target is None or not may_see(visit, target):
            raise InvalidInputError("into", "unknown_code")
        await work_case.merge(uow, case.id, version, code)

    return await _act(request, Permission.CASE_ASSIGN, "merge", "merged", deed)


async def approve(request: web.Request) -> web.StreamResponse:
    """Let the waiting answer leave in the Committee's name."""
    talk = runtime_of(request).settings.conversation

    async def deed(uow: UnitOfWork, case: CaseRow, _form: Form, version: int | None) -> None:
        await answer_case.approve(uow, case.id, version, talk.undo_seconds, talk.live_minutes)

    return await _act(request, Permission.CASE_APPROVE, "approve", "approved", deed)


async def send_back(request: web.Request) -> web.StreamResponse:
    """Return the waiting answer to its author."""

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, version: int | None) -> None:
        await answer_case.send_back(uow, case.id, version, form.text("remark"))

    return await _act(request, Permission.CASE_APPROVE, "send_back", "sent_back", deed)


async def told_otherwise(request: web.Request) -> web.StreamResponse:
    """Record that the citizen was told by phone or in person."""

    async def deed(uow: UnitOfWork, case: CaseRow, form: Form, version: int | None) -> None:
        await answer_case.told_otherwise(uow, case.id, version, form.text("how"))

    return await _act(request, Permission.CASE_WORK, "told", "told", deed)


async def undo(request: web.Request) -> web.StreamResponse:
    """Take back what has not left yet: whoever did it may, and whoever works on the case."""
    visit = visit_of(request)
    event_id = request.match_info["event"]

    async def deed(uow: UnitOfWork, case: CaseRow, _form: Form, _version: int | None) -> None:
        await case_rights.undo(uow, visit.grants, case, event_id)

    return await _act(request, Permission.CASE_READ, "answer", "undone", deed)


async def reveal_phone(request: web.Request) -> web.StreamResponse:
    """Show the citizen's phone once; that somebody looked is logged."""
    async with writing(request) as uow:
        case = await visible_case(request, uow.session, Permission.CONTACT_REVEAL)
        contact = await work_case.reveal_phone(uow, case.id)
        number = phone_of(runtime_of(request), contact)
    return await page(request, Typed(phone=number))
