"""Keep the bytes of pictures and files: in a folder or in S3-compatible storage."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, S3Store

_PIECE = 256 * 1024
_LISTED = 500


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

    async def put_file(self, key: str, file: IO[bytes]) -> None:
        """Store what a file holds, from where it stands, without having all of it in memory."""
        await obstore.put_async(self._store, key, file)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """Give the bytes of a key piece by piece; raises FileNotFoundError when there are none."""
        answer = await obstore.get_async(self._store, key)
        async for piece in answer.stream(min_chunk_size=_PIECE):
            yield bytes(piece)

    async def old(self, folder: str, before: datetime) -> AsyncIterator[list[str]]:
        """Give the keys under a folder, some hundreds at a time, whose bytes were stored before a moment."""
        # In a thread: listing on the loop may end the interpreter with an abort when the process is just leaving.
        pages = iter(obstore.list(self._store, folder.rstrip("/"), chunk_size=_LISTED))
        while page := await asyncio.to_thread(next, pages, None):
            yield [each["path"] for each in page if each["last_modified"] < before]

    async def delete(self, key: str) -> None:
        """Delete a key; nothing happens when it is gone already."""
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
