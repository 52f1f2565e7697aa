"""Compare, when all is quiet again, what the outside saw with what the tables say; every difference is one sentence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import reconcile
from bot.clock import utc_now
from bot.store.accounts import AccountRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.cases import AnswerRow, CaseRow
from bot.store.contacts import ContactRow, ConversationRow
from bot.store.credentials import CredentialRow
from bot.store.database import Database
from bot.store.inbox import InboxRow
from bot.store.messages import AttachmentRow, MessageRow
from bot.store.outbox import OutboxRow
from tests.chaos import outside
from tests.chaos.outside import Said
from tests.simulator.simulator import Simulator

INBOX_FINAL = frozenset({"handled", "parked"})
LEFT = frozenset({"sent", "delivered", "seen"})
OUTBOX_FINAL = frozenset({*LEFT, "failed", "cancelled", "expired"})
MARGIN_MS = 3
"""The provider's clock is read in whole milliseconds at both ends of an attempt."""


@dataclass(slots=True)
class Tables:
    """Everything that the service knows, at one moment."""

    inbox: list[InboxRow]
    outbox: list[OutboxRow]
    messages: list[MessageRow]
    attachments: list[AttachmentRow]
    cases: list[CaseRow]
    answers: list[AnswerRow]
    contacts: dict[str, ContactRow]
    accounts: dict[str, AccountRow]
    conversations: list[ConversationRow]
    credentials: list[CredentialRow]
    broadcasts: list[BroadcastRow]
    chunks: list[ChunkRow]
    deliveries: list[DeliveryRow]


async def read(database: Database) -> Tables:
    """Read all tables in one transaction."""
    async with database.reading() as session:

        async def rows(table: Any, order: Any) -> list[Any]:
            return await _rows(session, table, order)

        return Tables(
            inbox=await rows(InboxRow, InboxRow.id),
            outbox=await rows(OutboxRow, OutboxRow.id),
            messages=await rows(MessageRow, MessageRow.id),
            attachments=await rows(AttachmentRow, AttachmentRow.id),
            cases=await rows(CaseRow, CaseRow.id),
            answers=await rows(AnswerRow, AnswerRow.id),
            contacts={c.id: c for c in await rows(ContactRow, ContactRow.id)},
            accounts={a.id: a for a in await rows(AccountRow, AccountRow.id)},
            conversations=await rows(ConversationRow, ConversationRow.contact_id),
            credentials=await rows(CredentialRow, CredentialRow.account_id),
            broadcasts=await rows(BroadcastRow, BroadcastRow.id),
            chunks=await rows(ChunkRow, ChunkRow.broadcast_id),
            deliveries=await rows(DeliveryRow, DeliveryRow.broadcast_id),
        )


async def _rows(session: AsyncSession, table: Any, order: Any) -> list[Any]:
    return list((await session.exec(select(table).order_by(col(order)))).all())


