"""Find which photos may show the code of a dossier, and go on with the conversation once it has been read."""

from bot.domain.conversation import Draft, Step
from bot.domain.dossier_code import squeezed
from bot.store import accounts, contacts, dossier_lookup, messages, units
from bot.store.contacts import ConversationRow
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork

MOST_CODES = 3
"""So many codes of one photo are kept: a receipt has one, perhaps twice."""


async def may_show_code(session: Session, attachment_id: str) -> bool:
    """Say whether a photo is one in which a code is looked for: it was waited for, or came out of the blue."""
    found = await messages.writer_of(session, attachment_id)
    if found is None or found[1] != "citizen" or found[2]:
        return False
    row = await contacts.stands(session, found[0])
    return row is not None and (row.state == Step.DOSSIER or _out_of_the_blue(row))


def _out_of_the_blue(row: ConversationRow) -> bool:
    draft = Draft.from_json(row.data.get("draft"))
    return row.state == Step.PROPOSED and draft is not None and draft.only_photos


async def was_read(uow: UnitOfWork, attachment_id: str, codes: list[str]) -> None:
    """Let the bot go on with a conversation at once: the photo is there that it waits for, or shows a dossier of ours.

    Somebody who has gone on to something else meanwhile is left alone.
    """
    found = await messages.writer_of(uow.session, attachment_id)
    if found is None:
        return
    await contacts.lock(uow.session, found[0])  # the person before the conversation, as everybody does
    row = await contacts.conversation(uow.session, found[0])
    waits = row is not None and row.state == Step.DOSSIER and row.resume_at is not None
    if row is None or not (waits or (codes and _out_of_the_blue(row) and await _is_ours(uow, found[0], codes))):
        return
    row.resume_at = uow.now
    uow.after_commit("resume_conversations")


async def _is_ours(uow: UnitOfWork, contact_id: str, codes: list[str]) -> bool:
    contact = await contacts.contact(uow.session, contact_id)
    account = await accounts.account(uow.session, contact.account_id) if contact else None
    unit = await units.unit(uow.session, account.unit_id) if account else None
    known = [squeezed(code) for code in codes]
    return unit is not None and bool(await dossier_lookup.by_squeezed(uow.session, known, unit.path))
