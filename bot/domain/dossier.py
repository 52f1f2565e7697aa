"""Rules of a dossier: its statuses in the national exchange, what was told of it, and how that adds up to one state."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from bot.secrets import SecretBox


class Status(IntEnum):
    """Where a dossier stands, by the codes of the national exchange (product.md "Dossiers")."""

    REGISTERED = 1
    ACCEPTED = 2
    REFUSED = 3
    PROCESSING = 4
    SUPPLEMENT = 5
    FEE = 6
    WITHDRAWN = 7
    STOPPED = 8
    READY = 9
    RETURNED = 10


FINAL = frozenset({Status.REFUSED, Status.WITHDRAWN, Status.STOPPED, Status.RETURNED})
"""Nothing follows."""
PAUSING = frozenset({Status.SUPPLEMENT, Status.FEE})
"""The clock stands while the citizen has something to do."""
DONE = frozenset({Status.READY, Status.RETURNED})
"""The office has done its work."""
OPEN = frozenset(set(Status) - FINAL - DONE)

_S = Status
MOVES: Mapping[Status | None, frozenset[Status]] = {
    None: frozenset(_S),
    _S.REGISTERED: frozenset({_S.ACCEPTED, _S.REFUSED, _S.SUPPLEMENT, _S.FEE, _S.WITHDRAWN, _S.PROCESSING}),
    _S.ACCEPTED: frozenset({_S.PROCESSING, _S.SUPPLEMENT, _S.FEE, _S.WITHDRAWN, _S.STOPPED, _S.READY, _S.RETURNED}),
    _S.PROCESSING: frozenset({_S.PROCESSING, _S.SUPPLEMENT, _S.FEE, _S.WITHDRAWN, _S.STOPPED, _S.READY, _S.RETURNED}),
    _S.SUPPLEMENT: frozenset({_S.ACCEPTED, _S.PROCESSING, _S.FEE, _S.REFUSED, _S.WITHDRAWN, _S.STOPPED, _S.READY}),
    _S.FEE: frozenset({_S.ACCEPTED, _S.PROCESSING, _S.SUPPLEMENT, _S.WITHDRAWN, _S.STOPPED, _S.READY, _S.RETURNED}),
    _S.READY: frozenset({_S.RETURNED, _S.FEE}),
    _S.REFUSED: frozenset(),
    _S.WITHDRAWN: frozenset(),
    _S.STOPPED: frozenset(),
    _S.RETURNED: frozenset(),
}
"""From which to which a dossier is expected to move; anything else happens too: it is flagged, never refused."""

FACTS = (
    "received_at", "due_at", "finished_at", "returned_at", "reason", "papers", "limit_at", "fee", "fee_note",
    "procedure_code", "procedure_name", "field", "unit_code", "online", "post_code", "appointment_place", "old_due_at",
)  # fmt: skip
"""What may be told beside the status; moments as ISO in UTC, `fee` in đồng, `online` true or false.

