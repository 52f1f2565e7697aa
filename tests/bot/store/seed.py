"""Make the few rows that store tests hang on."""

from datetime import UTC, date, datetime
from typing import Any

from bot.clock import new_id
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.credentials import CredentialRow
from bot.store.database import Database
from bot.store.outbox import OutboxRow
from bot.store.units import UnitRow

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


async def account_and_contacts(database: Database, contacts: int = 2) -> tuple[AccountRow, list[ContactRow]]:
    """Make one unit, one account with credentials, and some contacts."""
    unit = UnitRow(id="unit", code="10183", name="Xã", kind="commune", path="/unit/", valid_from=date(2025, 7, 1))
    account = AccountRow(id="account", provider="zalo", external_id="222", name="OA", unit_id="unit", created_at=NOW)
    people = [
        ContactRow(id=f"contact{n}", account_id="account", external_id=f"33{n}", created_at=NOW)
        for n in range(contacts)
    ]
    async with database.writing() as session:
        session.add(unit)
        await session.flush()
        session.add(account)
        await session.flush()
        session.add(CredentialRow(account_id="account", access_token=b"a", refresh_token=b"r"))
        session.add_all(people)
        await session.commit()
    return account, people


def message(contact: ContactRow, text: str, **values: object) -> OutboxRow:
    """Make an outbox row that is due."""
    fields: dict[str, Any] = {
        "id": new_id(),
        "account_id": contact.account_id,
        "contact_id": contact.id,
        "purpose": "test",
        "lane": 0,
        "body": {"text": text},
        "text": text,
        "next_attempt_at": NOW,
        "created_at": NOW,
        **values,
    }
    return OutboxRow(**fields)
