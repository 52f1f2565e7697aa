"""Give other systems of a unit their keys, take them back, and slow down whoever tries wrong ones."""

import hmac
import secrets
from datetime import datetime, timedelta

from bot.actions.case_trail import audit
from bot.actions.units import unit_of, words_of
from bot.errors import InvalidInputError, NotFoundError
from bot.secrets import SecretBox
from bot.store import api_keys, staff
from bot.store.api_keys import ApiKeyRow
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork

PREFIX = "loa_"
"""What a key begins with, so that it is known for one where it lies about."""
MAX_NAME = 80
USED_EVERY = timedelta(minutes=1)
FREE_TRIES = 5
"""Wrong keys from one address that are answered at once; each one more doubles the wait."""
FORGOTTEN_AFTER = timedelta(hours=1)
_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=5)
_MOST_DOUBLINGS = 20
_HINT = 4
_LONGEST = 200


async def make(uow: UnitOfWork, box: SecretBox, unit_id: str, name: str) -> tuple[ApiKeyRow, str]:
    """Make a key for a system of a unit; returns its row and the key itself, which is kept nowhere.

    Raises InvalidInputError name empty | too_long | name_taken where a key in use has this name.
    """
    unit = await unit_of(uow, unit_id)
    name = " ".join(words_of(name, "name", MAX_NAME).split())
    if any(row.name == name and row.revoked_at is None for row in await api_keys.of_units(uow.session, [unit.id])):
        raise InvalidInputError("name", "name_taken")
    key = PREFIX + secrets.token_urlsafe(32)
    row = ApiKeyRow(
        id=uow.new_id(),
        unit_id=unit.id,
        name=name,
        fingerprint=fingerprint(box, key),
        hint=key[-_HINT:],
        made_by=uow.actor.id if uow.actor.kind == "staff" else None,
        created_at=uow.now,
    )
    uow.session.add(row)
    audit(uow, "api_key.make", f"unit:{unit.id}", {"key": row.id, "name": name, "hint": row.hint})
    return row, key


async def revoke(uow: UnitOfWork, key_id: str) -> ApiKeyRow:
    """Refuse a key from now on, for good; raises NotFoundError for an unknown one."""
    row = await api_keys.key(uow.session, key_id)
    if row is None:
        raise NotFoundError(f"api key {key_id}")
    if row.revoked_at is None:
        row.revoked_at = uow.now
        audit(uow, "api_key.revoke", f"unit:{row.unit_id}", {"key": row.id, "name": row.name, "hint": row.hint})
    return row


def fingerprint(box: SecretBox, key: str) -> str:
    """Return what is kept of a key."""
    return box.fingerprint(f"api-key:{key}")


async def known(session: Session, box: SecretBox, key: str) -> ApiKeyRow | None:
    """Return the key's row while it is in use; how long the answer takes says nothing about other keys."""
    if not key.startswith(PREFIX) or len(key) > _LONGEST:
        return None
    wanted = fingerprint(box, key)
    row = await api_keys.by_fingerprint(session, wanted)
    if row is None or not hmac.compare_digest(row.fingerprint, wanted) or row.revoked_at is not None:
        return None
    return row


async def note_use(uow: UnitOfWork, row: ApiKeyRow) -> None:
    """Note that a key was used; wanted once a minute at most (USED_EVERY)."""
    await api_keys.note_use(uow.session, row.id, uow.now)


async def tried_wrong(uow: UnitOfWork, address: str) -> int:
    """Note a wrong key from an address; returns the seconds that are still to wait, and then it is not counted."""
    wait = await seconds_to_wait(uow.session, address, uow.now)
    if not wait:
        await staff.note_attempt(uow.session, [_attempts(address)], uow.now, uow.now - FORGOTTEN_AFTER)
    return wait


async def seconds_to_wait(session: Session, address: str, now: datetime) -> int:
    """Return how long an address has still to wait because of the wrong keys that it has tried; writes nothing."""
    row = next(iter(await staff.attempts(session, [_attempts(address)])), None)
    if row is None or row.last_at <= now - FORGOTTEN_AFTER or row.failures < FREE_TRIES:
        return 0
    whole = min(_FIRST_WAIT * 2 ** min(row.failures - FREE_TRIES, _MOST_DOUBLINGS), _LONGEST_WAIT)
    left = (row.last_at + whole - now).total_seconds()
    return int(left) + 1 if left > 0 else 0


def _attempts(address: str) -> str:
    return f"api:{address}"
