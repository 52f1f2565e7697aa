"""What an official has begun in a chat: asked for, gathered, done by the console's actions, or told what is missing."""

from datetime import timedelta
from typing import Any

from bot.actions import answer_case, case_rights, work_case
from bot.actions.desk_drafts import give_up
from bot.domain.card import DRAFT_LIFE, Press, payload
from bot.domain.case import CaseState, Verb
from bot.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from bot.store import cases, desk_drafts, messages, units
from bot.store.cases import CaseRow
from bot.store.desk_drafts import DeskDraftRow
from bot.store.messages import AttachmentRow
from handlers.official.duty import Duty

VERBS = {"answer": Verb.SUBMIT, "ask": Verb.ASK_BACK, "hand_over": Verb.ASSIGN, "send_back": Verb.SEND_BACK}
PROMPTS = frozenset(
    {"ask_answer", "ask_question", "ask_reason", "ask_remark", "answer_words_missing", "draft_problem", "words_only"}
)
"""What the bot asks for words with: a reply to one of them is for the desk, even when what was begun is gone."""
_ASKS = {"answer": "ask_answer", "ask": "ask_question", "hand_over": "ask_reason", "send_back": "ask_remark"}
_LOOK_AGAIN = 2.0
"""Seconds between looks at whether the photos of an answer have been fetched."""


async def begin(duty: Duty, case: CaseRow, verb: str, *, edits: bool = False, **data: Any) -> None:
    """Ask for the words that a press needs; what was begun before in this chat is given up."""
    draft = await new(duty, case.id, verb, **data)
    category = await units.category(duty.uow.session, case.category_id)
    values = {
        "code": case.code,
        "unit": data.get("unit", ""),
        "photo": bool(category and category.field_work),
        "cancel": payload(Press.CANCEL, draft.id),
    }
    asked(draft, await duty.say(_ASKS[verb], edits=edits, quotes=True, **values))


async def new(duty: Duty, case_id: str, verb: str, **data: Any) -> DeskDraftRow:
    """Write down that something was begun."""
    before = await desk_drafts.begun(duty.uow.session, duty.staff_id, duty.chat.id)
    if before is not None:
        await give_up(duty.uow, before)
    draft = DeskDraftRow(
        id=duty.uow.new_id(),
        staff_id=duty.staff_id,
        account_id=duty.account.id,
        chat_id=duty.chat.id,
        case_id=case_id,
        verb=verb,
        data=data,
        created_at=duty.uow.now,
        updated_at=duty.uow.now,
    )
    duty.uow.session.add(draft)
    await duty.uow.session.flush()
    return draft


def asked(draft: DeskDraftRow, outbox_id: str | None) -> None:
    """Note the message that asked for words last; replies to the ones before it belong to the same draft."""
    draft.outbox_id = outbox_id
    draft.data = {**draft.data, "prompts": [*draft.data.get("prompts", []), outbox_id]}


def is_fresh(duty: Duty, draft: DeskDraftRow) -> bool:
    """Say whether somebody still has in mind what they have begun."""
    return draft.updated_at >= duty.uow.now - DRAFT_LIFE


async def cancel(duty: Duty, draft_id: str) -> None:
    """Give up what was begun, if it is this official's; the message that asked for it says so."""
    draft = await desk_drafts.begun(duty.uow.session, duty.staff_id, duty.chat.id)
    if draft is None or (draft_id and draft.id != draft_id):
        duty.toast("toast_old_button")
        return
    await give_up(duty.uow, draft)
    await duty.say("given_up", edits=True)


async def go_on(duty: Duty, draft: DeskDraftRow) -> None:
    """Do what was begun once its words, and for an answer its photos, are there."""
    draft.resume_at = None
    file_ids: list[str] = []
    if draft.verb == "answer":
        attached = await _attached(duty, draft)
        if any(one.state == "pending" for one in attached):
            _wait(duty, draft, _LOOK_AGAIN)
            return
        lost = [one for one in attached if one.state == "failed"]
        if lost:
            await _lost(duty, draft, lost)
            return
        file_ids = [one.file_id for one in attached if one.file_id]
    words = str(draft.data.get("text", ""))
    if not words and file_ids:
        case = await cases.case(duty.uow.session, draft.case_id)
        values: dict[str, Any] = {"number": len(file_ids), "code": case.code if case else ""}
        asked(draft, await duty.say("answer_words_missing", **values))
        return
    await _finish(duty, draft, words, file_ids)


