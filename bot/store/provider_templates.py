"""Keep the message templates that a provider has approved for an account, as it described them last."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, and_, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow

ENABLED = "ENABLE"


class ProviderTemplateRow(SQLModel, table=True):
    """One template of one account; `status` and `quality` in the provider's words, prices in đồng.

    `parameters` are name, type, required, shortest and longest (characters in NFC). `by_user` and `by_phone` say by
    which way it may be sent; `development` that it may only go to the account's own administrators, who are testing.
    `fetched_at` is when its details were asked for last, None to have them asked for anew; `news_at` the moment of the
    last news of its status; `gone_at` when the provider did not list it any more.
    """

    __tablename__ = "provider_templates"

    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    template_id: str = Field(primary_key=True)
    name: str = ""
    status: str = ""
    quality: str = ""
    tag: str = ""
    parameters: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    text: str = ""
    by_user: bool = False
    by_phone: bool = True
    development: bool = False
    price_user: int | None = None
    price_phone: int | None = None
    timeout_seconds: int | None = None
    fetched_at: datetime | None = None
    news_at: datetime | None = None
    gone_at: datetime | None = None


async def template(session: AsyncSession, account_id: str, template_id: str) -> ProviderTemplateRow | None:
    """Return one template of an account."""
    return await session.get(ProviderTemplateRow, (account_id, template_id))


async def of_accounts(session: AsyncSession, account_ids: Collection[str]) -> list[ProviderTemplateRow]:
    """Return the templates of accounts, those that may be sent first, then by name."""
    query = select(ProviderTemplateRow).where(col(ProviderTemplateRow.account_id).in_(account_ids))
    rows = (await session.exec(query)).all()
    return sorted(rows, key=lambda row: (row.gone_at is not None, row.status != ENABLED, row.name, row.template_id))


async def locked(session: AsyncSession, account_id: str, template_id: str) -> ProviderTemplateRow:
    """Return one template of an account, locked until this transaction ends; a row is made when there is none."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    made = ProviderTemplateRow(account_id=account_id, template_id=template_id).model_dump()
    await session.exec(insert(ProviderTemplateRow).values(**made).on_conflict_do_nothing())
    query = select(ProviderTemplateRow).where(
        ProviderTemplateRow.account_id == account_id, ProviderTemplateRow.template_id == template_id
    )
    return (await session.exec(query.with_for_update().execution_options(populate_existing=True))).one()


async def mark_gone(session: AsyncSession, account_id: str, listed: Collection[str], at: datetime) -> list[str]:
    """Note which templates an account does not list any more; returns those of which that is news."""
    here = (col(ProviderTemplateRow.account_id) == account_id, col(ProviderTemplateRow.gone_at).is_(None))
    query = select(ProviderTemplateRow.template_id).where(*here)
    gone = sorted(set((await session.exec(query)).all()) - set(listed))
    if gone:
        these = col(ProviderTemplateRow.template_id).in_(gone)
        await session.exec(update(ProviderTemplateRow).where(*here, these).values(gone_at=at))
    return gone


async def ask_anew(session: AsyncSession, account_ids: Collection[str]) -> None:
    """Have the details of every template of these accounts asked for at the next look."""
    statement = update(ProviderTemplateRow).where(col(ProviderTemplateRow.account_id).in_(account_ids))
    await session.exec(statement.values(fetched_at=None))


class Unusable(NamedTuple):
    """A broadcast that is not finished, and its template, which may not be sent or is received badly."""

    broadcast: BroadcastRow
    template: ProviderTemplateRow
    announcement: str


async def unusable(session: AsyncSession) -> list[Unusable]:
    """Return broadcasts that are not at their end and whose template may not be sent any more, or is received badly."""
    template, broadcast = ProviderTemplateRow, BroadcastRow
    used = and_(
        col(template.account_id) == col(broadcast.account_id),
        col(template.template_id) == col(broadcast.message)["template_id"].as_string(),
    )
    query = (
        select(broadcast, template, AnnouncementRow.title)
        .join(template, used)
        .outerjoin(RunRow, col(RunRow.id) == col(broadcast.run_id))
        .outerjoin(AnnouncementRow, col(AnnouncementRow.id) == col(RunRow.announcement_id))
        .where(
            col(broadcast.state).in_(("planning", "waiting", "running", "paused")),
            col(broadcast.way).in_(("template_user", "template_phone")),
            or_(col(template.status) != ENABLED, col(template.gone_at).is_not(None), col(template.quality) == "LOW"),
        )
        .order_by(col(broadcast.id))
    )
    return [Unusable(row, found, title or "") for row, found, title in (await session.exec(query)).all()]
