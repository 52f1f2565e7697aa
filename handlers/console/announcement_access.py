"""Say which announcements exist for whoever looks, and what every page of one needs to know of its unit."""

from aiohttp import web

from bot.actions.case_clock import to_calendar
from bot.channels.registry import capabilities_of
from bot.domain.access import Permission
from bot.domain.calendar import WorkingCalendar
from bot.domain.message import Capabilities
from bot.errors import NotFoundError
from bot.runtime import ref
from bot.store import announcements, units
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.console.page import in_scope, visit_of

READ, WRITE, APPROVE = (
    Permission.ANNOUNCEMENT_READ,
    Permission.ANNOUNCEMENT_WRITE,
    Permission.ANNOUNCEMENT_APPROVE,
)


async def visible(
    request: web.Request, session: Session, permission: Permission = READ
) -> tuple[AnnouncementRow, UnitRow]:
    """Return the announcement of the address and its unit; raises NotFoundError where the permission does not reach."""
    row = await announcements.seen(session, request.match_info["id"])
    home = await units.unit(session, row.unit_id) if row else None
    if row is None or home is None:
        raise NotFoundError("announcement")
    in_scope(request, permission, home.path)
    return row, home


async def own_units(request: web.Request, session: Session) -> list[UnitRow]:
    """Return the units in whose name one may write, those that hold today."""
    grants = visit_of(request).grants
    return [u for u in await units.all_units(session) if u.valid_to is None and grants.over(WRITE, u.path)]


def able(account: AccountRow) -> Capabilities:
    """Say what an account can carry."""
    return capabilities_of(account.provider, ref(account))


async def calendar_of(session: Session, home: UnitRow) -> WorkingCalendar:
    """Return the calendar that holds for a unit; the product's default hours where none is set."""
    found = await units.calendar(session, home)
    return to_calendar(*found) if found else WorkingCalendar()


def tried(row: AnnouncementRow, **changes: object) -> AnnouncementRow:
    """Return an announcement as it would be with some choices changed, known to no database."""
    return AnnouncementRow(**{**row.model_dump(), **changes})
