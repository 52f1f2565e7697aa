"""Take how satisfied a person is with how their dossier was dealt with, and the words that go with it."""

import re

from bot.actions import rate_dossier
from bot.domain.conversation import Step
from bot.domain.words import MenuWord, rating_word
from bot.store import dossiers
from handlers.citizen.turn import Turn

_PAYLOAD = re.compile(r"^#danhgiahs ([0-9A-Z.-]{10,60}) ([123])$")


def is_rating(turn: Turn) -> bool:
    """Say whether the text rates a dossier: a tap, or the words while a rating is asked for."""
    asked = turn.recall("rate_dossier") is not None and turn.recall("rate") is None and turn.step is Step.IDLE
    return _PAYLOAD.match(turn.text) is not None or (asked and rating_word(turn.text) is not None)


async def rate(turn: Turn) -> None:
    """Keep the rating, and ask for a word."""
    tapped = _PAYLOAD.match(turn.text)
    asked = turn.recall("rate_dossier")
    turn.remember(rate_dossier=None)
    rating = int(tapped.group(2)) if tapped else rating_word(turn.text) or 0
    code = tapped.group(1) if tapped else await _code_of(turn, str(asked))
    row = await rate_dossier.rate(turn.uow, turn.contact, code, rating)
    if row is None:
        await turn.say("dossier_not_rated")
        return
    turn.goto(Step.DOSSIER_REMARK)
    turn.remember(remark=row.id, remark_since=turn.uow.now.isoformat())
    await turn.say("dossier_rated", code=row.code, low=rating == rate_dossier.LOW)


async def _code_of(turn: Turn, dossier_id: str) -> str:
    row = await dossiers.dossier(turn.uow.session, dossier_id)
    return row.code if row is not None else ""


async def remark(turn: Turn) -> None:
    """Keep a free word."""
    if turn.word not in {MenuWord.SKIP, MenuWord.NO, MenuWord.DONE} and turn.text:
        await rate_dossier.remark(turn.uow, turn.contact, str(turn.recall("remark")), turn.text)
    turn.goto(Step.IDLE)
    turn.remember(remark=None, remark_since=None)
    await turn.say("thanks")
