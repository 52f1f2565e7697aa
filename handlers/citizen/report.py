"""Take a report: category, words, place, photos, confirmation; resumable at every step."""

from bot import render
from bot.actions.report_case import open_case
from bot.domain.conversation import MAX_PHOTOS, RESUME_AFTER, Draft, Step
from bot.domain.courtesy import wants_change
from bot.domain.text import excerpt, fold
from bot.domain.words import (
    MenuWord,
    guess_category,
    number_choice,
)
from bot.store import units
from bot.store.units import CategoryRow
from handlers.citizen import drafting
from handlers.citizen.turn import Turn

CATEGORY_PAYLOAD = "#lv "
_SENTENCE = 4
"""So many words at the category step are the report itself rather than the name of a category."""


async def begin(turn: Turn) -> None:
    """Start a report, or offer the one that was left half-finished."""
    if turn.draft is not None and not turn.draft.forgotten(turn.uow.now, turn.desk.settings.draft_hours):
        await offer(turn)
        return
    turn.draft = Draft(started_at=turn.uow.now.isoformat())
    if turn.attachments:
        turn.goto(Step.CATEGORY)
        await drafting.gather(turn)
        return
    await ask_category(turn)


async def offer(turn: Turn) -> None:
    """Offer to go on with a half-finished report."""
    assert turn.draft is not None
    if turn.step not in {Step.OFFERED, Step.IDLE}:
        turn.draft.step = turn.step.value
    turn.goto(Step.OFFERED)
    await turn.say("draft_offered", excerpt=excerpt(turn.draft.text, 80), photos=turn.draft.photos)


async def offered(turn: Turn) -> None:
    """Go on with the half-finished report, or drop it and begin anew."""
    if turn.word in {MenuWord.YES, MenuWord.SEND} or fold(turn.text) in {"tiep tuc", "tieptuc"}:
        await go_on(turn)
    elif turn.word in {MenuWord.NO, MenuWord.SKIP} or fold(turn.text) in {"viet moi", "vietmoi"}:
        turn.draft = Draft(started_at=turn.uow.now.isoformat())
        await ask_category(turn)
    elif turn.attachments or len(turn.text) > len("tiep tuc"):
        await resume_with(turn)
    else:
        await offer(turn)


async def resume_with(turn: Turn) -> None:
    """Take what was sent as the next piece of the half-finished report, wherever that was left."""
    assert turn.draft is not None
    step = Step(turn.draft.step)
    turn.goto(step if step in STEPS and step is not Step.OFFERED else Step.CONTENT)
    await STEPS[turn.step](turn)


async def go_on(turn: Turn) -> None:
    """Ask the next thing that the draft still lacks."""
    draft = turn.draft
    assert draft is not None
    if not draft.category_id:
        await ask_category(turn)
    elif not draft.has_content:
        await ask_content(turn)
    elif not draft.has_place and draft.step in {Step.CATEGORY, Step.CONTENT, Step.PLACE, Step.IDLE}:
        await ask_place(turn)
    elif not draft.attached and draft.step != Step.CONFIRM:
        await ask_photos(turn)
    else:
        await ask_confirm(turn)


async def ask_category(turn: Turn) -> None:
    """Ask what the report is about."""
    turn.goto(Step.CATEGORY)
    choices = await units.categories(turn.uow.session, turn.account.unit_id)
    await turn.say("report_category", categories=choices, prefix=CATEGORY_PAYLOAD)


