"""Keep every word of a conversation, in either direction, with what was attached."""

from datetime import datetime

from sqlalchemy import JSON, Index, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class MessageRow(SQLModel, table=True):
    """One message; `direction` in | out, `author` citizen | bot | staff | oa_tool.

    An outgoing message that we sent has the id of its outbox row; `provider_id` is the provider's id of it.
    `album` is shared by what was sent together. When its sender changed the words, `edited_at` says when last and
    `earlier` what they were before, oldest first.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_contact", "contact_id", "occurred_at"),
        Index("ix_messages_case", "case_id", "occurred_at"),
        Index("ix_messages_provider", "account_id", "provider_id"),
    )

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="accounts.id")
    contact_id: str = Field(foreign_key="contacts.id")
    case_id: str | None = Field(default=None, foreign_key="cases.id")
    direction: str
    author: str
    staff_id: str | None = None
    text: str = ""
    provider_id: str | None = None
    quotes: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    album: str = ""
    edited_at: datetime | None = None
    earlier: list[str] = Field(default_factory=list, sa_type=JSON)
    occurred_at: datetime


class AttachmentRow(SQLModel, table=True):
    """One thing attached; `state` is pending | stored | failed | discarded, `failure` a word for templates.

    `codes` are the dossiers' codes that a picture holds, a blank between them.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        Index("ix_attachments_message", "message_id"),
        Index("ix_attachments_state", "state", "next_attempt_at"),
        Index("ix_attachments_file", "file_id"),
    )

    id: str = Field(primary_key=True)
    message_id: str = Field(foreign_key="messages.id")
    case_id: str | None = Field(default=None, foreign_key="cases.id")
    kind: str
    url: str = ""
    name: str = ""
    description: str = ""
    size: int | None = None
    state: str = "pending"
    failure: str = ""
    codes: str = ""
    attempts: int = 0
    next_attempt_at: datetime | None = None
    file_id: str | None = Field(default=None, foreign_key="files.id")


async def by_provider_id(session: AsyncSession, account_id: str, provider_id: str) -> MessageRow | None:
    """Return a message by the provider's id."""
    query = select(MessageRow).where(MessageRow.account_id == account_id, MessageRow.provider_id == provider_id)
    return (await session.exec(query)).first()


async def from_contact(session: AsyncSession, contact_id: str, provider_id: str) -> MessageRow | None:
    """Return what a contact sent, by the provider's id."""
    query = select(MessageRow).where(
        MessageRow.contact_id == contact_id, MessageRow.provider_id == provider_id, MessageRow.direction == "in"
    )
    return (await session.exec(query)).first()


async def of_album(session: AsyncSession, contact_id: str, album: str, since: datetime) -> list[MessageRow]:
    """Return what a contact sent since then as one album, oldest first."""
    query = select(MessageRow).where(
        MessageRow.contact_id == contact_id, col(MessageRow.occurred_at) >= since, MessageRow.album == album
    )
    return list((await session.exec(query.order_by(col(MessageRow.occurred_at), col(MessageRow.id)))).all())


async def any_discarded(session: AsyncSession, message_ids: list[str]) -> bool:
    """Say whether something attached to these messages was not kept."""
    query = select(AttachmentRow.id).where(
        col(AttachmentRow.message_id).in_(message_ids), AttachmentRow.state == "discarded"
    )
    return bool(message_ids) and (await session.exec(query.limit(1))).first() is not None


async def account_of(session: AsyncSession, message_id: str) -> str | None:
    """Return the account by which a message came, or None."""
    return (await session.exec(select(MessageRow.account_id).where(MessageRow.id == message_id))).first()


async def repeated(session: AsyncSession, contact_id: str, text: str, since: datetime, most: int) -> int:
    """Count how often the bot has said the same to a contact since then, up to `most`."""
    query = select(MessageRow.id).where(
        MessageRow.contact_id == contact_id,
        col(MessageRow.occurred_at) >= since,
        MessageRow.direction == "out",
        MessageRow.author == "bot",
        MessageRow.text == text,
    )
    return len((await session.exec(query.limit(most))).all())


async def provider_ids(session: AsyncSession, contact_id: str, most: int = 100) -> set[str]:
    """Return the provider's ids of the latest messages to a contact, as far as they are known."""
    query = select(MessageRow.provider_id).where(
        MessageRow.contact_id == contact_id, MessageRow.direction == "out", col(MessageRow.provider_id).is_not(None)
    )
    found = await session.exec(query.order_by(col(MessageRow.occurred_at).desc()).limit(most))
    return {provider_id for provider_id in found.all() if provider_id is not None}


async def of_case(session: AsyncSession, case_id: str) -> list[MessageRow]:
    """Return the messages of a case, oldest first."""
    query = select(MessageRow).where(MessageRow.case_id == case_id)
    return list((await session.exec(query.order_by(col(MessageRow.occurred_at), col(MessageRow.id)))).all())