`old_due_at` goes with a date that staff put off: the one that held until then, be it the law's.
"""
_TIMES = frozenset({"received_at", "due_at", "finished_at", "returned_at", "limit_at", "old_due_at"})
_OF_ITS_RUN = frozenset({"reason", "papers", "limit_at", "fee", "fee_note", "post_code"})
"""What holds only while events of one status follow each other: papers wanted in spring are not wanted in autumn."""


class Event(NamedTuple):
    """One status that a dossier took at a moment, with the facts told beside it (names as in FACTS)."""

    at: datetime
    status: Status
    facts: Mapping[str, Any] = {}

    @property
    def key(self) -> tuple[datetime, int]:
        """What orders events: the moment, then the status, so that any order of arrival ends in the same state."""
        return self.at, int(self.status)


class Kind(StrEnum):
    """What a citizen is told of; POSTED and LATE are no statuses of their own."""

    REGISTERED = "registered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SUPPLEMENT = "supplement"
    FEE = "fee"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"
    READY = "ready"
    RETURNED = "returned"
    POSTED = "posted"
    LATE = "late"


KIND_OF: Mapping[Status, Kind] = {
    _S.REGISTERED: Kind.REGISTERED,
    _S.ACCEPTED: Kind.ACCEPTED,
    _S.REFUSED: Kind.REFUSED,
    _S.SUPPLEMENT: Kind.SUPPLEMENT,
    _S.FEE: Kind.FEE,
    _S.WITHDRAWN: Kind.WITHDRAWN,
    _S.STOPPED: Kind.STOPPED,
    _S.READY: Kind.READY,
    _S.RETURNED: Kind.RETURNED,
}
"""What is told of each status; 4 is silent."""
_STATUS_OF = {kind: status for status, kind in KIND_OF.items()}
TOLD_BY_DEFAULT = frozenset(set(Kind) - {Kind.WITHDRAWN})
"""What a unit tells that has not chosen; who has withdrawn a dossier knows it."""
RECURRING = frozenset({Kind.SUPPLEMENT, Kind.FEE, Kind.LATE})
"""What may have to be told more than once: another paper is wanted, another fee is due, the date moves again."""


class Told(NamedTuple):
    """One notice that a dossier is worth: what of, when, what was known then, and between which other events it holds.

    `after` and `before` are the moments of the events of other statuses around it, None at an end: a notice of the
    kind that is of a moment between them is this one. For LATE it is the new date that counts, and they are None.
    `begun_at` is when the status began that `at` reports last, None where they are the same.
    """

    kind: Kind
    at: datetime
    facts: Mapping[str, Any] = {}
    after: tuple[datetime, int] | None = None
    before: tuple[datetime, int] | None = None
    begun_at: datetime | None = None

    def covers(self, kind: str, at: datetime, due_at: object) -> bool:
        """Say whether a notice that stands already is this one, though more may have become known since."""
        if kind != self.kind.value:
            return False
        if self.kind is Kind.LATE:
            return moment(due_at) == moment(self.facts.get("due_at"))
        if self.kind not in RECURRING:
            return True
        here = (at, int(_STATUS_OF[self.kind]))
        return (self.after is None or self.after < here) and (self.before is None or here < self.before)


@dataclass(slots=True)
class State:
    """What all that was told of a dossier adds up to.

    `facts` are the latest of each kind, of reasons, papers, fees and posting those of the current run of one status;
    `first_due_at` the date that was promised first, `moved_from` the one before the latest, `due_told_at` when the
    latest was told. `fair_due_at` is the date as it would be had the office put nothing off, `fair_told_at` when that
    one was told. `pauses` as of deadline.compute; `odd` the unexpected moves as "9>4"; `notices` what is worth telling.
    """

    status: Status
    at: datetime
    facts: dict[str, Any] = field(default_factory=dict)
    first_due_at: datetime | None = None
    moved_from: datetime | None = None
    received_at: datetime | None = None
    due_at: datetime | None = None
    due_told_at: datetime | None = None
    fair_due_at: datetime | None = None
    fair_told_at: datetime | None = None
    finished_at: datetime | None = None
    returned_at: datetime | None = None
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    notices: list[Told] = field(default_factory=list)


def added_up(events: Iterable[Event]) -> State:
    """Add up what was told of one dossier, in whatever order it arrived; raises ValueError for no events at all."""
    ordered = sorted(events, key=lambda event: event.key)
    if not ordered:
        raise ValueError("a dossier has at least one event")
    last = ordered[-1]
    state = State(last.status, last.at)
    before: Status | None = None
    since: tuple[datetime, int] | None = None
    begun = ordered[0].at
    for event, after in zip(ordered, [*ordered[1:], None], strict=True):
        state.facts = _known(state.facts, event, before)
        promised = state.due_at
        _dates(state, event)
        _fair(state, event, before, promised)
        if before is not None and event.status != before and event.status not in MOVES[before]:
            state.odd.append(f"{int(before)}>{int(event.status)}")
        _notices(state, event, before, promised)
        begun = begun if event.status == before else event.at
        if after is None or after.status != event.status:
            _tell(state, event, begun, since, after.key if after else None)
            since = event.key
        _pause(state, event)
        before = event.status
    return state


def _known(facts: Mapping[str, Any], event: Event, before: Status | None) -> dict[str, Any]:
    """Return what is known with an event: what belonged to a run of another status has come to its end."""
    kept = facts if event.status == before else _lasting(facts)
    return {**kept, **{n: v for n, v in event.facts.items() if n != "old_due_at" and v not in (None, "")}}


def _lasting(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in _OF_ITS_RUN}


def _own(facts: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """Return what lasts of the facts, and of the rest what this event itself told."""
    return {**_lasting(facts), **{n: v for n, v in event.facts.items() if n in _OF_ITS_RUN and v not in (None, "")}}


def _fair(state: State, event: Event, before: Status | None, promised: datetime | None) -> None:
    """Follow the date by which the office is judged: what it puts off itself does not move it, a pause does."""
    due = state.due_at
    old = promised or moment(event.facts.get("old_due_at"))
    if due is None or due == promised:
        return
    if state.fair_due_at is None or old is None:
        state.fair_due_at, state.fair_told_at = old or due, event.at
    elif due < old:
        state.fair_due_at, state.fair_told_at = min(due, state.fair_due_at), event.at
    elif {event.status, before} & PAUSING:
        state.fair_due_at, state.fair_told_at = state.fair_due_at + (due - old), event.at


def _notices(state: State, event: Event, before: Status | None, promised: datetime | None) -> None:
    """Note what a single event is worth telling: a result that was posted, a date that was put off.

    Exports often show a dossier for the first time when it is being processed: that it was accepted is told then.
    """
    received = moment(event.facts.get("received_at")) if event.status is Status.PROCESSING else None
    if received is not None and not any(told.kind is Kind.ACCEPTED for told in state.notices):
        _add(state, Told(Kind.ACCEPTED, received, _lasting(state.facts)))
    if event.facts.get("post_code") and event.status in DONE:
        _add(state, Told(Kind.POSTED, event.at, _own(state.facts, event)))
    old = promised or moment(event.facts.get("old_due_at"))
    put_off = old is not None and state.due_at is not None and state.due_at > old
    # What moves because the citizen had something to do is no delay of the office's.
    if put_off and event.status in OPEN - PAUSING and before not in PAUSING:
        facts = {**_own(state.facts, event), "old_due_at": old, "due_at": state.due_at}
        _add(state, Told(Kind.LATE, event.at, facts))


def _tell(
    state: State,
    event: Event,
    begun: datetime,
    after: tuple[datetime, int] | None,
    before: tuple[datetime, int] | None,
) -> None:
    """Note that a status is worth telling, once for all the events in a row that report it; `event` is their last."""
    kind = KIND_OF.get(event.status)
    if kind is not None:
        _add(state, Told(kind, event.at, dict(state.facts), after, before, begun))


def _add(state: State, told: Told) -> None:
    """Note a notice; of what is told but once, the first counts: a status that is reported anew is no news."""
    if told.kind in RECURRING or all(other.kind is not told.kind for other in state.notices):
        state.notices.append(told)


def _dates(state: State, event: Event) -> None:
    due = moment(event.facts.get("due_at"))
    if due is not None:
        state.first_due_at = state.first_due_at or due
        if state.due_at is not None and due != state.due_at:
            state.moved_from = state.due_at
        if due != state.due_at:
            state.due_told_at = event.at
        state.due_at = due
    state.received_at = moment(event.facts.get("received_at")) or state.received_at
    if state.received_at is None and event.status is Status.ACCEPTED:
        state.received_at = event.at
    if event.status in DONE | FINAL:
        told = moment(event.facts.get("finished_at"))
        state.finished_at = told or state.finished_at or event.at
    else:
        state.finished_at = state.returned_at = None
    if event.status is Status.RETURNED:
        state.returned_at = moment(event.facts.get("returned_at")) or event.at


def _pause(state: State, event: Event) -> None:
    open_since = state.pauses[-1][0] if state.pauses and state.pauses[-1][1] is None else None
    if event.status in PAUSING:
        if open_since is None:
            state.pauses.append((event.at, None))
    elif open_since is not None:
        state.pauses[-1] = (open_since, event.at)


def moment(value: object) -> datetime | None:
    """Read a moment as facts keep it, ISO with its zone; None for anything else."""
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def kept_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as they are kept: known names only, moments as ISO, nothing empty."""
    found: dict[str, Any] = {}
    for name in FACTS:
        value = facts.get(name)
        if value in (None, ""):
            continue
        found[name] = value.isoformat() if name in _TIMES and isinstance(value, datetime) else value
    return found


