"""Chats of officials without a provider: updates in, and screens on which cards are sent and edited."""

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from bot.actions import contacts, official_links, report_case
from bot.actions.messages import receive
from bot.actions.outgoing import given_up, postponed, sent
from bot.domain.conversation import Draft
from bot.domain.message import Button, Message
from bot.domain.update import AccountNews, Attachment, ButtonPressed, MessageReceived, Unfollowed, Update
from bot.runtime import Runtime
from bot.store import accounts, outbox, staff
from bot.store import contacts as contact_rows
from bot.store.accounts import AccountRow
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow
from bot.store.unit_of_work import Actor
from handlers.dispatch import Desk, dispatch, resume_draft
from jobs.refresh_cards import refresh_cards
from tests import commune
from tests.runtime_fixtures import Clock

BOT = "7000000001"
GROUP = "-100200300"
SENDERS = {key: str(5000 + n) for n, key in enumerate(commune.ROLES)}


@dataclass
class Shown:
    """One message on a screen, as last edited."""

    id: str
    text: str
    buttons: tuple[Button, ...]
    edits: int = 0
    replies_to: str | None = None

    def payload(self, label: str) -> str:
        return next(b.payload for b in self.buttons if label in b.label)

    @property
    def labels(self) -> list[str]:
        return [b.label for b in self.buttons]


