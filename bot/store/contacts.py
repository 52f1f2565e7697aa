"""Keep the people who write, as each account knows them, and where each conversation stands."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, func, or_, text, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.accounts import AccountRow

ADDRESSABLE = text("kind = 'person' AND gone = '' AND NOT anonymous AND stopped_at IS NULL AND erased_at IS NULL")
"""Who may get announcements at all; an index holds only these, so that a million are counted while one looks."""
_COUNTED = ("last_interaction_at", "phone_hash", "kind", "gone", "anonymous", "stopped_at", "erased_at")
"""What counting looks at: SQLite reads no row where an index holds all of it, even what is the same in each entry."""
GONE = text("kind = 'person' AND gone <> '' AND NOT anonymous AND stopped_at IS NULL AND erased_at IS NULL")
STOPPED = text("kind = 'person' AND NOT anonymous AND stopped_at IS NOT NULL AND erased_at IS NULL")
"""Who would get announcements, had the provider not refused them, or had they not said stop."""
PHONE = "phone"
"""The kind of a contact that is no more than a phone to which templates are sent."""


class ContactRow(SQLModel, table=True):
    """One person as one account knows them; phone encrypted, `phone_hash` its keyed fingerprint.

    `kind` is person | group | phone: a chat of several people is written to like one of them, and is nobody; a phone
    takes templates alone, its fingerprint is in `external_id` and `phone_hash` stays empty.
    `gone` holds the provider's reason while the person cannot be written to; `human_until` keeps the bot silent,
    `human_case_id` is the case that the person of the office talks about. Contacts of the same `person` are one human
    being, who has said so on each of them; `person_id` is empty until then.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("account_id", "external_id"),
        Index("ix_contacts_phone", "phone_hash"),
        Index("ix_contacts_person", "person_id"),
        Index(
            "ix_contacts_addressable",
            "account_id",
            *_COUNTED,
            sqlite_where=ADDRESSABLE,
            postgresql_where=ADDRESSABLE,
        ),
        Index(
            "ix_contacts_addressable_id",
            "id",
            "account_id",
            *_COUNTED,
            "external_id",
            sqlite_where=ADDRESSABLE,
            postgresql_where=ADDRESSABLE,
        ),
        Index("ix_contacts_gone", "account_id", "id", sqlite_where=GONE, postgresql_where=GONE),
        Index("ix_contacts_stopped", "account_id", sqlite_where=STOPPED, postgresql_where=STOPPED),
    )

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="accounts.id")
    external_id: str
    kind: str = "person"
    name: str = ""
    phone: bytes | None = None
    phone_hash: str | None = None
    person_id: str | None = None
    address: bytes | None = None
    following: bool = False
    anonymous: bool = False
    conversation_id: str | None = None
    gone: str = ""
    last_interaction_at: datetime | None = None
    greeted_at: datetime | None = None
    human_until: datetime | None = None
    human_case_id: str | None = None
    stopped_at: datetime | None = None
    erased_at: datetime | None = None
    profile_at: datetime | None = None
    created_at: datetime

    @property
    def person(self) -> str:
        """Who this is; the contact's own id stands for a person who is known by one account only."""
        return self.person_id or self.id


class ConversationRow(SQLModel, table=True):
    """Where the conversation with a contact stands: state, draft, and when the bot goes on by itself."""

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_resume", "resume_at"),)

    contact_id: str = Field(primary_key=True, foreign_key="contacts.id")
    state: str = "idle"
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    resume_at: datetime | None = None
    updated_at: datetime


