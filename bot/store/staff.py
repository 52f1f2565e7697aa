"""Keep staff, what roles they hold, their sign-in sessions, and how often somebody guessed wrong."""

from datetime import datetime

from sqlalchemy import Index, delete, update
from sqlalchemy import case as sql_case
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.access import Grants, roles_from
from bot.store.units import UnitRow


class StaffRow(SQLModel, table=True):
    """One person who works in the console; `password` is an argon2id hash, `totp` an encrypted seed."""

    __tablename__ = "staff"

    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    name: str
    password: str
    totp: bytes | None = None
    totp_last: int = 0
    active: bool = True
    language: str = "vi"
    created_at: datetime


class StaffRoleRow(SQLModel, table=True):
    """One role held over a unit and what lies below it."""

    __tablename__ = "staff_roles"

    staff_id: str = Field(primary_key=True, foreign_key="staff.id")
    role: str = Field(primary_key=True)
    unit_id: str = Field(primary_key=True, foreign_key="units.id")


class SessionRow(SQLModel, table=True):
    """One sign-in; `id` is the SHA-256 of the cookie's token, so that a read database signs nobody in."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_staff", "staff_id"),)

    id: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.id")
    csrf: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str = ""
    agent: str = ""
    ended_at: datetime | None = None


class SignInAttemptRow(SQLModel, table=True):
    """How often signing in failed for one e-mail or one address: each failure doubles the wait."""

    __tablename__ = "sign_in_attempts"

    key: str = Field(primary_key=True)
    failures: int = 0
    last_at: datetime


async def by_email(session: AsyncSession, email: str) -> StaffRow | None:
    """Return one person by e-mail, lower-cased by the caller."""
    return (await session.exec(select(StaffRow).where(StaffRow.email == email))).first()


async def person(session: AsyncSession, staff_id: str) -> StaffRow | None:
    """Return one person."""
    return await session.get(StaffRow, staff_id)


async def all_staff(session: AsyncSession) -> list[StaffRow]:
    """Return everybody, by name."""
    return list((await session.exec(select(StaffRow).order_by(col(StaffRow.name)))).all())


async def people(session: AsyncSession, staff_ids: list[str]) -> dict[str, StaffRow]:
    """Return people by id."""
    if not staff_ids:
        return {}
    return {r.id: r for r in (await session.exec(select(StaffRow).where(col(StaffRow.id).in_(staff_ids)))).all()}


async def grants(session: AsyncSession, staff_id: str) -> Grants:
    """Return everything a person holds."""
    query = (
        select(StaffRoleRow.role, UnitRow.path)
        .join(UnitRow, col(UnitRow.id) == col(StaffRoleRow.unit_id))
        .where(StaffRoleRow.staff_id == staff_id)
    )
    return roles_from((await session.exec(query)).all())


async def roles(session: AsyncSession, staff_id: str) -> list[StaffRoleRow]:
    """Return the roles of a person."""
    return list((await session.exec(select(StaffRoleRow).where(StaffRoleRow.staff_id == staff_id))).all())


async def holders(session: AsyncSession, unit_ids: list[str]) -> list[tuple[StaffRow, str, str]]:
    """Return active people with a role at one of the units: person, role, unit id."""
    query = (
        select(StaffRow, StaffRoleRow.role, StaffRoleRow.unit_id)
        .join(StaffRoleRow, col(StaffRoleRow.staff_id) == col(StaffRow.id))
        .where(col(StaffRoleRow.unit_id).in_(unit_ids), col(StaffRow.active))
        .order_by(col(StaffRow.name))
    )
    return list((await session.exec(query)).all())


async def live_session(session: AsyncSession, session_id: str, now: datetime) -> tuple[SessionRow, StaffRow] | None:
    """Return a session that has not ended, with its person if still active."""
    query = (
        select(SessionRow, StaffRow)
        .join(StaffRow, col(StaffRow.id) == col(SessionRow.staff_id))
        .where(
            SessionRow.id == session_id,
            col(SessionRow.ended_at).is_(None),
            col(SessionRow.expires_at) > now,
            col(StaffRow.active),
        )
    )
    return (await session.exec(query)).first()


async def live_sessions(session: AsyncSession, staff_id: str, now: datetime) -> list[SessionRow]:
    """Return where a person is signed in, last used first."""
    query = select(SessionRow).where(
        SessionRow.staff_id == staff_id, col(SessionRow.ended_at).is_(None), col(SessionRow.expires_at) > now
    )
    return list((await session.exec(query.order_by(col(SessionRow.last_seen_at).desc()))).all())


async def touch_session(session: AsyncSession, session_id: str, now: datetime) -> None:
    """Note that a session was used."""
    await session.exec(update(SessionRow).where(col(SessionRow.id) == session_id).values(last_seen_at=now))


async def end_sessions(session: AsyncSession, staff_id: str, now: datetime, session_id: str | None = None) -> int:
    """End one session of a person, or all of them."""
    statement = update(SessionRow).where(col(SessionRow.staff_id) == staff_id, col(SessionRow.ended_at).is_(None))
    if session_id is not None:
        statement = statement.where(col(SessionRow.id) == session_id)
    return int((await session.exec(statement.values(ended_at=now))).rowcount)


async def attempts(session: AsyncSession, keys: list[str]) -> list[SignInAttemptRow]:
    """Return the failures noted for these keys, locked for this transaction."""
    query = select(SignInAttemptRow).where(col(SignInAttemptRow.key).in_(keys)).with_for_update()
    return list((await session.exec(query)).all())


async def note_attempt(session: AsyncSession, keys: list[str], at: datetime, forget_before: datetime) -> None:
    """Add one failure to each key; failures last noted before `forget_before` count no more."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    stale = col(SignInAttemptRow.last_at) < forget_before
    for key in sorted(keys):
        statement = insert(SignInAttemptRow).values(key=key, failures=1, last_at=at)
        failures = sql_case((stale, 1), else_=col(SignInAttemptRow.failures) + 1)
        await session.exec(
            statement.on_conflict_do_update(index_elements=["key"], set_={"failures": failures, "last_at": at})
        )


async def take_attempt_back(session: AsyncSession, key: str) -> None:
    """Take one failure back: the guess was right."""
    statement = update(SignInAttemptRow).where(col(SignInAttemptRow.key) == key, col(SignInAttemptRow.failures) > 0)
    await session.exec(statement.values(failures=SignInAttemptRow.failures - 1))


async def all_roles(session: AsyncSession) -> list[StaffRoleRow]:
    """Return who holds which role over which unit."""
    return list((await session.exec(select(StaffRoleRow))).all())


async def remove_role(session: AsyncSession, staff_id: str, role: str, unit_id: str) -> bool:
    """Take a role away; False when it was not held."""
    statement = delete(StaffRoleRow).where(
        col(StaffRoleRow.staff_id) == staff_id, col(StaffRoleRow.role) == role, col(StaffRoleRow.unit_id) == unit_id
    )
    return bool((await session.exec(statement)).rowcount)


async def forget_attempts(session: AsyncSession, keys: list[str]) -> None:
    """Forget failures after a success."""
    await session.exec(delete(SignInAttemptRow).where(col(SignInAttemptRow.key).in_(keys)))


async def clear_old(session: AsyncSession, before: datetime) -> int:
    """Delete sessions that ended or ran out before then, and failures last noted before then."""
    await session.exec(delete(SignInAttemptRow).where(col(SignInAttemptRow.last_at) < before))
    return int((await session.exec(delete(SessionRow).where(col(SessionRow.expires_at) < before))).rowcount)
