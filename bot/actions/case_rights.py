"""Say what somebody may do to a case, the same for every door through which officials come."""

from bot.actions import answer_case, work_case
from bot.domain.access import Grants, Permission
from bot.domain.case import MOVES, CaseState, Verb, allowed
from bot.errors import ForbiddenError, NotFoundError
from bot.store import cases
from bot.store.cases import CaseRow
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork


def may_see(grants: Grants, case: CaseRow) -> bool:
    """Say whether a case exists for whoever holds this: within their units, about conduct only for inspectors."""
    wanted = Permission.CASE_RESTRICTED if case.restricted else Permission.CASE_READ
    return grants.over(wanted, case.path)


async def case_for(session: Session, grants: Grants, case_id: str, permission: Permission) -> CaseRow:
    """Return a case; NotFoundError when it must not be known, ForbiddenError when it may only be read."""
    case = await cases.case(session, case_id)
    if case is None or not may_see(grants, case):
        raise NotFoundError("case")
    if not grants.over(permission, case.path):
        raise ForbiddenError(permission)
    return case


def permission_for(verb: Verb) -> Permission:
    """Return what a verb asks for; only for those that people may use."""
    permission = MOVES[verb].permission
    assert permission is not None
    return permission


def possible(grants: Grants, case: CaseRow) -> dict[str, bool]:
    """Return by verb whether a case in this state can be moved so by whoever holds this."""
    state = CaseState(case.state)
    return {
        verb.value: allowed(verb, state) and move.permission is not None and grants.over(move.permission, case.path)
        for verb, move in MOVES.items()
    }


async def undo(uow: UnitOfWork, grants: Grants, case: CaseRow, event_id: str) -> None:
    """Take back what has not left yet: whoever did it may, and whoever works on the case.

    Raises NotFoundError for an event of another case, ForbiddenError, and ConflictError when it has left.
    """
    event = await cases.event(uow.session, event_id)
    if event is None or event.case_id != case.id:
        raise NotFoundError("event")
    if event.actor_id != uow.actor.id and not grants.over(Permission.CASE_WORK, case.path):
        raise ForbiddenError("undo")
    if event.kind == Verb.ASK_BACK:
        await work_case.take_question_back(uow, case.id, event_id)
    else:
        await answer_case.take_answer_back(uow, case.id, event_id)
