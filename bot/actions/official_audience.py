"""Decide which chats of the office are told of a case: those who may act on it, nearest to it, and its unit's group."""

from dataclasses import dataclass

from bot.actions.case_rights import may_see
from bot.domain.access import GRANTS, Grants, Permission
from bot.domain.card import GROUP_REFUSES, NEWS_LIFE, Kind, kind_of
from bot.domain.case import CaseState
from bot.store import cases, links
from bot.store.cases import CaseEventRow, CaseRow
from bot.store.links import Linked
from bot.store.unit_of_work import UnitOfWork

_HEADS_FROM, _LEADERS_FROM = 100, 150
"""Percent of the time from which the unit's head, and everybody above, is reminded too (the escalation ladder)."""


@dataclass(frozen=True, slots=True)
class Chat:
    """One chat to write to; `grants` is what its one reader holds, None for a group."""

    contact_id: str
    account_id: str
    grants: Grants | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What a new card is for."""

    kind: Kind
    percent: int = 0


async def audience(uow: UnitOfWork, case: CaseRow, events: list[CaseEventRow]) -> list[tuple[Chat, News]]:
    """Return which chats get a new card for what has just happened; the last event decides what it says.

    Nobody is told of what they did themselves; nothing about conduct goes into a group.
    """
    if case.state not in cases.OPEN:
        return []
    people = [one for one in await links.holders(uow.session, _units_above(case)) if may_see(one.grants, case)]
    groups = [] if case.restricted else await links.groups_of(uow.session, [case.unit_id])
    found: dict[str, tuple[Chat, News]] = {}
    for event in events:
        news = _news(case, event)
        if news is None or event.undone_at is not None or event.at < uow.now - NEWS_LIFE:
            continue
        for one in _readers(case, people, news):
            if one.person.id != event.actor_id:
                found[one.contact_id] = Chat(one.contact_id, one.account_id, one.grants), news
        for group, account, contact in groups:
            if account.state == "active" and contact.gone in {"", GROUP_REFUSES}:
                found[group.contact_id] = Chat(group.contact_id, group.account_id), news
    return list(found.values())


def _units_above(case: CaseRow) -> list[str]:
    return [part for part in case.path.split("/") if part]


def _news(case: CaseRow, event: CaseEventRow) -> News | None:
    kind = kind_of(event.kind)
    if kind is None or (kind is Kind.APPROVAL and case.state != CaseState.DRAFTED):
        return None
    return News(kind, int(event.data.get("percent", 0)) if kind is Kind.REMINDER else 0)


def _readers(case: CaseRow, people: list[Linked], news: News) -> list[Linked]:
    """Return who is told, each once."""
    if news.kind is Kind.APPROVAL:
        return _nearest(case, people, Permission.CASE_APPROVE)
    owner = [
        one for one in people if one.person.id == case.owner_id and one.grants.over(Permission.CASE_WORK, case.path)
    ]
    told = owner if case.owner_id else _nearest(case, people, Permission.CASE_WORK)
    if news.percent >= _HEADS_FROM:
        told = [*told, *_nearest(case, people, Permission.CASE_APPROVE)]
    if news.percent >= _LEADERS_FROM:
        told = [*told, *(one for one in people if one.grants.over(Permission.CASE_APPROVE, case.path))]
    return list({one.contact_id: one for one in told}.values())


def _nearest(case: CaseRow, people: list[Linked], permission: Permission) -> list[Linked]:
    """Return who holds a permission over the case closest to its unit: colleagues before the offices above."""
    depths = {one.contact_id: _depth(case, one.grants, permission) for one in people}
    deepest = max(depths.values(), default=0)
    return [one for one in people if deepest and depths[one.contact_id] == deepest]


def _depth(case: CaseRow, grants: Grants, permission: Permission) -> int:
    held = [g.path for g in grants.held if permission in GRANTS[g.role] and case.path.startswith(g.path)]
    return max((len(path) for path in held), default=0)