class ConsentRow(SQLModel, table=True):
    """One word of consent or its withdrawal: purpose, version of the text shown, channel, time."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_contact", "contact_id"),)

    id: str = Field(primary_key=True)
    contact_id: str = Field(foreign_key="contacts.id")
    purpose: str
    given: bool
    text_version: str
    at: datetime


class DataRequestRow(SQLModel, table=True):
    """One request of a person about their own data (law 91/2025/QH15); `due_at` within 2 working days."""

    __tablename__ = "data_requests"

    id: str = Field(primary_key=True)
    contact_id: str = Field(foreign_key="contacts.id")
    kind: str
    state: str = "open"
    created_at: datetime
    due_at: datetime | None = None
    done_at: datetime | None = None


async def contact(session: AsyncSession, contact_id: str) -> ContactRow | None:
    """Return one contact by our id."""
    return await session.get(ContactRow, contact_id)


async def contacts(session: AsyncSession, contact_ids: list[str]) -> dict[str, ContactRow]:
    """Return contacts by id."""
    if not contact_ids:
        return {}
    found = (await session.exec(select(ContactRow).where(col(ContactRow.id).in_(contact_ids)))).all()
    return {row.id: row for row in found}


async def refreshed(session: AsyncSession, contact_id: str) -> ContactRow | None:
    """Return one contact as it stands now, whatever was read of it before."""
    return await session.get(ContactRow, contact_id, populate_existing=True)


async def by_external_id(session: AsyncSession, account_id: str, external_id: str) -> ContactRow | None:
    """Return one contact by the provider's id, locked until this transaction ends."""
    query = select(ContactRow).where(ContactRow.account_id == account_id, ContactRow.external_id == external_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.exec(query)).first()


async def known(session: AsyncSession, account_id: str, external_id: str) -> ContactRow | None:
    """Return one contact by the provider's id as it stands, without keeping others from it."""
    query = select(ContactRow).where(ContactRow.account_id == account_id, ContactRow.external_id == external_id)
    return (await session.exec(query)).first()


def phone_id(fingerprint: str) -> str:
    """Return what a phone that is no person's contact goes by, of its keyed fingerprint."""
    return f"phone:{fingerprint}"


async def of_phone_alone(session: AsyncSession, fingerprint: str) -> list[ContactRow]:
    """Return what stands for a phone at each account where templates were sent to it."""
    query = select(ContactRow).where(
        col(ContactRow.account_id).in_(select(AccountRow.id)),
        ContactRow.external_id == phone_id(fingerprint),
        ContactRow.kind == PHONE,
    )
    return list((await session.exec(query)).all())


async def same_person(session: AsyncSession, row: ContactRow) -> list[ContactRow]:
    """Return every contact of the person that a contact is, itself first, then the longest known."""
    query = select(ContactRow).where(_is(row.person), ContactRow.id != row.id).order_by(col(ContactRow.created_at))
    return [row, *(await session.exec(query)).all()]


async def with_phone(session: AsyncSession, row: ContactRow) -> list[ContactRow]:
    """Return other people's contacts at other accounts who share this contact's phone, the last heard of first."""
    query = select(ContactRow).where(
        col(ContactRow.phone_hash).is_not(None),
        ContactRow.phone_hash == row.phone_hash,
        ContactRow.account_id != row.account_id,
        ContactRow.kind == "person",
        ~col(ContactRow.anonymous),
        col(ContactRow.erased_at).is_(None),
        func.coalesce(col(ContactRow.person_id), col(ContactRow.id)) != row.person,
    )
    return list((await session.exec(query.order_by(col(ContactRow.last_interaction_at).desc()))).all())


async def join(session: AsyncSession, person: str, into: str) -> None:
    """Make every contact of one person a contact of another."""
    await session.exec(update(ContactRow).where(_is(person)).values(person_id=into))


def _is(person: str) -> ColumnElement[bool]:
    alone = col(ContactRow.person_id).is_(None) & (col(ContactRow.id) == person)
    return (col(ContactRow.person_id) == person) | alone


async def lock(session: AsyncSession, *contact_ids: str) -> None:
    """Hold everything about contacts until this transaction ends, by id; taken before any lock on a case."""
    query = select(ContactRow.id).where(col(ContactRow.id).in_(contact_ids)).order_by(col(ContactRow.id))
    await session.exec(query.with_for_update())


