"""Tell how dossiers stand: by a code typed in any way, by its end, or all of one's own."""

import math
from typing import Any

from bot.actions import dossier_binding, dossier_search
from bot.actions.dossier_search import Looked
from bot.domain import dossier_asked
from bot.domain.conversation import RESUME_AFTER, Step
from bot.domain.dossier import OPEN, PAUSING, Status, moment
from bot.domain.dossier_clock import counting
from bot.domain.privacy import initials, mask_phone
from bot.domain.text import excerpt
from bot.domain.words import is_conduct_report, is_denunciation, is_emergency, is_secret
from bot.store import dossier_lookup, units
from bot.store.dossiers import DossierRow
from handlers.citizen import welcome
from handlers.citizen.turn import Turn

DETAILS = "#hoso "
"""What the button carries that asks for all that is known of a dossier; its code follows."""
_SHOWN = 5
_LONGEST_ASKING = 120
_LONGEST_ANSWER = 80
_NAME, _SHORT_NAME = 80, 30
_FREE = frozenset({Step.IDLE, Step.DOSSIER})


def asks(turn: Turn) -> bool:
    """Say whether a text asks for a dossier: a code stands in it and little else, or a code's end with its date.

    In the middle of something else, as of a report, only what is hardly more than a code does.
    """
    text = turn.text
    if len(text) > _LONGEST_ASKING or any(is_it(text) for is_it in (is_denunciation, is_secret, is_conduct_report)):
        return False
    free = turn.step in _FREE
    codes = dossier_asked.candidates(text, waits=turn.step is Step.DOSSIER)
    if codes:
        return dossier_asked.asks(text, codes[-1], busy=not free) and not is_emergency(text)
    end = dossier_asked.end_in(text) if free else None
    return end is not None and dossier_asked.asks(text, end.day + end.number, busy=True)


def answers(turn: Turn) -> bool:
    """Say whether a text is what was waited for: something with digits that may be the code of a dossier."""
    waits = turn.step is Step.DOSSIER and not turn.attachments
    return waits and len(turn.text) <= _LONGEST_ANSWER and any(c.isdecimal() and c.isascii() for c in turn.text)


def late(turn: Turn) -> bool:
    """Say whether a code was waited for so long ago that what is sent now is something else."""
    return turn.step is Step.DOSSIER and turn.uow.now - turn.conversation.updated_at > RESUME_AFTER


async def answer(turn: Turn) -> None:
    """Look up what was asked for and tell what is found."""
    waits = turn.step is Step.DOSSIER
    codes = dossier_asked.candidates(turn.text, waits=waits)
    end = dossier_asked.end_in(turn.text, waits=waits) or (dossier_asked.number_in(turn.text) if waits else None)
    looked = await dossier_search.look_up(turn.uow, turn.account, turn.contact, codes, end)
    await tell(turn, looked, excerpt(turn.text, 40))


async def tell(turn: Turn, looked: Looked, typed: str) -> None:
    """Tell what was found: one dossier, several to choose from, none, or that codes are not looked up for a while."""
    office = await welcome.office(turn)
    if looked.until is not None:
        minutes = math.ceil((looked.until - turn.uow.now).total_seconds() / 60)
        await turn.say("dossier_blocked", minutes=minutes, phone=office["phone"])
    elif not looked.rows:
        await turn.say("dossier_unknown", typed=typed, phone=office["phone"])
    elif len(looked.rows) == 1:
        await show(turn, looked.rows[0], own=looked.own)
    else:
        await turn.say("dossier_choices", rows=[brief(turn, row) for row in looked.rows], more=looked.more)


async def show(turn: Turn, row: DossierRow, *, own: bool) -> None:
    """Tell how a dossier stands, to whom it belongs all that is known of it."""
    if turn.step is Step.DOSSIER:
        turn.goto(Step.IDLE)
    await turn.say("dossier", it=await _facts(turn, row), own=own, details=f"{DETAILS}{row.code}")


def brief(turn: Turn, row: DossierRow) -> dict[str, Any]:
    """Return what a line about a dossier says; `due_at` only while the office's clock runs."""
    status = Status(row.status)
    return {
        "code": row.code,
        "short": row.code.partition("-")[2],
        "procedure": excerpt(row.procedure_name, _SHORT_NAME),
        "status": row.status,
        "received_at": row.received_at,
        "due_at": row.due_at if status in OPEN - PAUSING else None,
        "late": _late(turn, row),
    }


def _late(turn: Turn, row: DossierRow) -> bool:
    runs = Status(row.status) in OPEN - PAUSING
    due = counting(row.due_at, row.law_due_at, row.late_at) if row.due_at is not None else None
    return runs and due is not None and due < turn.uow.now


async def _facts(turn: Turn, row: DossierRow) -> dict[str, Any]:
    unit = await units.unit(turn.uow.session, row.unit_id)
    told, status, box = row.facts, Status(row.status), turn.desk.box
    put_off = row.first_due_at is not None and row.due_at is not None and row.first_due_at < row.due_at
    return {
        **brief(turn, row),
        "procedure": excerpt(row.procedure_name, _NAME),
        "unit": unit.name if unit else "",
        "due_at": row.due_at if status in OPEN else None,
        "paused": status in PAUSING,
        "moved_from": row.first_due_at if put_off and status in OPEN else None,
        "applicant": initials(box.open(row.applicant)) if row.applicant else "",
        "phone": mask_phone(box.open(row.phone)) if row.phone else "",
        "papers": excerpt(str(told.get("papers", "")), 400),
        "reason": excerpt(str(told.get("reason", "")), 400),
        "limit_at": moment(told.get("limit_at")),
        "fee": _amount(told.get("fee")),
        "fee_note": excerpt(str(told.get("fee_note", "")), 100),
        "place": excerpt(str(told.get("appointment_place", "")), 100),
        "post_code": excerpt(str(told.get("post_code", "")), 40),
    }


def _amount(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


async def mine(turn: Turn) -> None:
    """List one's own dossiers, those under way first; whoever is not known by a phone is asked for it."""
    found = await dossier_lookup.open_first(turn.uow.session, turn.contact, _SHOWN)
    known = await dossier_binding.known_phone(turn.uow, turn.contact)
    if not found and not known and turn.uow.capabilities(turn.account).asks_contact:
        await ask_phone(turn, "")
        return
    if not found:
        turn.goto(Step.DOSSIER)
    await turn.say("my_dossiers", rows=[brief(turn, row) for row in found], phone_known=known)


async def ask_phone(turn: Turn, code: str) -> None:
    """Ask for the phone by which a dossier is one's own, or with "" all of them; what is asked for is shown then."""
    turn.remember(proving={"code": code, "at": turn.uow.now.isoformat()})
    await turn.say("dossier_share_phone", asks_contact=True, code=code)


async def begin(turn: Turn) -> None:
    """Say what can be looked up and how, and wait for it."""
    turn.goto(Step.DOSSIER)
    await turn.say("lookup", **await welcome.office(turn))