def wait_for_quiet(duty: Duty, draft: DeskDraftRow) -> None:
    """Go on by itself once no more photos arrive."""
    _wait(duty, draft, duty.desk.settings.quiet_seconds)


def _wait(duty: Duty, draft: DeskDraftRow, seconds: float) -> None:
    draft.resume_at = duty.uow.now + timedelta(seconds=seconds)
    duty.uow.after_commit("resume_conversations", seconds)


async def _attached(duty: Duty, draft: DeskDraftRow) -> list[AttachmentRow]:
    ids = [str(i) for i in draft.data.get("message_ids", [])]
    found = await messages.attachments_of(duty.uow.session, ids)
    return [one for message_id in ids for one in found.get(message_id, ())]


async def _lost(duty: Duty, draft: DeskDraftRow, lost: list[AttachmentRow]) -> None:
    """Say which files cannot be taken; the answer waits for better ones, its words are kept."""
    gone = {one.message_id for one in lost}
    kept = [i for i in draft.data.get("message_ids", []) if i not in gone]
    draft.data = {**draft.data, "message_ids": kept}
    first = lost[0]
    await _problem(duty, draft, InvalidInputError("files", first.failure or "technical", name=first.name))


async def _finish(duty: Duty, draft: DeskDraftRow, words: str, file_ids: list[str]) -> None:
    session, case_id = duty.uow.session, draft.case_id
    try:
        async with duty.uow.attempt():
            case = await duty.case_for(case_id, case_rights.permission_for(VERBS[draft.verb]))
            await _deed(duty, draft, case, words, file_ids)
    except InvalidInputError as error:
        await _problem(duty, draft, error)
        return
    except ConflictError:
        stands = await cases.case(session, case_id)
        assert stands is not None
        await duty.say("state_now", code=stands.code, state=stands.state)
    except (NotFoundError, ForbiddenError):
        await duty.say("forbidden")
    else:
        await _done(duty, draft)
        await session.delete(draft)
        return
    await give_up(duty.uow, draft)


async def _deed(duty: Duty, draft: DeskDraftRow, case: CaseRow, words: str, file_ids: list[str]) -> None:
    """Call the console's action on the case as it was when the right to it was checked, a moment ago."""
    uow, talk, version = duty.uow, duty.desk.settings, case.version
    match draft.verb:
        case "answer":
            await answer_case.submit(uow, case.id, version, words, file_ids, talk.undo_seconds, talk.live_minutes)
        case "ask":
            await work_case.ask_back(uow, case.id, version, words, talk.undo_seconds, talk.live_minutes)
        case "hand_over":
            await work_case.hand_over(uow, case.id, version, str(draft.data["unit_id"]), None, words)
        case _:
            await answer_case.send_back(uow, case.id, draft.data.get("version", version), words)


async def _done(duty: Duty, draft: DeskDraftRow) -> None:
    """Say what was done, with a button to take it back while that is possible."""
    case = await cases.case(duty.uow.session, draft.case_id)
    assert case is not None
    event = await cases.undoable(duty.uow.session, case.id, duty.uow.now)
    if draft.verb == "answer" and case.state == CaseState.DRAFTED:
        await duty.say("answer_submitted", code=case.code)
    elif draft.verb in {"answer", "ask"}:
        template = "answer_leaving" if draft.verb == "answer" else "question_leaving"
        await say_leaving(duty, template, case.code, event.id if event else "")
    elif draft.verb == "hand_over":
        await duty.say("handed_over", code=case.code, unit=str(draft.data.get("unit", "")))
    else:
        await duty.say("sent_back", code=case.code)


async def say_leaving(duty: Duty, template: str, code: str, event_id: str) -> None:
    """Say that something is about to leave, and offer to take it back while there is time for that."""
    seconds = duty.desk.settings.undo_seconds
    undo = payload(Press.UNDO, event_id) if seconds and event_id else ""
    await duty.say(template, code=code, seconds=seconds, undo=undo)


async def _problem(duty: Duty, draft: DeskDraftRow, error: InvalidInputError) -> None:
    """Say what is wrong; what was right is kept, so that only the rest has to be sent."""
    data = dict(draft.data)
    if error.field == "files" and error.code == "too_many":
        data.pop("message_ids", None)
    elif error.field != "files":
        data.pop("text", None)
    draft.data = data
    values: dict[str, Any] = {"code": error.code, "least": 0, "most": 0, "name": "", **error.details}
    values |= {"cancel": payload(Press.CANCEL, draft.id), "file": values.pop("name")}
    asked(draft, await duty.say("draft_problem", **values))
