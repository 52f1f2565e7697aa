"""Look into who was and was not reached by an announcement: what shows personal data leaves a trail."""

from bot.actions.case_trail import audit
from bot.store.announcements import RunRow
from bot.store.unit_of_work import UnitOfWork


def phones_shown(uow: UnitOfWork, run: RunRow, which: str, phones: int) -> None:
    """Note that somebody is shown so many phones in full, of those whom a run did not reach."""
    _looked(uow, run, "reveal_phones", which=which, phones=phones)


def taken_away(uow: UnitOfWork, run: RunRow, recipients: int) -> None:
    """Note that somebody takes the list of all recipients of a run away as a workbook; phones are masked in it."""
    _looked(uow, run, "export", recipients=recipients)


def _looked(uow: UnitOfWork, run: RunRow, verb: str, **data: object) -> None:
    audit(uow, f"announcement.{verb}", f"announcement:{run.announcement_id}", {"number": run.number, **data})
