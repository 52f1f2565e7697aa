"""The words that stand in files: every kind of notice has some for templates, every field of a letter an example."""

from datetime import UTC, date, datetime

from bot.actions import apology_letters
from bot.actions.dossier_notice_text import states
from bot.domain.dossier import Kind
from bot.domain.dossier_code import found_in
from bot.store.units import UnitRow

MOST = 30
"""A parameter of a template holds no more."""


def test_every_kind_of_notice_has_words_that_fit_a_template() -> None:
    assert set(states()) == {kind.value for kind in Kind}
    assert all(0 < len(words) <= MOST for words in states().values())


def test_a_letter_that_is_only_looked_at_has_every_field_filled_and_a_code_in_one_piece() -> None:
    unit = UnitRow(id="unit", code="1", name="UBND xã Mẫu", kind="commune", path="/unit/", valid_from=date(2025, 7, 1))
    shown = apology_letters.sample(apology_letters.default_text(), [unit], datetime(2026, 11, 27, tzinfo=UTC))
    words = "\n".join([shown.subject, shown.to, *shown.body])
    assert "……" not in words
    assert "Ông/Bà Nguyễn Văn Mẫu" in words
    assert "H26-" not in words
    assert list(found_in(shown.subject)) == ["000.00.01.H26-260930-0012"]
