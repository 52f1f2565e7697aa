"""Refusals of the fake Bot API: the numbers and English sentences of the real one."""

from typing import Any


class RefusalError(Exception):
    """An answer with `ok` false; `parameters` hold retry_after or migrate_to_chat_id."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters

    def body(self) -> dict[str, Any]:
        """Return the answer's body (https://core.telegram.org/bots/api#making-requests)."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad(description: str, **parameters: int) -> RefusalError:
    """Make a 400."""
    return RefusalError(400, f"Bad Request: {description}", **parameters)


def forbidden(description: str) -> RefusalError:
    """Make a 403."""
    return RefusalError(403, f"Forbidden: {description}")


def flood(retry_after: int) -> RefusalError:
    """Make a 429 that names the seconds to wait."""
    return RefusalError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)
