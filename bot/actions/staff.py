"""Let people in and out: sign-in bookkeeping, accounts of staff, what they hold, and their second factor."""

import re
from datetime import timedelta

from bot.actions import official_links
from bot.actions.case_trail import audit
from bot.domain.access import Role
from bot.domain.text import clean
from bot.errors import InvalidInputError, NotFoundError
from bot.passwords import MAX_PASSWORD, MIN_PASSWORD, token_id, totp_step
from bot.secrets import SecretBox
from bot.store import staff, units
from bot.store.staff import SessionRow, StaffRoleRow, StaffRow
from bot.store.unit_of_work import UnitOfWork

FREE_GUESSES = {"email": 3, "address": 20}
"""Wrong guesses before waiting begins; many officials share one address of their office."""
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=2)
LANGUAGES = ("vi", "en")
_EMAIL = re.compile(r"[^@\s<>\"']{1,64}@[a-z0-9.-]{1,190}")
_MOST_DOUBLINGS = 16


def _keys(email: str, address: str) -> dict[str, str]:
    return {"email": f"email:{email}", "address": f"address:{address}"}


def _wait(failures: int, free: int) -> timedelta:
    if failures < free:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(failures - free, _MOST_DOUBLINGS)), LONGEST_WAIT)


async def begin_guess(uow: UnitOfWork, email: str, address: str) -> int:
    """Count a guess before it is checked, or return the seconds to wait; each wrong one doubles the wait.

    Counting first keeps guesses made at the same moment from slipping through together.
    """
    keys = _keys(email, address)
    known = {row.key: row for row in await staff.attempts(uow.session, list(keys.values()))}
    wait = timedelta(0)
    for kind, key in keys.items():
        row = known.get(key)
        if row is not None and row.last_at > uow.now - FORGOTTEN_AFTER:
            wait = max(wait, row.last_at + _wait(row.failures, FREE_GUESSES[kind]) - uow.now)
    if wait > timedelta(0):
        return int(wait.total_seconds()) + 1
    await staff.note_attempt(uow.session, list(keys.values()), uow.now, uow.now - FORGOTTEN_AFTER)
    return 0


async def guessed_right(uow: UnitOfWork, email: str, address: str) -> None:
    """Forget wrong guesses for this person; others at the same address keep theirs."""
    keys = _keys(email, address)
    await staff.forget_attempts(uow.session, [keys["email"]])
    await staff.take_attempt_back(uow.session, keys["address"])


async def guessed_wrong(uow: UnitOfWork, email: str, address: str, person: StaffRow | None, what: str) -> None:
    """Leave a trail of a failed sign-in; `what` is password | code | inactive."""
    subject = f"staff:{person.id}" if person else ""
    audit(uow, "staff.sign_in_failed", subject, {"email": email[:200], "address": address, "what": what})


async def open_session(
    uow: UnitOfWork, person: StaffRow, token: str, csrf: str, address: str, agent: str, hours: int
) -> SessionRow:
    """Sign somebody in for at most `hours`; only the token's fingerprint is kept."""
    await guessed_right(uow, person.email, address)
    row = SessionRow(
        id=token_id(token),
        staff_id=person.id,
        csrf=csrf,
        created_at=uow.now,
        last_seen_at=uow.now,
        expires_at=uow.now + timedelta(hours=hours),
        address=address,
        agent=clean(agent)[:200],
    )
    uow.session.add(row)
    audit(uow, "staff.sign_in", f"staff:{person.id}", {"address": address})
    return row


async def sign_out(uow: UnitOfWork, staff_id: str, session_id: str) -> None:
    """End the session of the page that asks."""
    if await staff.end_sessions(uow.session, staff_id, uow.now, session_id):
        audit(uow, "staff.sign_out", f"staff:{staff_id}")


async def end_session(uow: UnitOfWork, staff_id: str, session_id: str) -> None:
    """End one of somebody's sessions elsewhere."""
    if await staff.end_sessions(uow.session, staff_id, uow.now, session_id):
        audit(uow, "staff.end_session", f"staff:{staff_id}")


async def person_of(uow: UnitOfWork, staff_id: str) -> StaffRow:
    """Return one person; raises NotFoundError."""
    row = await staff.person(uow.session, staff_id)
    if row is None:
        raise NotFoundError(f"staff {staff_id}")
    return row


def check_email(email: str) -> str:
    """Return the e-mail in one form; raises InvalidInputError email empty | not_an_email."""
    words = clean(email).lower()
    if not words:
        raise InvalidInputError("email", "empty")
    if not _EMAIL.fullmatch(words):
        raise InvalidInputError("email", "not_an_email")
    return words


def check_new_password(password: str) -> None:
    """Raise InvalidInputError for a password that is too short, too long or one letter over and over."""
    if len(password) < MIN_PASSWORD:
        raise InvalidInputError("password", "too_short", least=MIN_PASSWORD)
    if len(password) > MAX_PASSWORD:
        raise InvalidInputError("password", "too_long", most=MAX_PASSWORD)
    if len(set(password)) < MIN_PASSWORD // 3:
        raise InvalidInputError("password", "too_simple")