def digest_of(box: SecretBox, facts: Mapping[str, Any], unit_id: str, applicant: str, phone: str) -> str:
    """Return the keyed fingerprint of all that was told of one event: what is told again is known by it."""
    told = [kept_facts(facts), unit_id, applicant, phone]
    return box.fingerprint(json.dumps(told, ensure_ascii=False, sort_keys=True))[:32]


def due_by(
    due_at: datetime | None,
    told_at: datetime | None,
    law_due_at: datetime | None,
    pauses: Sequence[tuple[datetime, datetime | None]],
) -> datetime | None:
    """Return the date that counts of an appointed one, told at `told_at`, and the law's; None where neither is known.

    The appointed date counts, and the law's without one. Pauses move the law's date: where one began after the
    appointed date was told, and no other has been told since, the later of both counts.
    """
    if due_at is None or law_due_at is None:
        return due_at or law_due_at
    paused_since = told_at is not None and any(low >= told_at for low, _ in pauses)
    return max(due_at, law_due_at) if paused_since else due_at


class Outcome:
    """How a finished dossier stands to its date, as the one-stop law's reports want it; "" while it is open."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"


def outcome(status: Status, finished_at: datetime | None, due_at: datetime | None, day: Any) -> str:
    """Say whether a dossier was done early, on time or late; "" for one that is not done, or had no date.

    `day` turns a moment into the office's day: what is done on the day of its date is on time, before it early.
    """
    if status not in DONE or finished_at is None or due_at is None:
        return ""
    if finished_at > due_at and day(finished_at) > day(due_at):
        return Outcome.LATE
    if finished_at > due_at:
        return Outcome.ON_TIME
    return Outcome.EARLY if day(finished_at) < day(due_at) else Outcome.ON_TIME


_AHEAD = timedelta(days=1)
"""Clocks of other systems run ahead; what lies further in the future is a mistake, and is not told."""
TELL_WITHIN = timedelta(days=7)
"""What happened longer ago is history, as of a first import: it is kept, and nobody is told any more."""


def worth_telling(events: Sequence[Event], now: datetime) -> list[Told]:
    """Return what of all that happened is recent enough to be told."""
    return recent(added_up(events), now)


def recent(state: State, now: datetime, noted_at: datetime | None = None) -> list[Told]:
    """Return which notices of a dossier are recent enough to be told, or were when one was noted at `noted_at`."""
    limit = (noted_at or now) - TELL_WITHIN
    return [told for told in state.notices if limit <= (told.begun_at or told.at) and told.at <= now + _AHEAD]