@dataclass(slots=True)
class Books:
    """One look at both sides; `wrong` says what does not fit, `facts` what there was."""

    simulator: Simulator
    tables: Tables
    spooled: Sequence[Path]
    outages: Sequence[tuple[int, int]] = ()
    """When the database was away, in the provider's ms: what one web process took to the disk then may be overtaken
    by what another stores; only the order within each process is promised."""
    wrong: list[str] = field(default_factory=list)

    def expect(self, holds: object, sentence: str) -> None:
        """Note a sentence unless it holds."""
        if not holds:
            self.wrong.append(sentence)

    def check(self) -> None:
        """Look at everything."""
        self.webhooks_are_stored_once()
        self.order_is_kept()
        self.words_are_kept_once()
        self.sends_and_rows_are_the_same()
        self.broadcasts_never_repeat()
        self.cases_are_answered_once()
        self.nothing_is_left_over()

    def webhooks_are_stored_once(self) -> None:
        """Every event that was acknowledged is in the inbox exactly once, in a final state; nothing else is."""
        offered = outside.offered(self.simulator)
        bodies = {o.raw for o in offered}
        arrived = {o.raw for o in offered if o.state == "delivered"}
        for body in bodies - arrived:
            self.wrong.append(f"never acknowledged: {body[:300]!r}")
        stored = Counter(row.raw for row in self.tables.inbox)
        for body in bodies - set(stored):
            self.wrong.append(f"lost: {body[:300]!r}")
        for body in set(stored) - bodies:
            self.wrong.append(f"stored and never sent: {body[:300]!r}")
        for body, number in stored.items():
            self.expect(number == 1, f"stored {number} times: {body[:300]!r}")
        for row in self.tables.inbox:
            self.expect(row.state in INBOX_FINAL, f"inbox {row.id} ({row.event}) is {row.state}: {row.error}")
            self.expect(row.state != "parked", f"inbox {row.id} ({row.event}) is parked: {row.error}")

    def order_is_kept(self) -> None:
        """Compare order: what a person sent after an earlier message was acknowledged is handled after it."""
        begun: dict[bytes, int] = {}
        acknowledged: dict[bytes, float] = {}
        for one in outside.offered(self.simulator):
            raw = one.raw
            for attempt in one.attempts:
                begun[raw] = min(begun.get(raw, attempt["at_ms"]), attempt["at_ms"])
                if attempt["status"] == 200:
                    at = attempt["at_ms"] + attempt["took_ms"]
                    acknowledged[raw] = min(acknowledged.get(raw, at), at)
        by_person: dict[tuple[str, str], list[InboxRow]] = defaultdict(list)
        for row in self.tables.inbox:
            if row.raw in acknowledged:
                by_person[row.account, row.contact].append(row)
        for person, rows in by_person.items():
            for before, after in _pairs(rows):
                if any(since <= acknowledged[after.raw] <= until for since, until in self.outages):
                    continue
                fits = acknowledged[after.raw] + MARGIN_MS >= begun[before.raw]
                self.expect(fits, f"{person}: {after.event} {after.id} was acknowledged before {before.id} was sent")
        self._handled_in_order()

    def _handled_in_order(self) -> None:
        """Rows of what people wrote are made while handling: their order is the inbox's."""
        place = outside.written_ids((row.event, row.key, row.raw, row.id) for row in self.tables.inbox)
        by_contact: dict[str, list[MessageRow]] = defaultdict(list)
        for message in self.tables.messages:
            if message.direction == "in" and message.provider_id in place:
                by_contact[message.contact_id].append(message)
        for contact, messages in by_contact.items():
            places = [place[m.provider_id or ""] for m in messages]
            self.expect(places == sorted(places, key=lambda i: i or 0), f"{contact}: handled in the order {places}")

    def words_are_kept_once(self) -> None:
        """Every message of a phone is one row in its conversation with the same words, and no row is invented."""
        written = {number: m for number, m in self._phones.items() if not m.from_us}
        kept = [m for m in self.tables.messages if m.direction == "in"]
        numbers = Counter(m.provider_id for m in kept)
        for msg_id, number in numbers.items():
            self.expect(number == 1, f"handled {number} times: message {msg_id}")
            self.expect(msg_id in written, f"a message that nobody wrote: {msg_id}")
        for msg_id in set(written) - set(numbers):
            self.wrong.append(f"not handled: {written[msg_id].kind} {written[msg_id].text!r}")
        for row in kept:
            if row.provider_id in written:
                self.expect(row.text == written[row.provider_id].text.strip(), f"other words: {row.text!r}")

    @property
    def _phones(self) -> dict[str, Said]:
        return outside.said(self.simulator)

    def sends_and_rows_are_the_same(self) -> None:
        """Each row that left is one message on a phone; a second copy only where the outcome had been unknown."""
        accepted = {number: m for number, m in self._phones.items() if m.from_us and not m.typed}
        noted = outside.journal(self.simulator)
        self.expect(noted == Counter(list(accepted)), "the providers' journals and their phones differ")
        claimed: Counter[str] = Counter()
        spare: Counter[tuple[str, str]] = Counter()
        for row in self.tables.outbox:
            self._one_row(row, accepted, claimed, spare)
        for delivery in self.tables.deliveries:
            if delivery.provider_id:
                claimed[delivery.provider_id] += 1
            elif delivery.state == "unknown" or delivery.reason == "outcome_unknown":
                spare[delivery.address, self._announced(delivery.broadcast_id)] += 1
        for msg_id, number in claimed.items():
            self.expect(number == 1, f"{number} rows claim message {msg_id}")
        for msg_id in set(accepted) - set(claimed):
            self._unclaimed(accepted[msg_id], spare)
        self._said_once()

    def _announced(self, broadcast_id: int) -> str:
        return next(str(b.message.get("text", "")) for b in self.tables.broadcasts if b.id == broadcast_id)

    def _one_row(
        self, row: OutboxRow, accepted: dict[str, Said], claimed: Counter[str], spare: Counter[tuple[str, str]]
    ) -> None:
        name = f"outbox {row.id} ({row.purpose}, {row.state}, {row.reason}, {row.attempts} tries)"
        self.expect(row.state in OUTBOX_FINAL, f"{name} is not finished")
        person = self.tables.contacts[row.contact_id].external_id
        if row.state in LEFT:
            phone = accepted.get(row.provider_id or "")
            self.expect(phone is not None, f"{name} left, and no phone has {row.provider_id}")
            claimed[row.provider_id or ""] += 1
            if phone is not None:
                self.expect(phone.person == person, f"{name} reached somebody else")
                self.expect(_same_words(phone, row.text), f"{name} became {phone.text!r}")
                self.expect(row.state != "sent" or not phone.received, f"{name}: its receipt is not noted")
        else:
            self.expect(row.provider_id is None, f"{name} has the provider's id {row.provider_id}")
        self.expect(row.repeated <= 1, f"{name} was repeated {row.repeated} times")
        spare[person, row.text] += row.repeated + (row.state == "failed" and row.reason == "outcome_unknown")

    def _unclaimed(self, phone: Said, spare: Counter[tuple[str, str]]) -> None:
        """Find the row behind a copy that none claims: it was repeated because its outcome was unknown."""
        for (person, text), number in spare.items():
            if number and person == phone.person and _same_words(phone, text):
                spare[person, text] -= 1
                return
        self.wrong.append(f"accepted by the provider without a row: {phone.kind} {phone.text!r} for {phone.person}")

    def _said_once(self) -> None:
        said = {m.id for m in self.tables.messages if m.direction == "out" and m.author != "oa_tool"}
        made = {row.id for row in self.tables.outbox}
        self.expect(said == made, f"{len(said ^ made)} rows of conversation and outbox do not belong together")
        foreign = [m for m in self.tables.messages if m.author == "oa_tool"]
        typed = {number for number, m in self._phones.items() if m.typed}
        for message in foreign:
            rows = [
                f"{r.state} {r.reason} repeated {r.repeated}, tried {r.sending_at}, sent {r.sent_at}"
                for r in self.tables.outbox
                if r.contact_id == message.contact_id and r.text == message.text
            ]
            rows += [
                f"{d.state} {d.reason} in a broadcast, tried {d.sending_at}, sent {d.sent_at}"
                for d in self.tables.deliveries
                if d.recipient == message.contact_id and self._announced(d.broadcast_id) == message.text
            ]
            if any("outcome_unknown" in row or "repeated 1" in row for row in rows):
                continue  # a worker that stood still in the middle of a send: it arrived after it had been given up
            sentence = f"our own message, here since {message.occurred_at}, is taken for a person's: {message.text!r}"
            self.expect(message.provider_id in typed, f"{sentence} (sent by {rows})")

    def broadcasts_never_repeat(self) -> None:
        """Each recipient of a broadcast has a final state and at most one message of it."""
        for broadcast in self.tables.broadcasts:
            self.expect(broadcast.state in {"finished", "stopped"}, f"broadcast {broadcast.id} is {broadcast.state}")
        phones = {number for number, m in self._phones.items() if m.from_us}
        for row in self.tables.deliveries:
            name = f"delivery {row.broadcast_id}/{row.n} ({row.state}, {row.reason})"
            self.expect(row.state in OUTBOX_FINAL, f"{name} is not finished")
            self.expect(row.state not in LEFT or row.provider_id in phones, f"{name} left, and no phone has it")
        texts = {str(b.message.get("text", "")) for b in self.tables.broadcasts}
        copies = Counter((m.account, m.person, m.text) for m in self._phones.values() if m.from_us and m.text in texts)
        for (_, user_id, text), number in copies.items():
            self.expect(number == 1, f"{user_id} has the broadcast {text!r} {number} times")

    def cases_are_answered_once(self) -> None:
        """Count what was told about each case: at most one answer was sent, nothing was said twice."""
        sent = Counter(a.case_id for a in self.tables.answers if a.state == "sent")
        for case in self.tables.cases:
            self.expect(sent[case.id] <= 1, f"case {case.code} was answered {sent[case.id]} times")
        told = Counter(
            (r.case_id, r.text) for r in self.tables.outbox if r.purpose in {"report_sent", "answer", "rate"}
        )
        for (case_id, text), number in told.items():
            self.expect(number == 1, f"case {case_id}: told {number} times: {text!r}")
        reports = Counter((c.contact_id, c.text_hash) for c in self.tables.cases)
        for (contact, _), number in reports.items():
            self.expect(number == 1, f"{contact}: {number} cases of one report")

    def nothing_is_left_over(self) -> None:
        """No lease, no file in a spool, no right to renew, no attachment that waits."""
        held: list[InboxRow | OutboxRow | ChunkRow] = [*self.tables.inbox, *self.tables.outbox, *self.tables.chunks]
        for row in held:
            self.expect(row.lease is None and row.leased_until is None, f"a lease is left on {row!r:.200}")
        for right in self.tables.credentials:
            # Who died while renewing leaves the right behind; it ends by itself.
            ends = right.holder is None or right.held_until is not None
            self.expect(ends, f"the right to renew {right.account_id} is left with {right.holder} for ever")
        for attachment in self.tables.attachments:
            self.expect(attachment.state != "pending", f"attachment {attachment.id} waits")
        self.expect(not self.spooled, f"left in the spool: {[path.name for path in self.spooled[:5]]}")


def _pairs(rows: list[InboxRow]) -> Iterable[tuple[InboxRow, InboxRow]]:
    """Return each row with every later one, in the inbox's order."""
    ordered = sorted(rows, key=lambda r: r.id or 0)
    return ((a, b) for n, a in enumerate(ordered) for b in ordered[n + 1 :])


def _same_words(phone: Said, text: str) -> bool:
    """Say whether a phone shows a text of ours; a card with a title shows it elsewhere."""
    shown = " ".join(phone.shown.split())
    return not text or not phone.text or " ".join(text.split()) in shown or phone.text.strip() in text


async def own_reconciliation(database: Database) -> list[str]:
    """Return what `loa reconcile` itself says does not add up."""
    now = utc_now()
    books = await reconcile.reconcile(database, reconcile.last_days(now, 2), now)
    return [f"loa reconcile: {d.what} {d.subject}: {d.expected} / {d.found} {d.ids}" for d in books.differences]
