"""Take in what other systems report of dossiers: whatever arrives in whatever order ends in the same state."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bot.actions import dossier_dates
from bot.actions.dossier_dates import Lines
from bot.clock import to_local
from bot.domain.dossier import Event, State, Status, Told, added_up, digest_of, due_by, kept_facts, outcome, recent
from bot.domain.dossier_clock import dates
from bot.domain.dossier_code import squeezed, tail_of
from bot.secrets import SecretBox
from bot.store import dossier_notices, dossiers, procedures
from bot.store.database import Session
from bot.store.dossier_notices import DossierNoticeRow, Noted
from bot.store.dossiers import DossierEventRow, DossierRow
from bot.store.procedures import ProcedureRow
from bot.store.unit_of_work import UnitOfWork

NEW, CHANGED, SAME, OLDER, ODD = "new", "changed", "same", "older", "odd"
"""What one report is: of an unknown dossier, of something new, of what is known, of the past, of an odd move."""
FOREIGN = "foreign"
"""A report of, or for, a unit outside the branch that whoever reports may write to: it is left out."""
_UNDATED = frozenset({Status.ACCEPTED, Status.PROCESSING, Status.SUPPLEMENT, Status.FEE})
"""Among these dossiers go to and fro, and exports without a column of updates do not say when."""
_ANNOUNCED = 20
"""So many dossiers of one call are told to open pages: of an import they hear when they are loaded anew."""


class Sealed(NamedTuple):
    """Who a report is about, encrypted, and the fingerprint of the phone; None for what was not told."""

    applicant: bytes | None
    phone: bytes | None
    phone_hash: str | None


def sealed(box: SecretBox, applicant: str, phone: str) -> Sealed:
    """Encrypt who a report is about."""
    hidden = box.seal(applicant) if applicant else None
    return Sealed(hidden, box.seal(phone) if phone else None, box.fingerprint(phone) if phone else None)


class News(NamedTuple):
    """One status of one dossier as somebody reports it; `code` canonical, `path` the unit's, `phone` as 84….

    `facts` are those of bot.domain.dossier.FACTS; "" for a name or phone that was not told. `digest` is what
    `digest_of` makes of all that and `sealed` what `sealed` does, where it has been worked out already. `derived` says
    that nobody has told when the status was taken: `at` is only when the dossier was received.
    """

    code: str
    status: Status
    at: datetime
    unit_id: str
    path: str
    facts: Mapping[str, Any] = {}
    applicant: str = ""
    phone: str = ""
    digest: str = ""
    sealed: Sealed | None = None
    derived: bool = False


@dataclass(slots=True)
class Change:
    """What the reports of one dossier make of it; `row` is None for one that is not known yet.

    `merged` are its events with what has just been reported.
    """

    code: str
    row: DossierRow | None
    known: list[DossierEventRow]
    fresh: list[tuple[News, str]] = field(default_factory=list)
    merged: list[Event] = field(default_factory=list)
    state: State | None = None


@dataclass(slots=True)
class Weighed:
    """What a number of reports would change; `kinds` says of each report in its order what it is.

    `to_tell` is how many notices may follow, whatever the units tell; `placed` how many reports, of which nobody told
    when, were taken as following what is known.
    """

    kinds: list[str]
    changes: list[Change]
    to_tell: int = 0
    placed: int = 0


async def weighed(session: Session, box: SecretBox, news: Sequence[News], now: datetime, within: str = "") -> Weighed:
    """Compare reports with what is known, changing nothing: an import's preview, and the first half of taking in.

    With `within`, the path of a unit, what is of or for units outside it is foreign and left out.
    """
    news, placed = await _placed(session, news)
    made = [each.digest or digest_of(box, each.facts, each.unit_id, each.applicant, each.phone) for each in news]
    known = await dossiers.digests(session, {each.code for each in news})
    unknown: dict[str, list[int]] = defaultdict(list)
    kinds = [SAME] * len(news)
    for index, each in enumerate(news):
        if known.get((each.code, each.at, int(each.status))) != made[index]:
            unknown[each.code].append(index)
    rows = await dossiers.by_codes(session, set(unknown))
    events = await dossiers.events(session, [row.id for row in rows.values()])
    found = Weighed(kinds, [])
    for code, told in unknown.items():
        row = rows.get(code)
        indices = [index for index in told if _inside(within, row, news[index])]
        for index in set(told) - set(indices):
            kinds[index] = FOREIGN
        if not indices:
            continue
        change = Change(code, row, events[row.id] if row else [])
        before = added_up(_events(change.known)) if row else None
        for index in indices:
            change.fresh.append((news[index], made[index]))
        change.merged = _merged(change)
        change.state = added_up(change.merged)
        for index in indices:
            kinds[index] = _kind(before, change.state, news[index])
            found.placed += index in placed
        found.to_tell += _new_notices(change, before, now)
        found.changes.append(change)
    return found


def _inside(within: str, row: DossierRow | None, news: News) -> bool:
    return news.path.startswith(within) and (row is None or row.path.startswith(within))


async def _placed(session: Session, news: Sequence[News]) -> tuple[Sequence[News], set[int]]:
    """Give reports of which nobody told when a moment among what is known; return which follow what is known.

    Another status than the last known is taken as having followed it, the same one as telling the same again.
    """
    rows = await dossiers.by_codes(session, {each.code for each in news if each.derived})
    rows = {code: row for code, row in rows.items() if row.status in _UNDATED}
    if not rows:
        return news, set()
    events = await dossiers.events(session, [row.id for row in rows.values()])
    moved, after = list(news), set()
    for index, each in enumerate(news):
        row = rows.get(each.code) if each.derived else None
        if row is None or (each.at, int(each.status)) >= (row.status_at, row.status):
            continue
        if row.status != each.status:
            moved[index] = each._replace(at=row.status_at + timedelta(seconds=1))
            after.add(index)
        elif events[row.id][-1].source.startswith("import:"):
            moved[index] = each._replace(at=row.status_at)
    return moved, after


def _kind(before: State | None, after: State, news: News) -> str:
    if before is None:
        return NEW
    if len(after.odd) > len(before.odd):
        return ODD
    return OLDER if (news.at, int(news.status)) < (before.at, int(before.status)) else CHANGED


def _new_notices(change: Change, before: State | None, now: datetime) -> int:
    assert change.state is not None
    after = recent(change.state, now)
    noted = recent(before, now) if before is not None and after else []
    return sum(not any(told.covers(old.kind, old.at, old.facts.get("due_at")) for old in noted) for told in after)


def _events(known: Iterable[DossierEventRow]) -> list[Event]:
    return [Event(row.at, Status(row.status), row.facts) for row in known]


def _merged(change: Change) -> list[Event]:
    """Return the events of a dossier with what has just been reported; a fact that was not told again stays."""
    found = {(event.at, event.status): event for event in _events(change.known)}
    for news, _ in change.fresh:
        before = found.get((news.at, news.status))
        facts = {**(before.facts if before else {}), **kept_facts(news.facts)}
        found[news.at, news.status] = Event(news.at, news.status, facts)
    return list(found.values())


async def take_in(uow: UnitOfWork, box: SecretBox, news: Sequence[News], source: str, within: str = "") -> Weighed:
    """Keep what was reported and note what is to be told; `source` as in DossierEventRow. At most some thousand a call.

    What is known already changes nothing, whoever reports it and how often; nor does what is foreign to the unit whose
    path is `within`.
    """
    await dossiers.one_writer(uow.session)
    found = await weighed(uow.session, box, news, uow.now, within)
    if not found.changes:
        return found
    codes = {str((change.state.facts if change.state else {}).get("procedure_code", "")) for change in found.changes}
    known = await procedures.by_codes(uow.session, {short_code(code) for code in codes if code})
    writing = _Writing(uow, box, source, known, await dossier_dates.lines(uow.session))
    for change in found.changes:
        writing.take(change)
    await writing.write()
    for change in found.changes[:_ANNOUNCED]:
        uow.announce(f"dossier:{change.row.id if change.row else change.code}")
    if writing.notices:
        uow.after_commit("tell_dossiers")
    return found


def short_code(code: str) -> str:
    """Return a procedure's short code, 1.000253, of one that carries an agency's suffix, 1.000253.000.00.00.H26."""
    return ".".join(code.strip().upper().split(".")[:2])


class _Writing:
    """Gather what is to be written, so that a thousand dossiers take a few statements."""

    def __init__(
        self, uow: UnitOfWork, box: SecretBox, source: str, known: Mapping[str, ProcedureRow], lines: Lines
    ) -> None:
        self._uow, self._box, self._source, self._procedures, self._lines = uow, box, source, known, lines
        self._made: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._told_again: list[dict[str, Any]] = []
        self.notices: list[tuple[str, Told]] = []

    def take(self, change: Change) -> None:
        """Work out the rows of one dossier."""
        row, state = change.row, change.state
        assert state is not None
        dossier_id = row.id if row else self._uow.new_id()
        self._note_events(change, dossier_id)
        latest = max((news for news, _ in change.fresh), key=lambda news: (news.at, news.status))
        values = {**self._values(state, latest, row), **self._person(change, row)}
        if row is None:
            made = {
                "id": dossier_id, "code": change.code, "squeezed": squeezed(change.code), "tail": tail_of(change.code),
                "rating": None, "rating_remark": "", "rated_at": None, "late_cause": "",
                "created_at": self._uow.now,
            }  # fmt: skip
            self._made.append({**values, **made})
        else:
            self._changed.append({**values, "id": dossier_id})
        self.notices += [(dossier_id, told) for told in recent(state, self._uow.now)]

    def _note_events(self, change: Change, dossier_id: str) -> None:
        known = {(event.at, event.status): event for event in change.known}
        fresh: dict[tuple[datetime, int], tuple[News, str]] = {}
        for news, digest in change.fresh:
            fresh[news.at, int(news.status)] = (news, digest)
        merged = {(event.at, int(event.status)): event.facts for event in change.merged}
        for key, (_, digest) in fresh.items():
            told = {"facts": merged[key], "digest": digest, "reported_at": self._uow.now}
            if key in known:  # whoever told it first stays its source
                self._told_again.append({"id": known[key].id, **told})
            else:
                made = {"id": self._uow.new_id(), "dossier_id": dossier_id, "at": key[0], "status": key[1]}
                self._events.append({**made, **told, "source": self._source})

    def _values(self, state: State, latest: News, row: DossierRow | None) -> dict[str, Any]:
        facts = state.facts
        code = short_code(str(facts.get("procedure_code", "")))
        procedure = self._procedures.get(code)
        newest = row is None or (latest.at, int(latest.status)) >= (row.status_at, row.status)
        path = latest.path if newest or row is None else row.path
        days = procedure.days if procedure else None
        when = dates(self._lines.of(path), state.received_at, days, state.due_at, state.pauses, state.due_told_at)
        fair = due_by(state.fair_due_at, state.fair_told_at, when.law_due_at, state.pauses)
        return {
            "unit_id": latest.unit_id if newest or row is None else row.unit_id,
            "path": path,
            "procedure_id": procedure.id if procedure else None,
            "procedure_code": code,
            "procedure_name": str(facts.get("procedure_name") or (procedure.name if procedure else "")),
            "field": str((procedure.field if procedure else "") or facts.get("field") or ""),
            "status": int(state.status),
            "status_at": state.at,
            "received_at": state.received_at,
            "due_at": state.due_at,
            **when._asdict(),
            "first_due_at": state.first_due_at,
            "finished_at": state.finished_at,
            "returned_at": state.returned_at,
            "outcome": outcome(state.status, state.finished_at, fair, _day),
            "online": facts.get("online"),
            "facts": {**facts, **dossier_dates.told_fact(state.due_told_at, state.pauses)},
            "pauses": [[low.isoformat(), high.isoformat() if high else None] for low, high in state.pauses],
            "odd": state.odd,
            "source": self._source,
            "updated_at": self._uow.now,
        }

    def _person(self, change: Change, row: DossierRow | None) -> dict[str, Any]:
        """Return who the dossier is about, as the latest event says that names anybody."""
        values: dict[str, Any] = {
            "applicant": row.applicant if row else None,
            "phone": row.phone if row else None,
            "phone_hash": row.phone_hash if row else None,
            "person_key": row.person_key if row else "",
        }
        named, called = values["person_key"].split(",") if values["person_key"] else ("", "")
        for news, _ in sorted(change.fresh, key=lambda each: (each[0].at, each[0].status)):
            key = f"{news.at.astimezone(UTC).isoformat(timespec='microseconds')}|{int(news.status):02d}"
            hidden = news.sealed or sealed(self._box, news.applicant, news.phone)
            if news.applicant and key >= named:
                named, values["applicant"] = key, hidden.applicant
            if news.phone and key >= called:
                called, values["phone"], values["phone_hash"] = key, hidden.phone, hidden.phone_hash
        values["person_key"] = f"{named},{called}"
        return values

    async def write(self) -> None:
        """Write all rows."""
        session = self._uow.session
        await dossiers.add(session, DossierRow, self._made)
        await dossiers.change(session, DossierRow, self._changed)
        await dossiers.add(session, DossierEventRow, self._events)
        await dossiers.change(session, DossierEventRow, self._told_again)
        self.notices = await self._note_notices()

    async def _note_notices(self) -> list[tuple[str, Told]]:
        """Note what is to be told and has not been noted; a kind that recurs gets the next number."""
        session = self._uow.session
        known = await dossier_notices.noted(session, {dossier_id for dossier_id, _ in self.notices})
        fresh, rows = [], []
        for dossier_id, told in self.notices:
            noted = known[dossier_id]
            if any(told.covers(each.kind, each.at, each.facts.get("due_at")) for each in noted):
                continue
            number = 1 + max((each.round for each in noted if each.kind == told.kind.value), default=0)
            row = _notice(self._uow, dossier_id, told, number)
            noted.append(Noted(told.kind.value, number, told.at, row["facts"]))
            fresh.append((dossier_id, told))
            rows.append(row)
        await dossiers.add(session, DossierNoticeRow, rows)
        return fresh


def _day(moment: datetime) -> object:
    return to_local(moment).date()


def _notice(uow: UnitOfWork, dossier_id: str, told: Told, number: int) -> dict[str, Any]:
    facts = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.facts.items()}
    return {
        "id": uow.new_id(), "dossier_id": dossier_id, "kind": told.kind.value, "round": number, "at": told.at,
        "state": "due", "reason": "", "way": "", "tried": [], "others": {}, "facts": facts,
        "next_at": uow.now, "created_at": uow.now,
    }  # fmt: skip
