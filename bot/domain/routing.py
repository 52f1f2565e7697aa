"""Decide which unit gets a case, by rules in order, and say why."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.phrases import Typed, contains, phrase, typed


@dataclass(frozen=True)
class Rule:
    """One routing rule: every condition that is given must hold; a rule without any holds for all reports.

    `words` are alternatives, matched as whole words or phrases with or without accents. `note` is for people.
    """

    id: str
    position: int
    category_id: str | None
    area_id: str | None
    words: tuple[str, ...]
    kind: str | None
    unit_id: str
    note: str = ""


@dataclass(frozen=True)
class Report:
    """What routing knows of a report."""

    category_id: str | None
    area_id: str | None
    text: str
    kind: str | None


@dataclass(frozen=True)
class Routed:
    """The unit chosen and why: parts like `category:<id>`, `area:<id>`, `kind:<kind>`, `word:<word>`.

    `always` names a rule without conditions, `fallback` that no rule held, `nobody` that even the fallback is excluded
    and a person must decide (no unit then). Each rule that held but led to an excluded unit goes before as
    `excluded:<rule id>`.
    """

    unit_id: str | None
    rule_id: str | None
    reason: tuple[str, ...]


def route(
    report: Report, rules: Iterable[Rule], fallback_unit_id: str, excluded_units: frozenset[str] = frozenset()
) -> Routed:
    """Choose the unit of the first rule that holds, in order of position and then of id, else the fallback.

    An excluded unit, such as the one complained about, is never chosen, not even as fallback.
    """
    words = typed(report.text)
    excluded: list[str] = []
    for rule in sorted(rules, key=lambda rule: (rule.position, rule.id)):
        reason = _reason(rule, report, words)
        if reason is None:
            continue
        if rule.unit_id not in excluded_units:
            return Routed(rule.unit_id, rule.id, (*excluded, *reason))
        excluded.append(f"excluded:{rule.id}")
    if fallback_unit_id in excluded_units:
        return Routed(None, None, (*excluded, "nobody"))
    return Routed(fallback_unit_id, None, (*excluded, "fallback"))


def _reason(rule: Rule, report: Report, words: Typed) -> tuple[str, ...] | None:
    """Return why a rule holds, None if it does not."""
    conditions = (
        ("category", rule.category_id, report.category_id),
        ("area", rule.area_id, report.area_id),
        ("kind", rule.kind, report.kind),
    )
    given = [(name, wanted, has) for name, wanted, has in conditions if wanted is not None]
    if any(wanted != has for _, wanted, has in given):
        return None
    reason = [f"{name}:{wanted}" for name, wanted, _ in given]
    wanted_words = [word for word in rule.words if phrase(word).folded]
    if wanted_words:
        found = next((word for word in wanted_words if contains(words, word)), None)
        if found is None:
            return None
        reason.append(f"word:{found}")
    return tuple(reason) or ("always",)
