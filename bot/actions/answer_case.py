"""Answer a case: drafted by an official, approved by the head, sent, and known to have arrived."""

from bot import render
from bot.actions import case_clock
from bot.actions.case_trail import audit, move, note
from bot.actions.live import begin_live
from bot.actions.messages import say, take_back
from bot.actions.work_case import MIN_REASON, load, needed, people_of
from bot.domain.case import MIN_ANSWER_LENGTH, CaseState, Verb
from bot.domain.conversation import Step
from bot.domain.message import Media, Message
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.store import accounts, cases, contacts, files, units
from bot.store.cases import AnswerRow, CaseEventRow, CaseRow
from bot.store.contacts import ContactRow
from bot.store.files import FileRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow

MAX_PROOFS = 5


async def approval_needed(uow: UnitOfWork, unit: UnitRow) -> bool:
    """Say whether answers of a unit need its head's approval: yes, unless it or a unit above switched that off."""
    for above in await units.above(uow.session, unit):
        if "approval" in above.settings:
            return bool(above.settings["approval"])
    return True


async def submit(
    uow: UnitOfWork,
    case_id: str,
    version: int | None,
    text: str,
    file_ids: list[str],
    undo_seconds: int,
    live_minutes: int,
) -> AnswerRow:
    """Put an answer before the head, or send it where no approval is needed.

    Raises InvalidInputError for a text that says nothing, more than MAX_PROOFS files, or a field category without a
    photo of the result.
    """
    case = await load(uow, case_id, version)
    words = needed(text, "text", MIN_ANSWER_LENGTH)
    if len(file_ids) > MAX_PROOFS:
        raise InvalidInputError("files", "too_many", most=MAX_PROOFS)
    attached = await files.files(uow.session, file_ids)
    category = await units.category(uow.session, case.category_id)
    _, _, unit = await people_of(uow, case)
    if category is not None and category.field_work and not any(f.media_type.startswith("image/") for f in attached):
        raise InvalidInputError("files", "photo_needed")
    if case.accepted_at is None:
        await case_clock.accepted(uow, case, unit)
    await case_clock.resume(uow, case, unit)
    case.owner_id = case.owner_id or uow.actor.id
    for row in attached:
        row.case_id = row.case_id or case.id
    assert uow.actor.id is not None
    answer = AnswerRow(
        id=uow.new_id(),
        case_id=case.id,
        text=words,
        file_ids=[f.id for f in attached],
        author_id=uow.actor.id,
        created_at=uow.now,
    )
    uow.session.add(answer)
    await uow.session.flush()
    move(uow, case, Verb.SUBMIT, data={"answer": answer.id})
    if not await approval_needed(uow, unit):
        await _send(uow, case, answer, undo_seconds, live_minutes)
    return answer


async def _submitted(uow: UnitOfWork, case: CaseRow) -> AnswerRow:
    waiting = [a for a in await cases.answers(uow.session, case.id) if a.state == "submitted"]
    if not waiting:
        raise ConflictError(f"case {case.code} has no answer waiting")
    return waiting[-1]


async def approve(
    uow: UnitOfWork, case_id: str, version: int | None, undo_seconds: int, live_minutes: int
) -> CaseEventRow:
    """Approve the waiting answer: it leaves in the Committee's name, once the time for taking back has passed."""
    case = await load(uow, case_id, version)
    return await _send(uow, case, await _submitted(uow, case), undo_seconds, live_minutes)


async def send_back(uow: UnitOfWork, case_id: str, version: int | None, remark: str) -> CaseRow:
    """Return the waiting answer to its author with a remark."""
    case = await load(uow, case_id, version)
    words = needed(remark, "remark", 1)
    answer = await _submitted(uow, case)
    answer.state, answer.remark, answer.approver_id, answer.decided_at = "sent_back", words, uow.actor.id, uow.now
    move(uow, case, Verb.SEND_BACK, reason=words, data={"answer": answer.id})
    return case


async def _send(
    uow: UnitOfWork, case: CaseRow, answer: AnswerRow, undo_seconds: int, live_minutes: int
) -> CaseEventRow:
    account, contact, unit = await people_of(uow, case)
    attached = await files.files(uow.session, answer.file_ids)
    ids: list[str] = []
    for message in _answer_messages(case, unit, answer, attached):
        ids += await say(
            uow,
            account,
            contact,
            message,
            purpose="answer",
            case_id=case.id,
            author="staff",
            delay=undo_seconds,
            protected=(case.code,),
        )
    answer.state, answer.approver_id, answer.decided_at, answer.outbox_ids = "approved", uow.actor.id, uow.now, ids
    begin_live(uow, contact, live_minutes, case.id)
    data = {"answer": answer.id, "outbox_ids": ids}
    return move(uow, case, Verb.APPROVE, data=data, undo_seconds=undo_seconds)


