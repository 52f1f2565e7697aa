"""Give a case to another unit from a chat: choose the unit by buttons, then say why."""

from bot.clock import to_local
from bot.domain.card import UNITS_PER_PAGE, Press, payload
from bot.store import accounts, units
from bot.store.cases import CaseRow
from bot.store.units import UnitRow
from handlers.official import drafts
from handlers.official.duty import Duty


async def offer(duty: Duty, case: CaseRow, card_id: str, page: int, *, again: bool = False) -> None:
    """Show a page of the units that can have the case; `again` in place of the page shown before."""
    found = await _units(duty, case)
    if not found:
        duty.toast("toast_no_unit")
        return
    last = (len(found) - 1) // UNITS_PER_PAGE
    page = min(page, last)
    shown = found[page * UNITS_PER_PAGE : (page + 1) * UNITS_PER_PAGE]
    values = {
        "code": case.code,
        "units": [{"name": u.name, "payload": payload(Press.UNIT, card_id, u.id)} for u in shown],
        "page": page + 1,
        "pages": last + 1,
        "before": payload(Press.UNITS, card_id, page - 1) if page else "",
        "after": payload(Press.UNITS, card_id, page + 1) if page < last else "",
    }
    await duty.say("hand_over_units", edits=again, quotes=True, **values)


async def _units(duty: Duty, case: CaseRow) -> list[UnitRow]:
    """Return the units of the account's owner that the case may go to, as the console offers them.

    Never where it is already, nor what it complains of and below.
    """
    account = await accounts.account(duty.uow.session, case.account_id)
    home = await units.unit(duty.uow.session, account.unit_id) if account else None
    today = to_local(duty.uow.now).date()
    tree = await units.below(duty.uow.session, home.path) if home else []
    complained = await units.unit(duty.uow.session, case.complained_unit_id) if case.complained_unit_id else None
    return [
        u
        for u in tree
        if u.holds_on(today)
        and u.id != case.unit_id
        and not (complained is not None and u.path.startswith(complained.path))
    ]


async def choose(duty: Duty, case: CaseRow, card_id: str, unit_id: str) -> None:
    """Take the unit that was pressed and ask why; a unit that is not offered (any more) shows the list again."""
    unit = next((u for u in await _units(duty, case) if u.id == unit_id), None)
    if unit is None:
        await offer(duty, case, card_id, 0, again=True)
        return
    await drafts.begin(duty, case, "hand_over", edits=True, unit_id=unit.id, unit=unit.name)
