"""Go on with conversations in which the bot waits for quiet, such as after a burst of photos."""

from bot.one_by_one import one_by_one
from bot.runtime import Runtime
from bot.store import accounts, contacts
from handlers.dispatch import Desk, resume


async def resume_conversations(runtime: Runtime) -> int:
    """Go on with every conversation that is due; returns how many."""
    async with runtime.database.reading() as session:
        due = await contacts.due_conversations(session, runtime.now())

    async def go_on(contact_id: str) -> int:
        async with runtime.units_of_work() as uow:
            contact = await contacts.contact(uow.session, contact_id)
            account = await accounts.account(uow.session, contact.account_id) if contact else None
            desk = Desk(runtime.settings.conversation, runtime.box)
            return account is not None and await resume(desk, uow, account, contact_id)

    return await one_by_one(due, go_on)
