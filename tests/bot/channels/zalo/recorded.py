"""The recorded webhook bodies, by the name of their file."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "payloads/zalo"
BODIES = {path.stem: path.read_bytes() for path in sorted((FOLDER / "events").glob("*.json"))}

OA = "2222333344445555666"
CITIZEN = "3333444455556666777"


def data_of(name: str) -> dict[str, Any]:
    """Return one recorded body, parsed."""
    data: dict[str, Any] = json.loads(BODIES[name])
    return data


def changed(name: str, **fields: Any) -> bytes:
    """Return one recorded body with root fields replaced; None takes a field away."""
    data = data_of(name) | fields
    return json.dumps({key: value for key, value in data.items() if value is not None}).encode()


def with_message(name: str, **fields: Any) -> bytes:
    """Return one recorded body with fields of `message` replaced; None takes a field away."""
    message = data_of(name)["message"] | fields
    return changed(name, message={key: value for key, value in message.items() if value is not None})