async def attachments_of(session: AsyncSession, message_ids: list[str]) -> dict[str, list[AttachmentRow]]:
    """Return attachments by message."""
    found: dict[str, list[AttachmentRow]] = {}
    if message_ids:
        query = select(AttachmentRow).where(col(AttachmentRow.message_id).in_(message_ids))
        for row in (await session.exec(query.order_by(col(AttachmentRow.id)))).all():
            found.setdefault(row.message_id, []).append(row)
    return found


async def case_of_file(session: AsyncSession, file_id: str) -> str | None:
    """Return the case that a citizen's file belongs to, or None."""
    query = select(AttachmentRow.case_id).where(AttachmentRow.file_id == file_id, AttachmentRow.state == "stored")
    return (await session.exec(query)).first()


async def due_attachments(session: AsyncSession, now: datetime, limit: int) -> list[AttachmentRow]:
    """Return attachments that wait to be fetched."""
    query = (
        select(AttachmentRow)
        .where(AttachmentRow.state == "pending", col(AttachmentRow.next_attempt_at) <= now)
        .order_by(col(AttachmentRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list((await session.exec(query)).all())


async def settle_attachment(session: AsyncSession, attachment_id: str, **values: object) -> bool:
    """Write the outcome of fetching one attachment; False when it was discarded meanwhile."""
    statement = update(AttachmentRow).where(
        col(AttachmentRow.id) == attachment_id, col(AttachmentRow.state) == "pending"
    )
    return bool((await session.exec(statement.values(**values))).rowcount)


async def writer_of(session: AsyncSession, attachment_id: str) -> tuple[str, str, str] | None:
    """Return who sent what is attached: contact, author as in MessageRow, and case, "" for none."""
    query = (
        select(MessageRow.contact_id, MessageRow.author, MessageRow.case_id)
        .join(AttachmentRow, col(AttachmentRow.message_id) == col(MessageRow.id))
        .where(AttachmentRow.id == attachment_id)
    )
    found = (await session.exec(query)).first()
    return None if found is None else (found[0], found[1], found[2] or "")


async def let_go(session: AsyncSession, attachment_id: str) -> None:
    """Note that the bytes of a discarded attachment are gone."""
    await session.exec(update(AttachmentRow).where(col(AttachmentRow.id) == attachment_id).values(file_id=None))


async def with_photos(session: AsyncSession, contact_id: str, since: datetime) -> list[str]:
    """Return the messages of a contact since then that hold photos."""
    query = (
        select(MessageRow.id)
        .join(AttachmentRow, col(AttachmentRow.message_id) == col(MessageRow.id))
        .where(
            MessageRow.contact_id == contact_id,
            MessageRow.direction == "in",
            AttachmentRow.kind == "image",
            AttachmentRow.state != "discarded",
            col(MessageRow.occurred_at) >= since,
        )
        .distinct()
    )
    return list((await session.exec(query)).all())


async def put_into_case(session: AsyncSession, message_ids: list[str], case_id: str) -> None:
    """Make messages and what is attached to them part of a case."""
    if message_ids:
        await session.exec(update(MessageRow).where(col(MessageRow.id).in_(message_ids)).values(case_id=case_id))
        await session.exec(
            update(AttachmentRow).where(col(AttachmentRow.message_id).in_(message_ids)).values(case_id=case_id)
        )


async def discard_attachments(session: AsyncSession, message_ids: list[str]) -> None:
    """Drop what is attached to messages (identity papers are not kept); the job `forget` deletes the bytes."""
    if message_ids:
        await session.exec(
            update(AttachmentRow)
            .where(col(AttachmentRow.message_id).in_(message_ids))
            .values(state="discarded", url="")
        )


async def blank_contact(session: AsyncSession, contact_id: str) -> None:
    """Blank every word of a contact and mark what they attached for deletion."""
    mine = select(MessageRow.id).where(MessageRow.contact_id == contact_id)
    await session.exec(
        update(AttachmentRow)
        .where(col(AttachmentRow.message_id).in_(mine))
        .values(url="", name="", description="", state="discarded")
        .execution_options(synchronize_session=False)
    )
    await session.exec(
        update(MessageRow)
        .where(col(MessageRow.contact_id) == contact_id)
        .values(text="", latitude=None, longitude=None, earlier=[])
        .execution_options(synchronize_session=False)
    )


async def discarded_files(session: AsyncSession, limit: int = 200) -> list[tuple[str, str]]:
    """Return (attachment id, file id) of what was discarded while its bytes are still kept."""
    query = (
        select(AttachmentRow.id, AttachmentRow.file_id)
        .where(col(AttachmentRow.state) == "discarded", col(AttachmentRow.file_id).is_not(None))
        .limit(limit)
    )
    return [(a, f) for a, f in (await session.exec(query)).all() if f is not None]
