"""Understand somebody who simply writes or sends photos: propose a report with category and place filled in."""

from bot.domain.conversation import Draft, Step
from bot.domain.courtesy import wants_change
from bot.domain.privacy import mask_identity
from bot.domain.text import excerpt
from bot.domain.words import MenuWord, find_area, guess_category, is_conduct_report
from bot.store import units
from bot.store.units import CategoryRow
from handlers.citizen import drafting, report
from handlers.citizen.turn import Turn

QUESTIONS = "dich-vu-cong"
"""Code of the category that questions about procedures belong to."""


async def from_text(turn: Turn) -> None:
    """Propose to send a full complaint as a report."""
    if not await drafting.acceptable(turn, turn.text):
        return
    turn.draft = _draft(turn)
    await drafting.gather(turn, announce=False)
    turn.draft.add_text(turn.text)
    await _fill(turn)
    turn.goto(Step.PROPOSED)
    if turn.attachments:
        turn.wait_for_quiet()
    else:
        await ask(turn)


async def from_emergency(turn: Turn) -> None:
    """Name the numbers that help now, then propose the report all the same."""
    await turn.say("emergency")
    await from_text(turn)


async def from_question(turn: Turn) -> None:
    """Propose to pass a question on to an official; what was sent with it is waited for."""
    if turn.text and not await drafting.acceptable(turn, turn.text):
        return
    turn.draft = _draft(turn)
    turn.draft.kind = "question"
    await drafting.gather(turn, announce=False)
    if turn.text:
        turn.draft.add_text(turn.text)
    choices = await units.categories(turn.uow.session, turn.account.unit_id)
    category = next((c for c in choices if c.code == QUESTIONS), choices[-1] if choices else None)
    turn.draft.category_id = category.id if category else ""
    if turn.attachments:
        turn.goto(Step.PROPOSED)
        turn.wait_for_quiet()
    else:
        await ask(turn)


async def from_attachment(turn: Turn) -> None:
    """Gather photos or a voice message that came out of the blue, then propose a report."""
    if turn.text and not await drafting.acceptable(turn, turn.text):
        return
    turn.draft = _draft(turn)
    await drafting.gather(turn)
    if turn.text:
        turn.draft.add_text(turn.text)
        await _fill(turn)
    turn.goto(Step.PROPOSED)
    turn.wait_for_quiet()


def _draft(turn: Turn) -> Draft:
    return Draft(started_at=turn.uow.now.isoformat(), step=Step.PROPOSED.value)


async def _fill(turn: Turn) -> None:
    draft = turn.draft
    assert draft is not None
    if draft.kind == "question":
        return
    choices = await units.categories(turn.uow.session, turn.account.unit_id)
    chosen = best_category(draft.text, choices)
    if chosen is not None:
        draft.category_id = chosen.id
    areas = await units.areas(turn.uow.session, turn.account.unit_id)
    found = find_area(draft.text, [(a.id, [a.name, *a.aliases]) for a in areas])
    if len(found) == 1:
        draft.area_id = found[0]


def best_category(text: str, choices: list[CategoryRow]) -> CategoryRow | None:
    """Return the category that words point to: conduct first, then keywords, else the last one ("khác")."""
    restricted = next((c for c in choices if c.restricted), None)
    if restricted is not None and is_conduct_report(text):
        return restricted
    guess = guess_category(text, {c.code: c.keywords for c in choices if not c.restricted})
    if guess is not None:
        return next(c for c in choices if c.code == guess[0])
    return choices[-1] if choices else None


async def ask(turn: Turn) -> None:
    """Ask whether to send what was understood as a report."""
    draft = turn.draft
    assert draft is not None
    turn.goto(Step.PROPOSED)
    if draft.kind == "question" and draft.has_content:
        await turn.say("proposed_question", text=excerpt(mask_identity(draft.text), 300))
    elif draft.has_content:
        await turn.say("proposed", **await drafting.summary(turn))
    else:
        await turn.say("proposed_photos", draft=draft)


async def proposed(turn: Turn) -> None:
    """Send, change, drop, or go on adding."""
    draft = turn.draft
    assert draft is not None
    if turn.attachments:
        if turn.text and not await drafting.acceptable(turn, turn.text):
            return
        await drafting.gather(turn)
        if turn.text:
            draft.add_text(turn.text)
            await _fill(turn)
    elif turn.word in {MenuWord.SEND, MenuWord.YES, MenuWord.DONE}:
        await _send(turn)
    elif turn.word is MenuWord.EDIT or wants_change(turn.text):
        await report.ask_edit(turn)
    elif turn.word is MenuWord.NO:
        await report.cancel(turn)
    elif turn.word is not None:
        await ask(turn)
    elif turn.text and await drafting.acceptable(turn, turn.text):
        draft.add_text(turn.text)
        draft.message_ids += turn.message_ids
        await _fill(turn)
        await ask(turn)


async def _send(turn: Turn) -> None:
    draft = turn.draft
    assert draft is not None
    if draft.has_content:
        await report.send(turn)
    else:
        await report.ask_content(turn)
