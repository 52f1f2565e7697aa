"""What a citizen does to a case: replies to a question, rates, remarks, reopens."""

from bot.actions import case_clock
from bot.actions.case_trail import move, note
from bot.domain.case import CaseState, Verb, may_reopen
from bot.domain.text import clean
from bot.store import cases, messages, units
from bot.store.cases import CaseRow
from bot.store.unit_of_work import UnitOfWork

DISSATISFIED = 1
MIN_REASON = 5


async def reply(uow: UnitOfWork, case: CaseRow, message_ids: list[str], text: str) -> None:
    """Put what the citizen wrote into the case; the first reply to a question lets the clock run again."""
    await messages.put_into_case(uow.session, message_ids, case.id)
    locked = await cases.lock(uow.session, case.id)
    assert locked is not None
    if locked.state == CaseState.WAITING_FOR_CITIZEN:
        unit = await units.unit(uow.session, locked.unit_id)
        assert unit is not None
        await case_clock.resume(uow, locked, unit)
        move(uow, locked, Verb.CITIZEN_REPLIED, data={"messages": message_ids})
    else:
        note(uow, locked, "citizen_wrote", data={"messages": message_ids, "empty": not text}, from_state=locked.state)


async def rate(uow: UnitOfWork, case_id: str, rating: int) -> CaseRow | None:
    """Keep a rating from 1 (worst) to 3; a satisfied one closes the case. None when there is nothing to rate."""
    case = await cases.lock(uow.session, case_id)
    if case is None or case.state not in {CaseState.ANSWERED, CaseState.CLOSED}:
        return None
    case.rating = rating
    note(uow, case, "rated", data={"rating": rating}, from_state=case.state)
    if rating > DISSATISFIED and case.state == CaseState.ANSWERED:
        move(uow, case, Verb.CLOSE)
        case.closed_at = uow.now
    return case


async def remark(uow: UnitOfWork, case_id: str, text: str) -> None:
    """Keep the free words that go with a rating."""
    case = await cases.lock(uow.session, case_id)
    if case is not None:
        case.rating_remark = clean(text)[:1000]
        note(uow, case, "remarked", reason=case.rating_remark, from_state=case.state)


async def dissatisfied(uow: UnitOfWork, case_id: str, reason: str, message_ids: list[str]) -> bool:
    """Reopen the same case once, with the citizen's reason, for the unit head; False when it was reopened before."""
    case = await cases.lock(uow.session, case_id)
    if case is None:
        return False
    await messages.put_into_case(uow.session, message_ids, case.id)
    case.rating_remark = clean(reason)[:1000]
    if not may_reopen(CaseState(case.state), case.reopened):
        note(uow, case, "still_dissatisfied", reason=case.rating_remark, from_state=case.state)
        return False
    unit = await units.unit(uow.session, case.unit_id)
    category = await units.category(uow.session, case.category_id)
    assert unit is not None
    assert category is not None
    case.reopened, case.escalated, case.owner_id, case.accepted_at, case.closed_at = 1, 0, None, None, None
    await case_clock.start(uow, case, unit, category)
    move(uow, case, Verb.REOPEN, reason=case.rating_remark)
    return True


async def close_unrated(uow: UnitOfWork, case_id: str) -> bool:
    """Close an answered case that nobody has rated in time."""
    case = await cases.lock(uow.session, case_id)
    if case is None or case.state != CaseState.ANSWERED:
        return False
    move(uow, case, Verb.CLOSE, reason="unrated")
    case.closed_at = uow.now
    return True
