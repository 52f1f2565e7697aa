"""Take in the statuses of dossiers that another system pushes: each item on its own, within the key's branch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.actions import dossiers
from bot.actions.case_trail import audit
from bot.actions.dossiers import News
from bot.clock import to_local
from bot.domain.dossier_exchange import Item, Problem, name_of
from bot.domain.text import fold
from bot.secrets import SecretBox
from bot.store import dossier_writing, units
from bot.store import dossiers as rows
from bot.store.api_keys import ApiKeyRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow

REFUSED = "refused"
FOREIGN_DOSSIER = "foreign_dossier"
PART = 200


@dataclass(slots=True)
class Result:
    """What became of one item: new | changed | same | older | odd (bot.actions.dossiers) | refused, and why."""

    code: str
    result: str = REFUSED
    problems: list[Problem] = field(default_factory=list)


async def push(uow: UnitOfWork, box: SecretBox, key: ApiKeyRow, items: Sequence[Item]) -> list[Result]:
    """Take in items in whatever order they come and say of each what became of it; bad ones hold up no other.

    At most some thousand items a call.
    """
    results = [Result(item.code, problems=item.problems) for item in items]
    # Nobody else may make a dossier of another unit between our look and our writing.
    await dossier_writing.one_writer(uow.session)
    placed = await _Branch.of(uow, key, items)
    news: list[tuple[int, News]] = []
    for index, item in enumerate(items):
        unit = placed.unit_of(item)
        if item.taken and unit is not None:
            news.append((index, _news(item, unit)))
    changed = False
    for part in _parts(news):
        found = await dossiers.take_in(uow, box, [each for _, each in part], f"api:{key.id}")
        changed = changed or bool(found.changes)
        for (index, _), kind in zip(part, found.kinds, strict=True):
            results[index].result = kind
    if changed:
        audit(uow, "dossier.push", f"unit:{key.unit_id}", {"key": key.name, **counts(results)})
    return results


def _parts(news: Sequence[tuple[int, News]]) -> Iterator[list[tuple[int, News]]]:
    """Yield news in parts of about PART, all of one dossier in the same: others have their turn between two."""
    by_code: dict[str, list[tuple[int, News]]] = {}
    for index, each in news:
        by_code.setdefault(each.code, []).append((index, each))
    part: list[tuple[int, News]] = []
    for own in by_code.values():
        part += own
        if len(part) >= PART:
            yield part
            part = []
    if part:
        yield part


def counts(results: Sequence[Result]) -> dict[str, int]:
    """Return how many items came to what; only what there was."""
    found: dict[str, int] = {}
    for each in results:
        found[each.result] = found.get(each.result, 0) + 1
    return found


def _news(item: Item, unit: UnitRow) -> News:
    assert item.status is not None
    assert item.at is not None
    facts: dict[str, Any] = {**item.facts, "unit_code": item.unit}
    return News(item.code, item.status, item.at, unit.id, unit.path, facts, item.applicant, item.phone)


class _Branch:
    """The units below a key's, as items name them, and the dossiers that belong to others."""

    def __init__(self, own: UnitRow, by_code: dict[str, list[UnitRow]], by_name: dict[str, UnitRow | None]) -> None:
        self._own, self._by_code, self._by_name = own, by_code, by_name
        self._paths: dict[str, str] = {}

    @classmethod
    async def of(cls, uow: UnitOfWork, key: ApiKeyRow, items: Sequence[Item]) -> "_Branch":
        """Look up all that the items name, in few statements."""
        own = await units.unit(uow.session, key.unit_id)
        assert own is not None
        codes = {item.unit for item in items if item.unit}
        by_code: dict[str, list[UnitRow]] = {code: [] for code in codes}
        for row in await units.units_by_codes(uow.session, codes):
            by_code[row.code].append(row)
        by_name: dict[str, UnitRow | None] = {}
        if any(item.unit_name and not item.unit for item in items):
            for row in await units.below(uow.session, own.path):
                for name in {fold(each) for each in (row.name, row.code, *row.aliases)}:
                    by_name[name] = None if name in by_name else row
        found = cls(own, by_code, by_name)
        known = await rows.by_codes(uow.session, {item.code for item in items if item.taken})
        found._paths = {code: row.path for code, row in known.items()}
        return found

    def unit_of(self, item: Item) -> UnitRow | None:
        """Return whose an item is; None, with the problem noted, for what is outside the branch."""
        if item.at is None:
            return None
        if not self._paths.get(item.code, self._own.path).startswith(self._own.path):
            item.problems.append(Problem(name_of("code"), FOREIGN_DOSSIER))
            return None
        if item.unit:
            return self._coded(item, item.at)
        if item.unit_name and (named := self._by_name.get(fold(item.unit_name))) is not None:
            return named
        if item.unit_name:
            item.problems.append(Problem(name_of("unit_name"), "unit_name", grave=False))
        return self._own

    def _coded(self, item: Item, at: datetime) -> UnitRow | None:
        """Return the unit that had the code on the day of the event: a code is not a key."""
        day = to_local(at).date()
        holding = [row for row in self._by_code[item.unit] if row.holds_on(day)]
        inside = [row for row in holding if row.path.startswith(self._own.path)]
        if not inside:
            item.problems.append(Problem(name_of("unit"), "foreign_unit" if holding else "unknown_unit"))
            return None
        return inside[0]
