"""Keep dossiers as other systems report them: each with its state, everything that was told of it, and whose it is."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

RUNNING = text("finished_at IS NULL")
"""What the index of dossiers that are not finished holds."""
UNMATCHED = text("procedure_id IS NULL")
"""What the index of dossiers whose procedure is not known holds."""
ASKED = text("status > 0")
"""All of them; but SQLite takes the index by status for no query that does not say so, and has better ones for most."""


class DossierRow(SQLModel, table=True):
    """One dossier; all but who it is about and what staff add is what its events add up to (bot.domain.dossier).

    `squeezed` is the code without dots and dashes, `tail` its running number without leading zeros. `path` is the
    unit's. `due_at` is the appointed date, `law_due_at` the one that the procedure's limit gives, `first_due_at` what
    was promised first; its light is amber from `soon_at` and red from `late_at` on, None while the clock stands
    (bot.domain.dossier_clock). `outcome` is early | on_time | late, "" while open. `applicant` and `phone` are
    encrypted, `person_key` are the events that told them. `odd` are unexpected moves; `source` is who reported last.
    """

    __tablename__ = "dossiers"
    __table_args__ = (
        Index("ix_dossiers_squeezed", "squeezed"),
        Index("ix_dossiers_tail", "tail", "unit_id"),
        Index("ix_dossiers_phone", "phone_hash", "status_at"),
        Index("ix_dossiers_path_status", "path", "status", "status_at"),
        Index("ix_dossiers_field", "field", "path", "finished_at", "id", "phone_hash"),
        Index("ix_dossiers_running", "due_at", "path", sqlite_where=RUNNING, postgresql_where=RUNNING),
        # The lists of what is not finished are made of this index alone, what the reports count and list of the next.
        Index(
            "ix_dossiers_late",
            *("late_at", "id", "path", "status", "soon_at", "field", "procedure_code"),
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        Index(
            "ix_dossiers_report",
            *("path", "field", "status", "outcome", "received_at", "finished_at", "late_at"),
            *("online", "rating", "rated_at", "status_at", "id", "procedure_code"),
        ),
        Index("ix_dossiers_status", "status", "status_at", "id", sqlite_where=ASKED, postgresql_where=ASKED),
        Index("ix_dossiers_unmatched", "procedure_code", sqlite_where=UNMATCHED, postgresql_where=UNMATCHED),
    )

    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    squeezed: str
    tail: str
    unit_id: str = Field(foreign_key="units.id")
    path: str
    procedure_id: str | None = Field(default=None, foreign_key="procedures.id")
    procedure_code: str = ""
    procedure_name: str = ""
    field: str = ""
    status: int
    status_at: datetime
    received_at: datetime | None = None
    due_at: datetime | None = None
    law_due_at: datetime | None = None
    soon_at: datetime | None = None
    late_at: datetime | None = None
    first_due_at: datetime | None = None
    finished_at: datetime | None = None
    returned_at: datetime | None = None
    outcome: str = ""
    online: bool | None = None
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    pauses: list[list[str | None]] = Field(default_factory=list, sa_type=JSON)
    odd: list[str] = Field(default_factory=list, sa_type=JSON)
    applicant: bytes | None = None
    phone: bytes | None = None
    phone_hash: str | None = None
    person_key: str = ""
    rating: int | None = None
    rating_remark: str = ""
    rated_at: datetime | None = None
    late_cause: str = ""
    source: str = ""
    created_at: datetime
    updated_at: datetime


class DossierEventRow(SQLModel, table=True):
    """One status that a dossier took at a moment, and who reported it; the moment and the status are the key.

    `facts` as in bot.domain.dossier.FACTS; `digest` is the keyed fingerprint of all that was told, person included,
    so that what is told again is known without a look at it. `source` is who told it first, whoever adds to it:
    import:<id> | api:<key id> | staff:<id>.
    """

    __tablename__ = "dossier_events"
    __table_args__ = (UniqueConstraint("dossier_id", "at", "status"),)

    id: str = Field(primary_key=True)
    dossier_id: str = Field(foreign_key="dossiers.id")
    at: datetime
    status: int
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    digest: str
    source: str
    reported_at: datetime


class DossierPersonRow(SQLModel, table=True):
    """A contact who may see a dossier in full and is told of it; `how` is phone | code | staff."""

    __tablename__ = "dossier_people"
    __table_args__ = (Index("ix_dossier_people_contact", "contact_id", "dossier_id"),)

    dossier_id: str = Field(primary_key=True, foreign_key="dossiers.id")
    contact_id: str = Field(primary_key=True, foreign_key="contacts.id")
    how: str
    at: datetime


class DossierNoteRow(SQLModel, table=True):
    """What was done to a dossier; `kind` is apology | cause | rated | bound | corrected | revealed | warned."""

    __tablename__ = "dossier_notes"
    __table_args__ = (
        Index("ix_dossier_notes_dossier", "dossier_id", "at"),
        Index("ix_dossier_notes_kind", "kind", "at"),
    )

    id: str = Field(primary_key=True)
    dossier_id: str = Field(foreign_key="dossiers.id")
    kind: str
    at: datetime
    actor_kind: str
    actor_id: str | None = None
    actor_name: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class DossierGuessesRow(SQLModel, table=True):
    """How often a contact asked for codes that no dossier has, since when; and until when it is not answered."""

    __tablename__ = "dossier_guesses"

    contact_id: str = Field(primary_key=True, foreign_key="contacts.id")
    since: datetime
    misses: int = 0
    blocked_until: datetime | None = None


async def dossier(session: AsyncSession, dossier_id: str) -> DossierRow | None:
    """Return one dossier by our id."""
    return await session.get(DossierRow, dossier_id, populate_existing=True)


async def by_code(session: AsyncSession, code: str) -> DossierRow | None:
    """Return one dossier by its code in canonical form."""
    return (await session.exec(select(DossierRow).where(DossierRow.code == code))).first()


async def by_codes(session: AsyncSession, codes: Collection[str], *, lock: bool = False) -> dict[str, DossierRow]:
    """Return dossiers by code, with `lock` held in the order of their codes until this transaction ends."""
    if not codes:
        return {}
    query = select(DossierRow).where(col(DossierRow.code).in_(sorted(codes))).order_by(col(DossierRow.code))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return {row.code: row for row in (await session.exec(query)).all()}


async def any_of(session: AsyncSession, codes: Collection[str]) -> bool:
    """Say whether any of these dossiers, by code, is known."""
    query = select(DossierRow.id).where(col(DossierRow.code).in_(sorted(codes))).limit(1)
    return (await session.exec(query)).first() is not None


async def events(session: AsyncSession, dossier_ids: Collection[str]) -> dict[str, list[DossierEventRow]]:
    """Return everything that was told of these dossiers, by dossier, oldest first."""
    found: dict[str, list[DossierEventRow]] = {dossier_id: [] for dossier_id in dossier_ids}
    if found:
        query = select(DossierEventRow).where(col(DossierEventRow.dossier_id).in_(list(found)))
        query = query.order_by(col(DossierEventRow.at), col(DossierEventRow.status))
        for row in (await session.exec(query)).all():
            found[row.dossier_id].append(row)
    return found


async def digests(session: AsyncSession, codes: Collection[str]) -> dict[tuple[str, datetime, int], str]:
    """Return the digest of every event of these dossiers by code, moment and status: what is known already."""
    if not codes:
        return {}
    event = DossierEventRow
    # In two steps: PostgreSQL would read all events for a join while it does not know yet how many there are.
    here = select(DossierRow.id, DossierRow.code).where(col(DossierRow.code).in_(sorted(codes)))
    known = {str(row_id): code for row_id, code in (await session.exec(here)).all()}
    if not known:
        return {}
    query = select(event.dossier_id, event.at, event.status, event.digest).where(
        col(event.dossier_id).in_(sorted(known))
    )
    return {(known[row_id], at, status): digest for row_id, at, status, digest in (await session.exec(query)).all()}


async def people(session: AsyncSession, dossier_id: str) -> list[DossierPersonRow]:
    """Return whose a dossier is."""
    query = select(DossierPersonRow).where(DossierPersonRow.dossier_id == dossier_id)
    return list((await session.exec(query.order_by(col(DossierPersonRow.at)))).all())


async def notes(session: AsyncSession, dossier_id: str) -> list[DossierNoteRow]:
    """Return what was done to a dossier, oldest first."""
    query = select(DossierNoteRow).where(DossierNoteRow.dossier_id == dossier_id)
    return list((await session.exec(query.order_by(col(DossierNoteRow.at)))).all())
