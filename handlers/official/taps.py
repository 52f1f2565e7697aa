"""Do what the buttons of the desk stand for, by the permissions and actions of the console's."""

from bot.actions import answer_case, case_rights, official_cards, work_case
from bot.actions.official_audience import News
from bot.actions.official_card_text import shown_whole
from bot.domain.access import Permission
from bot.domain.card import VERBS, Kind, Press, Tap
from bot.domain.case import CaseState, allowed
from bot.errors import ConflictError, ForbiddenError, NotFoundError
from bot.store import cards, cases, units
from bot.store.cases import CaseRow
from handlers.official import drafts, hand_over, lists, photos
from handlers.official.duty import Duty


async def press(duty: Duty, tap: Tap) -> None:
    """Do what one press asks for; what cannot be done is told over the chat, with the state of the case."""
    if tap.press is Press.WORK:
        await lists.work_page(duty, tap.number or 0)
    elif tap.press is Press.CANCEL:
        await drafts.cancel(duty, tap.ref)
    elif tap.press is Press.SHOW:
        await _show(duty, tap.ref)
    elif tap.press is Press.UNDO:
        await _undo(duty, tap.ref)
    elif tap.press is Press.PHOTOS:
        await _photos(duty, tap.ref)
    else:
        await _on_card(duty, tap)


async def _on_card(duty: Duty, tap: Tap) -> None:
    card = await cards.read(duty.uow.session, tap.ref)
    if card is None or card.chat_id != duty.chat.id:
        duty.toast("toast_old_button")
        return
    case = await _allowed(duty, card.case_id, case_rights.permission_for(VERBS[tap.press]))
    if case is None:
        return
    shown = None if tap.press in {Press.UNIT, Press.UNITS} else tap.number
    if not allowed(VERBS[tap.press], CaseState(case.state)) or (shown is not None and shown != case.version):
        await tell_state(duty, case.id)
        return
    await _do(duty, tap, case)


async def _photos(duty: Duty, card_id: str) -> None:
    """Send what the citizen attached and what waits to leave with the answer; never into a group."""
    card = await cards.read(duty.uow.session, card_id)
    if card is None or card.chat_id != duty.chat.id:
        duty.toast("toast_old_button")
        return
    if duty.group is not None:
        duty.toast("toast_elsewhere")
        return
    case = await _allowed(duty, card.case_id, Permission.CASE_READ)
    if case is not None and not await photos.send(duty, case):
        duty.toast("toast_no_photo")


async def _allowed(duty: Duty, case_id: str, permission: Permission) -> CaseRow | None:
    """Return a case that this official may do this to, in this chat; else say so over the chat."""
    try:
        case = await case_rights.case_for(duty.uow.session, duty.official.grants, case_id, permission)
    except (NotFoundError, ForbiddenError):
        duty.toast("toast_forbidden")
        return None
    if not duty.may_be_shown(case):
        duty.toast("toast_elsewhere")
        return None
    return case


async def _do(duty: Duty, tap: Tap, case: CaseRow) -> None:
    match tap.press:
        case Press.TAKE:
            await _take(duty, case)
        case Press.APPROVE:
            await _approve(duty, case)
        case Press.ANSWER:
            await drafts.begin(duty, case, "answer")
        case Press.ASK:
            await drafts.begin(duty, case, "ask")
        case Press.SEND_BACK:
            await drafts.begin(duty, case, "send_back", version=case.version)
        case Press.HAND_OVER:
            await hand_over.offer(duty, case, tap.ref, 0)
        case Press.UNITS:
            await hand_over.offer(duty, case, tap.ref, tap.number or 0, again=True)
        case _:
            await hand_over.choose(duty, case, tap.ref, tap.extra)


async def tell_state(duty: Duty, case_id: str) -> None:
    """Say over the chat how a case stands now, since what was pressed is not possible any more."""
    case = await cases.case(duty.uow.session, case_id)
    assert case is not None
    unit = await units.unit(duty.uow.session, case.unit_id)
    duty.toast("toast_state", code=case.code, state=case.state, unit=unit.name if unit else "")


async def _take(duty: Duty, case: CaseRow) -> None:
    code = case.code
    try:
        async with duty.uow.attempt():
            await work_case.accept(duty.uow, case.id, case.version)
    except ConflictError:
        await tell_state(duty, case.id)
    else:
        duty.toast("toast_taken", code=code)


async def _approve(duty: Duty, case: CaseRow) -> None:
    """Approve what the card showed: an answer of which it had room for a part is approved in the console."""
    waiting = [a for a in await cases.answers(duty.uow.session, case.id) if a.state == "submitted"]
    if any(not shown_whole(answer.text) for answer in waiting[-1:]):
        duty.toast("toast_long_answer")
        return
    talk = duty.desk.settings
    try:
        async with duty.uow.attempt():
            event = await answer_case.approve(duty.uow, case.id, case.version, talk.undo_seconds, talk.live_minutes)
    except ConflictError:
        await tell_state(duty, case.id)
        return
    await drafts.say_leaving(duty, "approved", case.code, event.id)


async def _undo(duty: Duty, event_id: str) -> None:
    """Take back what has not left yet, by the console's rule of who may."""
    event = await cases.event(duty.uow.session, event_id)
    case = await _allowed(duty, event.case_id, Permission.CASE_READ) if event is not None else None
    if event is None:
        duty.toast("toast_old_button")
    if event is None or case is None:
        return
    code = case.code
    try:
        async with duty.uow.attempt():
            await case_rights.undo(duty.uow, duty.official.grants, case, event_id)
    except ForbiddenError:
        duty.toast("toast_forbidden")
    except (ConflictError, NotFoundError):
        duty.toast("toast_left")
    else:
        await duty.say("undone", edits=True, code=code)


async def _show(duty: Duty, case_id: str) -> None:
    """Send the card of a case that a list named."""
    case = await _allowed(duty, case_id, Permission.CASE_READ)
    if case is not None:
        await official_cards.show(duty.uow, duty.office, case, duty.as_chat, News(Kind.ASKED))
