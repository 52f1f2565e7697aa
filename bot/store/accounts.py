"""Keep the accounts: one Official Account or bot each, what it is, and what was learnt about it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint, or_, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class AccountRow(SQLModel, table=True):
    """One OA or bot; `state` is active | stopped, `kind` state | business | ""."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("provider", "external_id"),)

    id: str = Field(primary_key=True)
    provider: str
    external_id: str
    name: str
    kind: str = ""
    unit_id: str = Field(foreign_key="units.id")
    state: str = "active"
    stopped_reason: str = ""
    stopped_detail: str = ""
    stopped_at: datetime | None = None
    active_since: datetime | None = None
    learnt: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    quota: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    last_update_at: datetime | None = None
    last_test_at: datetime | None = None
    created_at: datetime


async def all_accounts(session: AsyncSession) -> list[AccountRow]:
    """Return every account, by name."""
    return list((await session.exec(select(AccountRow).order_by(col(AccountRow.name)))).all())


async def account(session: AsyncSession, account_id: str) -> AccountRow | None:
    """Return one account by our id."""
    return await session.get(AccountRow, account_id)


async def by_external_id(session: AsyncSession, provider: str, external_id: str) -> AccountRow | None:
    """Return one account by the provider's id."""
    query = select(AccountRow).where(AccountRow.provider == provider, AccountRow.external_id == external_id)
    return (await session.exec(query)).first()


async def stop(
    session: AsyncSession, account_id: str, reason: str, detail: str, at: datetime, *, asked_at: datetime
) -> bool:
    """Stop an account because of what a request of `asked_at` was answered; True when that changed anything.

    An answer to a request from before somebody let the account work again says nothing about it now.
    """
    statement = (
        update(AccountRow)
        .where(
            col(AccountRow.id) == account_id,
            col(AccountRow.state) != "stopped",
            or_(col(AccountRow.active_since).is_(None), col(AccountRow.active_since) <= asked_at),
        )
        .values(state="stopped", stopped_reason=reason, stopped_detail=detail, stopped_at=at)
    )
    result = await session.exec(statement)
    return bool(result.rowcount)


def let_in(row: AccountRow, at: datetime) -> None:
    """Let an account work again from `at`."""
    row.state, row.stopped_reason, row.stopped_detail, row.stopped_at = "active", "", "", None
    row.active_since = at


async def _held(session: AsyncSession, account_id: str) -> AccountRow | None:
    """Return an account as it is now, for nobody else to change: what another process has just learnt must stay.

    Rows that name the account may still be written meanwhile.
    """
    query = select(AccountRow).where(AccountRow.id == account_id).with_for_update(key_share=True)
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def learn(session: AsyncSession, account_id: str, key: str, value: str) -> None:
    """Remember a fact about an account."""
    row = await _held(session, account_id)
    if row is not None:
        row.learnt = {**row.learnt, key: value}


async def note_quota(session: AsyncSession, account_id: str, quota: dict[str, Any]) -> None:
    """Remember what the provider said last of an allowance, by its kind."""
    row = await _held(session, account_id)
    if row is not None:
        row.quota = {**row.quota, **quota}


async def touch(session: AsyncSession, seen: dict[str, datetime]) -> None:
    """Note when accounts last heard from their provider; `seen` maps our id to the time."""
    for account_id, at in seen.items():
        await session.exec(update(AccountRow).where(col(AccountRow.id) == account_id).values(last_update_at=at))


async def note_test(session: AsyncSession, provider: str, at: datetime) -> None:
    """Note that the Test button of the provider's console was pressed: it speaks for every account of the app."""
    await session.exec(update(AccountRow).where(col(AccountRow.provider) == provider).values(last_test_at=at))
