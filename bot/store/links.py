"""Keep which private chat is which official's, which group is which unit's, and the codes that link them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, delete, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.access import Grant, Grants, Role
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.staff import StaffRoleRow, StaffRow
from bot.store.units import UnitRow


class StaffLinkRow(SQLModel, table=True):
    """One person of the office in one private chat; ended by being deleted, the audit log remembers it."""

    __tablename__ = "staff_links"
    __table_args__ = (UniqueConstraint("staff_id", "account_id"),)

    contact_id: str = Field(primary_key=True, foreign_key="contacts.id")
    account_id: str = Field(foreign_key="accounts.id")
    staff_id: str = Field(foreign_key="staff.id")
    linked_at: datetime


class UnitGroupRow(SQLModel, table=True):
    """One group chat that belongs to one unit."""

    __tablename__ = "unit_groups"
    __table_args__ = (UniqueConstraint("unit_id", "account_id"),)

    contact_id: str = Field(primary_key=True, foreign_key="contacts.id")
    account_id: str = Field(foreign_key="accounts.id")
    unit_id: str = Field(foreign_key="units.id")
    linked_by: str | None = Field(default=None, foreign_key="staff.id")
    linked_at: datetime


class LinkCodeRow(SQLModel, table=True):
    """One code of the console that links a chat once; `id` is its keyed fingerprint, `unit_id` set for a group's."""

    __tablename__ = "link_codes"
    __table_args__ = (Index("ix_link_codes_staff", "staff_id"),)

    id: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.id")
    unit_id: str | None = Field(default=None, foreign_key="units.id")
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """An active person of the office, the private chat they work from, and what they hold."""

    person: StaffRow
    account_id: str
    contact_id: str
    grants: Grants


async def official(session: AsyncSession, account_id: str, external_id: str) -> Linked | None:
    """Return who works from this person's chat; None for anybody who is no active official."""
    query = (
        select(StaffRow, StaffLinkRow)
        .join(StaffLinkRow, col(StaffLinkRow.staff_id) == col(StaffRow.id))
        .join(ContactRow, col(ContactRow.id) == col(StaffLinkRow.contact_id))
        .where(ContactRow.account_id == account_id, ContactRow.external_id == external_id, col(StaffRow.active))
        .execution_options(populate_existing=True)
    )
    found = (await session.exec(query)).first()
    if found is None:
        return None
    person, link = found
    return Linked(
        person, link.account_id, link.contact_id, (await _grants(session, [person.id])).get(person.id, Grants())
    )


async def in_chat(session: AsyncSession, contact_id: str) -> Linked | None:
    """Return who works from a private chat, by our id of it."""
    contact = await session.get(ContactRow, contact_id)
    return await official(session, contact.account_id, contact.external_id) if contact else None


async def of_person(session: AsyncSession, staff_id: str, account_id: str) -> Linked | None:
    """Return a person of the office as they are linked at an account; None when they are not (any more)."""
    query = select(StaffLinkRow.contact_id).where(
        StaffLinkRow.staff_id == staff_id, StaffLinkRow.account_id == account_id
    )
    contact_id = (await session.exec(query)).first()
    return await in_chat(session, contact_id) if contact_id else None


async def holders(session: AsyncSession, unit_ids: list[str]) -> list[Linked]:
    """Return active people with a role at one of the units and a chat that can be written to; their last chat only."""
    query = (
        select(StaffRow, StaffLinkRow)
        .join(StaffLinkRow, col(StaffLinkRow.staff_id) == col(StaffRow.id))
        .join(AccountRow, col(AccountRow.id) == col(StaffLinkRow.account_id))
        .join(ContactRow, col(ContactRow.id) == col(StaffLinkRow.contact_id))
        .where(
            col(StaffRow.active),
            AccountRow.state == "active",
            ContactRow.gone == "",
            col(StaffRow.id).in_(select(StaffRoleRow.staff_id).where(col(StaffRoleRow.unit_id).in_(unit_ids))),
        )
        .order_by(col(StaffLinkRow.linked_at), col(StaffLinkRow.contact_id))
    )
    found = {person.id: (person, link) for person, link in (await session.exec(query)).all()}
    held = await _grants(session, list(found))
    return [Linked(p, link.account_id, link.contact_id, held.get(p.id, Grants())) for p, link in found.values()]


async def _grants(session: AsyncSession, staff_ids: list[str]) -> dict[str, Grants]:
    query = (
        select(StaffRoleRow.staff_id, StaffRoleRow.role, UnitRow.path)
        .join(UnitRow, col(UnitRow.id) == col(StaffRoleRow.unit_id))
        .where(col(StaffRoleRow.staff_id).in_(staff_ids))
    )
    known = {role.value for role in Role}
    held: dict[str, tuple[Grant, ...]] = {}
    for staff_id, role, path in (await session.exec(query)).all():
        if role in known:
            held[staff_id] = (*held.get(staff_id, ()), Grant(Role(role), path))
    return {staff_id: Grants(grants) for staff_id, grants in held.items()}


