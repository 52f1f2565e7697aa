"""Draw the code by which a fee is paid: scanned by any bank's app, it fills in account, amount and purpose."""

import hashlib
import io

import segno

from bot.actions.dossier_notice_text import transfer_note
from bot.actions.dossier_settings import chain_of, choices_of
from bot.actions.files import blob_key
from bot.domain.dossier import Kind
from bot.domain.dossier_notice import number_of
from bot.domain.message import Media
from bot.domain.vietqr import payload
from bot.store import dossier_notices, dossiers, files
from bot.store.database import Session
from bot.store.files import FileRow
from bot.store.unit_of_work import UnitOfWork

_TYPE, _NAME = "image/png", "ma-thanh-toan.png"
_SCALE, _BORDER = 10, 4
"""So large that a phone reads it from another's screen."""


async def transfer(session: Session, notice_id: str) -> str:
    """Return what the code of a notice holds; "" when it is of no fee, or its unit has set no account."""
    notice = await dossier_notices.notice(session, notice_id)
    amount = number_of(notice.facts.get("fee")) if notice and notice.kind == Kind.FEE.value else None
    dossier = await dossiers.dossier(session, notice.dossier_id) if notice and amount else None
    if dossier is None:
        return ""
    bank = choices_of(await chain_of(session, dossier.unit_id)).bank
    try:
        return payload(bank["bin"], bank["account"], amount, transfer_note(dossier.code)) if bank else ""
    except ValueError:
        return ""


def draw(text: str) -> bytes:
    """Return the picture of a code."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="png", scale=_SCALE, border=_BORDER)
    return out.getvalue()


async def keep(uow: UnitOfWork, notice_id: str, picture: bytes) -> Media:
    """Note a notice's picture, whose bytes were stored before under the notice's own id, and return what shows it."""
    if await files.file(uow.session, notice_id) is None:
        digest = hashlib.sha256(picture).hexdigest()
        row = FileRow(
            id=notice_id,
            key=blob_key(notice_id),
            media_type=_TYPE,
            name=_NAME,
            size=len(picture),
            sha256=digest,
            created_at=uow.now,
        )
        uow.session.add(row)
        await uow.session.flush()
    return Media(notice_id, "image", _NAME)
