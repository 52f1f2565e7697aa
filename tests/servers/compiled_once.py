"""Compile each statement once a worker: engines of one kind share what SQLAlchemy has made of statements.

Every test has a database of its own and so an engine of its own, and would compile all that it says anew: half of a
test's time. What is shared is text and how to read rows; nothing of a database is in it.
"""

from typing import Any

from sqlalchemy.engine.base import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

_STATEMENTS = 5_000
_caches: dict[type, LRUCache[Any, Any]] = {}


def install() -> None:
    """Let dialects of one kind and version count as one, and keep one cache for each kind."""
    DefaultDialect.__eq__ = _alike  # type: ignore[method-assign, assignment] # part of a cache's keys
    DefaultDialect.__hash__ = _hash  # type: ignore[method-assign, assignment] # part of a cache's keys
    Engine._compiled_cache = property(_shared, _keep_shared)  # type: ignore[assignment] # no public way


def _alike(one: DefaultDialect, other: object) -> bool:
    return type(one) is type(other) and _facts(one) == _facts(other)


def _hash(dialect: DefaultDialect) -> int:
    return hash(type(dialect))


def _facts(dialect: Any) -> tuple[object, ...]:
    return dialect.paramstyle, getattr(dialect, "server_version_info", None)


def _shared(engine: Engine) -> LRUCache[Any, Any]:
    return _caches.setdefault(type(engine.dialect), LRUCache(_STATEMENTS))


def _keep_shared(engine: Engine, own: object) -> None:
    """Leave an engine's own cache unused."""
