"""Take a rating, the free words that go with it, and the reason of whoever is not satisfied."""

import re
from datetime import datetime, timedelta

from bot.actions import citizen_case
from bot.domain.conversation import Step
from bot.domain.words import MenuWord, rating_word
from bot.store import accounts, cases
from bot.store.cases import CaseRow
from handlers.citizen import lookup, reply
from handlers.citizen.turn import Turn

_PAYLOAD = re.compile(r"^#danhgia (PA-[2-9A-Z]{5}) ([123])$")
_REMARK_MINUTES = 30


def is_rating(turn: Turn) -> bool:
    """Say whether the text rates an answer: a tap, or the words while a rating is asked for."""
    return _PAYLOAD.match(turn.text) is not None or (
        turn.recall("rate") is not None and turn.step is Step.IDLE and rating_word(turn.text) is not None
    )


async def rate(turn: Turn) -> None:
    """Keep the rating; thank, ask for a free word, or ask why not.

    Only in the chat that the case came from: what follows a rating (words, photos, the case's new run) belongs into
    the one conversation that the case's page shows, and its sender is one contact.
    """
    tapped = _PAYLOAD.match(turn.text)
    rating = int(tapped.group(2)) if tapped is not None else rating_word(turn.text) or 0
    if tapped is not None:
        found = await cases.by_code(turn.uow.session, tapped.group(1))
    else:
        found = await cases.case(turn.uow.session, str(turn.recall("rate")))
    mine = found is not None and found.contact_id == turn.contact.id
    case = await citizen_case.rate(turn.uow, found.id, rating) if found is not None and mine else None
    turn.remember(rate=None)
    if case is None:
        await _not_rated(turn, found)
        return
    turn.remember(remark=case.id, remark_since=turn.uow.now.isoformat())
    if rating == citizen_case.DISSATISFIED:
        turn.goto(Step.REASON)
        await turn.say("rated_low", case_id=case.id, code=case.code, again=case.reopened > 0)
    else:
        turn.goto(Step.REMARK)
        await turn.say("rated", case_id=case.id, code=case.code)


async def _not_rated(turn: Turn, case: CaseRow | None) -> None:
    """Say where to rate, or how a case stands that cannot be rated now; of strangers' cases nothing is said."""
    if case is None or not await lookup.is_mine(turn, case):
        await turn.say("nothing_to_rate")
    elif case.contact_id == turn.contact.id:
        await lookup.show(turn, case)
    else:
        account = await accounts.account(turn.uow.session, case.account_id)
        await turn.say("rate_elsewhere", code=case.code, account=account)


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
