"""Keep uploaded lists of recipients: taken in, checked line by line, removed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson

from bot.actions.case_trail import audit
from bot.domain.recipient_list import DOSSIER, UNKNOWN_DOSSIER, KeyKind
from bot.domain.text import clean
from bot.errors import InvalidInputError, NotFoundError
from bot.store import recipients, units
from bot.store.recipients import Line, RecipientListRow
from bot.store.unit_of_work import UnitOfWork

LONGEST_NAME = 100
FOLDER = "lists/"
LEASE = timedelta(seconds=60)
"""How long nobody else begins with a list that somebody has in hand."""
MOST_TRIES = 5
"""A list over which so many workers have died is refused: it may be what ends them."""


def blob_key(list_id: str) -> str:
    """Return where the bytes of a list lie until it is checked."""
    return f"{FOLDER}{list_id}"


def topic(list_id: str) -> str:
    """Return the news that open pages of a list wait for."""
    return f"recipient_list:{list_id}"


async def add(
    uow: UnitOfWork, list_id: str, unit_id: str, name: str, file_name: str, key_column: str = "", key_kind: str = ""
) -> RecipientListRow:
    """Take in a list whose bytes were stored before; it is checked by the job. Raises InvalidInputError.

    `key_column` and `key_kind` (phone | user_id | dossier) tell who the recipient is where the file's names do not.
    """
    name = clean(name) or clean(file_name)
    if len(name) > LONGEST_NAME:
        raise InvalidInputError("name", "too_long", most=LONGEST_NAME)
    if key_kind and key_kind not in set(KeyKind):
        raise InvalidInputError("key_kind", "unknown_key_kind")
    assert uow.actor.id is not None
    row = RecipientListRow(
        id=list_id,
        unit_id=unit_id,
        name=name,
        file_name=clean(file_name)[:LONGEST_NAME],
        key_column=clean(key_column)[:LONGEST_NAME],
        key_kind=key_kind,
        made_by=uow.actor.id,
        created_at=uow.now,
    )
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, "recipient_list.add", topic(list_id), {"unit": unit_id})
    uow.after_commit("check_lists")
    return row


async def take(uow: UnitOfWork, token: str) -> RecipientListRow | None:
    """Take the next list in hand that is to be checked or removed; None when there is none."""
    row = await recipients.lease(uow.session, token, uow.now, uow.now + LEASE)
    if row is not None and row.state == "checking":
        row.good = row.bad = row.warned = 0
    return row


async def clear(uow: UnitOfWork, list_id: str, token: str) -> bool:
    """Take away some lines of a list in hand; False when none is left, or another has it."""
    if await recipients.held(uow.session, list_id, token, uow.now + LEASE) is None:
        return False
    return bool(await recipients.forget_lines(uow.session, list_id))


async def add_lines(uow: UnitOfWork, list_id: str, token: str, lines: Sequence[Line]) -> bool:
    """Keep checked lines and count them; False when the list is no longer in this worker's hands."""
    row = await recipients.held(uow.session, list_id, token, uow.now + LEASE)
    if row is None or row.state != "checking":
        return False
    lines = await _owned(uow, row, lines)
    await recipients.add_lines(uow.session, list_id, lines)
    row.good += sum(1 for line in lines if line.recipient)
    row.bad += sum(1 for line in lines if line.cells is not None)
    row.warned += sum(1 for line in lines if line.problems and line.cells is None)
    uow.announce(topic(list_id))
    return True


async def _owned(uow: UnitOfWork, row: RecipientListRow, lines: Sequence[Line]) -> Sequence[Line]:
    """Find whose the dossiers are that lines name by their codes; only the unit's own and those below it count."""
    codes = {line.recipient.removeprefix(DOSSIER) for line in lines if line.recipient.startswith(DOSSIER)}
    if not codes:
        return lines
    unit = await units.unit(uow.session, row.unit_id)
    assert unit is not None
    owners = await recipients.owners(uow.session, codes, unit.path)
    return [_of_owner(line, owners) if line.recipient.startswith(DOSSIER) else line for line in lines]


def _of_owner(line: Line, owners: Mapping[str, tuple[str, str]]) -> Line:
    """Return a line with its dossier's person, no longer bad; as it is, with what is wrong, where there is none."""
    code = line.recipient.removeprefix(DOSSIER)
    recipient, address = owners.get(code, ("", ""))
    problems = orjson.loads(line.problems or "[]")
    if not recipient:
        for problem in problems:
            if code in owners and problem["code"] == UNKNOWN_DOSSIER:
                problem["code"] = "dossier_nobody"
        return line._replace(recipient="", merged=None, problems=orjson.dumps(problems).decode())
    left = [problem for problem in problems if problem["code"] != UNKNOWN_DOSSIER]
    said = orjson.dumps(left).decode() if left else None
    return line._replace(recipient=recipient, address=address, problems=said, cells=None)


async def checked(
    uow: UnitOfWork,
    list_id: str,
    token: str,
    *,
    fields: Sequence[str] = (),
    key_column: str = "",
    key_kind: str = "",
    refused: Sequence[dict[str, Any]] = (),
    left_out: Sequence[dict[str, Any]] = (),
) -> bool:
    """Say what a list turned out to be: ready with its fields, or refused and why; False when another has it.

    `left_out` says of a list that is ready which columns are not kept.
    """
    row = await recipients.held(uow.session, list_id, token, uow.now + LEASE)
    if row is None or row.state != "checking":
        return False
    row.state = "refused" if refused else "ready"
    row.problems, row.columns, row.checked_at = list(refused or left_out), list(fields), uow.now
    row.lease = row.leased_until = None
    if refused:
        row.good = row.bad = row.warned = 0
    else:
        row.key_column, row.key_kind = key_column, key_kind
    audit(uow, "recipient_list.checked", topic(list_id), {"state": row.state, "good": row.good, "bad": row.bad})
    uow.announce(topic(list_id))
    return True


async def remove(uow: UnitOfWork, list_id: str) -> None:
    """Remove a list; its lines go soon after, some at a time.

    Raises NotFoundError, and InvalidInputError list_in_use while an announcement is still to read it.
    """
    row = await recipients.locked(uow.session, list_id)
    if row is None or row.state == "removing":
        raise NotFoundError(list_id)
    used = [title for _, title in await recipients.uses(uow.session, list_id)]
    if used:
        raise InvalidInputError("list", "list_in_use", titles=used)
    row.state, row.lease, row.leased_until, row.tries = "removing", None, None, 0
    audit(uow, "recipient_list.remove", topic(list_id))
    uow.announce(topic(list_id))
    uow.after_commit("check_lists")


async def removed(uow: UnitOfWork, list_id: str, token: str) -> None:
    """Let go of a list whose lines are gone."""
    row = await recipients.held(uow.session, list_id, token, uow.now + LEASE)
    if row is not None and row.state == "removing":
        await uow.session.delete(row)


def looked_into(uow: UnitOfWork, list_id: str, bad: int) -> None:
    """Record that somebody has taken out the bad lines of a list, which hold personal data."""
    audit(uow, "recipient_list.bad_lines", topic(list_id), {"lines": bad})
