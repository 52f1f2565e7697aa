"""Take in what other systems report of dossiers: whatever arrives in whatever order ends in the same state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.actions import dossier_dates
from bot.actions.dossier_rows import Rows, Rules, short_code
from bot.actions.dossier_weighing import (
    CHANGED,
    FOREIGN,
    NEW,
    ODD,
    OLDER,
    SAME,
    Change,
    News,
    Sealed,
    Weighed,
    sealed,
    weighed,
)
from bot.secrets import SecretBox
from bot.store import dossier_writing, dossiers, procedures
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork
from bot.urgency import in_turns

_ANNOUNCED = 20
"""So many dossiers of one call are told to open pages: of an import they hear when they are loaded anew."""


@dataclass(slots=True)
class Prepared:
    """What reports change, worked out before anything is written: what was found, by which rules, and the rows."""

    found: Weighed
    rules: Rules
    rows: Rows

    async def holds(self, session: Session) -> bool:
        """Say whether it is still right: true only of dossiers that were not known, and are not known now."""
        changes = self.found.changes
        if any(change.row is not None for change in changes):
            return False
        if await dossiers.any_of(session, {change.code for change in changes}):
            return False
        return self.rules == await _rules(session, changes)


async def prepared(
    session: Session, box: SecretBox, news: Sequence[News], source: str, now: datetime, within: str = ""
) -> Prepared:
    """Work out what reports change without holding anybody up; `take_in` does it again where it no longer holds."""
    found = await weighed(session, box, news, now, within)
    rules = await _rules(session, found.changes)
    rows = Rows(box, source, now, rules, sqlite=await dossier_writing.is_sqlite(session))
    async for change in in_turns(found.changes):
        rows.take(change)
    return Prepared(found, rules, rows)


async def _rules(session: Session, changes: Sequence[Change]) -> Rules:
    codes = {str(change.state.facts.get("procedure_code", "")) for change in changes}
    known = await procedures.limits(session, {short_code(code) for code in codes if code})
    return Rules(known, await dossier_dates.lines(session))


async def take_in(
    uow: UnitOfWork,
    box: SecretBox,
    news: Sequence[News],
    source: str,
    within: str = "",
    before: Prepared | None = None,
) -> Weighed:
    """Keep what was reported and note what is to be told; `source` as in DossierEventRow. At most some thousand a call.

    What is known already changes nothing, whoever reports it and how often; nor does what is foreign to the unit whose
    path is `within`. `before` is what these reports changed when somebody looked a moment ago.
    """
    await dossier_writing.one_writer(uow.session)
    if before is None or not await before.holds(uow.session):
        before = await prepared(uow.session, box, news, source, uow.now, within)
    found, rows = before.found, before.rows
    if not found.changes:
        return found
    await rows.write(uow.session)
    for change in found.changes[:_ANNOUNCED]:
        uow.announce(f"dossier:{change.row.id if change.row else change.code}")
    if rows.notices:
        uow.after_commit("tell_dossiers")
    return found


__all__ = [
    "CHANGED",
    "FOREIGN",
    "NEW",
    "ODD",
    "OLDER",
    "SAME",
    "Change",
    "News",
    "Prepared",
    "Sealed",
    "Weighed",
    "prepared",
    "sealed",
    "short_code",
    "take_in",
    "weighed",
]