async def anybody(session: AsyncSession) -> bool:
    """Say whether any chat at all is linked with the office."""
    query = select(StaffLinkRow.contact_id).limit(1)
    groups = select(UnitGroupRow.contact_id).limit(1)
    return (await session.exec(query)).first() is not None or (await session.exec(groups)).first() is not None


async def of_staff(session: AsyncSession, staff_id: str) -> list[tuple[StaffLinkRow, AccountRow, ContactRow]]:
    """Return the chats of a person, the last linked first."""
    query = (
        select(StaffLinkRow, AccountRow, ContactRow)
        .join(AccountRow, col(AccountRow.id) == col(StaffLinkRow.account_id))
        .join(ContactRow, col(ContactRow.id) == col(StaffLinkRow.contact_id))
        .where(StaffLinkRow.staff_id == staff_id)
        .order_by(col(StaffLinkRow.linked_at).desc())
    )
    return list((await session.exec(query)).all())


async def link(session: AsyncSession, contact_id: str) -> StaffLinkRow | None:
    """Return the link of one private chat."""
    return await session.get(StaffLinkRow, contact_id, populate_existing=True)


async def unlink(session: AsyncSession, *, staff_id: str, account_id: str = "", contact_id: str = "") -> list[str]:
    """End links of a person, all or those of one account or chat; returns the chats they were in."""
    wanted = [col(StaffLinkRow.staff_id) == staff_id]
    if account_id:
        wanted.append(col(StaffLinkRow.account_id) == account_id)
    if contact_id:
        wanted.append(col(StaffLinkRow.contact_id) == contact_id)
    statement = delete(StaffLinkRow).where(*wanted).returning(col(StaffLinkRow.contact_id))
    return list((await session.exec(statement)).scalars().all())


async def group(session: AsyncSession, contact_id: str) -> UnitGroupRow | None:
    """Return to which unit a group belongs."""
    return await session.get(UnitGroupRow, contact_id, populate_existing=True)


async def groups_of(session: AsyncSession, unit_ids: list[str]) -> list[tuple[UnitGroupRow, AccountRow, ContactRow]]:
    """Return the groups of units that can be written to, and the account each is a group of."""
    query = (
        select(UnitGroupRow, AccountRow, ContactRow)
        .join(AccountRow, col(AccountRow.id) == col(UnitGroupRow.account_id))
        .join(ContactRow, col(ContactRow.id) == col(UnitGroupRow.contact_id))
        .where(col(UnitGroupRow.unit_id).in_(unit_ids))
        .order_by(col(UnitGroupRow.linked_at))
    )
    return list((await session.exec(query)).all())


async def unlink_groups(
    session: AsyncSession, *, contact_id: str = "", unit_id: str = "", account_id: str = ""
) -> list[UnitGroupRow]:
    """End the link of one group, or of the groups of a unit (at one account); returns what was ended."""
    wanted = []
    if contact_id:
        wanted.append(col(UnitGroupRow.contact_id) == contact_id)
    if unit_id:
        wanted.append(col(UnitGroupRow.unit_id) == unit_id)
    if account_id:
        wanted.append(col(UnitGroupRow.account_id) == account_id)
    if not wanted:
        return []
    rows = list((await session.exec(select(UnitGroupRow).where(*wanted).with_for_update())).all())
    for row in rows:
        await session.delete(row)
    await session.flush()
    return rows


async def code(session: AsyncSession, code_id: str) -> LinkCodeRow | None:
    """Return one code by its fingerprint, locked for this transaction."""
    query = select(LinkCodeRow).where(LinkCodeRow.id == code_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def void_codes(session: AsyncSession, staff_id: str, at: datetime, *, groups: bool | None = None) -> None:
    """End the unused codes of a person: their own, those for groups, or with None both."""
    statement = update(LinkCodeRow).where(
        col(LinkCodeRow.staff_id) == staff_id, col(LinkCodeRow.used_at).is_(None), col(LinkCodeRow.expires_at) > at
    )
    if groups is not None:
        statement = statement.where(
            col(LinkCodeRow.unit_id).is_not(None) if groups else col(LinkCodeRow.unit_id).is_(None)
        )
    await session.exec(statement.values(expires_at=at))


async def forget_codes(session: AsyncSession, before: datetime) -> int:
    """Delete codes that ended before then."""
    return int((await session.exec(delete(LinkCodeRow).where(col(LinkCodeRow.expires_at) < before))).rowcount)
