"""Keep how often contacts asked for codes that no dossier has, and who has to wait because of it."""

from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.dossier_guesses import Guesses
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierGuessesRow


async def of_contacts(session: AsyncSession, contact_ids: list[str]) -> dict[str, Guesses]:
    """Return the wrong codes of contacts that have had any, locked for this transaction."""
    query = select(DossierGuessesRow).where(col(DossierGuessesRow.contact_id).in_(contact_ids))
    query = query.order_by(col(DossierGuessesRow.contact_id)).with_for_update()
    rows = (await session.exec(query.execution_options(populate_existing=True))).all()
    return {row.contact_id: Guesses(row.since, row.misses, row.blocked_until) for row in rows}


async def keep(session: AsyncSession, contact_id: str, guesses: Guesses) -> None:
    """Write down the wrong codes of one contact."""
    row = await session.get(DossierGuessesRow, contact_id) or DossierGuessesRow(contact_id=contact_id, since=guesses[0])
    row.since, row.misses, row.blocked_until = guesses
    session.add(row)
    await session.flush()


async def blocked(session: AsyncSession, now: datetime) -> list[tuple[AccountRow, int, datetime]]:
    """Return the accounts with contacts that have to wait: how many, and until when the last of them."""
    query = (
        select(AccountRow, func.count(), func.max(DossierGuessesRow.blocked_until))
        .join(ContactRow, col(ContactRow.account_id) == col(AccountRow.id))
        .join(DossierGuessesRow, col(DossierGuessesRow.contact_id) == col(ContactRow.id))
        .where(col(DossierGuessesRow.blocked_until) > now)
        .group_by(col(AccountRow.id))
        .order_by(col(AccountRow.name))
    )
    return [(account, int(number), until or now) for account, number, until in (await session.exec(query)).all()]


async def forget(session: AsyncSession, contact_id: str) -> None:
    """Delete what is kept of a contact's wrong codes."""
    await session.exec(delete(DossierGuessesRow).where(col(DossierGuessesRow.contact_id) == contact_id))
