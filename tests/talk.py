"""Talk to the bot without a provider: updates in, queued messages out."""

import itertools
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from sqlmodel import col, select

from bot.actions import answer_case, work_case
from bot.actions.outgoing import sent
from bot.domain.update import Attachment, AttachmentKind, Followed, MessageReceived, PhoneShared, Update, Withdrawn
from bot.runtime import Runtime
from bot.store import outbox
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow, ConversationRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import Actor, UnitOfWork
from handlers.dispatch import Desk, dispatch, resume
from tests import commune
from tests.runtime_fixtures import Clock


@dataclass
class Talk:
    """One citizen's chat with the commune of tests/commune.py."""

    runtime: Runtime
    clock: Clock
    user: str = "3333444455556666777"
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    read: set[str] = field(default_factory=set)

    @property
    def desk(self) -> Desk:
        return Desk(self.runtime.settings.conversation, self.runtime.box)

    async def update(self, update: Update) -> list[OutboxRow]:
        """Handle one update and return what the bot queued for this citizen."""
        async with self.runtime.units_of_work() as uow:
            account = await self.runtime.account_row(uow, "zalo", commune.OA)
            assert account is not None
            await dispatch(self.desk, uow, account, update, 0)
        return await self.new_messages()

    async def new_messages(self) -> list[OutboxRow]:
        async with self.runtime.database.reading() as session:
            query = select(OutboxRow).join(ContactRow, col(ContactRow.id) == col(OutboxRow.contact_id))
            rows = (await session.exec(query.where(ContactRow.external_id == self.user).order_by(OutboxRow.id))).all()
        fresh = [row for row in rows if row.id not in self.read]
        self.read |= {row.id for row in fresh}
        return fresh

    async def say(self, text: str = "", *attachments: Attachment, quotes: str | None = None) -> list[str]:
        """Write something; returns the texts the bot queued."""
        self.clock.forward(seconds=1)
        number = next(self.numbers)
        update = MessageReceived(
            account=commune.OA, external_id=f"m{number}", sender=self.user, occurred_at=self.clock.now,
            message_id=f"{self.user}-m{number}", text=text, attachments=attachments, quotes=quotes,
        )  # fmt: skip
        return [row.text for row in await self.update(update)]

    async def photo(self, text: str = "", number: int = 1) -> list[str]:
        return await self.say(text, *(image() for _ in range(number)))

    async def follow(self) -> list[str]:
        update = Followed(
            account=commune.OA, external_id="f", sender=self.user, occurred_at=self.clock.now, how="oa_profile"
        )
        return [row.text for row in await self.update(update)]

    async def share_phone(self, phone: str) -> list[str]:
        update = PhoneShared(
            account=commune.OA, external_id="p", sender=self.user, occurred_at=self.clock.now, phone=phone, name="Hoà"
        )
        return [row.text for row in await self.update(update)]

    async def withdraw(self) -> None:
        await self.update(Withdrawn(account=commune.OA, external_id="w", sender=self.user, occurred_at=self.clock.now))

    async def quiet(self, seconds: float = 5) -> list[str]:
        """Let time pass in which nothing arrives."""
        self.clock.forward(seconds=seconds)
        contact = await self.contact()
        async with self.runtime.units_of_work() as uow:
            account = await self.runtime.account_row(uow, "zalo", commune.OA)
            assert account is not None
            await resume(self.desk, uow, account, contact.id)
        return [row.text for row in await self.new_messages()]

    async def contact(self) -> ContactRow:
        async with self.runtime.database.reading() as session:
            return (await session.exec(select(ContactRow).where(ContactRow.external_id == self.user))).one()

    async def conversation(self) -> ConversationRow:
        contact = await self.contact()
        async with self.runtime.database.reading() as session:
            return (await session.exec(select(ConversationRow).where(ConversationRow.contact_id == contact.id))).one()

    async def sent(self) -> None:
        """Pretend that the provider took everything that is queued, in order."""
        while True:
            async with self.runtime.units_of_work() as uow:
                rows = await outbox.claim(uow.session, "lease", uow.now, 60, 20)
                for row in rows:
                    await outbox.record(
                        uow.session, row.id, "lease", state="sent", provider_id=f"z-{row.id}", sent_at=uow.now
                    )
                for row in rows:
                    current = await outbox.row(uow.session, row.id)
                    assert current is not None
                    await sent(uow, current)
            if not rows:
                return

    async def cases(self) -> list[CaseRow]:
        async with self.runtime.database.reading() as session:
            return list((await session.exec(select(CaseRow).order_by(col(CaseRow.created_at)))).all())

    async def report(self, text: str = "Đèn đường thôn Kim Lâm hỏng ba hôm nay, rất tối") -> CaseRow:
        """Send a whole report and return its case."""
        await self.say("phản ánh")
        await self.say("#lv dien-nuoc")
        said = await self.say(text)
        if "ở đâu" in said[0]:
            await self.say("bỏ qua")
        await self.say("xong")
        await self.say("gửi")
        return (await self.cases())[-1]


@dataclass
class Official:
    """A person of the office who works on cases through the same actions as the console."""

    talk: Talk
    key: str

    def unit_of_work(self) -> AbstractAsyncContextManager[UnitOfWork]:
        self.talk.clock.forward(seconds=1)
        return self.talk.runtime.units_of_work(Actor("staff", self.key, f"Cán bộ {self.key}"))

    async def case(self) -> CaseRow:
        return (await self.talk.cases())[-1]

    async def accept(self) -> None:
        async with self.unit_of_work() as uow:
            await work_case.accept(uow, (await self.case()).id)

    async def answer(self, text: str = "Đã thay bóng đèn trước cổng chợ lúc 15 giờ hôm nay.", undo: int = 0) -> None:
        async with self.unit_of_work() as uow:
            await answer_case.submit(uow, (await self.case()).id, None, text, [], undo, 30)

    async def approve(self, undo: int = 0) -> str:
        async with self.unit_of_work() as uow:
            return (await answer_case.approve(uow, (await self.case()).id, None, undo, 30)).id

    async def ask(self, question: str = "Đèn ở cột số mấy ạ?", undo: int = 0) -> str:
        async with self.unit_of_work() as uow:
            return (await work_case.ask_back(uow, (await self.case()).id, None, question, undo, 30)).id


def image() -> Attachment:
    return Attachment(kind=AttachmentKind.IMAGE, url="http://127.0.0.1:1/x.jpg")
