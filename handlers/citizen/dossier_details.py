"""Let a person prove that a dossier is theirs and show all of it then: by their phone, or by digits sent to its own."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from bot.actions import dossier_binding
from bot.actions.dossier_binding import CODE_HOLDS, CODE_TRIES, Pending
from bot.domain.dossier_code import canonical
from bot.store import dossier_lookup, dossiers, units
from bot.store.dossiers import DossierRow
from handlers.citizen import welcome
from handlers.citizen.dossiers import DETAILS, ask_phone, mine, show
from handlers.citizen.turn import Turn

SEND = "#guima "
"""What the button carries that has digits sent to the phone of a dossier; its code follows."""
_SIX = re.compile(r"\D{0,12}(\d(?:\s?\d){5})\D{0,6}", re.ASCII)
_PROVE_WITHIN = timedelta(minutes=30)


def is_tap(turn: Turn) -> bool:
    """Say whether this asks for the details of a dossier, or for digits that prove whose it is."""
    return _named(turn.text) != ""


def _named(text: str) -> str:
    prefix = next((one for one in (DETAILS, SEND) if text.startswith(one)), None)
    return canonical(text.removeprefix(prefix)) if prefix else ""


async def tapped(turn: Turn) -> None:
    """Show the details to whom the dossier belongs; let others prove that it does, or have the digits sent."""
    row = await _row(turn, _named(turn.text))
    if row is None:
        await welcome.past(turn)
    elif await dossier_lookup.is_of(turn.uow.session, turn.contact, row):
        await show(turn, row, own=True)
    elif turn.text.startswith(SEND):
        await _send(turn, row)
    else:
        await _prove(turn, row)


async def _row(turn: Turn, code: str) -> DossierRow | None:
    unit = await units.unit(turn.uow.session, turn.account.unit_id)
    return await dossier_lookup.by_code(turn.uow.session, code, unit.path) if unit else None


async def _prove(turn: Turn, row: DossierRow) -> None:
    known = await dossier_binding.known_phone(turn.uow, turn.contact)
    if row.phone is not None and not known and turn.uow.capabilities(turn.account).asks_contact:
        await ask_phone(turn, row.code)
    else:
        await _offer(turn, row, other_phone=known and row.phone is not None)


async def _offer(turn: Turn, row: DossierRow, *, other_phone: bool) -> None:
    if await dossier_binding.can_send_code(turn.uow, turn.account, row):
        send = f"{SEND}{row.code}"
        await turn.say("dossier_offer_code", code=row.code, send=send, other_phone=other_phone)
    else:
        await _no_way(turn, row, "other_phone" if other_phone else "")


async def _no_way(turn: Turn, row: DossierRow, reason: str) -> None:
    office = await welcome.office(turn)
    unit = await units.unit(turn.uow.session, row.unit_id)
    name = unit.name if unit else office["unit"]
    await turn.say("dossier_no_way", code=row.code, reason=reason, unit=name, phone=office["phone"])


async def _send(turn: Turn, row: DossierRow) -> None:
    sent = await dossier_binding.send_code(turn.uow, turn.desk.box, turn.contact, turn.account, row)
    if not isinstance(sent, Pending):
        await _no_way(turn, row, sent.value)
        return
    turn.remember(digits=sent.to_json())
    await turn.say("dossier_code_sent", code=row.code, minutes=int(CODE_HOLDS.total_seconds() // 60))


def is_code(turn: Turn) -> bool:
    """Say whether these are the digits that were sent, right or wrong; some time later they are nothing any more."""
    kept = turn.recall("digits")
    if kept is None or turn.attachments or datetime.fromisoformat(kept["until"]) + _PROVE_WITHIN < turn.uow.now:
        return False
    return _SIX.fullmatch(turn.text) is not None


async def code(turn: Turn) -> None:
    """Take the digits: with the right ones the dossier is this person's from now on, and is shown."""
    found = _SIX.fullmatch(turn.text)
    assert found is not None
    pending = Pending(**turn.recall("digits"))
    row = await dossiers.dossier(turn.uow.session, pending.dossier_id)
    if row is None or not pending.holds(turn.uow.now):
        await _over(turn, row)
        return
    digits = re.sub(r"\s", "", found[1])
    if await dossier_binding.redeem(turn.uow, turn.desk.box, turn.contact, pending, digits):
        turn.remember(digits=None)
        await show(turn, row, own=True)
        return
    tried = replace(pending, tries=pending.tries + 1)
    if not tried.holds(turn.uow.now):
        await _over(turn, row)
        return
    turn.remember(digits=tried.to_json())
    await turn.say("dossier_code_wrong", left=CODE_TRIES - tried.tries)


async def _over(turn: Turn, row: DossierRow | None) -> None:
    turn.remember(digits=None)
    if row is None:
        await welcome.past(turn)
    else:
        await turn.say("dossier_code_over", details=f"{DETAILS}{row.code}")


async def phone_shared(turn: Turn) -> None:
    """Bind the dossiers of the phone that has just been handed over, and go on with what it was asked for."""
    number = await dossier_binding.by_phone(turn.uow, turn.contact)
    wanted = _asked_for(turn)
    turn.remember(proving=None)
    row = await _row(turn, wanted) if wanted else None
    if wanted is None:
        if number:
            await turn.say("dossiers_bound", number=number)
    elif row is None:
        await mine(turn)
    elif await dossier_lookup.is_of(turn.uow.session, turn.contact, row):
        await show(turn, row, own=True)
    else:
        await _offer(turn, row, other_phone=True)


def _asked_for(turn: Turn) -> str | None:
    """Return for which dossier the phone was asked, "" for all of one's own, None when it was not, or long ago."""
    asked = turn.recall("proving")
    if asked is None or datetime.fromisoformat(asked["at"]) + _PROVE_WITHIN < turn.uow.now:
        return None
    return str(asked["code"])
