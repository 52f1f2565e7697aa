"""Every sentence of the console speaks English too, and both say the same things."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from bot import translations
from bot.render import TEMPLATES
from handlers.console.page import send_error

OPTIONS = {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
VIETNAMESE = re.compile(r"[ăâđêôơưàáảãạèéẻẽẹìíỉĩịòóỏõọùúủũụỳýỷỹỵ]", re.IGNORECASE)


def sentences() -> Iterator[tuple[Path, str]]:
    for path in sorted((TEMPLATES / "console").rglob("*.html")):
        with path.open("rb") as file:
            for _, _, found, _ in babel_extract(file, ("_",), [], OPTIONS):
                sentence = found[0] if isinstance(found, tuple) else found
                assert isinstance(sentence, str), (path, found)
                yield path, sentence


def test_every_sentence_has_an_english_one() -> None:
    english = translations.catalogue("en")
    assert [(path.name, text) for path, text in sentences() if text not in english] == []


def test_no_english_sentence_is_left_over() -> None:
    used = {text for _, text in sentences()}
    assert set(translations.catalogue("en")) - used == set()


def test_both_languages_fill_in_the_same_things() -> None:
    wrong = [
        source
        for source, (english, _) in translations.catalogue("en").items()
        if sorted(PLACEHOLDER.findall(source)) != sorted(PLACEHOLDER.findall(english))
    ]
    assert wrong == []


def test_english_is_english() -> None:
    wrong = [english for english, _ in translations.catalogue("en").values() if VIETNAMESE.search(english)]
    assert wrong == []


def test_the_file_has_no_fuzzy_or_double_entries() -> None:
    with (translations.LOCALE / "en" / "LC_MESSAGES" / "loa.po").open("rb") as file:
        entries = list(read_po(file))
    assert [entry.id for entry in entries if entry.fuzzy and entry.id] == []


def test_templates_hold_no_bare_vietnamese() -> None:
    """Words between tags, or in attributes that people hear, must go through _()."""
    bare = []
    for path in sorted((TEMPLATES / "console").rglob("*.html")):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        bare += [(path.name, line.strip()) for line in text.splitlines() if VIETNAMESE.search(line)]
    assert [one for one in bare if "Tiếng Việt" not in one[1]] == []


def test_why_a_message_did_not_leave_is_said_in_every_language() -> None:
    source, *others = [send_errors(language) for language in translations.LANGUAGES]
    for words in others:
        assert words.keys() == source.keys()
        assert [each for each in words.values() if VIETNAMESE.search(each)] == []
    translations.use("en")
    assert send_error("bot_blocked") == others[0]["bot_blocked"]
    translations.use("vi")
    assert send_error("bot_blocked") == source["bot_blocked"]
    assert send_error("nonsense") == "nonsense"


def send_errors(language: str) -> dict[str, str]:
    path = TEMPLATES / "messages" / language / "official" / "send_errors.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
