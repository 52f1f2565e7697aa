"""Ask providers for the names of people who have just written for the first time."""

from datetime import timedelta

from bot.channels.channel import KnowsProfiles, Profile
from bot.domain.delivery import SendError
from bot.domain.text import clean
from bot.logs import logger
from bot.runtime import Runtime, ref
from bot.store import accounts, contacts

_log = logger("profiles")
_BATCH = 20
_AGAIN = timedelta(days=1)


async def fetch_profiles(runtime: Runtime) -> int:
    """Ask for up to a batch of names; returns how many were learnt. Nobody waits for a name, so failures just wait."""
    async with runtime.database.reading() as session:
        people = await contacts.unnamed(session, runtime.now() - _AGAIN, _BATCH)
        known = {a.id: a for a in await accounts.all_accounts(session)}
    learnt = 0
    for person in people:
        account = known[person.account_id]
        channel = runtime.channels.get(account.provider)
        if not isinstance(channel, KnowsProfiles) or account.state != "active":
            continue
        told, asked_at = Profile(""), runtime.now()
        try:
            told = await channel.profile(ref(account), person.external_id)
        except SendError as error:
            _log.info("name not learnt", contact=person.id, reason=error.reason)
        name = clean(told.name)[:100]
        async with runtime.units_of_work() as uow:
            await contacts.note_profile(
                uow.session, person.id, name, asked_at, follows=told.follows, heard_since=told.heard_since
            )
            if name:
                uow.announce("cases")
        learnt += bool(name)
    return learnt
