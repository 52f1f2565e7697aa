"""List whom a run of an announcement did not reach, by village, to be printed for the loudspeaker and village heads."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.actions import announcement_results as actions
from bot.domain.access import Permission
from bot.domain.announcement import NAME_FIELD
from bot.domain.privacy import mask_phone
from bot.domain.text import fold
from bot.errors import DecryptionError
from bot.secrets import SecretBox
from bot.store import result_rows, results
from bot.store.database import Session
from bot.store.result_rows import BY_PHONE, Told, Which
from bot.store.results import LEFT, MISSED, Seen, VillageTally
from bot.store.units import AreaRow
from handlers.console.announcement_runs import address
from handlers.console.page import Form, form_of, render, runtime_of, visit_of, writing
from handlers.console.run_progress import seen_run
from handlers.recent import RECENT

_READ, _REVEAL = Permission.ANNOUNCEMENT_READ, Permission.CONTACT_REVEAL
NO_VILLAGE = "none"
"""What stands in addresses for those of whom no village is known."""
_MOST = result_rows.PAGE
_KEPT_SECONDS = 20.0
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Person:
    """One recipient as a list shows them; `phone` masked, or in full where that was asked for."""

    name: str
    phone: str
    reason: str
    state: str


@dataclass(slots=True)
class Village:
    """What became of the recipients of one village; `area` is None for those of whom none is known.

    `written` is how the list that they came from writes it; its name, where it is no village of ours.
    """

    area: AreaRow | None
    key: str
    written: list[str] = field(default_factory=list)
    sent: int = 0
    seen: int = 0
    missed: int = 0
    cancelled: int = 0
    decided: int = 0

    @property
    def total(self) -> int:
        """Everybody who has come to an end."""
        return self.sent + self.missed + self.cancelled + self.decided

    def of(self, which: Which) -> int:
        """How many of those who were not reached."""
        return {Which.MISSED: self.missed, Which.CANCELLED: self.cancelled, Which.DECIDED: self.decided}[which]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which list is asked for: whom, of which village ("" for all), and after which row it goes on."""

    which: Which = Which.MISSED
    village: str = ""
    after: tuple[int, int] = (0, 0)

    @classmethod
    def read(cls, values: Any) -> "Asked":
        """Read an address or a form; what makes no sense is the beginning of the whole list."""
        which = values("which")
        return cls(Which(which) if which in set(Which) else Which.MISSED, values("village")[:40], _row(values("after")))


def _row(text: str) -> tuple[int, int]:
    first, _, second = text.partition("-")
    plain = all(part.isascii() and part.isdigit() and len(part) <= _LONGEST_NUMBER for part in (first, second))
    return (int(first), int(second)) if plain else (0, 0)


async def show(request: web.Request) -> web.Response:
    """Show figures by village, and the people of one village, or of all where they are few; phones masked."""
    found = await seen_run(request, _READ)
    return await _page(request, found, Asked.read(lambda name: request.query.get(name, "")), full=False)


async def reveal(request: web.Request) -> web.Response:
    """Show the same people with their phones in full; that somebody looked is logged."""
    form: Form = await form_of(request)
    found = await seen_run(request, _READ)
    if not visit_of(request).grants.over(_REVEAL, found.unit.path):
        raise web.HTTPForbidden
    return await _page(request, found, Asked.read(form.text), full=True)


async def _page(request: web.Request, found: Seen, asked: Asked, *, full: bool) -> web.Response:
    runtime = runtime_of(request)
    async with runtime.database.reading() as session:
        numbers = [row.id for row, _ in await results.broadcasts_of(session, [found.run.id]) if row.id is not None]
    column, villages = await _villages(request, found, numbers)
    known = {village.key: village for village in villages}
    if asked.village and asked.village not in known:
        asked = Asked(asked.which)
    there = sum(village.of(asked.which) for village in villages if asked.village in {"", village.key})
    rows: list[Told] = []
    homes: dict[str, str] = {}
    if there and (asked.village or there <= _MOST):
        async with runtime.database.reading() as session:
            rows, homes = await _rows(session, numbers, asked, column, known.get(asked.village))
    people = await asyncio.to_thread(_people, runtime.box, rows, full=full)
    if full:
        async with writing(request) as uow:
            actions.phones_shown(uow, found.run, asked.which.value, sum(bool(person.phone) for person in people))
    listed = {text: village.key for village in villages for text in village.written}
    homes = {row.recipient: listed.get(listed_home(row, column), "") for row in rows} | homes
    groups = _grouped(villages, rows, people, homes, asked.village)
    more = bool(asked.village) and len(rows) == _MOST
    values = {
        "run": found.run,
        "announcement": found.announcement,
        "unit": found.unit,
        "address": address(found),
        "villages": villages,
        "asked": asked,
        "which": [which.value for which in Which],
        "sums": {which.value: sum(village.of(which) for village in villages) for which in Which},
        "there": there,
        "groups": groups,
        "shown": len(people),
        "next": f"{rows[-1].broadcast_id}-{rows[-1].n}" if more else "",
        "begins": "-".join(map(str, asked.after)),
        "full": full,
        "may_reveal": visit_of(request).grants.over(_REVEAL, found.unit.path),
    }
    return render(request, "announcements/unreached", values)


