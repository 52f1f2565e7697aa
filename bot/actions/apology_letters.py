"""Keep the words of a unit's letters of apology, and fill them for one dossier."""

import tomllib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from bot import render
from bot.actions.case_trail import audit
from bot.actions.units import unit_of
from bot.clock import to_local
from bot.domain.dossier import moment
from bot.domain.letter import LetterText, in_words
from bot.letters import Letter
from bot.store.dossiers import DossierNoteRow, DossierRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow

SETTING = "apology_letter"
"""The key in a unit's settings; what was there before is kept under `before`, newest first."""
_KEPT = 5
_UNBROKEN = "\N{NON-BREAKING HYPHEN}"
_DEFAULT = render.TEMPLATES / "letters" / "apology.txt"


def default_text() -> LetterText:
    """Return the product's words."""
    return LetterText.read(_DEFAULT.read_text(encoding="utf-8"))


def text_of(chain: Sequence[UnitRow]) -> LetterText:
    """Return the words that hold for the first of the units, which are given the nearest first."""
    kept = next((unit.settings[SETTING] for unit in chain if SETTING in unit.settings), None)
    return LetterText.from_json(kept) if kept else default_text()


def versions(unit: UnitRow) -> list[dict[str, str]]:
    """Return the words that a unit had before, the newest first, each with `by` and `at`, ISO in UTC."""
    return list(unit.settings.get(SETTING, {}).get("before", []))


async def save(uow: UnitOfWork, unit_id: str, text: LetterText) -> None:
    """Change the words of a unit; raises InvalidInputError as LetterText.checked does."""
    unit, made = await unit_of(uow, unit_id), text.checked()
    kept = unit.settings.get(SETTING)
    if kept and LetterText.from_json(kept) == made:
        return
    before = [{**kept, "before": []}, *versions(unit)] if kept else versions(unit)
    marked = {**made.to_json(), "by": uow.actor.name, "at": uow.now.isoformat()}
    unit.settings = {**unit.settings, SETTING: {**marked, "before": before[:_KEPT]}}
    audit(uow, "unit.apology_letter", f"unit:{unit_id}", {"reset": False})


async def reset(uow: UnitOfWork, unit_id: str) -> None:
    """Give up a unit's own words: those of the unit above hold again, or the product's."""
    unit = await unit_of(uow, unit_id)
    if SETTING in unit.settings:
        unit.settings = {name: value for name, value in unit.settings.items() if name != SETTING}
        audit(uow, "unit.apology_letter", f"unit:{unit_id}", {"reset": True})


def letter(row: DossierRow, note: DossierNoteRow, applicant: str, chain: Sequence[UnitRow]) -> Letter:
    """Fill a letter for one dossier; `note` is the apology that it tells of, `chain` its unit and those above."""
    told = note.data
    values = {
        "tên người nộp": applicant,
        "mã hồ sơ": row.code,
        "thủ tục": row.procedure_name,
        "ngày tiếp nhận": _day(row.received_at),
        "ngày hẹn cũ": _day(moment(told.get("old_due_at"))),
        "ngày hẹn mới": _day(moment(told.get("new_due_at"))),
        "lý do": str(told.get("cause", "")).rstrip("."),
    }
    return _letter(text_of(chain), values, chain, note.at)


def sample(text: LetterText, chain: Sequence[UnitRow], at: datetime) -> Letter:
    """Fill words with values that stand for themselves, to look at them."""
    return _letter(text, {}, chain, at, example=True)


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((render.TEMPLATES / "letters" / "words.toml").read_text(encoding="utf-8"))


def _letter(
    text: LetterText, values: dict[str, str], chain: Sequence[UnitRow], at: datetime, *, example: bool = False
) -> Letter:
    day, words = to_local(at).date(), _words()
    given = {**(words["example"] if example else {}), **values}
    # A code that is broken at its dashes cannot be read; look-ups read these dashes as any others.
    given |= {"mã hồ sơ": given.get("mã hồ sơ", "").replace("-", _UNBROKEN)}
    named = {"đơn vị": chain[0].name, "ngày tháng": in_words(day)}
    filled = text.filled({**given, **named})
    return Letter(
        above=chain[1].name if len(chain) > 1 else "",
        office=chain[0].name,
        date=f"{filled.place or '……'}, {in_words(day)}",
        subject=filled.subject,
        to=words["to"].format(name=given.get("tên người nộp") or "……"),
        body=_lines(filled.body),
        recipients=_lines(filled.recipients),
        signer=_lines(filled.signer),
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _day(at: datetime | None) -> str:
    return to_local(at).strftime("%d/%m/%Y") if at else ""
