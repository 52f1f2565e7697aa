"""Keep what was asked and said about two contacts being one person: offers, promises, joins and their undoing."""

from datetime import datetime

from sqlalchemy import Index, or_, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class JoinRow(SQLModel, table=True):
    """One question to `contact_id` whether `other_id` is the same person.

    `state` is asked | promised | joined | refused | undone | lapsed. Once promised, `code` is the fingerprint of what
    has to be typed at `other_id` before `until`, and `tries` counts the wrong ones.
    """

    __tablename__ = "contact_joins"
    __table_args__ = (
        Index("ix_contact_joins_contact", "contact_id", "state"),
        Index("ix_contact_joins_other", "other_id", "state"),
    )

    id: str = Field(primary_key=True)
    contact_id: str = Field(foreign_key="contacts.id")
    other_id: str = Field(foreign_key="contacts.id")
    state: str = "asked"
    code: str = ""
    tries: int = 0
    created_at: datetime
    until: datetime
    decided_at: datetime | None = None


async def asked(session: AsyncSession, contact_id: str, now: datetime) -> JoinRow | None:
    """Return the question that this contact has not answered yet."""
    query = select(JoinRow).where(JoinRow.contact_id == contact_id, JoinRow.state == "asked", col(JoinRow.until) > now)
    return (await session.exec(query.order_by(col(JoinRow.created_at).desc()))).first()


async def promised_to(session: AsyncSession, other_id: str, now: datetime) -> list[JoinRow]:
    """Return what others have promised about this contact and it has not confirmed, locked for this transaction."""
    query = select(JoinRow).where(JoinRow.other_id == other_id, JoinRow.state == "promised", col(JoinRow.until) > now)
    query = query.order_by(col(JoinRow.id)).with_for_update().execution_options(populate_existing=True)
    return list((await session.exec(query)).all())


async def end(
    session: AsyncSession, contact_id: str, states: tuple[str, ...], state: str, now: datetime, *, both: bool = False
) -> None:
    """Bring what this contact was asked, with `both` also what was asked about it, from some states to another."""
    concerned = [col(JoinRow.contact_id) == contact_id, *([col(JoinRow.other_id) == contact_id] if both else [])]
    statement = update(JoinRow).where(or_(*concerned), col(JoinRow.state).in_(states))
    await session.exec(
        statement.values(state=state, code="", decided_at=now).execution_options(synchronize_session="fetch")
    )
