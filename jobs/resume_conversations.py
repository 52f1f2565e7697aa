"""Go on with conversations in which the bot waits for quiet, such as after a burst of photos."""

from bot.runtime import Runtime
from bot.store import accounts, contacts
from handlers.dispatch import Desk, resume


async def resume_conversations(runtime: Runtime) -> int:
    """Go on with every conversation that is due; returns how many."""
    async with runtime.database.reading() as session:
        due = await contacts.due_conversations(session, runtime.now())
    done = 0
    for contact_id in due:
        async with runtime.units_of_work() as uow:
            contact = await contacts.contact(uow.session, contact_id)
            account = await accounts.account(uow.session, contact.account_id) if contact else None
            if account is not None:
                done += await resume(Desk(runtime.settings.conversation, runtime.box), uow, account, contact_id)
    return done
