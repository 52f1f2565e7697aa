"""Put a tag on everybody of an uploaded list, or note the village they all live in; what people have said stays."""

from bot.actions.announcement_trial import OWN_TAGS
from bot.actions.case_trail import audit
from bot.actions.marks import MOST_TAGS, tag_word
from bot.actions.recipient_lists import topic
from bot.errors import InvalidInputError, NotFoundError
from bot.store import accounts, listed_marks, marks, recipients, units
from bot.store.marks import AREA, TAG, MarkRow
from bot.store.recipients import RecipientListRow
from bot.store.unit_of_work import UnitOfWork


async def begin(uow: UnitOfWork, list_id: str, tag: str, area_id: str) -> MarkRow:
    """Check what everybody of a list is to be marked with, and note that it was asked for; returns the mark.

    Raises NotFoundError for a list that cannot be used, and InvalidInputError for "tags" or "area_id". Tags by which
    the office knows its own phones are put on one by one: trials go there without a second person.
    """
    row = await _ready(uow, list_id)
    if tag and area_id:
        raise InvalidInputError("tags", "tag_or_area")
    if area_id:
        home = await units.unit(uow.session, row.unit_id)
        known = {area.id for area in await marks.villages(uow.session, home)} if home else set()
        if area_id not in known:
            raise InvalidInputError("area_id", "unknown_area")
        mark = MarkRow(kind=AREA, value=area_id, contact_id="", by="staff", at=uow.now)
    else:
        word = tag_word(tag)
        if word in OWN_TAGS:
            raise InvalidInputError("tags", "own_tag")
        mark = MarkRow(kind=TAG, value=word, contact_id="", by="staff", at=uow.now)
    audit(uow, "recipient_list.mark", topic(list_id), {"kind": mark.kind, "value": mark.value, "lines": row.good})
    return mark


async def go_on(uow: UnitOfWork, list_id: str, mark: MarkRow, after: int) -> tuple[int, int | None]:
    """Mark the people of some lines, from the one after a number on; returns how many, and the last line or None."""
    row = await _ready(uow, list_id)
    tree = {unit.id: unit.path for unit in await units.all_units(uow.session)}
    home = tree[row.unit_id]
    mine = [each.id for each in await accounts.all_accounts(uow.session) if tree[each.unit_id].startswith(home)]
    return await listed_marks.put(uow.session, list_id, mine, mark, after=after, most_tags=MOST_TAGS)


async def _ready(uow: UnitOfWork, list_id: str) -> RecipientListRow:
    row = await recipients.seen(uow.session, list_id)
    if row is None or row.state != "ready":
        raise NotFoundError("recipient_list")
    return row
