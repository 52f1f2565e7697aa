"""Lay out everything that happened to a case as one thread: words, photos, answers, hops, notes, deliveries."""

from dataclasses import dataclass, field
from datetime import date, datetime

from bot.clock import to_local
from bot.domain.privacy import mask_identity
from bot.store import cases, files, messages, outbox, staff
from bot.store.cases import AnswerRow, CaseEventRow, CaseRow
from bot.store.database import Session
from bot.store.files import FileRow
from bot.store.messages import AttachmentRow, MessageRow
from bot.store.outbox import OutboxRow

SILENT_EVENTS = frozenset({"citizen_wrote", "ask_back", "joined_answer"})
"""Events whose message stands in the thread already."""
_SHOWN_ANSWERS = frozenset({"submitted", "sent_back", "taken_back"})
"""Answers that have not left; the others stand in the thread as messages."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One thing a citizen attached, with its file once that is kept."""

    row: AttachmentRow
    file: FileRow | None


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the thread; `kind` is message | event | note | answer."""

    kind: str
    at: datetime
    key: str
    text: str = ""
    author: str = ""
    message: MessageRow | None = None
    attached: tuple[Attached, ...] = ()
    files: tuple[FileRow, ...] = ()
    delivery: OutboxRow | None = None
    event: CaseEventRow | None = None
    answer: AnswerRow | None = None

    @property
    def day(self) -> date:
        """Return the day on which it happened, as the office counts days."""
        return to_local(self.at).date()


@dataclass(slots=True)
class _Found:
    """What the rows of a thread refer to."""

    outgoing: dict[str, OutboxRow] = field(default_factory=dict)
    attached: dict[str, list[AttachmentRow]] = field(default_factory=dict)
    files: dict[str, FileRow] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Thread:
    """The thread of a case, oldest first, and what the page needs besides."""

    items: tuple[Item, ...]
    events: tuple[CaseEventRow, ...]
    answers: tuple[AnswerRow, ...]

    @property
    def waiting(self) -> AnswerRow | None:
        """The answer that waits for approval."""
        return next((a for a in reversed(self.answers) if a.state == "submitted"), None)

    def undoable(self, now: datetime) -> CaseEventRow | None:
        """Return the last event that can still be taken back."""
        live = [e for e in self.events if e.undo_until and e.undo_until > now and e.undone_at is None]
        return live[-1] if live else None


async def build(session: Session, case: CaseRow) -> Thread:
    """Read and lay out the thread of a case, in a fixed number of queries."""
    said = await messages.of_case(session, case.id)
    events = await cases.events(session, case.id)
    answers = await cases.answers(session, case.id)
    found = await _references(session, said, answers)
    items = [_message_item(m, found) for m in said]
    items += [_event_item(e) for e in events if e.kind not in SILENT_EVENTS]
    items += [_answer_item(a, found) for a in answers if a.state in _SHOWN_ANSWERS]
    items.sort(key=lambda item: (item.at, item.key))
    return Thread(tuple(items), tuple(events), tuple(answers))


async def _references(session: Session, said: list[MessageRow], answers: list[AnswerRow]) -> _Found:
    found = _Found()
    found.outgoing = await outbox.rows(session, [m.id for m in said if m.direction == "out"])
    found.attached = await messages.attachments_of(session, [m.id for m in said])
    wanted = {a.file_id for rows in found.attached.values() for a in rows if a.file_id}
    wanted |= {i for a in answers for i in a.file_ids}
    wanted |= {media["file_id"] for row in found.outgoing.values() if (media := row.body.get("media"))}
    found.files = {f.id: f for f in await files.files(session, sorted(wanted))}
    people = {m.staff_id for m in said if m.staff_id} | {a.author_id for a in answers}
    people |= {a.approver_id for a in answers if a.approver_id}
    found.names = {i: row.name for i, row in (await staff.people(session, sorted(people))).items()}
    return found


def _message_item(row: MessageRow, found: _Found) -> Item:
    delivery = found.outgoing.get(row.id)
    media = delivery.body.get("media") if delivery else None
    sent = found.files.get(media["file_id"]) if media else None
    return Item(
        "message",
        row.occurred_at,
        row.id,
        text=mask_identity(row.text),
        author=found.names.get(row.staff_id or "", ""),
        message=row,
        attached=tuple(Attached(a, found.files.get(a.file_id or "")) for a in found.attached.get(row.id, ())),
        files=(sent,) if sent else (),
        delivery=delivery,
    )


def _event_item(row: CaseEventRow) -> Item:
    kind = "note" if row.kind == "note" else "event"
    return Item(kind, row.at, row.id, text=mask_identity(row.reason), author=row.actor_name, event=row)


def _answer_item(row: AnswerRow, found: _Found) -> Item:
    return Item(
        "answer",
        row.created_at,
        row.id,
        text=row.text,
        author=found.names.get(row.author_id, ""),
        files=tuple(found.files[i] for i in row.file_ids if i in found.files),
        answer=row,
    )
