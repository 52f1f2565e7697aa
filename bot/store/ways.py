"""Say by which way an account reaches a contact, and how well."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, case, func, not_, true
from sqlalchemy.sql import ColumnElement

from bot.domain.audience import TEMPLATE_USER_WINDOW, Sender, Way
from bot.store.contacts import ContactRow

CONTACTS = ContactRow.metadata.tables["contacts"]
C = CONTACTS.c
_LONG_AGO = datetime.fromtimestamp(0, UTC)
Condition = ColumnElement[bool]


def by_way(sender: Sender, way: Way, columns: Any = C) -> Condition:
    """Say that a contact of the account is reached by this way and by none before it; NONE is the rest."""
    last = heard(columns)
    within_year = last > sender.at - TEMPLATE_USER_WINDOW
    left: list[Condition] = [last <= sender.since if sender.windowed else not_(true())]
    if way is Way.CHAT:
        return columns.last_interaction_at > sender.since if sender.windowed else true()
    if way is Way.TEMPLATE_USER:
        return and_(*left, within_year)
    if sender.by_user:
        left.append(not_(within_year))
    if way is Way.TEMPLATE_PHONE:
        return and_(*left, columns.phone_hash.is_not(None))
    if sender.by_phone:
        left.append(columns.phone_hash.is_(None))
    return and_(*left)


def heard(columns: Any) -> ColumnElement[Any]:
    """Return when a contact was heard of last, long ago for one that never was."""
    return func.coalesce(columns.last_interaction_at, _LONG_AGO)


def rank(senders: Sequence[Sender], columns: Any) -> ColumnElement[int]:
    """Return how well a contact is reached: 3 by free text, 2 and 1 by templates, 0 not, -1 not at all any more."""
    whens: list[Any] = [(columns.gone != "", -1)]
    for s in senders:
        here = columns.account_id == s.account_id
        whens.append((and_(here, columns.last_interaction_at > s.since if s.windowed else true()), 3))
        if s.by_user:
            whens.append((and_(here, heard(columns) > s.at - TEMPLATE_USER_WINDOW), 2))
        if s.by_phone:
            whens.append((and_(here, columns.phone_hash.is_not(None)), 1))
    return case(*whens, else_=0)