async def category(turn: Turn) -> None:
    """Understand the category by tap, number, name or words."""
    choices = await units.categories(turn.uow.session, turn.account.unit_id)
    chosen = _chosen(turn.text, choices)
    if chosen is None:
        if turn.attachments and not turn.text:
            await drafting.gather(turn)
            return
        guess = guess_category(turn.text, {c.code: c.keywords for c in choices}) if turn.text else None
        if guess is None and len(turn.text.split()) >= _SENTENCE and await drafting.acceptable(turn, turn.text):
            assert turn.draft is not None
            turn.draft.add_text(turn.text)
            turn.draft.message_ids += turn.message_ids
        if guess is None and turn.draft is not None and turn.attachments:
            await drafting.gather(turn)
        elif guess is None and turn.draft is not None:
            await turn.say("report_category_again", categories=choices, prefix=CATEGORY_PAYLOAD)
        if guess is None:
            return
        if len(turn.text.split()) < _SENTENCE:
            assert turn.draft is not None
            turn.draft.category_id = next(c.id for c in choices if c.code == guess[0])
            await (ask_content if not turn.draft.has_content else ask_place)(turn)
            return
        chosen = next(c for c in choices if c.code == guess[0])
        assert turn.draft is not None
        turn.draft.category_id = chosen.id
        await content(turn)
        return
    assert turn.draft is not None
    turn.draft.category_id = chosen.id
    if chosen.restricted:
        await turn.say("report_conduct")
        turn.goto(Step.CONTENT)
    elif turn.draft.has_content:
        await after_content(turn)
    else:
        await ask_content(turn)


def _chosen(text: str, choices: list[CategoryRow]) -> CategoryRow | None:
    if text.startswith(CATEGORY_PAYLOAD):
        code = text.removeprefix(CATEGORY_PAYLOAD).strip()
        return next((c for c in choices if c.code == code), None)
    number = number_choice(text, len(choices))
    if number is not None:
        return choices[number - 1]
    wanted = fold(text)
    return next((c for c in choices if wanted and fold(c.name) == wanted), None)


async def ask_content(turn: Turn) -> None:
    """Ask what has happened."""
    turn.goto(Step.CONTENT)
    await turn.say("report_content")


async def content(turn: Turn) -> None:
    """Take the words of the report; photos may come before, with or after them."""
    draft = turn.draft
    assert draft is not None
    if turn.text and not await drafting.acceptable(turn, turn.text):
        return
    await drafting.gather(turn, announce=False)
    before = draft.text
    if turn.text and turn.word not in {MenuWord.DONE, MenuWord.SKIP}:
        draft.add_text(turn.text)
    elif turn.word is MenuWord.SKIP and draft.voices:
        draft.add_text(render.words("citizen/voice_only"))
    if draft.has_content:
        if turn.photos:
            turn.goto(Step.CONTENT)
            turn.wait_for_quiet()
        else:
            await after_content(turn)
    elif turn.attachments:
        turn.goto(Step.CONTENT)
        turn.wait_for_quiet()
    else:
        draft.text = before
        turn.goto(Step.CONTENT)
        await turn.say("report_too_short")


async def after_content(turn: Turn) -> None:
    """Go on once the words are there: find the village in them, or ask for the place."""
    draft = turn.draft
    assert draft is not None
    if not draft.category_id:
        await ask_category(turn)
        return
    if not draft.area_id:
        await drafting.note_area(turn, draft.text)
    if draft.step == Step.CONFIRM:
        await ask_confirm(turn)
    elif draft.has_place:
        await (ask_photos if not draft.attached else ask_confirm)(turn)
    else:
        await ask_place(turn)


async def ask_place(turn: Turn) -> None:
    """Ask where it is."""
    turn.goto(Step.PLACE)
    await turn.say("report_place")


async def place(turn: Turn) -> None:
    """Take a shared location, a village, an address, or nothing."""
    draft = turn.draft
    assert draft is not None
    if turn.place is not None:
        draft.latitude, draft.longitude = turn.place.latitude, turn.place.longitude
        draft.message_ids += turn.message_ids
    elif turn.attachments:
        await drafting.gather(turn)
        if turn.text:
            await _note_place(turn)
        return
    elif turn.word not in {MenuWord.SKIP, MenuWord.DONE, MenuWord.NO}:
        await _note_place(turn)
        draft.message_ids += turn.message_ids
    done = draft.attached or draft.step == Step.CONFIRM
    await (ask_confirm if done else ask_photos)(turn)


async def _note_place(turn: Turn) -> None:
    """Take the words as the place, and know its village."""
    assert turn.draft is not None
    turn.draft.place = excerpt(turn.text, 300)
    await drafting.note_area(turn, turn.text)


async def ask_photos(turn: Turn) -> None:
    """Ask for photos."""
    turn.goto(Step.PHOTOS)
    await turn.say("report_photos", most=MAX_PHOTOS)


