"""Say which cases exist for whoever looks: within their units, and about conduct only for those who inspect it."""

from aiohttp import web

from bot.domain.access import Permission
from bot.errors import ForbiddenError, NotFoundError
from bot.store import cases
from bot.store.cases import CaseRow
from bot.store.database import Session
from handlers.console.page import visit_of
from handlers.keys import Visit


def may_see(visit: Visit, case: CaseRow) -> bool:
    """Say whether a case exists for this person."""
    wanted = Permission.CASE_RESTRICTED if case.restricted else Permission.CASE_READ
    return visit.grants.over(wanted, case.path)


async def visible_case(request: web.Request, session: Session, permission: Permission) -> CaseRow:
    """Return the case of the address; NotFoundError when it must not be known, ForbiddenError when only read."""
    visit = visit_of(request)
    case = await cases.case(session, request.match_info["id"])
    if case is None or not may_see(visit, case):
        raise NotFoundError("case")
    if not visit.grants.over(permission, case.path):
        raise ForbiddenError(permission)
    return case
