"""Go on with conversations, of citizens and of officials, in which the bot waits for quiet, as after many photos."""

from bot.one_by_one import one_by_one
from bot.runtime import Runtime
from bot.store import accounts, contacts, desk_drafts
from handlers.dispatch import Desk, resume, resume_draft


async def resume_conversations(runtime: Runtime) -> int:
    """Go on with every conversation that is due; returns how many."""
    async with runtime.database.reading() as session:
        due = await contacts.due_conversations(session, runtime.now())
        begun = await desk_drafts.due(session, runtime.now())
    desk = Desk(runtime.settings.conversation, runtime.box, runtime.settings.server.public_url)

    async def go_on(contact_id: str) -> int:
        async with runtime.units_of_work() as uow:
            contact = await contacts.contact(uow.session, contact_id)
            account = await accounts.account(uow.session, contact.account_id) if contact else None
            return account is not None and await resume(desk, uow, account, contact_id)

    async def go_on_with(draft_id: str) -> int:
        async with runtime.units_of_work() as uow:
            return await resume_draft(desk, uow, draft_id)

    return await one_by_one(due, go_on) + await one_by_one(begun, go_on_with)