def _answer_messages(case: CaseRow, unit: UnitRow, answer: AnswerRow, attached: list[FileRow]) -> list[Message]:
    values = {"code": case.code, "unit": unit.name, "answer": answer.text}
    text = render.message("citizen/answer", values)
    proofs = [Message(media=Media(f.id, _kind(f), f.name)) for f in attached]
    return [text, *proofs]


def _kind(row: FileRow) -> str:
    return "image" if row.media_type.startswith("image/") else "file"


async def take_answer_back(uow: UnitOfWork, case_id: str, event_id: str) -> CaseRow:
    """Undo an approval while nothing has left; raises ConflictError when something has.

    The answer waits for approval again; where none is needed, the case is back with whoever works on it.
    """
    case = await load(uow, case_id, None)
    event = await cases.event(uow.session, event_id)
    if event is None or event.case_id != case.id or event.kind != Verb.APPROVE.value or event.undone_at is not None:
        raise NotFoundError(f"event {event_id}")
    answer = await cases.answer(uow.session, event.data["answer"])
    if case.state != CaseState.APPROVED or answer is None or not await take_back(uow, answer.outbox_ids):
        raise ConflictError("the answer has left")
    _, contact, unit = await people_of(uow, case)
    waits = await approval_needed(uow, unit)
    answer.state, answer.outbox_ids = "submitted" if waits else "taken_back", []
    answer.approver_id = answer.decided_at = contact.human_until = None
    event.undone_at, event.undo_until = uow.now, None
    case.state = (CaseState.DRAFTED if waits else CaseState.IN_PROGRESS).value
    case.version += 1
    note(uow, case, "taken_back", from_state=CaseState.APPROVED.value)
    return case


async def delivered(uow: UnitOfWork, message: OutboxRow, all_sent: bool) -> None:
    """Note that a part of an answer has left; with the last one the case is answered and rating is asked for."""
    if message.case_id is None or not all_sent:
        return
    case = await cases.lock_with_contact(uow.session, message.case_id)
    answer = await cases.approved_of(uow.session, message.id, message.case_id)
    if case is None or answer is None or case.state != CaseState.APPROVED:
        return
    answer.state = "sent"
    move(uow, case, Verb.DELIVERED, data={"answer": answer.id})
    case.answered_at = uow.now
    case.first_answered_at = case.first_answered_at or uow.now
    account, contact, _ = await people_of(uow, case)
    contact.human_until = None
    await _ask_rating(uow, case, contact)
    for joined in await cases.merged_into(uow.session, case.id):
        await _tell_joined(uow, joined, answer)
    audit(uow, "answer.sent", f"case:{case.id}", {"account": account.name})


async def _ask_rating(uow: UnitOfWork, case: CaseRow, contact: ContactRow) -> None:
    account = await accounts.account(uow.session, case.account_id)
    assert account is not None
    message = render.message("citizen/rate", {"code": case.code})
    await say(uow, account, contact, message, purpose="rate", case_id=case.id)
    conversation = await contacts.conversation(uow.session, contact.id)
    if conversation is not None:
        facts: dict[str, object] = {"rate": case.id}
        if conversation.state == Step.IDLE:
            facts["buttons"] = [button.payload for button in message.buttons]
        kept = {k: v for k, v in conversation.data.items() if k not in {"replying", "replying_until"}}
        conversation.data = {**kept, **facts}


async def _tell_joined(uow: UnitOfWork, joined: CaseRow, answer: AnswerRow) -> None:
    account, contact, unit = await people_of(uow, joined)
    for message in _answer_messages(joined, unit, answer, await files.files(uow.session, answer.file_ids)):
        await say(uow, account, contact, message, purpose="joined_answer", case_id=joined.id, author="staff")
    joined.answered_at = uow.now
    note(uow, joined, "joined_answer", from_state=joined.state, data={"answer": answer.id})


async def undeliverable(uow: UnitOfWork, message: OutboxRow) -> None:
    """Note on the case that a message to its sender could not be delivered, so that somebody calls instead."""
    if message.case_id is None:
        return
    case = await cases.lock_with_contact(uow.session, message.case_id)
    if case is not None:
        note(uow, case, "undeliverable", reason=message.reason, data={"outbox": message.id}, from_state=case.state)


async def told_otherwise(uow: UnitOfWork, case_id: str, version: int | None, how: str) -> CaseRow:
    """Record that an undeliverable answer reached the citizen by phone or in person; the case counts as answered.

    Whoever was joined to it was not on the phone: they get the answer itself.
    """
    case = await load(uow, case_id, version)
    words = needed(how, "how", MIN_REASON)
    answers = [a for a in await cases.answers(uow.session, case.id) if a.state == "approved"]
    for answer in answers:
        answer.state = "sent"
    move(uow, case, Verb.TOLD_OTHERWISE, reason=words)
    case.answered_at = uow.now
    case.first_answered_at = case.first_answered_at or uow.now
    for answer in answers[-1:]:
        for joined in await cases.merged_into(uow.session, case.id):
            await _tell_joined(uow, joined, answer)
    return case
