"""Say all that stands against sending an announcement, before anybody is asked to approve it."""

from datetime import datetime

from bot.actions.announcement_senders import CapabilitiesOf, Prospect, fields_known, free_text, message_for, prospect
from bot.actions.list_values import first_wrong
from bot.domain.announcement import NAME_FIELD, SOMEBODY, Kind, fields_wrong, words_wrong
from bot.domain.audience import Audience, Way
from bot.domain.calendar import WorkingCalendar
from bot.domain.cap import remarks_of
from bot.domain.quiet import opens_at
from bot.domain.schedule import Schedule, upcoming
from bot.domain.schedule import problems as schedule_wrong
from bot.domain.template import Parameter, Problem, filled, parameters_of
from bot.errors import InvalidInputError
from bot.store import provider_templates, recipients
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from bot.store.marks import TopicRow


async def wrong(
    session: Session, able: CapabilitiesOf, row: AnnouncementRow, calendar: WorkingCalendar, now: datetime
) -> list[InvalidInputError]:
    """Return everything that stands against submitting an announcement, by field; [] when nothing does.

    Fields are those of the steps: title, text, button_label, button_url, audience, list, template, warning, and those
    of the schedule.
    """
    found = words_wrong(row.title, row.text, row.button_label, row.button_url)
    found += fields_wrong(await free_text(session, row), await fields_known(session, row, NAME_FIELD))
    found += await _list_wrong(session, row)
    topic = await session.get(TopicRow, row.topic_id) if row.topic_id else None
    if topic is not None and topic.advert and row.kind != Kind.ADVERT:
        found.append(InvalidInputError("topic_id", "advert_topic", topic=topic.name))
    timing = schedule_problems(row, calendar, now)
    found += timing
    at = now if timing else first_run(row, calendar, now)
    found += _warning_wrong(row, max(at, now))
    outlook = await prospect(session, able, row, at)
    if not outlook.senders:
        found.append(InvalidInputError("audience", "no_account"))
    elif not outlook.reach.reached:
        found.append(InvalidInputError("audience", "nobody"))
    return [*found, *await _templates_wrong(session, row, outlook)]


def first_run(row: AnnouncementRow, calendar: WorkingCalendar, now: datetime) -> datetime:
    """Return when an announcement would leave first if it were approved now."""
    schedule = Schedule.from_json(row.schedule)
    if schedule.kind == "now":
        return opens_at(row.kind, now)
    if schedule.kind == "once":
        return schedule.at or now
    return next(iter(upcoming(schedule, now, calendar, 1)), now)


def schedule_problems(row: AnnouncementRow, calendar: WorkingCalendar, now: datetime) -> list[InvalidInputError]:
    """Return what is wrong with when an announcement is to leave: in the past, never, or in quiet hours.

    One that leaves at once after its approval is not held against the hour: it waits until it may.
    """
    schedule = Schedule.from_json(row.schedule)
    found = schedule_wrong(schedule, now)
    if found or schedule.kind == "now":
        return found
    runs = [schedule.at] if schedule.kind == "once" and schedule.at else upcoming(schedule, now, calendar, 5)
    if not runs:
        return [InvalidInputError("until", "no_run")]
    if any(opens_at(row.kind, run) > run for run in runs):
        return [InvalidInputError("at" if schedule.kind == "once" else "time", "quiet_hours", kind=row.kind)]
    return []


def _warning_wrong(row: AnnouncementRow, at: datetime) -> list[InvalidInputError]:
    """Return why the official warning that an announcement was made of is none to pass on when it leaves."""
    stand = {"not_public", "expired"} & set(remarks_of(row.warning, at))
    return [InvalidInputError("warning", f"warning_{code}") for code in sorted(stand)]


async def _list_wrong(session: Session, row: AnnouncementRow) -> list[InvalidInputError]:
    list_id = Audience.from_json(row.audience).list_id
    if not list_id:
        return []
    found = await recipients.seen(session, list_id)
    if found is None:
        return [InvalidInputError("list", "list_gone")]
    if found.state != "ready":
        return [InvalidInputError("list", f"list_{found.state}")]
    if found.bad:
        return [InvalidInputError("list", "list_bad_rows", bad=found.bad)]
    return []


async def _templates_wrong(session: Session, row: AnnouncementRow, outlook: Prospect) -> list[InvalidInputError]:
    """Return what is wrong with the chosen templates, and for a list the first line that does not fit one."""
    found: list[InvalidInputError] = []
    names = {account.id: account.name for account in outlook.accounts}
    known = await fields_known(session, row, NAME_FIELD)
    for sender in outlook.senders:
        if not sender.template_id:
            continue
        template = await provider_templates.template(session, sender.account_id, sender.template_id)
        if template is None or not (sender.by_user or sender.by_phone):
            found.append(InvalidInputError("template", "template_unusable", account=names[sender.account_id]))
            continue
        message = await message_for(session, row, sender, Way.TEMPLATE_USER)
        found += [InvalidInputError("template", each.code, **each.details) for each in fields_wrong(message, known)]
        found += await _values_wrong(session, row, parameters_of(template.parameters), message.parameters)
    return found


async def _values_wrong(
    session: Session, row: AnnouncementRow, parameters: tuple[Parameter, ...], given: dict[str, str]
) -> list[InvalidInputError]:
    """Return what is wrong with the parameters; of a list the first line that has something wrong, with its number."""
    list_id = Audience.from_json(row.audience).list_id
    if not list_id:
        return _told(filled(parameters, given, {NAME_FIELD: SOMEBODY}).problems, None)
    return _told(*await first_wrong(session, list_id, parameters, given))


def _told(problems: list[Problem], line: int | None) -> list[InvalidInputError]:
    where = {} if line is None else {"line": line}
    return [InvalidInputError("template", p.code, parameter=p.parameter, **where, **p.details) for p in problems]
