"""Write the log: one event a line, never a citizen's words, a phone, or a token."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from bot.config import LogSettings

_FORBIDDEN = ("token", "secret", "password", "phone", "text", "authorization", "cookie", "body", "raw")
"""Fields that must not reach the log even by mistake; matched inside the field's name."""


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if key != "event" and any(word in key.lower() for word in _FORBIDDEN):
            event[key] = "[…]"
    return event


def configure(settings: LogSettings) -> None:
    """Send structured events and the standard library's records to stderr in the chosen form."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        level=settings.level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    for noisy in ("aiosqlite", "alembic", "arq", "aiohttp.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def logger(name: str) -> Any:
    """Return the logger of one subsystem: web, intake, handling, delivery, tokens, jobs, console."""
    return structlog.get_logger().bind(part=name)
