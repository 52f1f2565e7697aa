"""Change who gets which report: the ordered routing rules of a unit, and a trial of what they would do."""

from dataclasses import dataclass

from bot.actions.case_trail import audit
from bot.actions.units import several, unit_of
from bot.domain.routing import Report, Routed, Rule, route
from bot.domain.text import clean
from bot.domain.words import find_area, guess_category, is_conduct_report, is_denunciation, is_secret
from bot.errors import InvalidInputError, NotFoundError
from bot.store import units
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import AreaRow, CategoryRow, RoutingRuleRow, UnitRow

KINDS = ("report", "question", "proposal")


async def rule_of(uow: UnitOfWork, rule_id: str) -> RoutingRuleRow:
    """Return a rule; raises NotFoundError."""
    row = await units.routing_rule(uow.session, rule_id)
    if row is None:
        raise NotFoundError(f"rule {rule_id}")
    return row


async def save_rule(uow: UnitOfWork, unit_id: str, rule_id: str | None, given: dict[str, str]) -> RoutingRuleRow:
    """Add a rule at the end or change one; `given` holds category_id, area_id, words, kind, target_unit_id, note.

    Raises InvalidInputError for a rule without any condition: what holds for everything is the fallback's.
    """
    home = await unit_of(uow, unit_id)
    known = await units.routing_rules(uow.session, unit_id)
    target = await units.unit(uow.session, given.get("target_unit_id", ""))
    if target is None or not target.path.startswith(home.path):
        raise InvalidInputError("target_unit_id", "unknown_unit")
    category_id, area_id = given.get("category_id") or None, given.get("area_id") or None
    if category_id and category_id not in {row.id for row in await units.categories(uow.session, unit_id)}:
        raise InvalidInputError("category_id", "unknown_category")
    if area_id and area_id not in {row.id for row in await units.areas(uow.session, unit_id)}:
        raise InvalidInputError("area_id", "unknown_area")
    words = several(given.get("words", ""))
    kind = given.get("kind") or None
    if not (category_id or area_id or words or kind):
        raise InvalidInputError("category_id", "no_condition")
    row = await rule_of(uow, rule_id) if rule_id else None
    if row is not None and row.unit_id != unit_id:
        raise NotFoundError(f"rule {rule_id}")
    if row is None:
        position = 1 + max((one.position for one in known), default=0)
        row = RoutingRuleRow(id=uow.new_id(), unit_id=unit_id, position=position, target_unit_id=target.id)
        uow.session.add(row)
    row.category_id, row.area_id, row.words, row.kind = category_id, area_id, words, kind
    row.target_unit_id, row.note = target.id, clean(given.get("note", ""))[:200]
    await uow.session.flush()
    audit(uow, "rule.save", f"unit:{unit_id}", {"rule": row.id, "to": target.name})
    return row


async def move_rule(uow: UnitOfWork, rule_id: str, *, up: bool) -> None:
    """Move a rule one place up or down: the first that holds decides."""
    row = await rule_of(uow, rule_id)
    ordered = await units.routing_rules(uow.session, row.unit_id)
    at = next(i for i, one in enumerate(ordered) if one.id == rule_id)
    other = at - 1 if up else at + 1
    if 0 <= other < len(ordered):
        ordered[at], ordered[other] = ordered[other], ordered[at]
        for position, one in enumerate(ordered, start=1):
            one.position = position
        audit(uow, "rule.move", f"unit:{row.unit_id}", {"rule": rule_id, "up": up})


async def remove_rule(uow: UnitOfWork, rule_id: str) -> None:
    """Remove a rule; cases that it routed keep their reason."""
    row = await rule_of(uow, rule_id)
    await uow.session.delete(row)
    audit(uow, "rule.remove", f"unit:{row.unit_id}", {"rule": rule_id})


@dataclass(frozen=True, slots=True)
class Trial:
    """What would happen to a text: warnings first, then what would be understood, then where it would go."""

    denunciation: bool
    secret: bool
    conduct: bool
    category: CategoryRow | None
    area: AreaRow | None
    routed: Routed


def try_text(
    home: UnitRow,
    rules: list[RoutingRuleRow],
    categories: list[CategoryRow],
    areas: list[AreaRow],
    text: str,
    category_id: str = "",
) -> Trial:
    """Say what would happen to a citizen's words, without storing anything."""
    restricted = next((row for row in categories if row.restricted), None)
    conduct = is_conduct_report(text)
    guessed = guess_category(text, {row.id: row.keywords for row in categories if not row.restricted})
    wanted = category_id or (restricted.id if conduct and restricted else guessed[0] if guessed else "")
    category = next((row for row in categories if row.id == wanted), None)
    named = find_area(text, [(row.id, [row.name, *row.aliases]) for row in areas])
    area = next((row for row in areas if len(named) == 1 and row.id == named[0]), None)
    if category is not None and category.restricted:
        routed = Routed(home.id, None, ("restricted",))
    else:
        report = Report(category.id if category else None, area.id if area else None, text, "report")
        routed = route(report, [_value(row) for row in rules], str(home.settings.get("fallback") or home.id))
    return Trial(is_denunciation(text), is_secret(text), conduct, category, area, routed)


def _value(row: RoutingRuleRow) -> Rule:
    return Rule(
        id=row.id,
        position=row.position,
        unit_id=row.target_unit_id,
        category_id=row.category_id,
        area_id=row.area_id,
        words=tuple(row.words),
        kind=row.kind,
        note=row.note,
    )
