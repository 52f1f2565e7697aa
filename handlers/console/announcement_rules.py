"""Read whom an announcement is for from what is typed, and name the rules so that they can be said in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.domain.audience import EVER, UNFINISHED, Audience
from bot.errors import InvalidInputError
from bot.store import announcement_views, dossier_lists, marks, recipients, units
from bot.store.accounts import AccountRow
from bot.store.database import Session
from bot.store.marks import TopicRow
from bot.store.recipients import RecipientListRow
from bot.store.units import AreaRow, UnitRow
from handlers.console.announcement_access import WRITE
from handlers.console.page import Form, visit_of


@dataclass(frozen=True, slots=True)
class Named:
    """The rules of an audience by name."""

    units: tuple[str, ...]
    areas: tuple[str, ...]
    topics: tuple[str, ...]
    tags: tuple[str, ...]
    without_tags: tuple[str, ...]
    dossier_fields: tuple[str, ...] = ()
    dossier_state: str = EVER
    listed: RecipientListRow | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen from: villages stand by unit, topics with the unit that has them, fields of its dossiers."""

    units: tuple[UnitRow, ...]
    areas: tuple[tuple[UnitRow, tuple[AreaRow, ...]], ...]
    topics: tuple[TopicRow, ...]
    tags: tuple[str, ...]
    fields: tuple[str, ...]
    lists: tuple[RecipientListRow, ...]


def given(form: Form) -> Audience:
    """Return the audience that was chosen on the page; by rules, or by a list, never both."""
    if form.text("by") == "list":
        return Audience(list_id=form.text("list_id"))
    return Audience(
        unit_ids=_chosen(form, "unit"),
        area_ids=_chosen(form, "area"),
        topic_ids=_chosen(form, "topic"),
        tags=_chosen(form, "tag"),
        without_tags=_chosen(form, "without"),
        dossier_fields=_chosen(form, "field"),
        dossier_state=UNFINISHED if form.text("dossier") == UNFINISHED and _chosen(form, "field") else EVER,
    )


def _chosen(form: Form, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in form.texts(name) if value))


async def check(request: web.Request, session: Session, home: UnitRow, audience: Audience) -> None:
    """Refuse units and lists that are somebody else's; raises InvalidInputError."""
    below = {unit.id for unit in await units.below(session, home.path)}
    if not below.issuperset(audience.unit_ids):
        raise InvalidInputError("audience", "unknown_unit")
    if audience.list_id:
        row = await recipients.seen(session, audience.list_id)
        owner = await units.unit(session, row.unit_id) if row else None
        if owner is None or not _may_use(request, home, owner):
            raise InvalidInputError("list", "list_gone")


def _may_use(request: web.Request, home: UnitRow, owner: UnitRow) -> bool:
    """Say whether an announcement of a unit may be for another's list: of its own branch, and the person's to use."""
    related = owner.path.startswith(home.path) or home.path.startswith(owner.path)
    return related and visit_of(request).grants.over(WRITE, owner.path)


async def named(session: Session, home: UnitRow, audience: Audience) -> Named:
    """Name the rules of an audience; without a unit it is the announcement's own."""
    found = [await units.unit(session, unit_id) for unit_id in audience.unit_ids]
    chosen = [unit.name for unit in found if unit is not None] or [home.name]
    areas = await announcement_views.named_areas(session, audience.area_ids)
    topics = await announcement_views.named_topics(session, audience.topic_ids)
    listed = await recipients.seen(session, audience.list_id) if audience.list_id else None
    return Named(
        tuple(chosen),
        tuple(area.name for area in areas),
        tuple(topic.name for topic in topics),
        audience.tags,
        audience.without_tags,
        audience.dossier_fields,
        audience.dossier_state,
        listed,
    )


async def choices(
    request: web.Request, session: Session, home: UnitRow, audience: Audience, senders: Sequence[AccountRow]
) -> Choices:
    """Return what an announcement of a unit can be narrowed by; what is chosen already can be taken away, too.

    Units that have no account of their own, nor any below, change nothing and are not offered.
    """
    ever = await units.below(session, home.path)
    below = [unit for unit in ever if unit.valid_to is None]
    every = await announcement_views.areas_of(session, [unit.id for unit in below])
    areas = [(unit, tuple(area for area in every if area.unit_id == unit.id)) for unit in below]
    groups = tuple((unit, found) for unit, found in areas if found)
    if not groups:
        groups = ((home, tuple(await marks.villages(session, home))),)
    owners = {account.unit_id for account in senders}
    paths = [unit.path for unit in below if unit.id in owners]
    offered = [u for u in below if u.id in audience.unit_ids or any(path.startswith(u.path) for path in paths)]
    found = await announcement_views.tags(session, [account.id for account in senders])
    known = {*found, *audience.tags, *audience.without_tags}
    fields = await dossier_lists.fields(session, [unit.path for unit in ever])
    mine = [unit for unit in await units.all_units(session) if _may_use(request, home, unit)]
    lists = await recipients.lists(session, [unit.id for unit in mine])
    return Choices(
        tuple(offered) if len(offered) > 1 else (),
        groups,
        tuple(await marks.topics(session, home)),
        tuple(sorted(known)),
        tuple(sorted({*fields, *audience.dossier_fields})),
        tuple(row for row in lists if row.state in {"ready", "checking"} or row.id == audience.list_id),
    )
