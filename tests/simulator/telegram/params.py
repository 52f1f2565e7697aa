"""The arguments of a call: JSON, a form or multipart with files, read alike (as the real one takes them)."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .errors import bad
from .model import Json


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a multipart request."""

    name: str
    mime: str
    data: bytes


class Params:
    """Arguments by name; what comes as text is read as what the method needs."""

    def __init__(self, values: Json, parts: dict[str, Part] | None = None) -> None:
        self.values, self.parts = values, parts or {}

    @classmethod
    async def read(cls, request: web.Request) -> "Params":
        """Read query and body; raises RefusalError when the body is no JSON object."""
        values: Json = dict(request.query)
        if request.content_type == "application/json":
            return cls(values | _object(await request.read()))
        parts: dict[str, Part] = {}
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                parts[name] = Part(value.filename, value.content_type, value.file.read())
            else:
                values[name] = value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")
        return cls(values, parts)

    def text(self, name: str, otherwise: str = "") -> str:
        """Return a text."""
        value = self.values.get(name, otherwise)
        return value if isinstance(value, str) else json.dumps(value)

    def whole(self, name: str, otherwise: int = 0) -> int:
        """Return an integer; raises RefusalError when it is none."""
        try:
            return int(self.values.get(name, otherwise))
        except (TypeError, ValueError):
            raise bad(f"{name} must be an integer") from None

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        return str(self.values.get(name, "")).lower() in {"true", "1", "yes"}

    def table(self, name: str) -> Json:
        """Return an object; empty when it is not given. Raises RefusalError."""
        value = self._json(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise bad(f"object expected as {name.replace('_', ' ')}")
        return value

    def rows(self, name: str) -> list[Any]:
        """Return an array; empty when it is not given. Raises RefusalError."""
        value = self._json(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise bad(f"expected an Array of {name.replace('_', ' ')}")
        return value

    def _json(self, name: str) -> Any:
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def shown(self) -> Json:
        """Return the arguments as the journal keeps them: secrets left out, files by name and size."""
        files = {name: f"{part.name} ({len(part.data)} bytes)" for name, part in self.parts.items()}
        return {name: value for name, value in self.values.items() if name != "secret_token"} | files


def _object(body: bytes) -> Json:
    try:
        values = json.loads(body or b"{}")
    except ValueError:
        raise bad("can't parse JSON object") from None
    if not isinstance(values, dict):
        raise bad("object expected")
    return values
