"""Let a person choose which announcements come: villages, topics, advertising; each change is one tap or one word."""

import re

from bot.actions import marks
from bot.actions.marks import Choices
from bot.domain.conversation import Step
from bot.domain.courtesy import courtesy
from bot.domain.text import fold
from bot.domain.vocabulary import JOIN_WORDS, LEAVE_WORDS
from bot.domain.words import (
    MenuWord,
    find_area,
    is_conduct_report,
    is_denunciation,
    is_emergency,
    is_secret,
    looks_like_complaint,
    looks_like_question,
)
from bot.errors import InvalidInputError, NotFoundError
from bot.store.units import AreaRow
from handlers.citizen.turn import Turn

TOPIC, AREA = "#chude ", "#thon "
"""What the buttons of topics and villages begin with; the id and what is wanted follow."""
ASK_AREA, BACK = "chọn thôn", "xem lại lựa chọn"
"""What the buttons say that lead from the topics to the villages and back; the same can be typed."""
YES, NO = "đồng ý nhận tin quảng bá", "thôi nhận tin quảng bá"
"""What the buttons say that answer whether advertising may come."""
_TAP = re.compile(r"#(?P<what>chude|thon) (?P<id>\S+) (?P<on>co|khong)")
_SHORT_LIST = 20
"""So many villages are shown as buttons; where there are more, one types the name."""
_NAME = 8
"""A text of more words is not the name of a village or a topic."""
_BETWEEN = re.compile(r"[,;\n]|\s(?:và|va)\s")
_NO_NAMES = (is_denunciation, is_secret, is_conduct_report, is_emergency, looks_like_complaint)


async def overview(turn: Turn) -> None:
    """Show which announcements come and how to change that."""
    await _overview(turn)


async def _overview(turn: Turn, changed: str = "", *, on: bool = True) -> None:
    choices = await marks.choices_of(turn.uow.session, turn.contact)
    stopped = turn.contact.stopped_at is not None
    _begin(turn)
    await turn.say(
        "announcements", stopped=stopped, choices=choices, changed=changed, on=on, prefix=TOPIC, ask_area=ASK_AREA
    )


def _begin(turn: Turn) -> None:
    """Leave what went on before: a name that is typed now is no further word on some case."""
    turn.goto(Step.IDLE)
    turn.remember(replying=None, replying_until=None)


async def ask_area(turn: Turn) -> None:
    """Ask for the village, with the short list where there is one."""
    await _ask_area(turn)


async def ask_area_again(turn: Turn) -> None:
    """Say that no village was recognised, and how to name one."""
    await _ask_area(turn, unclear=True)


async def _ask_area(turn: Turn, *, unclear: bool = False, among: list[AreaRow] | None = None) -> None:
    choices = await marks.choices_of(turn.uow.session, turn.contact)
    if not choices.villages:
        await _overview(turn)
        return
    listed = choices.villages if len(choices.villages) <= _SHORT_LIST else choices.my_villages
    _begin(turn)
    shown = tuple(among or listed)
    await turn.say("choose_area", shown=shown, followed=choices.followed, unclear=unclear, prefix=AREA, back=BACK)


def is_tap(turn: Turn) -> bool:
    """Say whether this is a button of ours, of whatever age: it says what is wanted, so an old one does no harm."""
    return _TAP.fullmatch(turn.text) is not None


async def tapped(turn: Turn) -> None:
    """Do what the button says; what is not offered any more is only shown as it stands."""
    tap = _TAP.fullmatch(turn.text)
    assert tap is not None
    on = tap["on"] == "co"
    if tap["what"] == "chude":
        await _topic(turn, tap["id"], on=on)
    else:
        await _areas(turn, [tap["id"]], on=on)


async def _topic(turn: Turn, topic_id: str, *, on: bool) -> None:
    try:
        topic = await marks.choose_topic(turn.uow, turn.contact, topic_id, on=on)
    except NotFoundError:
        await _overview(turn)
        return
    choices = await marks.choices_of(turn.uow.session, turn.contact)
    if on and topic.advert and not choices.adverts:
        _begin(turn)
        await turn.say("adverts_ask", topic=topic.name, yes=YES, no=NO)
        return
    await _overview(turn, topic.name, on=on)


