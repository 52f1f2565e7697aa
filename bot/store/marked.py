"""Choose contacts by their marks: as a condition, and as one stream in the order of ids that drives a count.

Left to itself a database gathers the ids of many marks in a tree or a hash before it looks up the first contact.
Merged from as many ends of one index as there are marks, they come sorted and for nothing, and neighbours among
contacts lie together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, CompoundSelect, Select, String, bindparam, column, not_, select, text, union_all
from sqlalchemy.sql import ColumnElement

from bot.store.marks import MarkRow

_M = MarkRow.metadata.tables["contact_marks"].c
MOST = 100
"""Marks that are merged; SQLite takes no more than 500 in one statement."""


_ONE = "FROM contact_marks WHERE kind = :k{n} AND value = :v{n} AND chosen = :c{n}"


class Marks(NamedTuple):
    """Contacts that bear one of some marks of a kind, chosen or, with `chosen` False, decided against."""

    kind: str
    values: tuple[str, ...]
    chosen: bool = True

    def on(self, columns: Any) -> ColumnElement[bool]:
        """Say it of a contact."""
        here = (_M.kind == self.kind, _M.value.in_(self.values), _M.chosen.is_(self.chosen))
        return columns.id.in_(select(_M.contact_id).where(*here))  # type: ignore[no-any-return] # a column's


def merged(marks: Marks) -> Select[Any] | CompoundSelect[Any]:
    """Return the ids of contacts that bear one of these marks, each of the streams sorted; for PostgreSQL."""
    of = select(_M.contact_id).where(_M.kind == marks.kind, _M.chosen if marks.chosen else not_(_M.chosen))
    each = [of.where(_M.value == value) for value in marks.values]
    return each[0] if len(each) == 1 else union_all(*(one.order_by(_M.contact_id) for one in each))


def streamed(wanted: Sequence[Marks], unwanted: Sequence[Marks]) -> tuple[Any, list[Marks]] | None:
    """Return a subquery of the ids of contacts with all of what is wanted and none of what is not, and what is left.

    What is wanted second can only be a single mark each; others are left, to be asked of each contact. None where
    nothing is wanted or too much. For SQLite only.
    """
    first = max(wanted, key=lambda marks: len(marks.values), default=None)
    if first is None or sum(len(marks.values) for marks in (*wanted, *unwanted)) > MOST:
        return None
    others = [marks for marks in wanted if marks is not first]
    steps = [("UNION", first, value) for value in first.values]
    steps += [("INTERSECT", marks, marks.values[0]) for marks in others if len(marks.values) == 1]
    steps += [("EXCEPT", marks, value) for marks in unwanted for value in marks.values]
    words: list[str] = []
    given: list[BindParameter[Any]] = []
    for n, (how, marks, value) in enumerate(steps):
        words.append(f"{how if n else ''} SELECT contact_id {_ONE.format(n=n)}")
        given += [
            bindparam(f"{name}{n}", each) for name, each in (("k", marks.kind), ("v", value), ("c", marks.chosen))
        ]
    # The limit, which is none, keeps SQLite from taking the order away.
    merged = text(" ".join(words) + " ORDER BY contact_id LIMIT -1").bindparams(*given)
    stream = merged.columns(column("contact_id", String)).subquery("marked")
    return stream, [marks for marks in others if len(marks.values) > 1]
