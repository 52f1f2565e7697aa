"""Leave a trail: every hop of a case becomes an event, an audit row, news for open pages and for officials' cards."""

from datetime import datetime, timedelta
from typing import Any

from bot.domain.card import GATHER_SECONDS
from bot.domain.case import MOVES, CaseState, Verb, allowed
from bot.errors import ConflictError
from bot.store.audit import AuditRow
from bot.store.cases import CaseEventRow, CaseRow
from bot.store.unit_of_work import Actor, UnitOfWork


def audit(
    uow: UnitOfWork, action: str, subject: str, data: dict[str, Any] | None = None, *, hide_actor: bool = False
) -> None:
    """Record a deed of whoever acts in this unit of work, without saying who with `hide_actor`."""
    actor = Actor(uow.actor.kind) if hide_actor else uow.actor
    uow.session.add(
        AuditRow(
            id=uow.new_id(),
            at=uow.now,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            action=action,
            subject=subject,
            data={**(data or {}), **({"origin": actor.origin} if actor.origin else {})},
        )
    )


def note(
    uow: UnitOfWork,
    case: CaseRow,
    kind: str,
    *,
    reason: str = "",
    data: dict[str, Any] | None = None,
    from_state: str | None = None,
    undo_seconds: int = 0,
) -> CaseEventRow:
    """Add an event to a case's history; with `undo_seconds` it can be taken back for so long.

    The cards of the case do not show it yet: the job that it wakes tells them.
    """
    event = CaseEventRow(
        id=uow.new_id(),
        case_id=case.id,
        kind=kind,
        at=uow.now,
        actor_kind=uow.actor.kind,
        actor_id=uow.actor.id,
        actor_name=uow.actor.name,
        from_state=from_state,
        to_state=case.state,
        reason=reason,
        data=data or {},
        undo_until=_after(uow, undo_seconds),
    )
    uow.session.add(event)
    data_kept = {"code": case.code, "from": from_state, "to": case.state}
    # More people read the audit log than may know who reported somebody's conduct.
    sender = case.restricted and uow.actor.kind == "citizen"
    audit(uow, f"case.{kind}", f"case:{case.id}", data_kept, hide_actor=sender)
    case.updated_at = uow.now
    uow.announce(f"case:{case.id}")
    uow.announce("cases")
    uow.after_commit("refresh_cards", GATHER_SECONDS)
    return event


def _after(uow: UnitOfWork, seconds: int) -> datetime | None:
    return uow.now + timedelta(seconds=seconds) if seconds else None


def move(
    uow: UnitOfWork,
    case: CaseRow,
    verb: Verb,
    *,
    reason: str = "",
    data: dict[str, Any] | None = None,
    undo_seconds: int = 0,
) -> CaseEventRow:
    """Move a case by a verb and record it; raises ConflictError when its state does not allow that."""
    origin = CaseState(case.state)
    if not allowed(verb, origin):
        raise ConflictError(f"{verb} is not possible in state {origin}")
    case.state = MOVES[verb].target.value
    case.version += 1
    return note(uow, case, verb.value, reason=reason, data=data, from_state=origin.value, undo_seconds=undo_seconds)
