"""Compose an announcement, have a second person approve it, and end it: every change leaves a trail."""

from typing import Any

from bot.actions import announcement_runs
from bot.actions.announcement_plans import PLAN
from bot.actions.case_trail import audit
from bot.domain.announcement import MOVES, Kind, State, words_wrong
from bot.domain.audience import Audience
from bot.domain.schedule import Schedule
from bot.domain.text import clean
from bot.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from bot.store import announcements, units
from bot.store.announcements import AnnouncementRow
from bot.store.unit_of_work import UnitOfWork

_WORDS = ("title", "text", "button_label", "button_url")


async def create(
    uow: UnitOfWork, unit_id: str, like: AnnouncementRow | None = None, warning: dict[str, Any] | None = None
) -> AnnouncementRow:
    """Begin an announcement of a unit, empty or with all that another one has but its approval.

    Whoever wrote one that nobody has approved yet has written its copy, too. `warning` is what is kept of the official
    warning that it is made of.
    """
    assert uow.actor.id is not None
    row = AnnouncementRow(
        id=uow.new_id(), unit_id=unit_id, created_by=uow.actor.id, created_at=uow.now, updated_at=uow.now
    )
    row.warning = warning or {}
    if like is not None:
        for name in (*_WORDS, "kind", "topic_id", "file_id", "templates", "audience", "warning"):
            setattr(row, name, getattr(like, name))
        if like.approved_at is None:
            row.writers = sorted({*like.writers, like.created_by})
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, "announcement.create", f"announcement:{row.id}", {"like": like.id if like else ""})
    _announce(uow, row)
    return row


async def write(
    uow: UnitOfWork, announcement_id: str, version: int, *, kind: str, topic_id: str | None, words: dict[str, str]
) -> AnnouncementRow:
    """Set what an announcement says: `words` has title, text, button_label and button_url.

    Raises InvalidInputError for the first thing that is wrong, ConflictError when it is no draft or has changed.
    """
    row = await draft(uow, announcement_id, version)
    given = {name: clean(words.get(name, "")).strip() for name in _WORDS}
    if kind not in set(Kind):
        raise InvalidInputError("kind", "unknown_announcement_kind")
    for wrong in words_wrong(given["title"], given["text"], given["button_label"], given["button_url"]):
        raise wrong
    for name, value in given.items():
        setattr(row, name, value)
    row.kind, row.topic_id = kind, topic_id
    _wrote(uow, row, "write")
    return row


async def picture(uow: UnitOfWork, announcement_id: str, version: int, file_id: str | None) -> AnnouncementRow:
    """Set the picture of an announcement, or take it away."""
    row = await draft(uow, announcement_id, version)
    row.file_id = file_id
    _wrote(uow, row, "picture")
    return row


async def choose(uow: UnitOfWork, announcement_id: str, version: int, audience: Audience) -> AnnouncementRow:
    """Set whom an announcement is for; raises InvalidInputError for units that are not below its own."""
    row = await draft(uow, announcement_id, version)
    home = await units.unit(uow.session, row.unit_id)
    assert home is not None
    for unit_id in audience.unit_ids:
        chosen = await units.unit(uow.session, unit_id)
        if chosen is None or not chosen.path.startswith(home.path):
            raise InvalidInputError("audience", "unknown_unit")
    row.audience = audience.to_json()
    _wrote(uow, row, "choose")
    return row


async def set_templates(
    uow: UnitOfWork, announcement_id: str, version: int, templates: dict[str, Any]
) -> AnnouncementRow:
    """Set by account the template that stands in where free text may not go: template_id and parameters."""
    row = await draft(uow, announcement_id, version)
    row.templates = templates
    _wrote(uow, row, "templates")
    return row


async def set_schedule(uow: UnitOfWork, announcement_id: str, version: int, schedule: Schedule) -> AnnouncementRow:
    """Set when an announcement leaves."""
    row = await draft(uow, announcement_id, version)
    row.schedule = schedule.to_json()
    _wrote(uow, row, "schedule")
    return row


async def submit(uow: UnitOfWork, announcement_id: str, version: int) -> AnnouncementRow:
    """Hand an announcement over for approval; whoever calls has checked that nothing is wrong with it."""
    row = await load(uow, announcement_id, version)
    _move(row, "submit")
    row.submitted_by, row.submitted_at, row.reason = uow.actor.id, uow.now, ""
    _wrote(uow, row, "submit")
    return row


