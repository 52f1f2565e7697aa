"""Look at templates: which announcements rest because theirs may not be sent, and which are received badly."""

from bot.health.line import Light, Line
from bot.store import provider_templates
from bot.store.accounts import AccountRow
from bot.store.database import Session
from bot.store.provider_templates import ENABLED, Unusable


async def template_lines(session: Session) -> list[Line]:
    """Name each broadcast that is not at its end and whose template is a reason to act, with its announcement."""
    found = await provider_templates.unusable(session)
    return [_line(one, await session.get(AccountRow, one.template.account_id)) for one in found]


def _line(one: Unusable, account: AccountRow | None) -> Line:
    template = one.template
    usable = template.status == ENABLED and template.gone_at is None
    values = {
        "template": template.name or template.template_id,
        "template_id": template.template_id,
        "status": "GONE" if template.gone_at is not None else template.status,
        "quality": template.quality,
        "account": account.name if account else "",
        "announcement": one.announcement,
    }
    return Line("template", Light.WARN if usable else Light.BAD, str(one.broadcast.id), values)
