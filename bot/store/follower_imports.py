"""Keep how far the import of an account's followers has come."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class FollowerImportRow(SQLModel, table=True):
    """The import of one account's followers; `state` is running | done | failed.

    `plan` holds the queries that are left, `cursor` the offset within the first of them; `beyond` says that the
    provider's list ended before the followers did.
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
