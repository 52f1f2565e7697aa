"""Find out what became of messages whose outcome is unknown, before anything is repeated.

Where the provider can be asked it is asked; where it tells by echoes, they are waited for. Where it does neither, as
Telegram, nobody will ever know: then what a person waits for is repeated once at most, so that they have it once or
twice and never not at all, and staff are told when even that stays open. A dossier's notice by template is not
repeated: it ends as unknown, and a receipt that comes late still tells.
"""

from datetime import timedelta

from bot.actions.outgoing import given_up, postponed, sent
from bot.channels.channel import FindsSent, Recipient
from bot.domain.audience import Way
from bot.domain.delivery import SETTLE_AFTER, UNKNOWN_PATIENCE, UNTOLD_PATIENCE, DeliveryState, SendError
from bot.domain.dossier_notice import PURPOSE as DOSSIER
from bot.domain.dossier_notice import TEMPLATE_WAYS
from bot.domain.message import Message
from bot.logs import logger
from bot.one_by_one import by_turns, one_by_one
from bot.queue import DELIVER_MESSAGES, SETTLE_MESSAGES
from bot.runtime import Runtime, ref
from bot.store import accounts, cases, contacts, messages, outbox
from bot.store.outbox import LANES, OutboxRow

_log = logger("delivery")
_REPEATS = 1
"""A message that a person waits for may be repeated once; a broadcast never (house plan, reliability R7)."""


async def settle_messages(runtime: Runtime) -> int:
    """Ask the provider about each message in doubt, else wait for its echo; returns how many were settled."""
    async with runtime.database.reading() as session:
        rows = {row.id: row for row in await outbox.unknown(session)}
    turns = by_turns(rows, lambda row_id: rows[row_id].account_id)
    return await one_by_one(turns, lambda row_id: _one(runtime, rows[row_id]))


async def _one(runtime: Runtime, row: OutboxRow) -> bool:
    tried_at = row.sending_at or row.created_at
    wait = SETTLE_AFTER - (runtime.now() - tried_at)
    if wait > timedelta(0):
        await runtime.queue.wake(SETTLE_MESSAGES.name, wait.total_seconds())
        return False
    async with runtime.database.reading() as session:
        account = await accounts.account(session, row.account_id)
        person = await contacts.contact(session, row.contact_id)
        known = await messages.provider_ids(session, row.contact_id)
    assert account is not None
    assert person is not None
    channel = runtime.channel(account)
    # What went to a phone stands in no conversation: its receipt tells, by the id that we gave it.
    if isinstance(channel, FindsSent) and row.way != Way.TEMPLATE_PHONE:
        message = Message.from_json(row.body)
        try:
            to = Recipient(person.external_id)
            found = await channel.find_sent(ref(account), to, message, tried_at, known)
        except SendError as error:
            _log.warning("provider cannot say what became of a message", outbox=row.id, reason=error.reason)
        else:
            if found:
                return await _arrived(runtime, row, found)
            if not _told_once(row):
                return await _missing(runtime, row)
    told = channel.capabilities(ref(account)).receipts
    if runtime.now() - tried_at < (UNKNOWN_PATIENCE if told else UNTOLD_PATIENCE):
        return False
    return await _missing(runtime, row)


async def _arrived(runtime: Runtime, row: OutboxRow, provider_id: str) -> bool:
    async with runtime.units_of_work() as uow:
        if row.case_id is not None:
            await cases.lock_with_contact(uow.session, row.case_id)
        other = await outbox.by_provider_id(uow.session, row.account_id, provider_id)
        if other is not None and other.id != row.id:
            return False
        values = {"state": DeliveryState.SENT.value, "provider_id": provider_id, "sent_at": uow.now, "reason": ""}
        if not await outbox.settle_unknown(uow.session, row, **values):
            return False
        uow.after_commit(DELIVER_MESSAGES.name)  # for what waits behind it
        current = await outbox.row(uow.session, row.id)
        assert current is not None
        await sent(uow, current)
    return True


def _told_once(row: OutboxRow) -> bool:
    """Say whether a message is a dossier's notice by template: its receipt may come late, so none is made twice.

    That a chat does not show it says nothing either before its receipt has had its time.
    """
    return row.purpose == DOSSIER and row.way in TEMPLATE_WAYS


async def _missing(runtime: Runtime, row: OutboxRow) -> bool:
    repeat = row.repeated < _REPEATS and row.lane != LANES["broadcast"] and not _told_once(row)
    async with runtime.units_of_work() as uow:
        if repeat:
            if not await outbox.repeat_unknown(uow.session, row, uow.now):
                return False
            uow.after_commit(DELIVER_MESSAGES.name)
            await postponed(uow, row)
            return True
        values = {"state": "failed", "failed_at": uow.now, "reason": "outcome_unknown"}
        if not await outbox.settle_unknown(uow.session, row, **values):
            return False
        uow.after_commit(DELIVER_MESSAGES.name)
        current = await outbox.row(uow.session, row.id)
        assert current is not None
        await given_up(uow, current)
    return True
