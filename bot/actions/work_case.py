"""What officials do to a case before it is answered: accept, hand over, ask back, note, refuse, forward, merge."""

from bot import render
from bot.actions import case_clock
from bot.actions.case_trail import audit, move, note
from bot.actions.live import begin_live
from bot.actions.messages import bot_says, say, take_back
from bot.clock import to_local
from bot.domain.case import CaseState, Level, Verb
from bot.domain.text import clean
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.store import accounts, cases, contacts, staff, units
from bot.store.accounts import AccountRow
from bot.store.cases import CaseEventRow, CaseRow
from bot.store.contacts import ContactRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow

MIN_QUESTION = 5
MIN_REASON = 5


async def load(uow: UnitOfWork, case_id: str, version: int | None) -> CaseRow:
    """Return a case locked for change; raises ConflictError when it is no longer the version that was shown."""
    case = await cases.lock_with_contact(uow.session, case_id)
    if case is None:
        raise NotFoundError(f"case {case_id}")
    if version is not None and case.version != version:
        raise ConflictError(f"case {case.code} has changed")
    return case


async def people_of(uow: UnitOfWork, case: CaseRow) -> tuple[AccountRow, ContactRow, UnitRow]:
    """Return the account a case came through, its sender and its unit."""
    account = await accounts.account(uow.session, case.account_id)
    contact = await contacts.contact(uow.session, case.contact_id)
    unit = await units.unit(uow.session, case.unit_id)
    assert account is not None
    assert contact is not None
    assert unit is not None
    return account, contact, unit


def needed(text: str, field: str, least: int) -> str:
    """Return cleaned words; raises InvalidInputError when there are fewer than `least` characters."""
    words = clean(text)
    if not words:
        raise InvalidInputError(field, "empty")
    if len(words) < least:
        raise InvalidInputError(field, "too_short", least=least)
    return words


async def accept(uow: UnitOfWork, case_id: str, version: int | None = None) -> CaseRow:
    """Take a case on: it is in progress, and mine."""
    case = await load(uow, case_id, version)
    unit = await units.unit(uow.session, case.unit_id)
    assert unit is not None
    case.owner_id = uow.actor.id
    if case.accepted_at is None:
        await case_clock.accepted(uow, case, unit)
    move(uow, case, Verb.ACCEPT)
    return case


async def hand_over(
    uow: UnitOfWork, case_id: str, version: int | None, unit_id: str, owner_id: str | None, reason: str
) -> CaseRow:
    """Give a case to another unit or person, with a reason; what is complained about and below never gets it."""
    case = await load(uow, case_id, version)
    words = needed(reason, "reason", MIN_REASON)
    unit = await _unit_of_tree(uow, case, unit_id, "unit_id")
    complained = await units.unit(uow.session, case.complained_unit_id) if case.complained_unit_id else None
    if complained is not None and unit.path.startswith(complained.path):
        raise InvalidInputError("unit_id", "complained_unit")
    before = await units.unit(uow.session, case.unit_id)
    person = await staff.person(uow.session, owner_id) if owner_id else None
    if owner_id and (person is None or not person.active):
        raise InvalidInputError("owner_id", "unknown_person")
    if case.unit_id == unit.id and case.owner_id == owner_id:
        raise InvalidInputError("unit_id", "same_unit")
    for answer in await cases.answers(uow.session, case.id):
        if answer.state == "submitted":
            answer.state, answer.decided_at = "taken_back", uow.now
    case.unit_id, case.path, case.owner_id = unit.id, unit.path, owner_id
    await case_clock.resume(uow, case, unit)
    await case_clock.recompute(uow, case, unit)
    data = {"from": before.name if before else "", "to": unit.name, "person": person.name if person else ""}
    move(uow, case, Verb.ASSIGN, reason=words, data=data)
    return case


