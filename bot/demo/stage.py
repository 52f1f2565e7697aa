"""Hold what the acting of the reports needs, and let citizens speak and messages arrive in the past."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.actions import contacts as contact_actions
from bot.actions import outgoing
from bot.actions.messages import receive
from bot.config import ConversationSettings
from bot.demo.commune import Commune
from bot.demo.data import Report
from bot.demo.days import Days
from bot.demo.photos import StoredPhoto
from bot.domain.update import Attachment, AttachmentKind, MessageReceived
from bot.secrets import SecretBox
from bot.store import messages, outbox
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow
from bot.store.files import FileRow
from bot.store.unit_of_work import SYSTEM, Actor, UnitOfWork

_FIRST_ID = 9_000_000_000_000_000_000
"""Above every id that the simulator gives to its own people."""
_BETWEEN_PHOTOS = timedelta(seconds=3)
_TO_SEND, _TO_DELIVER, _TO_SEE = timedelta(seconds=2), timedelta(seconds=4), timedelta(minutes=7)
_SEEN_AFTER = timedelta(hours=6)


@dataclass(slots=True)
class Stage:
    """One transaction in which all reports are acted, in the order in which things happened.

    It is one, so that no worker ever sees a message of the past before it counts as delivered, and a load that breaks
    off leaves nothing behind.
    """

    root: UnitOfWork
    commune: Commune
    days: Days
    photos: dict[str, StoredPhoto]
    settings: ConversationSettings
    box: SecretBox
    contact_name: str
    contacts: dict[int, ContactRow] = field(default_factory=dict)
    cases: dict[str, CaseRow] = field(default_factory=dict)

    def at(self, moment: datetime, actor: Actor = SYSTEM) -> UnitOfWork:
        """Return a unit of work on the same transaction at another moment, as another actor."""
        return UnitOfWork(self.root.session, moment, actor, self.root.capabilities)

    def staff(self, key: str) -> Actor:
        """Return a person of the office as actor."""
        row = self.commune.people[key]
        return Actor("staff", row.id, row.name)

    async def citizen(self, report: Report, moment: datetime) -> ContactRow:
        """Return the sender of a report, met for the first time when needed; every second one has shared a phone."""
        account = self.commune.accounts[report.account]
        uow = self.at(moment)
        external_id = str(_FIRST_ID + report.sender)
        row = await contact_actions.met(uow, account, external_id, interacts=True)
        if report.sender not in self.contacts:
            row.name = self.contact_name.format(number=report.sender)
            row.following, row.greeted_at, row.profile_at = True, moment, moment
            if report.sender % 2:
                uow = self.at(moment, Actor("citizen", row.id, row.name))
                phone = f"0900000{report.sender:03d}"
                await contact_actions.share_phone(uow, row, phone, row.name, "", self.box)
            self.contacts[report.sender] = row
        return row

    async def hear(self, report: Report, moment: datetime, text: str, photos: Sequence[str]) -> list[str]:
        """Store what a citizen sent at a moment: the words, then each photo as an event of its own; returns row ids."""
        contact = await self.citizen(report, moment)
        actor = Actor("citizen", contact.id, contact.name)
        ids = [await self._hear_one(report, moment, actor, text, None)]
        for number, name in enumerate(photos, 1):
            ids.append(await self._hear_one(report, moment + number * _BETWEEN_PHOTOS, actor, "", name))
        return ids

    async def _hear_one(self, report: Report, moment: datetime, actor: Actor, text: str, photo: str | None) -> str:
        account, contact = self.commune.accounts[report.account], self.contacts[report.sender]
        uow = self.at(moment, actor)
        file = self.keep_photo(photo, moment) if photo else None
        message_id = _provider_id(f"{report.key}:{moment.isoformat()}")
        update = MessageReceived(
            account=account.external_id,
            external_id=message_id,
            sender=contact.external_id,
            occurred_at=moment,
            message_id=message_id,
            text=text,
            attachments=(Attachment(AttachmentKind.IMAGE),) if photo else (),
        )
        row, attached = await receive(uow, account, contact, update)
        for attachment in attached:
            assert file is not None
            attachment.state, attachment.file_id, attachment.size = "stored", file.id, file.size
        return row.id

    def keep_photo(self, name: str, moment: datetime) -> FileRow:
        """Enter one use of a drawn picture."""
        row = self.photos[name].file_row(moment)
        self.root.session.add(row)
        return row

    async def deliver(self, row_ids: Sequence[str]) -> None:
        """Count messages as delivered, seconds after each was due."""
        rows = await outbox.rows(self.root.session, list(row_ids))
        for row in (rows[row_id] for row_id in row_ids if rows[row_id].state == "queued"):
            sent_at = (row.next_attempt_at or row.created_at) + _TO_SEND
            row.attempts, row.sending_at = 1, sent_at
            await outgoing.settle(self.at(sent_at), row, _provider_id(row.id))
            row.state, row.delivered_at = "delivered", sent_at + _TO_DELIVER
            if sent_at + _SEEN_AFTER < self.days.now:
                row.state, row.seen_at = "seen", sent_at + _TO_SEE

    async def deliver_rest(self) -> None:
        """Count everything as delivered that was said in any case, so that nothing is left to be sent."""
        for case in self.cases.values():
            said = await messages.of_case(self.root.session, case.id)
            await self.deliver([m.id for m in said if m.direction == "out"])


def _provider_id(seed: str) -> str:
    """Make an id of the provider's shape, 20 hex digits."""
    return hashlib.sha256(seed.encode()).hexdigest()[:20]
