"""The one Jinja environment: pages with autoescape, messages as plain text, and nothing undefined goes unnoticed."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.clock import to_local
from bot.domain.message import Button, Message

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_BUTTONS = "---"


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
        loader=FileSystemLoader(TEMPLATES),
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
    text = environment().get_template(f"messages/{language}/{name}.txt").render(values or {})
    body, _, below = text.partition(f"\n{_BUTTONS}\n")
    buttons = []
    for line in below.splitlines():
        label, separator, payload = line.partition("|")
        if label.strip():
            buttons.append(Button(label.strip(), payload.strip() if separator else label.strip()))
    return Message(text=body.strip(), buttons=tuple(buttons))


def words(name: str, values: Mapping[str, Any] | None = None, language: str = "vi") -> str:
    """Render a message's text alone, for places that have no buttons."""
    return message(name, values, language).text


def page(name: str, values: Mapping[str, Any]) -> str:
    """Render templates/console/<name>.html."""
    return environment().get_template(f"console/{name}.html").render(values)