async def withdraw(uow: UnitOfWork, announcement_id: str, version: int) -> AnnouncementRow:
    """Take an announcement back that waits for approval, to change it."""
    row = await load(uow, announcement_id, version)
    _move(row, "withdraw")
    _changed(uow, row, "withdraw")
    return row


async def send_back(uow: UnitOfWork, announcement_id: str, version: int, reason: str) -> AnnouncementRow:
    """Send an announcement back to whoever wrote it; raises InvalidInputError without a reason."""
    row = await load(uow, announcement_id, version)
    _move(row, "send_back")
    row.reason = clean(reason).strip()[:500]
    if not row.reason:
        raise InvalidInputError("reason", "required")
    _changed(uow, row, "send_back", reason=row.reason)
    return row


async def approve(uow: UnitOfWork, announcement_id: str, version: int, *, confirmed: bool) -> AnnouncementRow:
    """Approve an announcement, and with it all runs of a series; planning begins at once.

    Raises ForbiddenError for whoever began, changed or submitted it, and InvalidInputError for an emergency that was
    not confirmed once more.
    """
    row = await load(uow, announcement_id, version)
    if had_a_hand(row, uow.actor.id):
        raise ForbiddenError("own_announcement")
    if row.kind == Kind.EMERGENCY and not confirmed:
        raise InvalidInputError("confirmed", "required")
    _move(row, "approve")
    row.approved_by, row.approved_at = uow.actor.id, uow.now
    row.next_run_at = None
    _changed(uow, row, "approve")
    uow.after_commit(PLAN)
    return row


def had_a_hand(row: AnnouncementRow, staff_id: str | None) -> bool:
    """Say whether somebody began, changed or submitted an announcement, ever: another has to approve it."""
    return staff_id in {row.created_by, row.submitted_by, *row.writers}


async def end(uow: UnitOfWork, announcement_id: str, version: int) -> AnnouncementRow:
    """End an announcement: no run begins any more; what is being sent goes on unless it is stopped."""
    row = await load(uow, announcement_id, version)
    _move(row, "end")
    await announcement_runs.end(uow, row)
    _changed(uow, row, "end")
    uow.after_commit(PLAN)
    return row


async def remove(uow: UnitOfWork, announcement_id: str, version: int) -> None:
    """Throw a draft away."""
    row = await draft(uow, announcement_id, version)
    await uow.session.delete(row)
    audit(uow, "announcement.remove", f"announcement:{row.id}", {"title": row.title})
    uow.announce("announcements")


async def load(uow: UnitOfWork, announcement_id: str, version: int | None = None) -> AnnouncementRow:
    """Return an announcement, locked; raises NotFoundError, and ConflictError when it is not at `version` any more."""
    row = await announcements.announcement(uow.session, announcement_id)
    if row is None:
        raise NotFoundError(f"announcement {announcement_id}")
    if version is not None and row.version != version:
        raise ConflictError(f"announcement {announcement_id} has changed")
    return row


async def draft(uow: UnitOfWork, announcement_id: str, version: int) -> AnnouncementRow:
    """Return an announcement that may be changed; raises ConflictError for one that waits or was approved."""
    row = await load(uow, announcement_id, version)
    if row.state != State.DRAFT:
        raise ConflictError(f"announcement {announcement_id} is {row.state}")
    return row


def _move(row: AnnouncementRow, verb: str) -> None:
    before, after = MOVES[verb]
    if row.state not in before:
        raise ConflictError(f"announcement {row.id} is {row.state}")
    row.state = after.value


def _wrote(uow: UnitOfWork, row: AnnouncementRow, verb: str) -> None:
    if uow.actor.id is not None and uow.actor.id not in row.writers:
        row.writers = [*row.writers, uow.actor.id]
    _changed(uow, row, verb)


def _changed(uow: UnitOfWork, row: AnnouncementRow, verb: str, **data: object) -> None:
    row.version += 1
    row.updated_at = uow.now
    audit(uow, f"announcement.{verb}", f"announcement:{row.id}", {"version": row.version, **data})
    _announce(uow, row)


def _announce(uow: UnitOfWork, row: AnnouncementRow) -> None:
    uow.announce("announcements")
    uow.announce(f"announcement:{row.id}")
