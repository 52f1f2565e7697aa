"""Say which cases exist for whoever looks at a page of the console."""

from aiohttp import web

from bot.actions import case_rights
from bot.domain.access import Permission
from bot.store.cases import CaseRow
from bot.store.database import Session
from handlers.console.page import visit_of
from handlers.keys import Visit


def may_see(visit: Visit, case: CaseRow) -> bool:
    """Say whether a case exists for this person."""
    return case_rights.may_see(visit.grants, case)


async def visible_case(request: web.Request, session: Session, permission: Permission) -> CaseRow:
    """Return the case of the address; NotFoundError when it must not be known, ForbiddenError when only read."""
    return await case_rights.case_for(session, visit_of(request).grants, request.match_info["id"], permission)
