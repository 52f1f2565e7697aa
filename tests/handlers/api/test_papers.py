"""What stands in docs/api.md is what the code knows."""

import re
from pathlib import Path

from bot.domain.dossier_exchange import FIELDS
from handlers.api.words import table

DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def test_every_problem_is_described_and_every_sentence_used() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert set(re.findall(r"^#### (\w+)$", text, re.MULTILINE)) == set(table()["problem"])
    for code in table()["field"]:
        assert f"`{code}`" in text, code
    for each in FIELDS:
        assert all(f"`{name}`" in text for name in (each.name, *each.aliases)), each.name
    assert set(table()["reads"]) == {each.name for each in FIELDS}
