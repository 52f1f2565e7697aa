"""Give up what officials had begun in their chats: the words go, and the bytes of photos that belong to nothing."""

from datetime import datetime

from bot.store import desk_drafts, links, messages
from bot.store.desk_drafts import DeskDraftRow
from bot.store.unit_of_work import UnitOfWork


async def give_up(uow: UnitOfWork, draft: DeskDraftRow) -> None:
    """Drop one draft; its photos are discarded, and the job `forget` deletes their bytes."""
    await messages.discard_attachments(uow.session, [str(i) for i in draft.data.get("message_ids", [])])
    await uow.session.delete(draft)
    await uow.session.flush()


async def give_up_of(uow: UnitOfWork, *, staff_id: str = "", chat_id: str = "", before: datetime | None = None) -> int:
    """Drop what a person has begun, what was begun in a chat, or what nobody has touched since then."""
    found = await desk_drafts.found(uow.session, staff_id=staff_id, chat_id=chat_id, before=before)
    for draft in found:
        await give_up(uow, draft)
    return len(found)


async def forget_old(uow: UnitOfWork, before: datetime) -> int:
    """Drop drafts and link codes that ended before then; returns how many."""
    return await give_up_of(uow, before=before) + await links.forget_codes(uow.session, before)
