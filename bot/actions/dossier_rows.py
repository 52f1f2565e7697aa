"""Turn what reports change of dossiers into the rows that are written: dossiers, events, and notices to be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from bot.actions import dossier_dates
from bot.actions.dossier_dates import Lines
from bot.actions.dossier_weighing import Change, News, sealed
from bot.clock import new_id, to_local
from bot.domain.dossier import State, Status, Told, due_by, outcome, recent
from bot.domain.dossier_clock import dates
from bot.domain.dossier_code import squeezed, tail_of
from bot.secrets import SecretBox
from bot.store import dossier_notices, dossier_writing
from bot.store.database import Session
from bot.store.dossier_notices import DossierNoticeRow, Noted
from bot.store.dossier_writing import Gathered
from bot.store.dossiers import DossierEventRow, DossierRow
from bot.store.procedures import Limit


@lru_cache(4096)
def short_code(code: str) -> str:
    """Return a procedure's short code, 1.000253, of one that carries an agency's suffix, 1.000253.000.00.00.H26."""
    return ".".join(code.strip().upper().split(".")[:2])


@dataclass(frozen=True, slots=True)
class Rules:
    """What dossiers are dated by: the limits of procedures by short code, and the working time of units."""

    procedures: Mapping[str, Limit]
    lines: Lines


class Rows:
    """Gather what is to be written, so that a thousand dossiers take a few statements.

    `notices` are what may be told, each with its dossier; `write` leaves of them those that had not been noted. What
    was noted before all this was known, and is not to be told by it, is taken back unless it has left.
    """

    def __init__(self, box: SecretBox, source: str, now: datetime, rules: Rules, *, sqlite: bool) -> None:
        self._box, self._source, self._now, self._rules = box, source, now, rules
        self._made = Gathered(DossierRow, sqlite=sqlite)
        self._changed: list[dict[str, Any]] = []
        self._events = Gathered(DossierEventRow, sqlite=sqlite)
        self._told_again: list[dict[str, Any]] = []
        self._known: dict[str, State] = {}
        self.notices: list[tuple[str, Told]] = []

    def take(self, change: Change) -> None:
        """Work out the rows of one dossier."""
        row, state = change.row, change.state
        dossier_id = row.id if row else new_id()
        self._note_events(change, dossier_id)
        latest = max((news for news, _ in change.fresh), key=lambda news: (news.at, news.status))
        values = {**self._values(state, latest, row), **self._person(change, row)}
        if row is None:
            made = {
                "id": dossier_id, "code": change.code, "squeezed": squeezed(change.code), "tail": tail_of(change.code),
                "rating": None, "rating_remark": "", "rated_at": None, "late_cause": "",
                "created_at": self._now,
            }  # fmt: skip
            self._made.add({**values, **made})
        else:
            self._changed.append({**values, "id": dossier_id})
            self._known[dossier_id] = state
        self.notices += [(dossier_id, told) for told in recent(state, self._now)]

    def _note_events(self, change: Change, dossier_id: str) -> None:
        known = {(event.at, event.status): event for event in change.known}
        fresh: dict[tuple[datetime, Status], str] = {}
        for news, digest in change.fresh:
            fresh[news.at, news.status] = digest
        for key, digest in fresh.items():
            told = {"facts": change.merged[key].facts, "digest": digest, "reported_at": self._now}
            if key in known:  # whoever told it first stays its source
                self._told_again.append({"id": known[key].id, **told})
            else:
                made = {"id": new_id(), "dossier_id": dossier_id, "at": key[0], "status": int(key[1])}
                self._events.add({**made, **told, "source": self._source})

    def _values(self, state: State, latest: News, row: DossierRow | None) -> dict[str, Any]:
        facts = state.facts
        code = short_code(str(facts.get("procedure_code", "")))
        procedure = self._rules.procedures.get(code)
        newest = row is None or (latest.at, int(latest.status)) >= (row.status_at, row.status)
        path = latest.path if newest or row is None else row.path
        days = procedure.days if procedure else None
        when = dates(self._rules.lines.of(path), state.received_at, days, state.due_at, state.pauses, state.due_told_at)
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
            "updated_at": self._now,
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

    async def write(self, session: Session) -> None:
        """Write all rows."""
        await self._made.write(session)
        await dossier_writing.change(session, DossierRow, self._changed)
        await self._events.write(session)
        await dossier_writing.change(session, DossierEventRow, self._told_again)
        self.notices = await self._note_notices(session)

    async def _note_notices(self, session: Session) -> list[tuple[str, Told]]:
        """Note what is to be told and has not been noted; a kind that recurs gets the next number."""
        known = await dossier_notices.noted(session, {*self._known, *(dossier_id for dossier_id, _ in self.notices)})
        await self._take_back(session, known)
        fresh, rows = [], []
        for dossier_id, told in self.notices:
            noted = known[dossier_id]
            if any(told.covers(each.kind, each.at, each.facts.get("due_at")) for each in noted):
                continue
            number = 1 + max((each.round for each in noted if each.kind == told.kind.value), default=0)
            row = _notice(self._now, dossier_id, told, number)
            noted.append(Noted(row["id"], told.kind.value, number, told.at, row["facts"], self._now))
            fresh.append((dossier_id, told))
            rows.append(row)
        await dossier_writing.add(session, DossierNoticeRow, rows)
        return fresh

    async def _take_back(self, session: Session, known: dict[str, list[Noted]]) -> None:
        """Leave unsaid what waits and would not have been noted, had all been known then that is known now."""
        unfounded = [
            each.id
            for dossier_id, state in self._known.items()
            for each in known[dossier_id]
            if each.waits and not self._founded(state, each)
        ]
        gone = await dossier_notices.take_back(session, unfounded)
        for dossier_id in self._known if gone else ():
            known[dossier_id] = [each for each in known[dossier_id] if each.id not in gone]

    def _founded(self, state: State, noted: Noted) -> bool:
        worth = recent(state, self._now, noted.created_at)
        return any(told.covers(noted.kind, noted.at, noted.facts.get("due_at")) for told in worth)


def _day(moment: datetime) -> object:
    return to_local(moment).date()


def _notice(now: datetime, dossier_id: str, told: Told, number: int) -> dict[str, Any]:
    facts = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.facts.items()}
    return {
        "id": new_id(), "dossier_id": dossier_id, "kind": told.kind.value, "round": number, "at": told.at,
        "state": "due", "reason": "", "way": "", "tried": [], "others": {}, "facts": facts,
        "next_at": now, "created_at": now,
    }  # fmt: skip
