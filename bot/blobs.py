"""Keep the bytes of pictures and files: in a folder or in S3-compatible storage."""

from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, S3Store


class Blobs:
    """Put, get and delete bytes by key; keys are made by us and never come from a citizen."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._store: LocalStore | S3Store
        if parts.scheme == "file":
            folder = Path(parts.path)
            folder.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(folder)
        else:
            self._store = S3Store(parts.netloc, prefix=parts.path.strip("/") or None)

    async def put(self, key: str, data: bytes) -> None:
        """Store bytes under a key, replacing what was there."""
        await obstore.put_async(self._store, key, data)

    async def get(self, key: str) -> bytes:
        """Return the bytes of a key; raises FileNotFoundError when there are none."""
        answer = await obstore.get_async(self._store, key)
        return bytes(await answer.bytes_async())

    async def delete(self, key: str) -> None:
        """Delete a key; nothing happens when it is gone already."""
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
