"""Serve the console's own and third-party files from memory, cached for good under an address with their hash."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

REPOSITORY = Path(__file__).resolve().parent.parent
OWN = REPOSITORY / "templates" / "static"
VENDOR = REPOSITORY / "var" / "assets" / "vendor"
_FOR_GOOD = "public, max-age=31536000, immutable"
_SHORTLY = "public, max-age=60"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".webmanifest": "application/json"}
_TEXTS = frozenset(_TYPES)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, the same squeezed where that pays, and a short hash of them."""

    data: bytes
    squeezed: bytes | None
    version: str
    media_type: str


class Assets:
    """Every file that pages refer to, read once."""

    def __init__(self, files: dict[str, Asset]) -> None:
        self._files = files

    @classmethod
    def load(cls, own: Path = OWN, vendor: Path = VENDOR) -> "Assets":
        """Read all files; third-party ones are missing until `python -m bot.assets` has run."""
        return cls(_read(own, vendor))

    def address(self, name: str) -> str:
        """Return the address of a file, with its hash."""
        asset = self._files.get(name)
        return f"/static/{name}?v={asset.version}" if asset else f"/static/{name}"

    def get(self, name: str) -> Asset | None:
        """Return a file by its name, such as vendor/htmx.min.js."""
        return self._files.get(name)


ASSETS = web.AppKey("assets", Assets)


def _read(own: Path, vendor: Path) -> dict[str, Asset]:
    found = {str(path.relative_to(own)): path for path in own.rglob("*") if path.is_file()}
    if vendor.is_dir():
        found |= {f"vendor/{path.name}": path for path in vendor.iterdir() if path.is_file()}
    return {name: _asset(path) for name, path in found.items()}


def _asset(path: Path) -> Asset:
    data = path.read_bytes()
    guessed = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    squeezed = gzip.compress(data, 6, mtime=0) if path.suffix in _TEXTS else None
    return Asset(data, squeezed, hashlib.sha256(data).hexdigest()[:12], guessed)


async def asset(request: web.Request) -> web.Response:
    """Answer with one file."""
    found = request.app[ASSETS].get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    headers = {
        "Cache-Control": _FOR_GOOD if request.query.get("v") == found.version else _SHORTLY,
        "ETag": f'"{found.version}"',
        "Content-Type": found.media_type + ("; charset=utf-8" if found.media_type.startswith("text/") else ""),
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    if found.squeezed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=found.squeezed, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=found.data, headers=headers)