async def _rows(
    session: Session, numbers: Sequence[int], asked: Asked, column: str, one: Village | None
) -> tuple[list[Told], dict[str, str]]:
    village = None if one is None else one.area.id if one.area else ""
    listed = (column, one.written if one else ())
    rows = await result_rows.unreached(
        session, numbers, asked.which, village=village, listed=listed, after=asked.after, limit=_MOST
    )
    homes = {} if asked.village else await result_rows.villages(session, [row.recipient for row in rows])
    return rows, homes


async def _villages(request: web.Request, found: Seen, numbers: Sequence[int]) -> tuple[str, list[Village]]:
    """Return the list's column of villages, and what became of each village's recipients: ours in order, none last."""
    runtime = runtime_of(request)

    async def count() -> tuple[str, list[VillageTally], list[AreaRow]]:
        async with runtime.database.reading() as session:
            column = await results.listed_column(session, numbers) if numbers else ""
            counted = await results.by_village(session, numbers, column) if numbers else []
            named = await results.areas(session, sorted({each.area_id for each in counted} - {""}))
            named += await results.areas_of(session, found.unit.path) if column else []
        return column, counted, named

    column, counted, named = await request.app[RECENT].get(f"villages {found.run.id}", _KEPT_SECONDS, count)
    return column, _counted(counted, named)


def _counted(counted: Sequence[VillageTally], named: Sequence[AreaRow]) -> list[Village]:
    made = {area.id: Village(area, area.id) for area in named}
    known = {fold(name): area.id for area in named for name in (*area.aliases, area.name)}
    others: dict[str, Village] = {}
    nowhere = Village(None, NO_VILLAGE)
    for each in counted:
        village = made.get(each.area_id, nowhere)
        if village is nowhere and (text := fold(each.listed)):
            key = f"l-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
            village = made[known[text]] if text in known else others.setdefault(key, Village(None, key))
            village.written += [each.listed] if each.listed not in village.written else []
        if each.state in LEFT:
            village.sent += each.number
            village.seen += each.number * (each.state == "seen")
        elif each.state in MISSED:
            village.missed += each.number
        elif each.state == "cancelled" and each.decided:
            village.decided += each.number
        elif each.state == "cancelled":
            village.cancelled += each.number
    in_order = sorted(others.values(), key=lambda village: fold(village.written[0]))
    return [village for village in (*made.values(), *in_order, nowhere) if village.total]


def _people(box: SecretBox, rows: Sequence[Told], *, full: bool) -> list[Person]:
    return [Person(name_of(row), phone_of(box, row, full=full), row.reason, row.state) for row in rows]


def name_of(row: Told) -> str:
    """Return what a recipient is called: as their contact, or in the list they came from."""
    merged = row.merged or {}
    listed = next((str(value) for name, value in merged.items() if _is_name(name) and value), "")
    return row.name or listed


def listed_home(row: Told, column: str) -> str:
    """Return the village that the list has which a recipient came from, as it is written there."""
    return str((row.merged or {}).get(column, "")).strip() if column else ""


def _is_name(field: str) -> bool:
    return field.casefold() in {NAME_FIELD.casefold(), "họ tên", "họ và tên"}


def phone_of(box: SecretBox, row: Told, *, full: bool = False) -> str:
    """Return a recipient's phone as people dial it, masked unless `full`; "" when none is known."""
    sealed = row.phone
    if sealed is None and (row.recipient.startswith(BY_PHONE) or row.way == "template_phone"):
        try:
            sealed = bytes.fromhex(row.address)
        except ValueError:
            return ""
    try:
        number = box.open(sealed) if sealed else ""
    except DecryptionError:
        return ""
    if not number or not full:
        return mask_phone(number) if number else ""
    return f"0{number[2:]}" if number.startswith("84") else number


def _grouped(
    villages: Sequence[Village], rows: Sequence[Told], people: Sequence[Person], homes: dict[str, str], village: str
) -> list[tuple[Village, list[Person]]]:
    """Put people under their villages, by name; whose village is not known come last."""
    known = {each.key: each for each in villages}
    groups: dict[str, list[Person]] = {key: [] for key in known}
    for row, person in zip(rows, people, strict=True):
        key = village or homes.get(row.recipient) or NO_VILLAGE
        groups[key if key in groups else NO_VILLAGE if NO_VILLAGE in groups else next(iter(groups))].append(person)
    return [(known[key], sorted(group, key=_by_name)) for key, group in groups.items() if group]


def _by_name(person: Person) -> tuple[bool, str, str]:
    """Order as lists of people are: by the last word of the name, which is the given name; without a name last."""
    words = person.name.split()
    return (not words, words[-1].casefold() if words else "", person.name.casefold())
