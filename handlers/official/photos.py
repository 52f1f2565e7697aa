"""Send the photos of a case to an official who may see it: what was reported, and what is to leave with the answer."""

from bot.actions.messages import say
from bot.domain.message import Media, Message
from bot.store import cases, files, messages
from bot.store.cases import CaseRow
from bot.store.files import FileRow
from handlers.official.duty import Duty

MOST = 10
"""More are looked at in the console."""


async def send(duty: Duty, case: CaseRow) -> int:
    """Send what is kept and can be shown, the answer's first; returns how many."""
    found = [file for file in await _files(duty, case) if file.media_type.startswith("image/")][:MOST]
    for file in found:
        picture = Message(text=case.code, media=Media(file.id, "image", file.name))
        await say(duty.uow, duty.account, duty.chat, picture, purpose="case_photo", author="staff")
    return len(found)


async def _files(duty: Duty, case: CaseRow) -> list[FileRow]:
    session = duty.uow.session
    waiting = [a for a in await cases.answers(session, case.id) if a.state == "submitted"]
    said = [m.id for m in await messages.of_case(session, case.id) if m.direction == "in"]
    attached = await messages.attachments_of(session, said)
    own = [a.file_id for m in said for a in attached.get(m, ()) if a.state == "stored" and a.file_id]
    return await files.files(session, [*(i for a in waiting[-1:] for i in a.file_ids), *own])
