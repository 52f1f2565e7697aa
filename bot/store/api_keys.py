"""Keep the keys by which other systems speak to us, and what each has already asked, so that nothing is done twice."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Index, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class ApiKeyRow(SQLModel, table=True):
    """One system's key; only its keyed fingerprint is kept, and `hint`, its last letters, to tell keys apart.

    `made_by` is None for a key that was made on the command line.
    """

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    name: str
    fingerprint: str = Field(unique=True)
    hint: str
    made_by: str | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class ApiCallRow(SQLModel, table=True):
    """One call with an Idempotency-Key: what was asked, and once it is done what was answered.

    Until then whoever works on it holds it up to `lease_until`, which is None once it is done.
    """

    __tablename__ = "api_calls"
    __table_args__ = (Index("ix_api_calls_at", "at"),)

    key_id: str = Field(primary_key=True, foreign_key="api_keys.id")
    idempotency_key: str = Field(primary_key=True)
    digest: str
    status: int | None = None
    body: bytes | None = None
    at: datetime
    lease_until: datetime | None = None


async def by_fingerprint(session: AsyncSession, fingerprint: str) -> ApiKeyRow | None:
    """Return the key with a fingerprint, revoked or not."""
    return (await session.exec(select(ApiKeyRow).where(ApiKeyRow.fingerprint == fingerprint))).first()


async def key(session: AsyncSession, key_id: str) -> ApiKeyRow | None:
    """Return one key by our id."""
    return await session.get(ApiKeyRow, key_id)


async def of_units(session: AsyncSession, unit_ids: Collection[str]) -> list[ApiKeyRow]:
    """Return the keys of units, the newest first, revoked ones last."""
    query = select(ApiKeyRow).where(col(ApiKeyRow.unit_id).in_(set(unit_ids)))
    rows = (await session.exec(query.order_by(col(ApiKeyRow.created_at).desc(), col(ApiKeyRow.id).desc()))).all()
    return sorted(rows, key=lambda row: row.revoked_at is not None)


async def note_use(session: AsyncSession, key_id: str, at: datetime) -> None:
    """Note that a key was used."""
    await session.exec(update(ApiKeyRow).where(col(ApiKeyRow.id) == key_id).values(used_at=at))


async def claim_call(
    session: AsyncSession, key_id: str, idempotency_key: str, digest: str, at: datetime, until: datetime
) -> ApiCallRow | None:
    """Write a call down as begun and return None, or return the row of one that was begun before, locked."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {"key_id": key_id, "idempotency_key": idempotency_key, "digest": digest, "at": at, "lease_until": until}
    if (await session.exec(insert(ApiCallRow).values(**values).on_conflict_do_nothing())).rowcount:
        return None
    query = select(ApiCallRow).where(ApiCallRow.key_id == key_id, ApiCallRow.idempotency_key == idempotency_key)
    return (await session.exec(query.with_for_update())).first()


async def end_call(
    session: AsyncSession, key_id: str, idempotency_key: str, lease: datetime, status: int, body: bytes
) -> bool:
    """Write down what was answered; False when the lease is no longer held."""
    statement = update(ApiCallRow).where(*_held(key_id, idempotency_key, lease))
    return bool((await session.exec(statement.values(status=status, body=body, lease_until=None))).rowcount)


async def drop_call(session: AsyncSession, key_id: str, idempotency_key: str, lease: datetime) -> None:
    """Forget a call that came to nothing, so that it can be made again at once."""
    await session.exec(delete(ApiCallRow).where(*_held(key_id, idempotency_key, lease)))


async def forget_calls(session: AsyncSession, before: datetime) -> int:
    """Delete calls that were begun before then; returns how many."""
    return int((await session.exec(delete(ApiCallRow).where(col(ApiCallRow.at) < before))).rowcount)


def _held(key_id: str, idempotency_key: str, lease: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(ApiCallRow.key_id) == key_id,
        col(ApiCallRow.idempotency_key) == idempotency_key,
        col(ApiCallRow.lease_until) == lease,
    )
