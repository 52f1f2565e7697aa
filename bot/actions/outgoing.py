"""What follows once a message of ours is known to have left."""

from bot.actions import answer_case, dossier_notices, official_cards
from bot.domain.card import CARD_PURPOSE, DESK_PURPOSES
from bot.domain.dossier_notice import PURPOSE as DOSSIER
from bot.store import cases, outbox
from bot.store.messages import MessageRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import UnitOfWork


async def settle(uow: UnitOfWork, row: OutboxRow, provider_id: str) -> None:
    """Note that a message whose outcome was in doubt has reached the provider."""
    row.state, row.provider_id, row.sent_at, row.reason = "sent", provider_id, uow.now, ""
    row.lease, row.leased_until = None, None
    await sent(uow, row)


async def late(uow: UnitOfWork, row: OutboxRow, provider_id: str) -> None:
    """Note that a message which was given up or is to be repeated had arrived after all, so that it is not repeated.

    A case that was told of the failure stays as it is: somebody may have acted on it. Of a message that has been
    repeated and has arrived twice nothing is left to note.
    """
    if row.state in {"failed", "queued"}:
        row.state, row.provider_id, row.sent_at, row.failed_at, row.reason = "sent", provider_id, uow.now, None, ""
        said = await uow.session.get(MessageRow, row.id)
        if said is not None:
            said.provider_id = provider_id
        if row.purpose == CARD_PURPOSE:
            await official_cards.arrived(uow, row)
        if row.purpose == DOSSIER:
            await dossier_notices.arrived(uow, row)


async def sent(uow: UnitOfWork, row: OutboxRow) -> None:
    """Do what follows from a message having left: its id in the conversation, and the case answered."""
    said = await uow.session.get(MessageRow, row.id)
    if said is not None:
        said.provider_id = row.provider_id
    if row.purpose == CARD_PURPOSE:
        await official_cards.arrived(uow, row)
    if row.purpose == DOSSIER:
        await dossier_notices.arrived(uow, row)
    if row.purpose == "answer" and row.case_id is not None:
        answer = await cases.approved_of(uow.session, row.id, row.case_id)
        rows = await outbox.rows(uow.session, answer.outbox_ids) if answer else {}
        done = all(r.id == row.id or r.state in {"sent", "delivered", "seen"} for r in rows.values())
        await answer_case.delivered(uow, row, done)
    if row.case_id is not None:
        uow.announce(f"case:{row.case_id}")


async def given_up(uow: UnitOfWork, row: OutboxRow, *, gone: bool = False) -> None:
    """Do what follows from a message being given up: the case says so; `gone` when its reader cannot be written to."""
    if row.purpose == CARD_PURPOSE:
        await official_cards.failed(uow, row, gone=gone)
    if row.purpose == DOSSIER:
        await dossier_notices.given_up(uow, row)
    await answer_case.undeliverable(uow, row)


async def postponed(uow: UnitOfWork, row: OutboxRow) -> None:
    """Do what follows from a message having to be tried once more: nobody gets it who may not have it by then."""
    if row.purpose in DESK_PURPOSES:
        current = await outbox.row(uow.session, row.id)
        assert current is not None
        await official_cards.waits(uow, current)
