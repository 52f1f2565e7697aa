"""Find by which accounts an announcement leaves, what each may do then, and what the same text becomes in each way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.announcement import Kind, message_of
from bot.domain.audience import STATE_AGENCY_PRICE, Audience, Estimate, Reach, Sender, Way, estimate
from bot.domain.message import Capabilities, Media, Message, fit
from bot.domain.template import ENABLED
from bot.store import accounts, audience, files, listed_audience, provider_templates, recipients, units
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow
from bot.store.audience import Rules
from bot.store.database import Session
from bot.store.marks import TopicRow
from bot.store.units import UnitRow

CapabilitiesOf = Callable[[AccountRow], Capabilities]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would happen if an announcement left at `at`: by which accounts, to how many, at what cost."""

    at: datetime
    accounts: tuple[AccountRow, ...]
    senders: tuple[Sender, ...]
    rules: Rules
    reach: Reach
    estimate: Estimate
    parts: int


async def prospect(session: Session, able: CapabilitiesOf, row: AnnouncementRow, at: datetime) -> Prospect:
    """Count whom an announcement would reach at a moment, by which way, at what cost and in what time."""
    found = await accounts_of(session, row)
    senders = [await sender_of(session, able, row, account, at) for account in found]
    rules = await rules_of(session, row)
    reach = await (listed_audience if rules.audience.list_id else audience).reach(session, senders, rules)
    message = await free_text(session, row)
    parts = max((len(fit(message, able(account))) for account in found), default=1)
    return Prospect(at, tuple(found), tuple(senders), rules, reach, estimate(reach, senders, parts), parts)


async def accounts_of(session: Session, row: AnnouncementRow) -> list[AccountRow]:
    """Return the accounts of the chosen units and all below; where there is none, those of the nearest unit above.

    These speak for many more people than the unit's own: then it has to be said which of them are meant, by villages,
    by dossiers or by a list.
    """
    audience_ = Audience.from_json(row.audience)
    chosen = audience_.unit_ids or (row.unit_id,)
    homes = [unit for unit in [await units.unit(session, unit_id) for unit_id in chosen] if unit is not None]
    by_id = {unit.id: unit for unit in await units.all_units(session)}
    everybody = await accounts.all_accounts(session)
    found = [a for a in everybody if any(by_id[a.unit_id].path.startswith(home.path) for home in homes)]
    narrowed = audience_.area_ids or audience_.list_id or audience_.dossier_fields
    return found or (_nearest_above(homes, everybody, by_id) if narrowed else [])


def _nearest_above(
    homes: Sequence[UnitRow], everybody: Sequence[AccountRow], by_id: dict[str, UnitRow]
) -> list[AccountRow]:
    above = [a for a in everybody if any(home.path.startswith(by_id[a.unit_id].path) for home in homes)]
    longest = max((len(by_id[a.unit_id].path) for a in above), default=0)
    return [a for a in above if len(by_id[a.unit_id].path) == longest]


async def sender_of(
    session: Session, able: CapabilitiesOf, row: AnnouncementRow, account: AccountRow, at: datetime
) -> Sender:
    """Say what an account may do with an announcement that leaves at a moment."""
    can = able(account)
    template_id = str(row.templates.get(account.id, {}).get("template_id", ""))
    template = await provider_templates.template(session, account.id, template_id) if template_id else None
    usable = template is not None and template.status == ENABLED and template.gone_at is None
    by_user, by_phone = (usable and template.by_user, usable and template.by_phone) if template else (False, False)
    return Sender(
        account_id=account.id,
        provider=account.provider,
        at=at,
        windowed=can.window_hours > 0,
        since=at - timedelta(hours=can.window_hours),
        free_since=at - timedelta(hours=can.free_hours),
        template_id=template_id,
        by_user=by_user,
        by_phone=by_phone,
        price_user=(template.price_user or 0) if template else 0,
        price_phone=(template.price_phone if template.price_phone is not None else STATE_AGENCY_PRICE)
        if template
        else 0,
        per_minute=can.per_minute,
    )


async def rules_of(session: Session, row: AnnouncementRow) -> Rules:
    """Return what narrows the audience, with what people may have decided about its topic and about advertising."""
    topic = await session.get(TopicRow, row.topic_id) if row.topic_id else None
    advert = row.kind == Kind.ADVERT or (topic is not None and topic.advert)
    home = await units.unit(session, row.unit_id)
    assert home is not None
    return Rules(
        Audience.from_json(row.audience),
        topic.id if topic else "",
        topic_default_on=topic.default_on if topic else True,
        needs_consent=advert and row.kind != Kind.EMERGENCY,
        path=home.path,
    )


async def free_text(session: Session, row: AnnouncementRow) -> Message:
    """Return what people get as free text, its merge fields not filled yet."""
    file = await files.file(session, row.file_id) if row.file_id else None
    media = Media(file.id, "image", file.name) if file else None
    return message_of(row.title, row.text, row.button_label, row.button_url, media, row.kind)


async def message_for(session: Session, row: AnnouncementRow, sender: Sender, way: Way) -> Message:
    """Return what people get by one way: free text, or the account's template with its parameters."""
    if way in {Way.CHAT, Way.NONE}:
        return await free_text(session, row)
    template = await provider_templates.template(session, sender.account_id, sender.template_id)
    parameters = dict(row.templates.get(sender.account_id, {}).get("parameters", {}))
    return Message(
        template_id=sender.template_id,
        parameters={str(name): str(value) for name, value in parameters.items()},
        development=template is not None and template.development,
    )


async def fields_known(session: Session, row: AnnouncementRow, name_field: str) -> set[str]:
    """Return the merge fields that an audience has: the columns of its list, or what a contact is called."""
    listed = Audience.from_json(row.audience).list_id
    found = await recipients.seen(session, listed) if listed else None
    return set(found.columns) if found else {name_field}
