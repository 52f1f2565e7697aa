"""Keep what providers say of templates, and let broadcasts rest whose template may not be sent any more."""

from datetime import datetime, timedelta

from bot.actions.case_trail import audit
from bot.domain.template import DISABLED_REASON, ENABLED, TemplateFacts
from bot.domain.update import TemplateNews
from bot.store import accounts, broadcasts, provider_templates
from bot.store.accounts import AccountRow
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.unit_of_work import UnitOfWork

REFUSED = "templates_refused"
"""Where an account's learnt facts say why its templates cannot be asked for; "" when they can."""
EMPTY_SINCE = "templates_empty_since"
"""Where an account's learnt facts say since when it lists no templates at all; "" while it does."""
QUALITY = "template_quality"
DAY_QUOTA = "template_day"
_EMPTY_FOR = timedelta(minutes=5)
TOPIC = "templates"
"""Under which name pages that show templates hear of news."""


async def listed(uow: UnitOfWork, account_id: str, found: TemplateFacts) -> ProviderTemplateRow:
    """Take in what the list says of one template: it is there, and may be sent or not."""
    row = await provider_templates.locked(uow.session, account_id, found.template_id)
    row.name, row.quality = found.name or row.name, found.quality or row.quality
    row.gone_at = None
    await _set_status(uow, row, found.status)
    return row


async def described(uow: UnitOfWork, account_id: str, found: TemplateFacts) -> ProviderTemplateRow:
    """Take in all that the provider says of one template."""
    row = await listed(uow, account_id, found)
    row.tag, row.text = found.tag, found.text or row.text
    row.parameters = [parameter.to_json() for parameter in found.parameters]
    row.by_user, row.by_phone, row.development = found.by_user, found.by_phone, found.development
    row.price_user, row.price_phone, row.timeout_seconds = found.price_user, found.price_phone, found.timeout_seconds
    row.fetched_at = uow.now
    uow.announce(TOPIC)
    return row


async def gone(uow: UnitOfWork, account_id: str, still_there: set[str]) -> int:
    """Note which templates are not listed any more, and let what would be sent by them rest; returns how many.

    A list without any is what a fault of the provider looks like: it is believed once it has come twice in a row,
    some minutes apart.
    """
    if not await _is_believed(uow, account_id, still_there):
        return 0
    missing = await provider_templates.mark_gone(uow.session, account_id, still_there, uow.now)
    for template_id in missing:
        await _rest(uow, account_id, template_id, "gone")
    return len(missing)


async def _is_believed(uow: UnitOfWork, account_id: str, listed: set[str]) -> bool:
    row = await accounts.account(uow.session, account_id)
    before = "" if row is None else str(row.learnt.get(EMPTY_SINCE, ""))
    since = "" if listed else before or uow.now.isoformat()
    if since != before:
        await accounts.learn(uow.session, account_id, EMPTY_SINCE, since)
    return bool(listed) or uow.now - datetime.fromisoformat(since) >= _EMPTY_FOR


async def refused(uow: UnitOfWork, account_id: str, reason: str) -> None:
    """Note why an account's templates cannot be asked for, "" when they can; the account itself goes on."""
    row = await accounts.account(uow.session, account_id)
    if row is not None and str(row.learnt.get(REFUSED, "")) != reason:
        await accounts.learn(uow.session, account_id, REFUSED, reason)
        uow.announce(TOPIC)


async def allowed(
    uow: UnitOfWork, account_id: str, *, left: int | None, per_day: int | None = None, quality: str = ""
) -> None:
    """Note how many templates an account may still send today, and how well they are received."""
    if left is not None:
        told = {"remaining": left, "total": per_day, "at": uow.now.isoformat()}
        await accounts.note_quota(uow.session, account_id, {DAY_QUOTA: told})
    if quality:
        await accounts.learn(uow.session, account_id, QUALITY, quality)


async def ask_anew(uow: UnitOfWork, account_ids: list[str]) -> None:
    """Have everything about the templates of these accounts asked for at the next look."""
    await provider_templates.ask_anew(uow.session, account_ids)
    audit(uow, "template.ask_anew", "template:*", {"accounts": len(account_ids)})


async def news(uow: UnitOfWork, account: AccountRow, update: TemplateNews) -> None:
    """Take in an event about a template or an allowance; what it does not say (what is left, tags) is asked for.

    News of a status that is older than what is known changes nothing: events come in any order.
    """
    if update.subject:
        await _of_template(uow, account.id, update)
    uow.after_commit("fetch_templates")
    for topic in ("health", "announcements", TOPIC):
        uow.announce(topic)


async def _of_template(uow: UnitOfWork, account_id: str, update: TemplateNews) -> None:
    row = await provider_templates.locked(uow.session, account_id, update.subject)
    row.fetched_at = None  # the details are to be asked for
    quality = update.details.get("quality", "")
    if update.what == "change_template_quality" and quality:
        row.quality = quality
        subject = f"template:{account_id}/{row.template_id}"
        audit(uow, "template.quality", subject, {"name": row.name, "quality": quality})
    status = update.details.get("status.new_status", "")
    if update.what == "change_template_status" and status and not _older(row, update.occurred_at):
        row.news_at = update.occurred_at
        await _set_status(uow, row, status, update.details.get("reason", ""))


def _older(row: ProviderTemplateRow, at: datetime) -> bool:
    return row.news_at is not None and at < row.news_at


async def _set_status(uow: UnitOfWork, row: ProviderTemplateRow, status: str, reason: str = "") -> None:
    """Keep a template's status; what uses one that may not be sent rests, also when that is no news."""
    if status and status != row.status:
        if row.status:
            data = {"name": row.name, "from": row.status, "to": status, "reason": reason}
            audit(uow, "template.status", f"template:{row.account_id}/{row.template_id}", data)
        row.status = status
        uow.announce("health")
    if row.status not in {"", ENABLED}:
        await _rest(uow, row.account_id, row.template_id, row.status)


async def _rest(uow: UnitOfWork, account_id: str, template_id: str, status: str) -> None:
    for number in await broadcasts.pause_template(uow.session, account_id, template_id, DISABLED_REASON):
        data = {"reason": DISABLED_REASON, "template": template_id, "status": status}
        audit(uow, "broadcast.pause", f"broadcast:{number}", data)
        uow.announce(f"broadcast:{number}")
        uow.announce("health")
        uow.announce("announcements")