async def photos(turn: Turn) -> None:
    """Gather photos until there is quiet or the citizen says done; further words are added to the report."""
    assert turn.draft is not None
    if turn.attachments:
        await drafting.gather_with_words(turn)
    elif turn.word in {MenuWord.DONE, MenuWord.SKIP, MenuWord.NO, MenuWord.SEND}:
        await ask_confirm(turn)
    elif await drafting.acceptable(turn, turn.text):
        turn.draft.add_text(turn.text)
        turn.draft.message_ids += turn.message_ids
        await ask_confirm(turn)


async def ask_confirm(turn: Turn) -> None:
    """Show the whole report and ask whether to send it."""
    draft = turn.draft
    assert draft is not None
    draft.step = Step.CONFIRM.value
    turn.goto(Step.CONFIRM)
    await turn.say("report_confirm", **await drafting.summary(turn))


async def confirm(turn: Turn) -> None:
    """Send, change, or take in a late photo."""
    draft = turn.draft
    assert draft is not None
    if turn.attachments:
        await drafting.gather_with_words(turn)
    elif turn.word in {MenuWord.SEND, MenuWord.YES, MenuWord.DONE}:
        await send(turn)
    elif turn.word in {MenuWord.EDIT, MenuWord.NO} or wants_change(turn.text):
        await ask_edit(turn)
    elif turn.word is not None:
        await ask_confirm(turn)
    elif turn.text and await drafting.acceptable(turn, turn.text):
        draft.add_text(turn.text)
        draft.message_ids += turn.message_ids
        await ask_confirm(turn)


async def ask_edit(turn: Turn) -> None:
    """Ask what is to be changed."""
    turn.goto(Step.EDITING)
    await turn.say("report_edit")


async def editing(turn: Turn) -> None:
    """Change the words, the category or the place; everything else of the report stays."""
    draft = turn.draft
    assert draft is not None
    draft.step = Step.CONFIRM.value
    asked = fold(turn.text)
    if turn.attachments:
        await drafting.gather_with_words(turn)
    elif asked in {"sua noi dung", "noi dung"}:
        draft.text = ""
        await ask_content(turn)
    elif asked in {"sua linh vuc", "linh vuc"}:
        draft.category_id = ""
        await ask_category(turn)
    elif asked in {"sua dia diem", "dia diem", "noi xay ra"}:
        draft.place, draft.area_id, draft.latitude, draft.longitude = "", "", None, None
        await ask_place(turn)
    elif turn.word in {MenuWord.SEND, MenuWord.YES, MenuWord.DONE, MenuWord.SKIP}:
        await ask_confirm(turn)
    else:
        await ask_edit(turn)


async def send(turn: Turn) -> None:
    """Make a case of the draft and tell its code, its unit and the date."""
    draft = turn.draft
    assert draft is not None
    if not draft.category_id or not draft.has_content:
        await go_on(turn)
        return
    if not await drafting.acceptable(turn, draft.text):
        return
    await drafting.keep_conduct_apart(turn)
    opened = await open_case(turn.uow, turn.account, turn.contact, draft)
    turn.draft = None
    turn.remember(over=None)
    turn.goto(Step.IDLE)
    case = opened.case
    template = "report_sent" if opened.is_new else "report_same"
    await turn.say(
        template,
        case_id=case.id,
        code=case.code,
        unit=opened.unit.name,
        due_at=case.due_at,
        restricted=case.restricted,
        question=case.kind == "question",
        attached=draft.attached,
    )


async def cancel(turn: Turn) -> None:
    """Leave whatever was going on; the draft is gone."""
    had = turn.draft is not None or turn.step is not Step.IDLE
    turn.draft = None
    turn.remember(over=None, remark=None, buttons=None)
    turn.goto(Step.IDLE)
    await turn.say("cancelled" if had else "nothing_to_cancel")


def stale(turn: Turn) -> bool:
    """Say whether the citizen comes back to a half-finished report after a while."""
    return turn.draft is not None and turn.uow.now - turn.conversation.updated_at > RESUME_AFTER


STEPS = {
    Step.CATEGORY: category,
    Step.CONTENT: content,
    Step.PLACE: place,
    Step.PHOTOS: photos,
    Step.CONFIRM: confirm,
    Step.OFFERED: offered,
}
