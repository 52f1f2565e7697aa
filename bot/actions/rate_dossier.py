"""Keep how satisfied a person is with how their dossier was dealt with: three levels, and words."""

from bot.actions.case_trail import audit
from bot.domain.dossier import Status
from bot.domain.dossier_notice import may_be_rated
from bot.domain.text import clean
from bot.store import dossier_lookup, dossiers
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierNoteRow, DossierRow
from bot.store.unit_of_work import UnitOfWork

NOTE = "rated"
LOW, BEST = 1, 3
_MOST = 1000


async def rate(uow: UnitOfWork, contact: ContactRow, code: str, rating: int) -> DossierRow | None:
    """Keep a rating from 1 (worst) to 3 by whose dossier it is; None when they cannot rate it (any more).

    It can be changed once, within the time in which it can be given.
    """
    found = await dossiers.by_codes(uow.session, [code], lock=True)
    row = found.get(code)
    if row is None or not LOW <= rating <= BEST or not await dossier_lookup.is_of(uow.session, contact, row):
        return None
    notes = await dossiers.notes(uow.session, row.id)
    times = sum(note.kind == NOTE and "rating" in note.data for note in notes)
    if not may_be_rated(Status(row.status), row.returned_at, times, uow.now):
        return None
    row.rating, row.rated_at = rating, uow.now
    _note(uow, row, {"rating": rating})
    audit(uow, "dossier.rate", f"dossier:{row.id}", {"rating": rating})
    uow.announce(f"dossier:{row.id}")
    return row


async def remark(uow: UnitOfWork, contact: ContactRow, dossier_id: str, text: str) -> bool:
    """Keep the words that go with a rating of the same person; False when there is none."""
    row = await dossiers.dossier(uow.session, dossier_id)
    if row is None or row.rating is None or not await dossier_lookup.is_of(uow.session, contact, row):
        return False
    row.rating_remark = clean(text)[:_MOST]
    _note(uow, row, {"remark": row.rating_remark})
    uow.announce(f"dossier:{row.id}")
    return True


def _note(uow: UnitOfWork, row: DossierRow, data: dict[str, object]) -> None:
    uow.session.add(
        DossierNoteRow(
            id=uow.new_id(),
            dossier_id=row.id,
            kind=NOTE,
            at=uow.now,
            actor_kind=uow.actor.kind,
            actor_id=uow.actor.id,
            data=data,
        )
    )
