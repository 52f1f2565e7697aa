"""Tell people of their dossiers: each notice once, by the first way that is open, or with the reason why by none."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.actions import dossier_fee
from bot.actions.dossier_notice_text import Said, message_of, said_of
from bot.actions.dossier_settings import Choices, chain_of, choices_of
from bot.actions.dossier_ways import Ways, ways_of
from bot.actions.messages import say
from bot.actions.phone_messages import queue_template, to_phone
from bot.domain.audience import Way as Sending
from bot.domain.conversation import Step
from bot.domain.delivery import DeliveryState
from bot.domain.dossier import TELL_WITHIN, Kind, Status
from bot.domain.dossier_notice import (
    PURPOSE,
    TEMPLATE_WAYS,
    WANTED,
    Candidate,
    Fact,
    Silence,
    Unreached,
    Way,
    in_order,
    leaves_at,
    others_told,
    silence,
)
from bot.domain.message import Lane, Media, Message
from bot.secrets import SecretBox
from bot.store import contacts, dossier_notices, dossiers, outbox
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import UnitOfWork

JOB = "tell_dossiers"
_ARRIVED = frozenset({"sent", "delivered", "seen"})
_STANDING = _ARRIVED | frozenset(outbox.OPEN)
"""A message that has told somebody, or still may."""
_LATER = timedelta(minutes=10)
"""So long a notice waits that a chat does not take now, as one in which the bot has said the same too often."""


@dataclass(slots=True)
class _Telling:
    """One notice on its way: what it says, and by which ways it can go."""

    uow: UnitOfWork
    box: SecretBox
    notice: DossierNoticeRow
    dossier: DossierRow
    said: Said
    ways: Ways
    picture: bytes = b""
    drawn: Media | None = None

    @property
    def lifetime(self) -> timedelta:
        """After so long it is too old to be told."""
        return max(self.notice.at + TELL_WITHIN - self.uow.now, timedelta(minutes=1))

    async def leave(self) -> bool:
        """Queue the notice by the first way that is left; False when none is.

        Where another person is told already by chat no template is paid for: theirs then is the message that counts.
        """
        standing = await _others(self.uow, self.notice)
        ordered = in_order(self.ways.candidates, self.notice.tried, self._reached())
        if standing:
            ordered = [one for one in ordered if one.way not in TEMPLATE_WAYS]
        if not ordered:
            return await _carried(self.uow, self.notice)
        first = ordered[0]
        at = leaves_at(first, self.uow.now)
        if at > self.uow.now:
            self._wait(at)
            return True
        outbox_id = await self._send(first)
        if not outbox_id:
            self._wait(self.uow.now + _LATER)
            return True
        for other in others_told(ordered, first):
            other_id = await self._send(other, leaves_at(other, self.uow.now))
            if other_id:
                self.notice.others = {**self.notice.others, other.key: other_id}
        row = self.notice
        row.state, row.way, row.outbox_id, row.next_at = "leaving", first.way.value, outbox_id, None
        row.contact_id = first.contact_id or None
        return True

    def _reached(self) -> set[str]:
        """Return who has the notice from a message beside the first, or may have it."""
        keys = set(self.notice.others) - set(self.notice.tried)
        return {self.ways.who.get(key.partition(":")[2], "") for key in keys} - {""}

    def _wait(self, at: datetime) -> None:
        self.notice.next_at = at
        self.uow.after_commit(JOB, (at - self.uow.now) / timedelta(seconds=1))

    async def _send(self, one: Candidate, at: datetime | None = None) -> str:
        """Queue the notice by one way, a chat from `at` on; "" where the chat does not take it."""
        account = self.ways.accounts[one.account_id]
        unit_id = self.dossier.unit_id
        if one.way is Way.TEMPLATE_PHONE:
            phone = self._phone(one)
            return await to_phone(
                self.uow, self.box, account, phone, one.template_id, self.ways.values[one.key],
                purpose=PURPOSE, unit_id=unit_id, lifetime=self.lifetime,
            )  # fmt: skip
        person = self.ways.people[one.contact_id]
        if one.way is Way.TEMPLATE_USER:
            chosen = one.template_id, self.ways.values[one.key]
            return await queue_template(
                self.uow, account, person, chosen,
                way=Sending.TEMPLATE_USER, purpose=PURPOSE, unit_id=unit_id, lifetime=self.lifetime,
            )  # fmt: skip
        message = message_of(self.said, await self._media())
        ids = await say(
            self.uow, account, person, message, purpose=PURPOSE, lane=Lane.NOTICE, lifetime=self.lifetime,
            protected=(self.said.code,), delay=math.ceil((at - self.uow.now) / timedelta(seconds=1)) if at else 0,
        )  # fmt: skip
        if ids:
            await self._remember(person.id, message)
        return ids[-1] if ids else ""

    def _phone(self, one: Candidate) -> str:
        sealed = self.ways.people[one.contact_id].phone if one.contact_id else self.dossier.phone
        assert sealed is not None
        return self.box.open(sealed)

    async def _media(self) -> Media | None:
        if self.picture and self.drawn is None:
            self.drawn = await dossier_fee.keep(self.uow, self.notice.id, self.picture)
        return self.drawn

    async def _remember(self, contact_id: str, message: Message) -> None:
        """Keep with the conversation what its buttons stand for, and that a rating may follow."""
        conversation = await contacts.conversation(self.uow.session, contact_id)
        if conversation is None or conversation.state != Step.IDLE:
            return
        facts: dict[str, object] = {"buttons": [button.payload for button in message.buttons]}
        if self.said.kind is Kind.RETURNED:
            facts["rate_dossier"] = self.dossier.id
        conversation.data = {**conversation.data, **facts}


async def tell(uow: UnitOfWork, box: SecretBox, notice_id: str, lease: str, picture: bytes = b"") -> bool:
    """Send one leased notice on its way, or say why it stays; `picture` is stored under its id. True when it moved.

    The move and the message are one transaction: whoever dies in between has done neither.
    """
    notice = await dossier_notices.held(uow.session, notice_id, lease)
    if notice is None:
        return False
    notice.lease = notice.leased_until = None
    dossier = await dossiers.dossier(uow.session, notice.dossier_id)
    chain = await chain_of(uow.session, dossier.unit_id) if dossier else []
    if dossier is None or not chain:
        _end(uow, notice, "silent", Silence.GONE)
        return True
    choices = choices_of(chain)
    why = await _silence(uow, notice, dossier, choices)
    if why is not None:
        if not await _carried(uow, notice):
            _end(uow, notice, "silent", why)
        return True
    said = said_of(box, dossier, notice, chain[0], choices)
    ways = await ways_of(uow, dossier, chain, choices, said)
    if not await _Telling(uow, box, notice, dossier, said, ways, picture).leave():
        _end(uow, notice, "unreached", notice.reason or _nobody(ways, dossier))
    uow.announce(f"dossier:{dossier.id}")
    return True


async def _silence(uow: UnitOfWork, notice: DossierNoticeRow, dossier: DossierRow, choices: Choices) -> Silence | None:
    rows = await dossier_notices.of_dossier(uow.session, dossier.id)
    return silence(
        _fact(notice),
        [_fact(row) for row in rows if row.id != notice.id],
        status=Status(dossier.status),
        chosen=choices.kinds,
        online=dossier.online,
        now=uow.now,
    )


def _fact(row: DossierNoticeRow) -> Fact:
    return Fact(Kind(row.kind), row.at, tuple(row.facts.get(name) for name in WANTED), row.state)


async def _others(uow: UnitOfWork, notice: DossierNoticeRow) -> dict[str, OutboxRow]:
    """Return the messages to people beside the first that have told them or still may, by their ways.

    A way by which nothing arrived counts as tried, and its message is nobody's to try again. One of which nobody knows
    whether it arrived tells nothing, but its reader is not written to again either.
    """
    rows = await outbox.rows(uow.session, list(notice.others.values()))
    found: dict[str, OutboxRow] = {}
    for key, outbox_id in notice.others.items():
        row = rows.get(outbox_id)
        if row is None or key in notice.tried or row.reason == Unreached.OUTCOME:
            continue
        if row.state in _STANDING:
            found[key] = row
            continue
        notice.tried = [*notice.tried, key]
        if row.state == DeliveryState.FAILED:
            row.state = DeliveryState.CANCELLED.value
    return found


async def _carried(uow: UnitOfWork, notice: DossierNoticeRow, states: Collection[str] = _STANDING) -> bool:
    """Let a message to somebody beside the first count for the notice, rather one that has arrived; False for none."""
    found = {key: row for key, row in (await _others(uow, notice)).items() if row.state in states}
    if not found:
        return False
    key = min(found, key=lambda key: (found[key].state not in _ARRIVED, key))
    row = found[key]
    notice.way, _, notice.contact_id = key.partition(":")
    notice.state, notice.outbox_id, notice.next_at = "leaving", row.id, None
    if row.state in _ARRIVED:
        _told(uow, notice)
    uow.announce(f"dossier:{notice.dossier_id}")
    return True


def _nobody(ways: Ways, dossier: DossierRow) -> str:
    if not ways.people and dossier.phone is None:
        return Unreached.NOBODY
    return Unreached.UNFIT if ways.unfit else Unreached.NO_WAY


def _end(uow: UnitOfWork, notice: DossierNoticeRow, state: str, reason: str) -> None:
    notice.state, notice.reason, notice.next_at = state, str(reason), None
    uow.announce(f"dossier:{notice.dossier_id}")


async def arrived(uow: UnitOfWork, row: OutboxRow) -> None:
    """Note that the message of a notice has left, be it after it had been given up."""
    notice = await dossier_notices.by_outbox(uow.session, row.id)
    if notice is None or notice.state in {"told", "silent"}:
        return
    _told(uow, notice)
    uow.announce(f"dossier:{notice.dossier_id}")


def _told(uow: UnitOfWork, notice: DossierNoticeRow) -> None:
    notice.state, notice.reason, notice.told_at, notice.next_at = "told", "", uow.now, None


async def given_up(uow: UnitOfWork, row: OutboxRow) -> None:
    """Go on to the next way with a notice whose message was refused.

    One of which nobody knows whether it arrived ends here: by another way it might be told twice. The message itself
    is nobody's to try again: what is told of the notice is told by the next way, or stands with the notice.
    """
    notice = await dossier_notices.by_outbox(uow.session, row.id)
    if notice is None or notice.state != "leaving":
        return
    if row.reason == Unreached.OUTCOME:
        if not await _carried(uow, notice, _ARRIVED):
            _end(uow, notice, "unreached", Unreached.OUTCOME)
        return
    notice.tried = [*notice.tried, f"{notice.way}:{notice.contact_id or row.account_id}"]
    notice.state, notice.reason, notice.next_at = "due", row.reason, uow.now
    row.state = DeliveryState.CANCELLED.value
    uow.after_commit(JOB)


async def follow(uow: UnitOfWork, outbox_id: str) -> bool:
    """Take in what became of a notice's message of which it was not told, as one that was too old to be sent."""
    row = await outbox.row(uow.session, outbox_id)
    if row is None:
        return False
    if row.state in _ARRIVED:
        await arrived(uow, row)
    elif row.state == DeliveryState.FAILED:
        await given_up(uow, row)
    else:
        notice = await dossier_notices.by_outbox(uow.session, outbox_id)
        if notice is not None and notice.state == "leaving" and not await _carried(uow, notice):
            _end(uow, notice, "unreached", row.reason)
    return True
