"""Keep broadcasts as rows: one for each recipient, handed out in ranges, every outcome recorded."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer
from sqlmodel import Field, SQLModel

_NUMBER = BigInteger().with_variant(Integer, "sqlite")


class BroadcastRow(SQLModel, table=True):
    """One announcement to many; `state` is planning | running | paused | stopped | finished.

    `message` may name merge fields, which each recipient's `merged` values fill. `served_at` is when a range of it was
    handed out last: the one that waits longest is served next, so that one unit's broadcast cannot starve another's.
    """

    __tablename__ = "broadcasts"
    __table_args__ = (Index("ix_broadcasts_state", "state", "account_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=_NUMBER)
    account_id: str = Field(foreign_key="accounts.id")
    unit_id: str = Field(foreign_key="units.id")
    state: str = "planning"
    urgent: bool = False
    message: dict[str, Any] = Field(sa_type=JSON)
    total: int = 0
    paused_reason: str = ""
    resume_at: datetime | None = None
    served_at: datetime | None = None
    progress_at: datetime | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ChunkRow(SQLModel, table=True):
    """A range of a broadcast's deliveries that one worker sends at a time; `state` is waiting | running | done."""

    __tablename__ = "broadcast_chunks"
    __table_args__ = (Index("ix_broadcast_chunks_state", "state", "broadcast_id"),)

    broadcast_id: int = Field(primary_key=True, sa_type=_NUMBER)
    first: int = Field(primary_key=True)
    last: int
    state: str = "waiting"
    next_attempt_at: datetime | None = None
    lease: str | None = None
    leased_until: datetime | None = None


class DeliveryRow(SQLModel, table=True):
    """One recipient of one broadcast, frozen when it was planned; `state` as in bot.domain.delivery.

    `recipient` is the contact's id, or `phone:84…` for somebody who has never written; `address` is what the provider
    calls this person; `merged` fills the message's fields. There are no foreign keys here: checking a million of them
    would cost more than writing the rows. The index begins with the recipient because receipts and echoes name one.
    """

    __tablename__ = "deliveries"
    __table_args__ = (Index("ux_deliveries_recipient", "recipient", "broadcast_id", unique=True),)

    broadcast_id: int = Field(primary_key=True, sa_type=_NUMBER)
    n: int = Field(primary_key=True)
    recipient: str
    address: str
    merged: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    state: str = "queued"
    attempts: int = 0
    reason: str = ""
    provider_id: str | None = None
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    seen_at: datetime | None = None
    failed_at: datetime | None = None
