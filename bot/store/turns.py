"""Choose which updates are handled next: in order per contact, and accounts and contacts by turns.

Many updates of one contact or one account wait behind each other and not before everybody else's. Each step is a look
into the index of open updates, so that neither how many wait nor how many were handled makes it slow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import DateTime, bindparam, text
from sqlmodel.ext.asyncio.session import AsyncSession

OPEN = "state IN ('new', 'handling')"
"""What the index of open updates holds; in these very words, since SQLite compares the words."""
LEASED = "lease IS NOT NULL"
"""What the index of leases holds."""
PATIENT_TRIES = 2
"""How often an update is tried before later ones of its contact may pass it while it waits for its next try.

Most failures pass within seconds, and order is kept over them. One that does not would hold its contact up for many
minutes; what comes later then goes first, and it is handled late, with the time at which it was written.
"""

TOO_EARLY = "too early"
"""The error of an update that waits for what is not written yet: a later one of its contact may be just that."""

_ACCOUNTS = text(f"""
WITH RECURSIVE busy(account) AS (
  SELECT (SELECT account FROM inbox WHERE {OPEN} ORDER BY account LIMIT 1)
  UNION ALL
  SELECT (SELECT account FROM inbox WHERE {OPEN} AND account > busy.account ORDER BY account LIMIT 1)
  FROM busy WHERE busy.account IS NOT NULL
)
SELECT account FROM busy WHERE account IS NOT NULL
""")  # noqa: S608 - the words are this module's own

_HEADS = text(f"""
WITH RECURSIVE line(contact, place) AS (
  SELECT (SELECT contact FROM inbox WHERE {OPEN} AND account = :account AND contact > :after
          ORDER BY contact LIMIT 1), 1
  UNION ALL
  SELECT (SELECT contact FROM inbox WHERE {OPEN} AND account = :account AND contact > line.contact
          ORDER BY contact LIMIT 1), place + 1
  FROM line WHERE line.contact IS NOT NULL AND place < :most
)
SELECT line.contact, (
  SELECT head.id FROM inbox AS head
  WHERE head.id = (
    SELECT id FROM inbox
    WHERE {OPEN} AND account = :account AND contact = line.contact
      AND NOT (state = 'new' AND (attempts >= :patience OR error = '{TOO_EARLY}') AND next_attempt_at > :now)
    ORDER BY id LIMIT 1
  )
  AND head.state = 'new' AND head.next_attempt_at <= :now
  AND NOT EXISTS (
    SELECT 1 FROM inbox AS held
    WHERE held.{LEASED} AND held.account = :account AND held.contact = line.contact
  )
)
FROM line WHERE line.contact IS NOT NULL
""").bindparams(bindparam("now", type_=DateTime(timezone=True)))  # noqa: S608 - the words are this module's own


@dataclass(slots=True)
class Turns:
    """Whose turn it was last: the account, and of each its contact, so that the next claim goes on from there."""

    after: dict[str, str] = field(default_factory=dict)
    account: str = ""


async def next_ids(session: AsyncSession, now: datetime, limit: int, turns: Turns) -> list[int]:
    """Return up to `limit` updates that may be handled now, at most one of each contact."""
    connection = await session.connection()
    accounts = [str(row[0]) for row in (await connection.execute(_ACCOUNTS)).all()]
    first = next((n for n, account in enumerate(accounts) if account > turns.account), 0)
    lines = [_Line(account, turns.after.get(account, "")) for account in accounts[first:] + accounts[:first]]
    chosen: list[int] = []
    while lines and len(chosen) < limit:
        share = -(-(limit - len(chosen)) // len(lines))
        for line in lines:
            wanted = min(share, limit - len(chosen))
            if wanted:
                values = {"account": line.account, "after": line.after, "most": 4 * wanted, "now": now}
                found = await connection.execute(_HEADS, {**values, "patience": PATIENT_TRIES})
                chosen += line.take([(row[0], row[1]) for row in found.all()], wanted)
                turns.account, turns.after[line.account] = line.account, line.after
        lines = [line for line in lines if not line.ended]
    return chosen


class _Line:
    """The contacts of one account, gone through once in a circle from where the last claim ended."""

    def __init__(self, account: str, after: str) -> None:
        self.account = account
        self.after = self._start = after
        self._round = not after
        self.ended = False

    def take(self, found: Sequence[tuple[str, int | None]], wanted: int) -> list[int]:
        """Return the updates to take of the contacts looked at, and remember how far this went."""
        taken: list[int] = []
        for contact, update_id in found:
            if self._round and self._start and contact > self._start:
                self.ended = True
                return taken
            if len(taken) == wanted:
                return taken
            self.after = contact
            if update_id is not None:
                taken.append(update_id)
        if len(found) < 4 * wanted:
            self.ended, self._round, self.after = self._round, True, ""
        return taken
