"""Compare what other systems report of dossiers with what is known of them, changing nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.domain.dossier import TELL_WITHIN, Event, State, Status, added_up, digest_of, kept_facts, moment, recent
from bot.secrets import SecretBox
from bot.store import dossier_writing, dossiers
from bot.store.database import Session
from bot.store.dossiers import DossierEventRow, DossierRow
from bot.urgency import in_turns

NEW, CHANGED, SAME, OLDER, ODD = "new", "changed", "same", "older", "odd"
"""What one report is: of an unknown dossier, of something new, of what is known, of the past, of an odd move."""
FOREIGN = "foreign"
"""A report of, or for, a unit outside the branch that whoever reports may write to: it is left out."""
_UNDATED = frozenset({Status.ACCEPTED, Status.PROCESSING, Status.SUPPLEMENT, Status.FEE})
"""Among these dossiers go to and fro, and exports without a column of updates do not say when."""


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


class Change:
    """What the reports of one dossier make of it: `row` is None for one that is not known yet.

    `known` are its events, `fresh` what is reported now, each with its digest.
    """

    __slots__ = ("_merged", "_state", "code", "fresh", "known", "row")

    def __init__(self, code: str, row: DossierRow | None, known: list[DossierEventRow]) -> None:
        self.code, self.row, self.known = code, row, known
        self.fresh: list[tuple[News, str]] = []
        self._merged: dict[tuple[datetime, Status], Event] | None = None
        self._state: State | None = None

    @property
    def merged(self) -> Mapping[tuple[datetime, Status], Event]:
        """The events with what has just been reported, once all of that is here; a fact not told again stays."""
        if self._merged is None:
            self._merged = {(event.at, event.status): event for event in _events(self.known)}
            for news, _ in self.fresh:
                before = self._merged.get((news.at, news.status))
                facts = {**(before.facts if before else {}), **kept_facts(news.facts)}
                self._merged[news.at, news.status] = Event(news.at, news.status, facts)
        return self._merged

    @property
    def state(self) -> State:
        """What these events add up to."""
        if self._state is None:
            self._state = added_up(self.merged.values())
        return self._state

    def is_history(self, now: datetime) -> bool:
        """Say that nothing was known, and that all that is reported now is too long ago to be told."""
        limit = now - TELL_WITHIN
        return self.row is None and not any(
            news.at >= limit or ((received := moment(news.facts.get("received_at"))) is not None and received >= limit)
            for news, _ in self.fresh
        )


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
    await dossier_writing.by_keys(session)
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
    async for code, told in in_turns(unknown.items()):
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
        for index in indices:
            kinds[index] = NEW if before is None else _kind(before, change.state, news[index])
            found.placed += index in placed
        found.to_tell += 0 if change.is_history(now) else _new_notices(change, before, now)
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


def _kind(before: State, after: State, news: News) -> str:
    if len(after.odd) > len(before.odd):
        return ODD
    return OLDER if (news.at, int(news.status)) < (before.at, int(before.status)) else CHANGED


def _new_notices(change: Change, before: State | None, now: datetime) -> int:
    after = recent(change.state, now)
    noted = recent(before, now) if before is not None and after else []
    known = len(noted)
    for told in after:
        if not any(told.covers(old.kind, old.at, old.facts.get("due_at")) for old in noted):
            noted.append(told)
    return len(noted) - known


def _events(known: Iterable[DossierEventRow]) -> list[Event]:
    return [Event(row.at, Status(row.status), row.facts) for row in known]
