"""Turn scenes into stored files: drawn, cleaned like a citizen's photo, kept in the blob store."""

import asyncio
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from bot.blobs import Blobs
from bot.clock import new_id
from bot.demo.scenes import SCENES
from bot.pictures import Picture, read_picture
from bot.store.files import FileRow


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A drawn picture whose bytes are kept already; each use makes a file row of its own."""

    key: str
    picture: Picture

    def file_row(self, at: datetime) -> FileRow:
        """Return a new row for these bytes, made at a moment."""
        return FileRow(
            id=new_id(),
            key=self.key,
            thumbnail_key=f"{self.key}.thumb",
            media_type=self.picture.media_type,
            name=self.picture.name,
            size=len(self.picture.data),
            sha256=self.picture.sha256,
            width=self.picture.width,
            height=self.picture.height,
            created_at=at,
        )


def draw(name: str) -> Picture:
    """Draw `scene:seed` or `scene:seed:fixed`; the same name gives the same place."""
    scene, seed, *rest = name.split(":")
    rng = Random(f"{scene}:{seed}")  # noqa: S311 (draws pictures, guards nothing)
    image = SCENES[scene](rng, fixed=rest == ["fixed"]).finished()
    out = io.BytesIO()
    image.save(out, "BMP")
    return read_picture(out.getvalue())


async def store(blobs: Blobs, names: Iterable[str]) -> dict[str, StoredPhoto]:
    """Draw each picture once and keep it with its thumbnail; the key follows from the name, so a retry overwrites."""

    async def one(name: str) -> StoredPhoto:
        picture = await asyncio.to_thread(draw, name)
        key = f"demo/{hashlib.sha256(name.encode()).hexdigest()[:26]}"
        await blobs.put(key, picture.data)
        if picture.thumbnail is not None:
            await blobs.put(f"{key}.thumb", picture.thumbnail)
        return StoredPhoto(key, picture)

    wanted = sorted(set(names))
    return dict(zip(wanted, await asyncio.gather(*(one(name) for name in wanted)), strict=True))
