"""Talk to the bot without a provider: updates in, queued messages out."""

import itertools
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import col, select

from bot.actions import answer_case, work_case
from bot.actions.outgoing import sent
from bot.domain.update import (
    Attachment,
    AttachmentKind,
    ButtonPressed,
    Followed,
    MessageReceived,
    PhoneShared,
    Unfollowed,
    Update,
    Withdrawn,
)
from bot.runtime import Runtime
from bot.store import outbox
from bot.store.accounts import AccountRow
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow, ConversationRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import Actor, UnitOfWork
from handlers.dispatch import Desk, dispatch, resume
from tests import commune
from tests.runtime_fixtures import Clock


@dataclass
class Talk:
    """One citizen's chat with an account of the commune of tests/commune.py; texts are what the screen shows."""

    runtime: Runtime
    clock: Clock
    user: str = "3333444455556666777"
    provider: str = "zalo"
    account: str = commune.OA
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    read: set[str] = field(default_factory=set)

    @property
    def desk(self) -> Desk:
        return Desk(self.runtime.settings.conversation, self.runtime.box)

    def other(self, user: str = "4444") -> "Talk":
        """Return the chat of somebody else with the same account."""
        return replace(self, user=user, numbers=itertools.count(1), read=set())

    def elsewhere(self, provider: str, user: str = "5555", account: str = "") -> "Talk":
        """Return a chat with another account."""
        return replace(self.other(user), provider=provider, account=account or commune.ACCOUNTS[provider])

    def _facts(self, external_id: str) -> dict[str, Any]:
        return {"account": self.account, "external_id": external_id, "sender": self.user, "occurred_at": self.clock.now}

    async def update(self, update: Update) -> list[OutboxRow]:
        """Handle one update and return what the bot queued for this citizen."""
        async with self.runtime.units_of_work() as uow:
            account = await self.runtime.account_row(uow, self.provider, self.account)
            assert account is not None
            await dispatch(self.desk, uow, account, update, 0)
        return await self.new_messages()

    async def new_messages(self) -> list[OutboxRow]:
        async with self.runtime.database.reading() as session:
            query = select(OutboxRow).join(ContactRow, col(ContactRow.id) == col(OutboxRow.contact_id))
            rows = (await session.exec(self._mine(query).order_by(OutboxRow.id))).all()
        fresh = [row for row in rows if row.id not in self.read]
        self.read |= {row.id for row in fresh}
        return fresh

    async def say(
        self, text: str = "", *attachments: Attachment, quotes: str | None = None, album: str = ""
    ) -> list[str]:
        """Write something; returns what the bot queued."""
        self.clock.forward(seconds=1)
        number = next(self.numbers)
        update = MessageReceived(
            **self._facts(f"m{number}"),
            message_id=f"{self.user}-m{number}", text=text, attachments=attachments, quotes=quotes, album=album,
        )  # fmt: skip
        return [shown(row) for row in await self.update(update)]

    async def edit(self, number: int, text: str, *attachments: Attachment) -> list[str]:
        """Change one's message of that number."""
        self.clock.forward(seconds=1)
        update = MessageReceived(
            **self._facts(f"e{next(self.numbers)}"),
            message_id=f"{self.user}-m{number}", text=text, attachments=attachments, edited=True,
        )  # fmt: skip
        return [shown(row) for row in await self.update(update)]

    async def press(self, payload: str, message_id: str = "") -> list[str]:
        """Press a button where the provider tells a press from typing."""
        self.clock.forward(seconds=1)
        facts = self._facts(f"b{next(self.numbers)}")
        update = ButtonPressed(**facts, message_id=message_id, payload=payload, tap_id="tap")
        return [shown(row) for row in await self.update(update)]

    async def photo(self, text: str = "", number: int = 1, album: str = "") -> list[str]:
        return await self.say(text, *(image() for _ in range(number)), album=album)

    async def follow(self) -> list[str]:
        return [shown(row) for row in await self.update(Followed(**self._facts("f"), how="oa_profile"))]

    async def block(self) -> list[str]:
        return [shown(row) for row in await self.update(Unfollowed(**self._facts("u"), blocked=True))]

    async def share_phone(self, phone: str) -> list[str]:
        update = PhoneShared(**self._facts("p"), phone=phone, name="Hoà")
        return [shown(row) for row in await self.update(update)]

    async def withdraw(self) -> None:
        await self.update(Withdrawn(**self._facts("w")))

    async def quiet(self, seconds: float = 5) -> list[str]:
        """Let time pass in which nothing arrives."""
        self.clock.forward(seconds=seconds)
        contact = await self.contact()
        async with self.runtime.units_of_work() as uow:
            account = await self.runtime.account_row(uow, self.provider, self.account)
            assert account is not None
            await resume(self.desk, uow, account, contact.id)
        return [shown(row) for row in await self.new_messages()]

    async def contact(self) -> ContactRow:
        async with self.runtime.database.reading() as session:
            found: ContactRow = (await session.exec(self._mine(select(ContactRow)))).one()
            return found

    def _mine(self, query: Any) -> Any:
        """Keep what belongs to this person at this account."""
        account = col(AccountRow.id) == col(ContactRow.account_id)
        ours = (AccountRow.provider == self.provider, AccountRow.external_id == self.account)
        return query.join(AccountRow, account).where(ContactRow.external_id == self.user, *ours)

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


def shown(row: OutboxRow) -> str:
    """Return what a screen shows of a message: its words and, below them, its buttons."""
    return "\n".join([row.text, *(button["label"] for button in row.body.get("buttons", ()))])


def image() -> Attachment:
    return Attachment(kind=AttachmentKind.IMAGE, url="http://127.0.0.1:1/x.jpg")
