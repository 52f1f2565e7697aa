"""Tell how things stand: a case by its code, and my cases."""

from datetime import datetime, timedelta
from typing import Any

from bot.actions import linking
from bot.domain.case import CaseState
from bot.domain.words import case_code
from bot.store import accounts, cases, contacts, units
from bot.store.cases import CaseRow
from handlers.citizen.turn import Turn

_MISSES_PER_HOUR = 10
_SHORT = 30
"""A text no longer than this that holds a code asks for its status."""


def asks_status(turn: Turn) -> bool:
    """Say whether the text asks for the status of a case."""
    return len(turn.text) <= _SHORT and case_code(turn.text) is not None


async def status(turn: Turn) -> None:
    """Show a case's status to whoever has its code; a report about conduct only to its sender."""
    code = case_code(turn.text)
    assert code is not None
    if _guessing(turn):
        await turn.say("too_many_codes")
        return
    case = await cases.by_code(turn.uow.session, code)
    if case is None or (case.restricted and not await is_mine(turn, case)):
        _miss(turn)
        await turn.say("unknown_code", code=code)
        return
    await show(turn, case)


async def show(turn: Turn, case: CaseRow) -> None:
    """Tell how a case stands."""
    await turn.say("status", case_id=None, **await _facts(turn, case))


async def is_mine(turn: Turn, case: CaseRow) -> bool:
    """Say whether a case was sent by this person, from whichever account."""
    people = await contacts.same_person(turn.uow.session, turn.contact)
    return case.contact_id in {row.id for row in people}


async def _facts(turn: Turn, case: CaseRow) -> dict[str, Any]:
    mine = await is_mine(turn, case)
    elsewhere = mine and case.contact_id != turn.contact.id
    unit = await units.unit(turn.uow.session, case.unit_id)
    assert unit is not None
    return {
        "code": case.code,
        "state": case.state,
        "unit": "" if case.restricted else unit.name,
        "due_at": case.due_at,
        "created_at": case.created_at,
        "answered_at": case.answered_at,
        "overdue": bool(case.due_at and case.due_at < turn.uow.now and case.state in cases.OPEN),
        "waiting": case.state == CaseState.WAITING_FOR_CITIZEN,
        "mine": mine,
        "account": await accounts.account(turn.uow.session, case.account_id) if elsewhere else None,
    }


def _guessing(turn: Turn) -> bool:
    since = turn.recall("misses_since")
    if since is None or datetime.fromisoformat(since) < turn.uow.now - timedelta(hours=1):
        return False
    return int(turn.recall("misses") or 0) >= _MISSES_PER_HOUR


def _miss(turn: Turn) -> None:
    since = turn.recall("misses_since")
    if since is None or datetime.fromisoformat(since) < turn.uow.now - timedelta(hours=1):
        turn.remember(misses=1, misses_since=turn.uow.now.isoformat())
    else:
        turn.remember(misses=int(turn.recall("misses") or 0) + 1)


async def mine(turn: Turn) -> None:
    """List my cases, newest first, each with the account it was sent from where there are several; a tap shows one."""
    linked = await linking.others(turn.uow, turn.contact)
    found = await cases.of_contacts(turn.uow.session, [turn.contact.id, *(row.id for row, _ in linked)], limit=5)
    sources = {turn.contact.id: turn.account, **{row.id: account for row, account in linked}} if linked else {}
    await turn.say("my_cases", cases=found, sources=sources)