async def _areas(turn: Turn, area_ids: list[str], *, on: bool) -> None:
    decide = marks.choose_area if on else marks.leave_area
    try:
        areas = [await decide(turn.uow, turn.contact, area_id) for area_id in area_ids]
    except InvalidInputError:
        await _ask_area(turn)
        return
    await _overview(turn, ", ".join(area.name for area in areas), on=on)


def answers(turn: Turn) -> bool:
    """Say whether this is a bare yes or no just after the question whether advertising may come."""
    asked = turn.step is Step.IDLE and turn.recall("buttons") == [YES, NO]
    return asked and turn.word in {MenuWord.YES, MenuWord.NO}


async def answer(turn: Turn) -> None:
    """Take that yes or no."""
    await (agree if turn.word is MenuWord.YES else withdraw)(turn)


async def agree(turn: Turn) -> None:
    """Keep that the person agrees to messages that are like advertising."""
    await marks.agree(turn.uow, turn.contact)
    choices = await marks.choices_of(turn.uow.session, turn.contact)
    _begin(turn)
    stopped = turn.contact.stopped_at is not None
    await turn.say("adverts_on", stopped=stopped, topics=[topic for topic, on in choices.topics if on and topic.advert])


async def withdraw(turn: Turn) -> None:
    """Keep that the person agrees to such messages no more; everything else goes on."""
    await marks.withdraw(turn.uow, turn.contact)
    _begin(turn)
    await turn.say("adverts_off")


async def named(turn: Turn) -> bool:
    """Take the name of a topic or a village as a choice while these are shown; False when it is something else."""
    if not _choosing(turn) or turn.attachments or len(turn.text.split()) > _NAME:
        return False
    choices = await marks.choices_of(turn.uow.session, turn.contact)
    return await _named_topic(turn, choices) or await _named_areas(turn, choices)


async def _named_topic(turn: Turn, choices: Choices) -> bool:
    """Take the whole name of a topic, whatever else it sounds like: it may speak of power cuts and storms."""
    text = fold(turn.text)
    wanted, said = _without_lead(text)
    for topic, on in choices.topics:
        name = fold(topic.name)
        if name in {text, wanted}:
            await _topic(turn, topic.id, on=not on if said is None or name == text else said)
            return True
    return False


async def _named_areas(turn: Turn, choices: Choices) -> bool:
    if not _may_be_name(turn, certain=4):
        return False
    found = [_found(part, choices.villages) for part in _BETWEEN.split(turn.text) if part.strip()]
    unsure = next((areas for areas in found if len(areas) > 1), None)
    if unsure is not None:
        await _ask_area(turn, unclear=True, among=unsure)
        return True
    if not found or not all(found):
        return False
    wanted, said = _without_lead(fold(turn.text))
    leaves = said is False and bool(_found(wanted, choices.villages))
    await _areas(turn, [areas[0].id for areas in found], on=not leaves)
    return True


def _choosing(turn: Turn) -> bool:
    """Say whether the last thing the bot said offers topics or villages."""
    shown = turn.recall("buttons") or ()
    offers = any(payload in {ASK_AREA, BACK} or payload.startswith((TOPIC, AREA)) for payload in shown)
    return offers and turn.step is Step.IDLE


def _may_be_name(turn: Turn, certain: int) -> bool:
    """Say whether a text may be a name; one of at most `certain` words is none of the questions that it looks like.

    `chùa` without its accent is the word that ends a question.
    """
    number = len(turn.text.split())
    if not 0 < number <= _NAME or turn.attachments or any(says(turn.text) for says in _NO_NAMES):
        return False
    return not looks_like_question(turn.text) or (number <= certain and "?" not in turn.text)


def _found(text: str, villages: tuple[AreaRow, ...]) -> list[AreaRow]:
    ids = find_area(text, [(area.id, [area.name, *area.aliases]) for area in villages])
    return [area for area in villages if area.id in ids]


def _without_lead(folded: str) -> tuple[str, bool | None]:
    """Return what stands behind a word such as `tắt` or `chọn`, and what that word wants; None for no such word."""
    for words, on in ((LEAVE_WORDS, False), (JOIN_WORDS, True)):
        for word in words:
            if folded.startswith(f"{word} "):
                return folded.removeprefix(f"{word} "), on
    return folded, None


def unclear(turn: Turn) -> bool:
    """Say whether this seems to be meant for a village that was asked for, though none of that name is known."""
    asked = turn.step is Step.IDLE and BACK in (turn.recall("buttons") or ())
    return asked and _may_be_name(turn, certain=2) and courtesy(turn.text) is None
