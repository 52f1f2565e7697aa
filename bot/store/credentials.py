"""Keep tokens and keys encrypted, and lend the right to renew them to one process at a time."""

from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class CredentialRow(SQLModel, table=True):
    """The secrets of one account, each encrypted by bot.secrets; `previous_*` until the new pair has worked."""

    __tablename__ = "credentials"

    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    access_token: bytes | None = None
    refresh_token: bytes | None = None
    previous_access_token: bytes | None = None
    previous_refresh_token: bytes | None = None
    webhook_key: bytes | None = None
    expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    holder: str | None = None
    held_until: datetime | None = None
    error: str = ""


async def credential(session: AsyncSession, account_id: str) -> CredentialRow | None:
    """Return the stored secrets of an account."""
    return await session.get(CredentialRow, account_id, populate_existing=True)


async def all_credentials(session: AsyncSession) -> list[CredentialRow]:
    """Return the stored secrets of every account."""
    return list((await session.exec(select(CredentialRow))).all())


async def acquire(session: AsyncSession, account_id: str, holder: str, now: datetime, seconds: float) -> bool:
    """Take the right to renew for `seconds`; False while somebody else holds it."""
    statement = (
        update(CredentialRow)
        .where(
            col(CredentialRow.account_id) == account_id,
            or_(
                col(CredentialRow.holder).is_(None),
                col(CredentialRow.holder) == holder,
                col(CredentialRow.held_until) < now,
            ),
        )
        .values(holder=holder, held_until=now + timedelta(seconds=seconds))
    )
    return bool((await session.exec(statement)).rowcount)


async def replace_pair(
    session: AsyncSession,
    account_id: str,
    holder: str,
    *,
    access_token: bytes,
    refresh_token: bytes,
    expires_at: datetime,
    now: datetime,
) -> bool:
    """Store a new pair beside the old one; False when the right to renew has been lost meanwhile."""
    row = await credential(session, account_id)
    if row is None or row.holder != holder:
        return False
    row.previous_access_token, row.previous_refresh_token = row.access_token, row.refresh_token
    row.access_token, row.refresh_token = access_token, refresh_token
    row.expires_at, row.refreshed_at, row.error = expires_at, now, ""
    return True


async def release(session: AsyncSession, account_id: str, holder: str, error: str | None) -> None:
    """Give the right to renew back; `error` says why renewing failed."""
    values: dict[str, object] = {"holder": None, "held_until": None}
    if error is not None:
        values["error"] = error
    statement = update(CredentialRow).where(
        col(CredentialRow.account_id) == account_id, col(CredentialRow.holder) == holder
    )
    await session.exec(statement.values(**values))


async def release_all(session: AsyncSession) -> None:
    """Give every right to renew back: a lone process has just started, so whoever held one is dead."""
    held = update(CredentialRow).where(col(CredentialRow.holder).is_not(None))
    await session.exec(held.values(holder=None, held_until=None))


async def forget_previous(session: AsyncSession, account_id: str) -> None:
    """Drop the old pair once the new one has worked."""
    statement = update(CredentialRow).where(col(CredentialRow.account_id) == account_id)
    await session.exec(statement.values(previous_access_token=None, previous_refresh_token=None))
