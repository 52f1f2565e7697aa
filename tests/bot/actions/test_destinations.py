"""An answer that goes to several people: each has a state of its own; one that fails is named until it is mended."""

from sqlmodel import select

from bot.actions import answer_case
from bot.health.report import report
from bot.store import outbox
from bot.store.outbox import OutboxRow
from tests.bot.actions.test_joined_cases import answer, join, read, reported
from tests.talk import Talk


async def to(talk: Talk, case_id: str, purpose: str) -> OutboxRow:
    async with talk.runtime.database.reading() as session:
        query = select(OutboxRow).where(OutboxRow.case_id == case_id, OutboxRow.purpose == purpose)
        return (await session.exec(query)).one()


async def test_one_of_two_fails(talk: Talk) -> None:
    _, (joined, case) = await reported(talk, 2)
    await join(talk, joined, case)
    await answer(talk, case)
    await talk.sent()
    second = await to(talk, joined.id, "joined_answer")
    async with talk.runtime.units_of_work() as uow:
        row = await uow.session.get(OutboxRow, second.id)
        assert row is not None
        row.state, row.reason, row.failed_at = "failed", "recipient_inactive", uow.now
        await answer_case.undeliverable(uow, row)

    row_of_case, events = await read(talk, case)
    assert row_of_case.state == "answered", "who has the answer is not held up by who has not"
    assert "undeliverable" not in {event.kind for event in events}
    _, events = await read(talk, joined)
    assert [event.reason for event in events if event.kind == "undeliverable"] == ["recipient_inactive"]
    assert (await to(talk, case.id, "answer")).state == "sent"

    for _ in range(2):
        talk.clock.forward(hours=12)
        assert [line.subject for line in (await report(talk.runtime)).of("failures")] == ["recipient_inactive"]
    async with talk.runtime.units_of_work() as uow:
        assert await outbox.requeue(uow.session, second.id, uow.now)
    assert (await report(talk.runtime)).of("failures") == []
