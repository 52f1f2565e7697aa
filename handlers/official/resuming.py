"""Go on with what an official has begun once its photos are there, if they still may."""

from bot.actions.desk_drafts import give_up
from bot.store import accounts, contacts, desk_drafts, links
from bot.store.unit_of_work import UnitOfWork
from handlers.citizen.turn import Desk
from handlers.official import drafts
from handlers.official.duty import duty_of


async def resume_draft(desk: Desk, uow: UnitOfWork, draft_id: str) -> bool:
    """Go on with a draft that is due; dropped when who began it works from no chat any more."""
    draft = await desk_drafts.draft(uow.session, draft_id)
    if draft is None or draft.resume_at is None or draft.resume_at > uow.now:
        return False
    account = await accounts.account(uow.session, draft.account_id)
    chat = await contacts.contact(uow.session, draft.chat_id)
    official = await links.of_person(uow.session, draft.staff_id, draft.account_id)
    if official is None or account is None or chat is None:
        await give_up(uow, draft)
        return False
    await drafts.go_on(await duty_of(desk, uow, account, official, chat), draft)
    return True