async def add_staff(uow: UnitOfWork, email: str, name: str, password_hash: str, role: str, unit_id: str) -> StaffRow:
    """Add a person with their first role; raises InvalidInputError for what is missing or taken."""
    address = check_email(email)
    words = clean(name)
    if not words:
        raise InvalidInputError("name", "empty")
    if await staff.by_email(uow.session, address) is not None:
        raise InvalidInputError("email", "taken")
    row = StaffRow(
        id=uow.new_id(), email=address, name=words[:100], password=password_hash, language="vi", created_at=uow.now
    )
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, "staff.add", f"staff:{row.id}", {"email": address, "name": row.name})
    await grant_role(uow, row.id, role, unit_id)
    return row


async def grant_role(uow: UnitOfWork, staff_id: str, role: str, unit_id: str) -> None:
    """Give a person a role over a unit and what lies below; nothing happens when it is held already."""
    if role not in {r.value for r in Role}:
        raise InvalidInputError("role", "unknown_role")
    unit = await units.unit(uow.session, unit_id)
    if unit is None:
        raise InvalidInputError("unit_id", "unknown_unit")
    held = {(r.role, r.unit_id) for r in await staff.roles(uow.session, staff_id)}
    if (role, unit_id) not in held:
        uow.session.add(StaffRoleRow(staff_id=staff_id, role=role, unit_id=unit_id))
        await uow.session.flush()
        await official_links.look_again(uow, staff_id)
        audit(uow, "staff.grant", f"staff:{staff_id}", {"role": role, "unit": unit.name})


async def take_role(uow: UnitOfWork, staff_id: str, role: str, unit_id: str) -> None:
    """Take a role away; the last administrator keeps theirs."""
    if role == Role.ADMIN:
        await _require_other_admin(uow, staff_id)
    if await staff.remove_role(uow.session, staff_id, role, unit_id):
        unit = await units.unit(uow.session, unit_id)
        await official_links.look_again(uow, staff_id, lost=True)
        audit(uow, "staff.take", f"staff:{staff_id}", {"role": role, "unit": unit.name if unit else unit_id})


async def deactivate(uow: UnitOfWork, staff_id: str) -> StaffRow:
    """Keep a person from signing in, end every session of theirs at once, and every chat they worked from."""
    row = await person_of(uow, staff_id)
    if any(r.role == Role.ADMIN for r in await staff.roles(uow.session, staff_id)):
        await _require_other_admin(uow, staff_id)
    row.active = False
    ended = await staff.end_sessions(uow.session, staff_id, uow.now)
    await official_links.unlink_person(uow, staff_id)
    audit(uow, "staff.deactivate", f"staff:{staff_id}", {"sessions": ended})
    return row


async def activate(uow: UnitOfWork, staff_id: str) -> StaffRow:
    """Let a person sign in again."""
    row = await person_of(uow, staff_id)
    row.active = True
    audit(uow, "staff.activate", f"staff:{staff_id}")
    return row


async def _require_other_admin(uow: UnitOfWork, staff_id: str) -> None:
    active = {row.id for row in await staff.all_staff(uow.session) if row.active}
    admins = {r.staff_id for r in await staff.all_roles(uow.session) if r.role == Role.ADMIN}
    if not (admins & active) - {staff_id}:
        raise InvalidInputError("role", "last_admin")


async def set_password(
    uow: UnitOfWork, staff_id: str, password_hash: str, *, keep_session: str | None = None, reset: bool = False
) -> None:
    """Change a password and end every other session.

    `reset` by an administrator drops the second factor too, and ends every chat that the person worked from.
    """
    row = await person_of(uow, staff_id)
    row.password = password_hash
    if reset:
        row.totp, row.totp_last = None, 0
        await official_links.unlink_person(uow, staff_id)
    for session in await staff.live_sessions(uow.session, staff_id, uow.now):
        if session.id != keep_session:
            await staff.end_sessions(uow.session, staff_id, uow.now, session.id)
    await staff.forget_attempts(uow.session, [_keys(row.email, "")["email"]])
    audit(uow, "staff.reset_password" if reset else "staff.change_password", f"staff:{staff_id}")


async def set_totp(uow: UnitOfWork, staff_id: str, secret: str, code: str, box: SecretBox) -> None:
    """Switch one-time codes on once a first code was right; raises InvalidInputError code wrong."""
    row = await person_of(uow, staff_id)
    step = totp_step(secret, code, uow.now)
    if step is None:
        raise InvalidInputError("code", "wrong_code")
    row.totp, row.totp_last = box.seal(secret), step
    audit(uow, "staff.totp_on", f"staff:{staff_id}")


async def remove_totp(uow: UnitOfWork, staff_id: str) -> None:
    """Switch one-time codes off."""
    row = await person_of(uow, staff_id)
    row.totp, row.totp_last = None, 0
    audit(uow, "staff.totp_off", f"staff:{staff_id}")


async def use_totp(uow: UnitOfWork, staff_id: str, code: str, box: SecretBox) -> bool:
    """Check a one-time code; each can be used once only (RFC 6238 §5.2)."""
    row = await person_of(uow, staff_id)
    if row.totp is None:
        return False
    step = totp_step(box.open(row.totp), code, uow.now)
    if step is None or step <= row.totp_last:
        return False
    row.totp_last = step
    return True


async def set_language(uow: UnitOfWork, staff_id: str, language: str) -> None:
    """Remember in which language a person reads the console."""
    if language not in LANGUAGES:
        raise InvalidInputError("language", "unknown_language")
    (await person_of(uow, staff_id)).language = language
