"""Take a rating, the free words that go with it, and the reason of whoever is not satisfied."""

import re
from datetime import datetime, timedelta

from bot.actions import citizen_case
from bot.domain.conversation import Step
from bot.domain.words import MenuWord, rating_word
from bot.store import cases
from handlers.citizen import reply
from handlers.citizen.turn import Turn

_PAYLOAD = re.compile(r"^#danhgia (PA-[2-9A-Z]{5}) ([123])$")
_REMARK_MINUTES = 30


def is_rating(turn: Turn) -> bool:
    """Say whether the text rates an answer: a tap, or the words while a rating is asked for."""
    return _PAYLOAD.match(turn.text) is not None or (
        turn.recall("rate") is not None and turn.step is Step.IDLE and rating_word(turn.text) is not None
    )


async def rate(turn: Turn) -> None:
    """Keep the rating; thank, ask for a free word, or ask why not."""
    tapped = _PAYLOAD.match(turn.text)
    if tapped is not None:
        found = await cases.by_code(turn.uow.session, tapped.group(1))
        case_id, rating = (found.id if found and found.contact_id == turn.contact.id else None), int(tapped.group(2))
    else:
        case_id, rating = str(turn.recall("rate")), rating_word(turn.text) or 0
    case = await citizen_case.rate(turn.uow, case_id, rating) if case_id else None
    turn.remember(rate=None)
    if case is None:
        await turn.say("nothing_to_rate")
        return
    turn.remember(remark=case.id, remark_since=turn.uow.now.isoformat())
    if rating == citizen_case.DISSATISFIED:
        turn.goto(Step.REASON)
        await turn.say("rated_low", case_id=case.id, code=case.code, again=case.reopened > 0)
    else:
        turn.goto(Step.REMARK)
        await turn.say("rated", case_id=case.id, code=case.code)


def late(turn: Turn) -> bool:
    """Say whether too much time has passed for the next words to belong to the rating."""
    since = turn.recall("remark_since")
    return since is None or datetime.fromisoformat(since) < turn.uow.now - timedelta(minutes=_REMARK_MINUTES)


async def reason(turn: Turn) -> None:
    """Reopen the case with the citizen's reason, once."""
    case_id = str(turn.recall("remark"))
    if turn.word in {MenuWord.SKIP, MenuWord.NO}:
        turn.goto(Step.IDLE)
        turn.remember(remark=None, remark_since=None)
        await turn.say("thanks")
        return
    if len(turn.text) < citizen_case.MIN_REASON and not turn.attachments:
        await turn.say("reason_again")
        return
    reopened = await citizen_case.dissatisfied(turn.uow, case_id, turn.text, turn.message_ids)
    case = await cases.case(turn.uow.session, case_id)
    assert case is not None
    turn.goto(Step.IDLE)
    turn.remember(remark=None, remark_since=None)
    reply.more_belongs_to(turn, case)
    await turn.say("reopened" if reopened else "noted_low", case_id=case.id, code=case.code, due_at=case.due_at)


async def remark(turn: Turn) -> None:
    """Keep a free word."""
    if turn.word not in {MenuWord.SKIP, MenuWord.NO, MenuWord.DONE} and turn.text:
        await citizen_case.remark(turn.uow, str(turn.recall("remark")), turn.text)
    turn.goto(Step.IDLE)
    turn.remember(remark=None, remark_since=None)
    await turn.say("thanks")