async def _unit_of_tree(uow: UnitOfWork, case: CaseRow, unit_id: str, field: str) -> UnitRow:
    """Return a unit that exists today in the tree of the account's owner; raises InvalidInputError."""
    account, _, _ = await people_of(uow, case)
    home, unit = await units.unit(uow.session, account.unit_id), await units.unit(uow.session, unit_id)
    assert home is not None
    root = "/".join(home.path.split("/")[:2])
    if unit is None or not unit.path.startswith(f"{root}/") or not unit.holds_on(to_local(uow.now).date()):
        raise InvalidInputError(field, "unknown_unit")
    return unit


async def name_complained_unit(uow: UnitOfWork, case_id: str, version: int | None, unit_id: str) -> CaseRow:
    """Say which unit a report about conduct complains of, so that it never gets the case; "" takes that back."""
    case = await load(uow, case_id, version)
    if not case.restricted:
        raise NotFoundError(f"case {case_id} complains of no unit")
    unit = await _unit_of_tree(uow, case, unit_id, "complained_unit_id") if unit_id else None
    case.complained_unit_id = unit.id if unit else None
    case.version += 1
    note(uow, case, "complained_unit", data={"unit": unit.name if unit else ""}, from_state=case.state)
    return case


async def ask_back(
    uow: UnitOfWork, case_id: str, version: int | None, question: str, undo_seconds: int, live_minutes: int
) -> CaseEventRow:
    """Ask the citizen; the clock pauses until they answer, and what they write lands in this case."""
    case = await load(uow, case_id, version)
    words = needed(question, "question", MIN_QUESTION)
    account, contact, unit = await people_of(uow, case)
    if case.accepted_at is None:
        await case_clock.accepted(uow, case, unit)
    case.owner_id = case.owner_id or uow.actor.id
    await case_clock.pause(uow, case, unit)
    message = render.message("citizen/ask_back", {"code": case.code, "unit": unit.name, "question": words})
    ids = await say(
        uow,
        account,
        contact,
        message,
        purpose="ask_back",
        case_id=case.id,
        author="staff",
        delay=undo_seconds,
        protected=(case.code,),
    )
    begin_live(uow, contact, live_minutes, case.id)
    data = {"question": words, "outbox_ids": ids}
    return move(uow, case, Verb.ASK_BACK, data=data, undo_seconds=undo_seconds)


async def take_question_back(uow: UnitOfWork, case_id: str, event_id: str) -> CaseRow:
    """Undo asking back while the question has not left; raises ConflictError when it has."""
    case = await load(uow, case_id, None)
    event = await cases.event(uow.session, event_id)
    if event is None or event.case_id != case.id or event.kind != Verb.ASK_BACK.value or event.undone_at is not None:
        raise NotFoundError(f"event {event_id}")
    if case.state != CaseState.WAITING_FOR_CITIZEN or not await take_back(uow, event.data["outbox_ids"]):
        raise ConflictError("the question has left")
    _, contact, unit = await people_of(uow, case)
    await case_clock.resume(uow, case, unit)
    contact.human_until = None
    event.undone_at, event.undo_until = uow.now, None
    move(uow, case, Verb.TAKE_BACK)
    return case


async def add_note(uow: UnitOfWork, case_id: str, text: str) -> CaseEventRow:
    """Add a note for colleagues; the citizen never sees it."""
    case = await load(uow, case_id, None)
    return note(uow, case, "note", reason=needed(text, "note", 1), from_state=case.state)


async def set_level(uow: UnitOfWork, case_id: str, version: int | None, level: str, reason: str) -> CaseRow:
    """Change how much time a case gets, with a reason; raises ConflictError when the case is finished."""
    case = await load(uow, case_id, version)
    words = needed(reason, "reason", MIN_REASON)
    if case.state not in cases.OPEN:
        raise ConflictError(f"case {case.code} is finished")
    unit = await units.unit(uow.session, case.unit_id)
    category = await units.category(uow.session, case.category_id)
    assert unit is not None
    assert category is not None
    before, case.level = case.level, Level(level).value
    await case_clock.plan(uow, case, unit, category)
    case.version += 1
    note(uow, case, "level", reason=words, data={"from": before, "to": level}, from_state=case.state)
    return case


