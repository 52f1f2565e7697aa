"""Take a question about procedures and pass it to a person, as a case with a date."""

from bot.domain.conversation import Draft, Step
from bot.store import units
from handlers.citizen import drafting, propose, report
from handlers.citizen.propose import QUESTIONS
from handlers.citizen.turn import Turn


async def begin(turn: Turn) -> None:
    """Ask what the citizen wants to know."""
    turn.goto(Step.QUESTION)
    await turn.say("ask_question")


async def question(turn: Turn) -> None:
    """Pass the question on as a case of its own kind and tell code and date."""
    if turn.attachments:
        await propose.from_question(turn)
        return
    if not await drafting.acceptable(turn, turn.text):
        return
    choices = await units.categories(turn.uow.session, turn.account.unit_id)
    category = next((c for c in choices if c.code == QUESTIONS), choices[-1])
    draft = Draft(started_at=turn.uow.now.isoformat(), kind="question", category_id=category.id, text=turn.text)
    draft.message_ids = turn.message_ids
    turn.draft = draft
    if draft.has_content:
        await report.send(turn)
    else:
        turn.draft = None
        await turn.say("ask_question")
