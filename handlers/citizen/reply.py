"""Bring what a citizen writes into the case that waits for it."""

from datetime import datetime, timedelta

from bot.actions import citizen_case
from bot.domain.case import CaseState
from bot.domain.conversation import Step
from bot.store import cases, messages
from bot.store.cases import CaseRow
from handlers.citizen.turn import Turn

_SAME_REPLY_MINUTES = 10
"""Photos and further words that follow a reply within this time belong to it."""
_ALBUM_HOURS = 1
"""What was sent together arrives within this time, even after an outage."""


async def target(turn: Turn) -> CaseRow | None:
    """Find the case that this belongs to: the quoted message wins, then the case just replied to, then the last asked.

    A quote decides even in the middle of something else; guessing is done only when nothing else is going on.
    """
    quoted = await _quoted(turn)
    if quoted is not None:
        return quoted
    if turn.step is not Step.IDLE:
        return None
    waiting = await cases.waiting_for(turn.uow.session, turn.contact.id)
    current, until = turn.recall("replying"), turn.recall("replying_until")
    if current and until and datetime.fromisoformat(until) > turn.uow.now:
        case = await cases.case(turn.uow.session, str(current))
        if case is not None and case.state in cases.OPEN and not waiting:
            return case
    return waiting[0] if waiting else None


async def is_awaited(turn: Turn) -> bool:
    """Say whether an official waits for what this person writes: a question of theirs is open, or is quoted."""
    case = await target(turn)
    return case is not None and case.state == CaseState.WAITING_FOR_CITIZEN


async def _quoted(turn: Turn) -> CaseRow | None:
    if turn.message is None or not turn.message.quotes:
        return None
    quoted = await messages.by_provider_id(turn.uow.session, turn.account.id, turn.message.quotes)
    if quoted is None or quoted.case_id is None:
        return None
    case = await cases.case(turn.uow.session, quoted.case_id)
    return case if case is not None and case.state in cases.OPEN else None


async def into(turn: Turn, case: CaseRow) -> None:
    """Put the words and attachments into the case; the first reply to a question is acknowledged."""
    first = case.state == CaseState.WAITING_FOR_CITIZEN
    await citizen_case.reply(turn.uow, case, turn.message_ids, turn.text)
    more_belongs_to(turn, case)
    if first:
        await turn.say("reply_passed_on", case_id=case.id, code=case.code)


def more_belongs_to(turn: Turn, case: CaseRow) -> None:
    """Take what follows within some minutes, when nothing else is going on, as part of this case."""
    until = turn.uow.now + timedelta(minutes=_SAME_REPLY_MINUTES)
    turn.remember(replying=case.id, replying_until=until.isoformat())


async def late_of_album(turn: Turn) -> bool:
    """Put what was sent together with something of a case into that case without a word; False where there is none."""
    if not turn.album:
        return False
    since = turn.uow.now - timedelta(hours=_ALBUM_HOURS)
    together = await messages.of_album(turn.uow.session, turn.contact.id, turn.album, since)
    case_id = next((row.case_id for row in together if row.case_id and row.id not in turn.message_ids), None)
    case = await cases.case(turn.uow.session, case_id) if case_id else None
    if case is None:
        return False
    await citizen_case.reply(turn.uow, case, turn.message_ids, turn.text)
    return True


async def _talked_about(turn: Turn) -> CaseRow | None:
    """Return the open case that a person of the office talks with this citizen about, while they do.

    Never a guess between restricted and ordinary: without a known case only an ordinary one is taken.
    """
    if turn.contact.human_case_id is not None:
        case = await cases.case(turn.uow.session, turn.contact.human_case_id)
        if case is not None and case.state in cases.OPEN:
            return case
    found = await cases.of_contact(turn.uow.session, turn.contact.id, limit=5)
    return next((c for c in found if c.state in cases.OPEN and not c.restricted), None)


async def silent(turn: Turn) -> None:
    """Say nothing while a person talks with the citizen; the words go into the case they talk about, if any."""
    case = await _talked_about(turn)
    if case is not None:
        await citizen_case.reply(turn.uow, case, turn.message_ids, turn.text)
