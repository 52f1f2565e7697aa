"""Keep the keys by which other systems speak to us, and what each has already asked, so that nothing is done twice."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession


class ApiKeyRow(SQLModel, table=True):
    """One system's key; only its keyed fingerprint is kept, and `hint`, its last letters, to tell keys apart."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    name: str
    fingerprint: str = Field(unique=True)
    hint: str
    made_by: str = Field(foreign_key="staff.id")
    created_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class ApiCallRow(SQLModel, table=True):
    """One call with an Idempotency-Key: what was asked, and once it is done what was answered."""

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
