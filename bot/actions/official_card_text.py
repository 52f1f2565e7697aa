"""Write what a card shows of a case: everything to its one reader who may see it, no personal data to a group."""

from dataclasses import dataclass
from typing import Any

from bot import render
from bot.actions import case_clock
from bot.actions.case_rights import possible
from bot.domain.access import Grants
from bot.domain.card import Kind, Press, payload
from bot.domain.case import MOVES, WORKABLE_STATES, CaseState, Verb, allowed
from bot.domain.message import Message
from bot.domain.privacy import mask_identity, mask_phone, mask_phones
from bot.domain.remaining import Signal, WorkingTime
from bot.domain.text import excerpt
from bot.secrets import SecretBox
from bot.store import cases, contacts, messages, staff, units
from bot.store.cases import AnswerRow, CaseRow
from bot.store.contacts import ContactRow
from bot.store.unit_of_work import UnitOfWork

_TEXT, _REPLY, _ANSWER, _PLACE = 400, 300, 1800, 120
"""Characters shown of a report, of the last reply, of an answer that waits for approval, and of the place."""
_CURRENT = {
    Kind.NEW: frozenset({CaseState.NEW, CaseState.ASSIGNED, CaseState.REOPENED}),
    Kind.REOPENED: frozenset({CaseState.REOPENED}),
    Kind.REMINDER: frozenset(CaseState(state) for state in cases.OPEN),
    Kind.REPLY: WORKABLE_STATES,
    Kind.APPROVAL: frozenset({CaseState.DRAFTED}),
    Kind.ASKED: frozenset[CaseState](),
}
"""The states in which what a card was sent for is still what its first line should say."""
_BUTTONS = {
    Press.TAKE: Verb.ACCEPT,
    Press.APPROVE: Verb.APPROVE,
    Press.SEND_BACK: Verb.SEND_BACK,
    Press.ANSWER: Verb.SUBMIT,
    Press.ASK: Verb.ASK_BACK,
    Press.HAND_OVER: Verb.ASSIGN,
}


@dataclass(frozen=True, slots=True)
class Office:
    """What cards need besides the transaction: where the console is, and the key to masked phones."""

    public_url: str
    box: SecretBox


async def card_text(
    uow: UnitOfWork, office: Office, case: CaseRow, card_id: str, kind: Kind, percent: int, grants: Grants | None
) -> Message:
    """Return a card of a case as it stands now; `grants` are its reader's, None for a group."""
    unit = await units.unit(uow.session, case.unit_id)
    category = await units.category(uow.session, case.category_id)
    sender = await contacts.contact(uow.session, case.contact_id)
    owner = await staff.person(uow.session, case.owner_id) if case.owner_id else None
    assert unit is not None
    assert sender is not None
    time = WorkingTime(await case_clock.calendar_of(uow, unit))
    remaining = time.remaining(case.due_at, case.budget, uow.now, is_open=case.state in cases.OPEN)
    hide = Hiding(sender, in_group=grants is None)
    current = CaseState(case.state) in _CURRENT[kind] and not (
        kind is Kind.REMINDER and remaining.signal not in {Signal.SOON, Signal.LATE}
    )
    attached, answer = await _latest(uow, case, kind, hide), await _answer(uow, case, hide)
    buttons = _buttons(case, card_id, grants, whole=not answer["cut"])
    if grants is not None and (attached["attached"] or answer["proofs"]):
        buttons.append({"name": Press.PHOTOS.value, "payload": payload(Press.PHOTOS, card_id)})
    values: dict[str, Any] = {
        "kind": kind.value if current else "",
        "percent": percent,
        "code": case.code,
        "state": case.state,
        "light": remaining.signal.value,
        "due_at": case.due_at,
        "owner": owner.name if owner else "",
        "category": category.name if category else "",
        "urgent": case.level == "urgent",
        "unit": unit.name,
        "place": hide(case.place, _PLACE),
        "sender": "" if grants is None else sender.name,
        "phone": mask_phone(office.box.open(sender.phone)) if grants is not None and sender.phone else "",
        "text": hide(case.text, _TEXT),
        "link": f"{office.public_url.rstrip('/')}/cases/{case.id}",
        **attached,
        **answer,
        "buttons": buttons,
    }
    return render.message("official/card", values)


@dataclass(frozen=True, slots=True)
class Hiding:
    """Shorten words for officials' chats; in a group also hide who wrote them."""

    sender: ContactRow
    in_group: bool

    def __call__(self, text: str, most: int) -> str:
        """Return at most so many characters of it."""
        shown = mask_identity(text)
        if self.in_group:
            shown = mask_phones(shown)
            if " " in self.sender.name:
                shown = _without(shown, self.sender.name)
        return excerpt(shown, most)


def _without(text: str, name: str) -> str:
    """Return the text with a name hidden wherever it stands, in any case."""
    at = text.casefold().find(name.casefold())
    while at >= 0 and len(text.casefold()) == len(text):
        text = f"{text[:at]}•••{text[at + len(name) :]}"
        at = text.casefold().find(name.casefold())
    return text


async def _latest(uow: UnitOfWork, case: CaseRow, kind: Kind, hide: Hiding) -> dict[str, Any]:
    """Return the citizen's last words, where the card is about them, and how many photos and files came."""
    said = [m for m in await messages.of_case(uow.session, case.id) if m.direction == "in"]
    attached = await messages.attachments_of(uow.session, [m.id for m in said])
    number = sum(a.state in {"stored", "pending"} for rows in attached.values() for a in rows)
    words = next((m.text for m in reversed(said) if m.text), "") if kind is Kind.REPLY else ""
    return {"attached": number, "reply": hide(words, _REPLY)}


async def _answer(uow: UnitOfWork, case: CaseRow, hide: Hiding) -> dict[str, Any]:
    """Return the answer that waits for approval: who approves must read it."""
    waiting: AnswerRow | None = None
    if case.state == CaseState.DRAFTED:
        waiting = next((a for a in reversed(await cases.answers(uow.session, case.id)) if a.state == "submitted"), None)
    if waiting is None:
        return {"answer": "", "author": "", "proofs": 0, "cut": False}
    author = await staff.person(uow.session, waiting.author_id)
    proofs = len(waiting.file_ids)
    words, cut = hide(waiting.text, _ANSWER), not shown_whole(waiting.text)
    return {"answer": words, "author": author.name if author else "", "proofs": proofs, "cut": cut}


def shown_whole(answer: str) -> bool:
    """Say whether a card has room for all of an answer: what cannot be read there cannot be approved there."""
    return len(" ".join(answer.split())) <= _ANSWER


def _buttons(case: CaseRow, card_id: str, grants: Grants | None, *, whole: bool) -> list[dict[str, str]]:
    """Return the buttons that can do something now; in a group all that the state allows: who taps decides.

    An answer that is not shown `whole` is approved in the console.
    """
    state = CaseState(case.state)
    can = {verb.value: allowed(verb, state) for verb in MOVES} if grants is None else possible(grants, case)
    return [
        {"name": press.value, "payload": payload(press, card_id, case.version)}
        for press, verb in _BUTTONS.items()
        if can[verb.value] and (whole or press is not Press.APPROVE)
    ]