async def conversation(session: AsyncSession, contact_id: str) -> ConversationRow | None:
    """Return where a conversation stands, locked for this transaction."""
    query = select(ConversationRow).where(ConversationRow.contact_id == contact_id).with_for_update()
    return (await session.exec(query)).first()


async def stands(session: AsyncSession, contact_id: str) -> ConversationRow | None:
    """Return where a conversation stands, without keeping others from it."""
    return await session.get(ConversationRow, contact_id)


async def due_conversations(session: AsyncSession, now: datetime, limit: int = 100) -> list[str]:
    """Return contacts whose conversation the bot should go on with by itself."""
    query = (
        select(ConversationRow.contact_id)
        .where(col(ConversationRow.resume_at).is_not(None), col(ConversationRow.resume_at) <= now)
        .order_by(col(ConversationRow.resume_at))
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def unnamed(session: AsyncSession, before: datetime, limit: int) -> list[ContactRow]:
    """Return contacts whose name has never been asked for, or not since `before`."""
    query = (
        select(ContactRow)
        .where(
            ContactRow.name == "",
            ContactRow.kind == "person",
            ~col(ContactRow.anonymous),
            col(ContactRow.erased_at).is_(None),
            (col(ContactRow.profile_at).is_(None)) | (col(ContactRow.profile_at) < before),
        )
        .order_by(col(ContactRow.id).desc())
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def note_profile(
    session: AsyncSession,
    contact_id: str,
    name: str,
    at: datetime,
    *,
    follows: bool | None = None,
    heard_since: datetime | None = None,
) -> None:
    """Write what the provider told at a time: the name, whether they follow, since when they certainly interacted."""
    values: dict[str, object] = {"profile_at": at, **({"name": name} if name else {})}
    if follows is not None:
        values["following"] = follows
    this = col(ContactRow.id) == contact_id
    await session.exec(update(ContactRow).where(this).values(**values))
    if heard_since is not None:
        last = col(ContactRow.last_interaction_at)
        earlier = or_(last.is_(None), last < heard_since)
        await session.exec(update(ContactRow).where(this, earlier).values(last_interaction_at=heard_since))


async def move(session: AsyncSession, contact_id: str, to: str) -> bool:
    """Know a contact by another id of the provider's from now on; False when somebody else is known by it already."""
    row = await session.get(ContactRow, contact_id, populate_existing=True)
    if row is None or await known(session, row.account_id, to) is not None:
        return False
    row.external_id = to
    await session.flush()
    return True


async def set_gone(session: AsyncSession, contact_id: str, reason: str, tried_at: datetime | None = None) -> None:
    """Note that a person cannot be written to, or with "" that they can.

    With `tried_at` only if they have not interacted since: what they did after a try counts more than its refusal.
    """
    statement = update(ContactRow).where(col(ContactRow.id) == contact_id)
    if tried_at is not None:
        last = col(ContactRow.last_interaction_at)
        statement = statement.where(or_(last.is_(None), last <= tried_at))
    await session.exec(statement.values(gone=reason))


async def close_window(session: AsyncSession, contact_id: str, tried_at: datetime, hours: int) -> None:
    """Note that free text was refused at a time since nothing was heard for so long, unless something was since."""
    latest = tried_at - timedelta(hours=hours)
    last = col(ContactRow.last_interaction_at)
    statement = update(ContactRow).where(col(ContactRow.id) == contact_id, last > latest, last <= tried_at)
    await session.exec(statement.values(last_interaction_at=latest))


async def come_back(session: AsyncSession, contact_id: str, reason: str) -> None:
    """Note that a person can be written to again who could not for a reason; for any other nothing is changed."""
    these = (col(ContactRow.id) == contact_id, col(ContactRow.gone) == reason)
    await session.exec(update(ContactRow).where(*these).values(gone=""))
