"""Keep lists of recipients that staff upload: one row a line of the file, personal data encrypted."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


class RecipientListRow(SQLModel, table=True):
    """One uploaded list; `state` is checking | ready | refused.

    `columns` are the merge fields in the order of the file; `key_column` names the column that says who it is, and
    `key_kind` what stands there: phone | user_id | dossier. `problems` holds what is wrong with the columns;
    `good` and `bad` count rows.
    """

    __tablename__ = "recipient_lists"
    __table_args__ = (Index("ix_recipient_lists_unit", "unit_id", "created_at"),)

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    name: str
    file_name: str
    state: str = "checking"
    columns: list[str] = Field(default_factory=list, sa_type=JSON)
    key_column: str = ""
    key_kind: str = ""
    problems: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    good: int = 0
    bad: int = 0
    warned: int = 0
    made_by: str = Field(foreign_key="staff.id")
    created_at: datetime
    checked_at: datetime | None = None


class ListedRow(SQLModel, table=True):
    """One line of a list; `n` is its number as the reader of the file counts it.

    `recipient` is `phone:` and the fingerprint of a phone, or
    `user:` and the provider's user id; "" for a bad line. `address` is the phone encrypted, as hexadecimal text, or the
    user id. `merged` are the values of the merge fields. `problems` are what is wrong:
    column, code and details. `cells` keeps the whole line of a bad row, encrypted, for the file of bad rows.
    """

    __tablename__ = "listed"
    __table_args__ = (Index("ix_listed_recipient", "list_id", "recipient"),)

    list_id: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    recipient: str = ""
    address: str = ""
    merged: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    problems: list[dict[str, Any]] | None = Field(default=None, sa_type=JSON)
    cells: bytes | None = None


async def recipient_list(session: AsyncSession, list_id: str) -> RecipientListRow | None:
    """Return one list."""
    return await session.get(RecipientListRow, list_id)
