"""The one Jinja environment: pages with autoescape, messages as plain text, and nothing undefined goes unnoticed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.clock import to_local
from bot.domain.message import Button, Message

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_BUTTONS = "\n---\n"
_MARK = token_hex(16)
"""What stands for the line of a template under which its buttons are; nobody's words can hold it."""


class _Loader(FileSystemLoader):
    """Read templates so that a text's buttons are told from its words by where they stand, not by what people wrote."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's source; raises TemplateNotFound."""
        source, path, fresh = super().get_source(environment, template)
        if template.startswith("messages/"):
            source = source.replace(_BUTTONS, f"\n{_MARK}\n", 1)
        return source, path, fresh


def _date(moment: datetime) -> str:
    return to_local(moment).strftime("%d/%m/%Y")


def _date_time(moment: datetime) -> str:
    return to_local(moment).strftime("%d/%m/%Y %H:%M")


def _time(moment: datetime) -> str:
    return to_local(moment).strftime("%H:%M")


@cache
def environment() -> Environment:
    """Return the environment; files under templates/, HTML autoescaped, texts not."""
    built = Environment(
        loader=_Loader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        extensions=["jinja2.ext.i18n"],
    )
    built.filters.update(date=_date, date_time=_date_time, clock_time=_time)
    return built


def message(name: str, values: Mapping[str, Any] | None = None, language: str = "vi") -> Message:
    """Render templates/messages/<language>/<name>.txt into a message.

    The file holds the text; below a line `---` one button a line as `label | payload`. Raises
    jinja2.UndefinedError when a value is missing.
    """
    return read(environment().get_template(f"messages/{language}/{name}.txt").render(values or {}))


def read(text: str) -> Message:
    """Part a rendered text into its words and its buttons."""
    body, _, below = text.partition(_MARK)
    buttons = []
    for line in below.splitlines():
        label, _, payload = line.rpartition("|")  # names that people gave may hold the sign, payloads are ours
        label, payload = label.strip() or payload.strip(), payload.strip()
        if label:
            buttons.append(Button(label, payload))
    return Message(text=body.strip(), buttons=tuple(buttons))


def words(name: str, values: Mapping[str, Any] | None = None, language: str = "vi") -> str:
    """Render a message's text alone, for places that have no buttons."""
    return message(name, values, language).text


def page(name: str, values: Mapping[str, Any]) -> str:
    """Render templates/console/<name>.html."""
    return environment().get_template(f"console/{name}.html").render(values)