@dataclass
class Pocket:
    """The commune with a Zalo account for citizens and a bot for officials; `screens` by the provider's chat id."""

    runtime: Runtime
    clock: Clock
    screens: dict[str, list[Shown]] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    toast: str = ""

    async def build(self) -> None:
        async with self.runtime.units_of_work() as uow:
            await commune.build(uow)
            bot = AccountRow(
                id="bot",
                provider="telegram",
                external_id=BOT,
                name="Bot xã",
                unit_id="commune",
                created_at=uow.now,
            )
            uow.session.add(bot)

    @property
    def desk(self) -> Desk:
        return Desk(self.runtime.settings.conversation, self.runtime.box, self.runtime.settings.server.public_url)

    async def update(self, update: Update) -> None:
        """Handle one update as a worker does."""
        self.clock.forward(seconds=1)
        async with self.runtime.units_of_work() as uow:
            account = await self.runtime.account_row(uow, "telegram", BOT)
            assert account is not None
            await dispatch(self.desk, uow, account, update, 0)
            self.toast = uow.toast

    def _facts(self, sender: str, chat: str) -> dict[str, Any]:
        number = next(self.numbers)
        return {
            "account": BOT,
            "external_id": f"u{number}",
            "sender": sender,
            "chat": chat,
            "occurred_at": self.clock.now,
        }

    async def say(
        self,
        who: str,
        text: str = "",
        *attachments: Attachment,
        quotes: str | None = None,
        chat: str = "",
        album: str = "",
        edited: bool = False,
    ) -> list[Shown]:
        """Write something, in private or in a group; returns what stands newly in that chat."""
        before = len(self.screens.get(chat or SENDERS.get(who, who), []))
        await self.update_only(who, text, *attachments, quotes=quotes, chat=chat, album=album, edited=edited)
        await self.deliver()
        return self.screens.get(chat or SENDERS.get(who, who), [])[before:]

    async def update_only(
        self,
        who: str,
        text: str = "",
        *attachments: Attachment,
        quotes: str | None = None,
        chat: str = "",
        album: str = "",
        edited: bool = False,
    ) -> None:
        """Write something; what is answered does not leave yet."""
        sender = SENDERS.get(who, who)
        facts = self._facts(sender, chat)
        message_id = f"{chat or sender}:in{facts['external_id']}"
        update = MessageReceived(
            **facts,
            message_id=message_id,
            text=text,
            attachments=attachments,
            quotes=quotes,
            album=album,
            edited=edited,
        )
        await self.update(update)

    async def press(self, who: str, payload: str, message_id: str = "", chat: str = "") -> str:
        """Press a button; returns what is shown over the chat."""
        sender = SENDERS.get(who, who)
        await self.update(
            ButtonPressed(**self._facts(sender, chat), message_id=message_id, payload=payload, tap_id="tap")
        )
        toast = self.toast
        await self.deliver()
        return toast

    async def tap(self, who: str, shown: Shown, label: str, chat: str = "") -> str:
        return await self.press(who, shown.payload(label), shown.id, chat)

    async def news(self, what: str, chat: str = "", **details: str) -> None:
        await self.update(AccountNews(**self._facts("", chat), what=what, details=details))
        await self.deliver()

    async def block(self, who: str) -> None:
        await self.update(Unfollowed(**self._facts(SENDERS[who], ""), blocked=True))

    async def deliver(self) -> int:
        """Take everything that is due onto the screens, as a provider would; returns how many messages."""
        number = 0
        while True:
            async with self.runtime.units_of_work() as uow:
                rows = await outbox.claim(uow.session, "lease", uow.now, 60, 50)
                people = {r.contact_id: await uow.session.get(ContactRow, r.contact_id) for r in rows}
                for row in rows:
                    person = people[row.contact_id]
                    assert person is not None
                    known = self._show(person.external_id, Message.from_json(row.body))
                    await outbox.record(uow.session, row.id, "lease", state="sent", provider_id=known, sent_at=uow.now)
                    current = await outbox.row(uow.session, row.id)
                    assert current is not None
                    await sent(uow, current)
            number += len(rows)
            if not rows:
                return number

    async def refuse(self, *, seconds: float = 60, repeated: int = 0, gone: str = "", for_good: bool = False) -> int:
        """Refuse everything that is due, as a provider does that is busy; for good, or since a chat is `gone`."""
        async with self.runtime.units_of_work() as uow:
            rows = await outbox.claim(uow.session, "busy", uow.now, 60, 50)
        for row in rows:
            async with self.runtime.units_of_work() as uow:
                values: dict[str, Any] = {"state": "queued", "next_attempt_at": uow.now + timedelta(seconds=seconds)}
                if gone or for_good:
                    values = {"state": "failed", "failed_at": uow.now, "reason": gone or "telegram_unreachable"}
                await outbox.record(uow.session, row.id, "busy", **values, repeated=repeated)
                current = await outbox.row(uow.session, row.id)
                assert current is not None
                if gone:
                    await contact_rows.set_gone(uow.session, row.contact_id, gone)
                if gone or for_good:
                    await given_up(uow, current, gone=bool(gone))
                else:
                    await postponed(uow, current)
        return len(rows)

    def _show(self, chat: str, message: Message) -> str:
        screen = self.screens.setdefault(chat, [])
        found = next((m for m in screen if m.id == message.edits), None)
        if found is not None:
            found.text, found.buttons, found.edits = message.text, message.buttons, found.edits + 1
            return found.id
        shown = Shown(f"{chat}:{next(self.numbers)}", message.text, message.buttons, replies_to=message.replies_to)
        screen.append(shown)
        return shown.id

    async def settle(self, seconds: float = 2) -> None:
        """Let time pass, and cards be told what happened."""
        self.clock.forward(seconds=seconds)
        for _ in range(3):
            await refresh_cards(self.runtime)
            await self.deliver()

    async def quiet(self) -> None:
        """Let time pass in which nothing arrives, so that what was begun goes on."""
        from bot.store import desk_drafts

        self.clock.forward(seconds=10)
        async with self.runtime.database.reading() as session:
            due = await desk_drafts.due(session, self.clock.now)
        for draft_id in due:
            async with self.runtime.units_of_work() as uow:
                await resume_draft(self.desk, uow, draft_id)
        await self.deliver()

    async def link(self, *keys: str) -> None:
        """Link people's private chats by codes, as they do."""
        for key in keys:
            async with self.runtime.units_of_work() as uow:
                person = await staff.person(uow.session, key)
                assert person is not None
                code = await official_links.make_code(uow, self.runtime.box, person)
            await self.say(key, f"/start {code}")

    async def link_group(self, unit_id: str = "economy", key: str = "head", chat: str = GROUP) -> None:
        """Give a group to a unit by a code."""
        await self.say("9999", f"/start@loa_bot {await self.group_code(unit_id, key)}", chat=chat)

    async def group_code(self, unit_id: str = "economy", key: str = "head") -> str:
        async with self.runtime.units_of_work() as uow:
            person = await staff.person(uow.session, key)
            assert person is not None
            grants = await staff.grants(uow.session, key)
            return await official_links.make_group_code(uow, self.runtime.box, person, grants, unit_id)

    def as_staff(self, key: str) -> Any:
        """Open a unit of work as somebody at the console."""
        self.clock.forward(seconds=1)
        return self.runtime.units_of_work(Actor("staff", key, f"Cán bộ {key}"))

    async def make_case(
        self,
        text: str = "Đèn đường thôn Kim Lâm hỏng ba hôm nay, rất tối",
        category: str = "dien-nuoc",
        *,
        citizen: str = "3333444455556666777",
        place: str = "Ngõ 3, thôn Kim Lâm",
    ) -> CaseRow:
        """Open a case the way a citizen's confirmed report does."""
        self.clock.forward(seconds=1)
        async with self.runtime.units_of_work(Actor("citizen")) as uow:
            account = await accounts.account(uow.session, "account")
            assert account is not None
            contact = await contacts.met(uow, account, citizen, interacts=True)
            contact.name = contact.name or "Nguyễn Thị Hoà"
            contact.phone = self.runtime.box.seal("84900000001")
            await contacts.conversation_of(uow, contact)
            update = MessageReceived(
                account=account.external_id,
                external_id=f"c{next(self.numbers)}",
                sender=citizen,
                occurred_at=uow.now,
                message_id=f"c{next(self.numbers)}",
                text=text,
            )
            message, _ = await receive(uow, account, contact, update)
            draft = Draft(category_id=category, text=text, place=place, message_ids=[message.id])
            return (await report_case.open_case(uow, account, contact, draft)).case

    async def new_case(self, **details: Any) -> CaseRow:
        """Open a case and let its cards go out."""
        case = await self.make_case(**details)
        await self.settle()
        return case

    async def case(self, case: CaseRow | None = None) -> CaseRow:
        """Read a case anew; the last one without a name."""
        async with self.runtime.database.reading() as session:
            if case is not None:
                found = await session.get(CaseRow, case.id)
                assert found is not None
                return found
            return (await session.exec(select(CaseRow).order_by(col(CaseRow.created_at).desc()))).first()  # type: ignore[return-value]  # there is one

    def screen(self, who: str) -> list[Shown]:
        return self.screens.get(SENDERS.get(who, who), [])

    def card(self, who: str) -> Shown:
        """Return the last card on a screen."""
        return next(m for m in reversed(self.screen(who)) if "/cases/" in m.text)

    def has_card(self, who: str) -> bool:
        return any("/cases/" in m.text for m in self.screen(who))
