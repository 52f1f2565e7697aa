"""Say in Vietnamese or English what other systems are told; the sentences stand in templates/api/words.toml."""

import tomllib
from functools import cache
from typing import Any

from aiohttp import web

from bot.render import TEMPLATES

VIETNAMESE, ENGLISH = "vi", "en"
_PLACE = {VIETNAMESE: 0, ENGLISH: 1}


@cache
def table() -> dict[str, Any]:
    """Return all words, as the file has them."""
    return tomllib.loads((TEMPLATES / "api" / "words.toml").read_text(encoding="utf-8"))


def language_of(request: web.Request) -> str:
    """Return the language that the caller would rather read; Vietnamese unless it asks for English."""
    wanted = {VIETNAMESE: 0.0, ENGLISH: 0.0}
    for part in request.headers.get("Accept-Language", "").lower().split(",")[:20]:
        name, _, weight = part.partition(";")
        language = name.strip().partition("-")[0]
        if language in wanted:
            wanted[language] = max(wanted[language], _weight(weight))
    return ENGLISH if wanted[ENGLISH] > wanted[VIETNAMESE] else VIETNAMESE


def _weight(text: str) -> float:
    value = text.strip().removeprefix("q=")
    try:
        return float(value) if value else 1.0
    except ValueError:
        return 0.0


def field_sentence(code: str, language: str) -> str:
    """Say what is wrong with a field."""
    return str(table()["field"][code][_PLACE[language]])


def document_words(name: str, /, **values: object) -> str:
    """Say what the OpenAPI document says of something, in Vietnamese."""
    return str(table()["document"][name]).format(**values)
