"""Read what the console shows of officials' linked chats and units' groups, and where a fresh code can be used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.channels.registry import capabilities_of, deep_link_of
from bot.clock import to_local
from bot.domain.access import Permission
from bot.runtime import ref
from bot.store import accounts, links
from bot.store.accounts import AccountRow
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.keys import Visit


@dataclass(frozen=True, slots=True)
class Chat:
    """One linked chat: at which account, who or what it is, since when; `unit` for a group."""

    account: str
    name: str
    since: datetime
    gone: bool
    unit: UnitRow | None = None


@dataclass(frozen=True, slots=True)
class Pocket:
    """What one may link: nothing where no account of the installation can."""

    possible: bool
    chats: tuple[Chat, ...] = ()
    groups: tuple[Chat, ...] = ()
    units: tuple[UnitRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """Where a code can be sent: an account's name, and the address that does it by itself, "" where there is none."""

    account: str
    address: str


@dataclass(frozen=True, slots=True)
class Made:
    """A fresh code, shown once; `unit` is whose group it is for, "" for one's own chat."""

    code: str
    minutes: int
    unit: str
    ways: tuple[Way, ...]


async def _desks(session: Session) -> list[AccountRow]:
    """Return the accounts through which officials can work."""
    rows = await accounts.all_accounts(session)
    return [row for row in rows if capabilities_of(row.provider, ref(row)).groups]


async def shown(session: Session, visit: Visit, tree: Sequence[UnitRow], now: datetime) -> Pocket:
    """Return a person's linked chats and the groups of the units whose groups they look after."""
    if not await _desks(session):
        return Pocket(possible=False)
    today = to_local(now).date()
    mine = [u for u in tree if visit.grants.over(Permission.UNIT_GROUP, u.path) and u.holds_on(today)]
    own = tuple(
        Chat(account.name, contact.name, link.linked_at, bool(contact.gone))
        for link, account, contact in await links.of_staff(session, visit.person.id)
    )
    return Pocket(True, own, await groups(session, mine), tuple(mine))


async def groups(session: Session, of: Sequence[UnitRow]) -> tuple[Chat, ...]:
    """Return the groups that belong to units."""
    by_id = {unit.id: unit for unit in of}
    return tuple(
        Chat(account.name, contact.name, group.linked_at, bool(contact.gone), by_id[group.unit_id])
        for group, account, contact in await links.groups_of(session, list(by_id))
    )


async def made(session: Session, code: str, minutes: int, unit: str = "") -> Made:
    """Return a fresh code with the ways in which it can be used."""
    desks = [row for row in await _desks(session) if row.state == "active"]
    ways = (Way(row.name, deep_link_of(row.provider, ref(row), code, group=bool(unit))) for row in desks)
    return Made(code, minutes, unit, tuple(ways))
