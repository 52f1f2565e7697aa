"""Keep how far the import of an account's followers has come, and write down whom it finds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow

_CONTACTS = ContactRow.metadata.tables["contacts"]
RUNNING, DONE, FAILED = "running", "done", "failed"


class FollowerImportRow(SQLModel, table=True):
    """The import of one account's followers; `state` is running | done | failed.

    `plan` holds the lists that are left, `cursor` the offset within the first of them; `beyond` says that the
    provider's list ended before the followers did. `told` is how many there are as the provider says, `found` how many
    are known, `made` how many of them were not known before.
    """

    __tablename__ = "follower_imports"

    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    state: str = "running"
    plan: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    cursor: int = 0
    told: int = 0
    found: int = 0
    made: int = 0
    beyond: bool = False
    error: str = ""
    begun_at: datetime
    progress_at: datetime
    ended_at: datetime | None = None


async def all_imports(session: AsyncSession) -> dict[str, FollowerImportRow]:
    """Return the last import of every account that had one, by account."""
    return {row.account_id: row for row in (await session.exec(select(FollowerImportRow))).all()}


async def running(session: AsyncSession) -> list[tuple[FollowerImportRow, AccountRow]]:
    """Return the imports that are not through, with their accounts, the one first that has rested longest."""
    query = (
        select(FollowerImportRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(FollowerImportRow.account_id))
        .where(FollowerImportRow.state == RUNNING)
        .order_by(col(FollowerImportRow.progress_at))
    )
    return list((await session.exec(query)).all())


async def locked(session: AsyncSession, account_id: str) -> FollowerImportRow | None:
    """Return the import of an account, locked until this transaction ends."""
    query = select(FollowerImportRow).where(FollowerImportRow.account_id == account_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def known(session: AsyncSession, account_id: str) -> int:
    """Count the people who are known to follow an account."""
    query = select(func.count()).where(
        col(ContactRow.account_id) == account_id, col(ContactRow.following), ContactRow.kind == "person"
    )
    return int((await session.exec(query)).one())


async def meet(session: AsyncSession, account_id: str, ids: Mapping[str, str], at: datetime) -> int:
    """Make a contact for each follower who is not known; `ids` maps the provider's ids to ours. Returns how many."""
    if not ids:
        return 0
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # In order, so that two who meet the same people at the same time do not wait for each other.
    people = [
        ContactRow(id=ids[known], account_id=account_id, external_id=known, following=True, created_at=at)
        for known in sorted(ids)
    ]
    statement = insert(_CONTACTS).on_conflict_do_nothing(index_elements=["account_id", "external_id"])
    connection = await session.connection()
    made = await connection.execute(statement.returning(_CONTACTS.c.id), [person.model_dump() for person in people])
    return len(made.all())


async def follow(session: AsyncSession, account_id: str, external_ids: list[str]) -> int:
    """Note that people follow an account, those who were erased left out; returns of how many that is news."""
    news = (*_these(account_id, external_ids), ~col(ContactRow.following))
    await _lock(session, *news)
    return int((await session.exec(update(ContactRow).where(*news).values(following=True))).rowcount)


async def heard(session: AsyncSession, account_id: str, external_ids: list[str], since: datetime) -> None:
    """Note that people have interacted at `since` or later, where nothing later is known."""
    last = col(ContactRow.last_interaction_at)
    news = (*_these(account_id, external_ids), or_(last.is_(None), last < since))
    await _lock(session, *news)
    await session.exec(update(ContactRow).where(*news).values(last_interaction_at=since))


def _these(account_id: str, external_ids: list[str]) -> tuple[ColumnElement[bool], ...]:
    mine = col(ContactRow.account_id) == account_id
    return mine, col(ContactRow.external_id).in_(external_ids), col(ContactRow.erased_at).is_(None)


async def _lock(session: AsyncSession, *conditions: ColumnElement[bool]) -> None:
    """Hold contacts by id, the order in which everybody takes them."""
    query = select(ContactRow.id).where(*conditions).order_by(col(ContactRow.id))
    await session.exec(query.with_for_update())
