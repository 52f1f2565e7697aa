"""The bot stops when it tells the same person the same without end, and says so once."""

from sqlmodel import select

from bot.actions.messages import say
from bot.domain.message import Message
from bot.store import outbox_figures
from bot.store.audit import AuditRow
from bot.store.contacts import ContactRow
from bot.store.messages import MessageRow
from bot.store.outbox import OutboxRow
from tests import commune
from tests.talk import Talk

ECHO = Message(text="Xin chào, tôi là trợ lý tự động.")


async def tell(talk: Talk, times: int, message: Message = ECHO, author: str = "bot") -> list[int]:
    """Let the bot say something so often, a second apart; returns how many rows each time queued."""
    queued = []
    for _ in range(times):
        talk.clock.forward(seconds=1)
        async with talk.runtime.units_of_work() as uow:
            account = await talk.runtime.account_row(uow, "zalo", commune.OA)
            query = select(ContactRow).where(ContactRow.external_id == talk.user)
            contact = (await uow.session.exec(query)).one()
            assert account is not None
            queued.append(len(await say(uow, account, contact, message, purpose="greeting", author=author)))
    return queued


async def test_the_same_text_without_end_is_stopped_and_told_once(talk: Talk) -> None:
    await talk.follow()
    assert await tell(talk, 24) == [1] * 20 + [0] * 4
    async with talk.runtime.database.reading() as session:
        failed = (await session.exec(select(OutboxRow).where(OutboxRow.state == "failed"))).all()
        deeds = (await session.exec(select(AuditRow).where(AuditRow.action == "message.loop"))).all()
        told = (await session.exec(select(MessageRow).where(MessageRow.text == ECHO.text))).all()
        shown = await outbox_figures.failures(session, failed[0].created_at)
    assert [(row.reason, row.text, row.next_attempt_at) for row in failed] == [("loop", ECHO.text, None)]
    assert [deed.data["outbox"] for deed in deeds] == [failed[0].id]
    assert len(told) == 20
    assert [(reason, number) for reason, number, _ in shown] == [("loop", 1)]


async def test_other_words_other_people_staff_and_later_are_not_a_loop(talk: Talk) -> None:
    await talk.follow()
    assert sum(await tell(talk, 21)) == 20
    assert await tell(talk, 1, Message(text="Việc khác")) == [1]
    assert await tell(talk, 2, author="staff") == [1, 1]
    other = Talk(talk.runtime, talk.clock, user="9999")
    await other.follow()
    assert await tell(other, 1) == [1]
    talk.clock.forward(minutes=5)
    assert await tell(talk, 1) == [1]
