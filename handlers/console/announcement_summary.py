"""Gather what is said of an announcement wherever all of it stands on one page."""

from typing import Any

from bot.domain.audience import Audience
from bot.domain.schedule import Schedule
from bot.store import files, marks, provider_templates
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.console import announcement_rules as rules


async def summary(session: Session, row: AnnouncementRow, home: UnitRow) -> dict[str, Any]:
    """Return what is said of an announcement wherever all of it stands on one page."""
    templates = [
        (account_id, await provider_templates.template(session, account_id, str(one.get("template_id", ""))), one)
        for account_id, one in row.templates.items()
    ]
    owners = {account_id: await session.get(AccountRow, account_id) for account_id in row.templates}
    return {
        "topic": await marks.topic(session, row.topic_id) if row.topic_id else None,
        "picture": await files.file(session, row.file_id) if row.file_id else None,
        "named": await rules.named(session, home, Audience.from_json(row.audience)),
        "templates": [(owners[account_id], template, one) for account_id, template, one in templates],
        "schedule": Schedule.from_json(row.schedule),
    }