async def refuse(uow: UnitOfWork, case_id: str, version: int | None, reason: str, basis: str) -> CaseRow:
    """Refuse a case with reason and legal basis; the citizen is told both."""
    case = await load(uow, case_id, version)
    words = needed(reason, "reason", MIN_REASON)
    legal = needed(basis, "basis", MIN_REASON)
    account, contact, unit = await people_of(uow, case)
    values = {"code": case.code, "unit": unit.name, "reason": words, "basis": legal}
    await case_clock.resume(uow, case, unit)
    move(uow, case, Verb.REFUSE, reason=words, data={"basis": legal})
    await bot_says(uow, account, contact, "refused", values, case_id=case.id)
    await _tell_joined(uow, case, "refused", values)
    case.closed_at = uow.now
    contact.human_until = None
    return case


async def forward(uow: UnitOfWork, case_id: str, version: int | None, agency: str, reason: str) -> CaseRow:
    """Pass a case to an agency outside this installation; the citizen is told which."""
    case = await load(uow, case_id, version)
    where = needed(agency, "agency", MIN_REASON)
    words = needed(reason, "reason", MIN_REASON)
    account, contact, unit = await people_of(uow, case)
    values = {"code": case.code, "unit": unit.name, "agency": where, "reason": words}
    await case_clock.resume(uow, case, unit)
    move(uow, case, Verb.FORWARD, reason=words, data={"agency": where})
    await bot_says(uow, account, contact, "forwarded", values, case_id=case.id)
    await _tell_joined(uow, case, "forwarded", values)
    case.closed_at = uow.now
    return case


async def _tell_joined(uow: UnitOfWork, case: CaseRow, template: str, values: dict[str, str]) -> None:
    """Tell whoever was joined to a case how it ended, each under the code they know."""
    for joined in await cases.merged_into(uow.session, case.id):
        account, contact, _ = await people_of(uow, joined)
        note(uow, joined, "joined_told", data={"into": case.code}, reason=values["reason"], from_state=joined.state)
        joined.closed_at = uow.now
        told = {**values, "code": joined.code}
        await bot_says(uow, account, contact, template, told, case_id=joined.id)


async def merge(uow: UnitOfWork, case_id: str, version: int | None, into_code: str) -> CaseRow:
    """Join a case to another about the same thing; its sender, and whoever was joined to it, gets the same answer.

    Both cases are locked together, so that joins that cross do not wait for each other.
    """
    named = await cases.by_code(uow.session, into_code)
    if named is None or named.id == case_id:
        raise InvalidInputError("into", "unknown_code")
    await cases.lock_together(uow.session, [case_id, named.id])
    case, target = await load(uow, case_id, version), await load(uow, named.id, None)
    if target.restricted != case.restricted or target.state not in cases.OPEN:
        raise InvalidInputError("into", "not_joinable")
    account, contact, unit = await people_of(uow, case)
    await case_clock.resume(uow, case, unit)
    move(uow, case, Verb.MERGE, data={"into": target.code})
    followers = await cases.merged_into(uow.session, case.id)
    for joined in (case, *followers):
        joined.merged_into_id = target.id
        note(uow, target, "joined", data={"code": joined.code}, from_state=target.state)
    for follower in followers:
        note(uow, follower, Verb.MERGE.value, data={"into": target.code}, from_state=follower.state)
    await bot_says(uow, account, contact, "merged", {"code": case.code, "into": target.code}, case_id=case.id)
    return case


async def reveal_phone(uow: UnitOfWork, case_id: str) -> ContactRow:
    """Show a citizen's phone to an official; that somebody looked is logged."""
    case = await load(uow, case_id, None)
    contact = await contacts.contact(uow.session, case.contact_id)
    assert contact is not None
    audit(uow, "contact.reveal_phone", f"contact:{contact.id}", {"case": case.code})
    return contact
