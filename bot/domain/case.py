"""Rules of a case: its states, who may move it from which to which, and how long it may take."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.access import Permission

CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, O, 1 and I, which people read out and copy wrongly."""
CODE_LENGTH = 5
CODE_PREFIX = "PA-"


class CaseState(StrEnum):
    """Where a report stands."""

    NEW = "new"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    WAITING_FOR_CITIZEN = "waiting_for_citizen"
    DRAFTED = "drafted"
    APPROVED = "approved"
    ANSWERED = "answered"
    CLOSED = "closed"
    FORWARDED = "forwarded"
    REFUSED = "refused"
    MERGED = "merged"
    REOPENED = "reopened"


class Level(StrEnum):
    """How much time a report gets."""

    NORMAL = "normal"
    COMPLEX = "complex"
    URGENT = "urgent"


class Verb(StrEnum):
    """What can be done to a case; each hop is recorded under this word."""

    ASSIGN = "assign"
    ACCEPT = "accept"
    ASK_BACK = "ask_back"
    CITIZEN_REPLIED = "citizen_replied"
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    TAKE_BACK = "take_back"
    DELIVERED = "delivered"
    TOLD_OTHERWISE = "told_otherwise"
    CLOSE = "close"
    REOPEN = "reopen"
    REFUSE = "refuse"
    FORWARD = "forward"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed hop: from any of `origins` to `target`; `permission` None means only the service itself."""

    origins: frozenset[CaseState]
    target: CaseState
    permission: Permission | None


_S = CaseState
OPEN_STATES = frozenset(
    {_S.NEW, _S.ASSIGNED, _S.IN_PROGRESS, _S.WAITING_FOR_CITIZEN, _S.DRAFTED, _S.APPROVED, _S.REOPENED}
)
WORKABLE_STATES = frozenset({_S.NEW, _S.ASSIGNED, _S.IN_PROGRESS, _S.WAITING_FOR_CITIZEN, _S.REOPENED})
FINISHED_STATES = frozenset(CaseState) - OPEN_STATES

MOVES: dict[Verb, Move] = {
    Verb.ASSIGN: Move(WORKABLE_STATES | {_S.DRAFTED}, _S.ASSIGNED, Permission.CASE_ASSIGN),
    Verb.ACCEPT: Move(frozenset({_S.NEW, _S.ASSIGNED, _S.REOPENED}), _S.IN_PROGRESS, Permission.CASE_WORK),
    Verb.ASK_BACK: Move(WORKABLE_STATES, _S.WAITING_FOR_CITIZEN, Permission.CASE_WORK),
    Verb.CITIZEN_REPLIED: Move(frozenset({_S.WAITING_FOR_CITIZEN}), _S.IN_PROGRESS, None),
    Verb.SUBMIT: Move(WORKABLE_STATES, _S.DRAFTED, Permission.CASE_WORK),
    Verb.SEND_BACK: Move(frozenset({_S.DRAFTED}), _S.IN_PROGRESS, Permission.CASE_APPROVE),
    Verb.APPROVE: Move(frozenset({_S.DRAFTED}), _S.APPROVED, Permission.CASE_APPROVE),
    Verb.TAKE_BACK: Move(frozenset({_S.APPROVED, _S.WAITING_FOR_CITIZEN}), _S.IN_PROGRESS, Permission.CASE_WORK),
    Verb.DELIVERED: Move(frozenset({_S.APPROVED}), _S.ANSWERED, None),
    Verb.TOLD_OTHERWISE: Move(frozenset({_S.APPROVED}), _S.ANSWERED, Permission.CASE_WORK),
    Verb.CLOSE: Move(frozenset({_S.ANSWERED}), _S.CLOSED, None),
    Verb.REOPEN: Move(frozenset({_S.ANSWERED, _S.CLOSED}), _S.REOPENED, None),
    Verb.REFUSE: Move(WORKABLE_STATES, _S.REFUSED, Permission.CASE_REFUSE),
    Verb.FORWARD: Move(WORKABLE_STATES, _S.FORWARDED, Permission.CASE_REFUSE),
    Verb.MERGE: Move(WORKABLE_STATES, _S.MERGED, Permission.CASE_ASSIGN),
}


def allowed(verb: Verb, state: CaseState) -> bool:
    """Say whether a case in `state` can be moved by `verb`."""
    return state in MOVES[verb].origins


def may_reopen(state: CaseState, reopened: int) -> bool:
    """Say whether a dissatisfied citizen may reopen: the same case once."""
    return reopened == 0 and allowed(Verb.REOPEN, state)


def new_code(choice: Callable[[str], str] = secrets.choice) -> str:
    """Make a public code such as PA-7K3M9; uniqueness is the store's to check."""
    return CODE_PREFIX + "".join(choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Working minutes a unit or category grants; a working day counts 480 of them.

    Defaults of the product: accept in 8 working hours, urgent done 4 working hours after acceptance,
    ordinary 5 working days, complex 15 working days.
    """

    accept: int = 480
    urgent: int = 240
    normal: int = 5 * 480
    complex: int = 15 * 480

    def for_level(self, level: Level) -> int:
        """Return the working minutes for doing a case of this level."""
        match level:
            case Level.URGENT:
                return self.urgent
            case Level.COMPLEX:
                return self.complex
            case Level.NORMAL:
                return self.normal


MIN_ANSWER_LENGTH = 20
"""Characters below which an answer to a citizen says nothing: the public's complaint is vague answers."""
LIVE_EXCHANGE_MINUTES = 30
"""How long the bot stays silent after an official wrote to a citizen."""
SAME_REPORT_MINUTES = 60
"""Within this time the same text by the same person is the same case."""
