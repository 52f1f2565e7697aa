"""Speak the language of whoever looks: Vietnamese is written in the templates, others stand beside it."""

from contextvars import ContextVar
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po
from jinja2 import Environment

SOURCE_LANGUAGE = "vi"
LANGUAGES = ("vi", "en")
LOCALE = Path(__file__).resolve().parent.parent / "templates" / "locale"

_language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


@cache
def catalogue(language: str) -> dict[str, tuple[str, str]]:
    """Return the sentences of a language by the Vietnamese one: singular and plural (the same where it has none)."""
    path = LOCALE / language / "LC_MESSAGES" / "loa.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        entries = read_po(file)
    found: dict[str, tuple[str, str]] = {}
    for entry in entries:
        source = entry.id if isinstance(entry.id, str) else entry.id[0]
        forms = (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ())
        if source and forms and forms[0]:
            found[source] = (forms[0], forms[-1])
    return found


def use(language: str) -> None:
    """Speak this language for the rest of the running task."""
    _language.set(language if language in LANGUAGES else SOURCE_LANGUAGE)


def current() -> str:
    """Return the language that the running task speaks."""
    return _language.get()


def gettext(sentence: str) -> str:
    """Return a sentence in the current language, or as it is written."""
    return catalogue(current()).get(sentence, (sentence, sentence))[0]


def ngettext(one: str, several: str, number: int) -> str:
    """Return a counted sentence in the current language; Vietnamese knows no plural."""
    known = catalogue(current()).get(one)
    if known is not None:
        return known[0] if number == 1 else known[1]
    return one if number == 1 else several


def install(environment: Environment) -> None:
    """Give `_()` and `{% trans %}` to templates."""
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by jinja2.ext.i18n
        gettext, ngettext, newstyle=True
    )
