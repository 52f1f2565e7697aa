"""Read pictures and files that strangers send: only what they claim to be, without hidden data, of bounded size."""

import hashlib
import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

_MAX_PIXELS = 50_000_000
_MAX_EDGE = 2048
_THUMBNAIL = 320
_ZALO_BYTES = 1024 * 1024
"""Zalo takes pictures of at most 1 MB (contract §3.2), so what is kept can always be sent on."""
_QUALITIES = (85, 75, 60, 45)


class PictureError(Exception):
    """The bytes are not what they should be; `reason` is a word for templates."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Picture:
    """Cleaned bytes, what they are, and a small JPEG to show first where they are a picture."""

    data: bytes
    media_type: str
    name: str
    sha256: str
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None


def read_picture(data: bytes) -> Picture:
    """Decode a picture and encode it anew as JPEG of at most 1 MB: nothing hidden survives, EXIF is gone.

    Raises PictureError not_a_picture | too_many_pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "GIF", "WEBP", "BMP")) as image:
                if image.width * image.height > _MAX_PIXELS:
                    raise PictureError("too_many_pixels")
                upright = ImageOps.exif_transpose(image).convert("RGB")
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise PictureError("too_many_pixels") from error
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
            raise PictureError("not_a_picture") from error
    upright.thumbnail((_MAX_EDGE, _MAX_EDGE))
    kept = _jpeg(upright)
    small = upright.copy()
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    digest = hashlib.sha256(kept).hexdigest()
    return Picture(kept, "image/jpeg", "anh.jpg", digest, upright.width, upright.height, _encoded(small, 75))


def _jpeg(image: Image.Image) -> bytes:
    current = image
    while True:
        for quality in _QUALITIES:
            data = _encoded(current, quality)
            if len(data) <= _ZALO_BYTES:
                return data
        current = current.resize((max(1, current.width * 2 // 3), max(1, current.height * 2 // 3)))


def _encoded(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


_MAGIC: tuple[tuple[bytes, int, str, str], ...] = (
    (b"%PDF-", 0, "application/pdf", "pdf"),
    (b"PK\x03\x04", 0, "application/zip", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, "application/msword", "doc"),
    (b"ftyp", 4, "video/mp4", "mp4"),
    (b"\x1aE\xdf\xa3", 0, "video/webm", "webm"),
    (b"#!AMR", 0, "audio/amr", "amr"),
    (b"ID3", 0, "audio/mpeg", "mp3"),
    (b"\xff\xfb", 0, "audio/mpeg", "mp3"),
    (b"\xff\xf1", 0, "audio/aac", "aac"),
    (b"\xff\xf9", 0, "audio/aac", "aac"),
    (b"OggS", 0, "audio/ogg", "ogg"),
    (b"RIFF", 0, "audio/wav", "wav"),
)
_OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def inspect_file(data: bytes, kind: str, name: str) -> Picture:
    """Say what a file is by its first bytes, never by its name; raises PictureError when it is nothing known.

    `kind` is what the sender called it (file, audio, video); an audio or video must be one.
    """
    media_type, ending = next(((m, e) for magic, at, m, e in _MAGIC if data[at : at + len(magic)] == magic), ("", ""))
    suffix = name.rpartition(".")[2].lower()
    if ending == "zip" and suffix in _OFFICE:
        media_type, ending = _OFFICE[suffix], suffix
    if not media_type and suffix in {"txt", "csv"} and b"\x00" not in data:
        media_type, ending = "text/plain", suffix
    family = media_type.partition("/")[0]
    if not media_type or (kind in {"audio", "video"} and family not in {"audio", "video"}):
        raise PictureError("not_a_known_file")
    return Picture(data, media_type, f"{kind}.{ending}", hashlib.sha256(data).hexdigest())
