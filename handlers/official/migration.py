"""Keep a unit's group when the provider gives it a new id."""

from bot.actions import contacts
from bot.actions.case_trail import audit
from bot.store import cards, links
from bot.store import contacts as rows
from bot.store.accounts import AccountRow
from bot.store.links import UnitGroupRow
from bot.store.unit_of_work import UnitOfWork


async def migrated(uow: UnitOfWork, account: AccountRow, before: str, after: str) -> None:
    """Move a group to its new id; told twice, or after the new id was met already, it comes to the same."""
    if not before or not after or before == after:
        return
    old = await rows.known(uow.session, account.id, before)
    if old is None:
        return
    new = await rows.known(uow.session, account.id, after)
    if new is None:
        old.external_id = after
        await uow.session.flush()
        audit(uow, "link.group_moved", f"contact:{old.id}")
        return
    new = await contacts.met(uow, account, after, interacts=True, kind="group")
    new.kind, new.name, old.gone = "group", new.name or old.name, "migrated"
    for row in await links.unlink_groups(uow.session, contact_id=old.id):
        if await links.group(uow.session, new.id) is None:
            moved = UnitGroupRow(
                contact_id=new.id,
                account_id=row.account_id,
                unit_id=row.unit_id,
                linked_by=row.linked_by,
                linked_at=row.linked_at,
            )
            uow.session.add(moved)
            await uow.session.flush()
        audit(uow, "link.group_moved", f"unit:{row.unit_id}")
    await cards.drop_chat(uow.session, old.id)
