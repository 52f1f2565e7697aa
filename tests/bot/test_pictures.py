"""Pictures and files from strangers: only what they claim to be, without hidden data, of bounded size."""

import io
import zlib

import pytest
from PIL import Image

from bot.pictures import PictureError, inspect_file, read_picture


def picture(form: str = "JPEG", size: tuple[int, int] = (800, 600), **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_every_usual_kind_becomes_a_jpeg_with_a_thumbnail(form: str) -> None:
    kept = read_picture(picture(form))
    assert kept.media_type == "image/jpeg"
    assert Image.open(io.BytesIO(kept.data)).format == "JPEG"
    assert kept.thumbnail is not None
    assert max(Image.open(io.BytesIO(kept.thumbnail)).size) == 320


def test_where_a_photo_was_taken_is_not_kept() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    exif.get_ifd(0x8825)[2] = (20.0, 51.0, 0.0)
    kept = read_picture(picture(exif=exif))
    assert len(Image.open(io.BytesIO(kept.data)).getexif()) == 0


def test_a_large_photo_fits_into_what_zalo_takes() -> None:
    kept = read_picture(picture(size=(3000, 2500), quality=95))
    assert len(kept.data) <= 1024 * 1024
    assert (kept.width, kept.height) == (2048, 1707)


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg></svg>", b"\xff\xd8\xff", picture()[:500], b"\x89PNG\r\n" * 99])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureError, match="not_a_picture"):
        read_picture(data)


def test_a_picture_that_unpacks_to_gigabytes_is_refused() -> None:
    side = 20_000
    raw = zlib.compress(b"\x00" * (side // 8 + 1) * 64, 9)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + b"\x01\x00\x00\x00\x00"
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", raw) + chunk(b"IEND", b"")
    with pytest.raises(PictureError, match="too_many_pixels"):
        read_picture(bomb)


@pytest.mark.parametrize(
    ("data", "kind", "name", "expected"),
    [
        (b"%PDF-1.7 x", "file", "don.pdf", "application/pdf"),
        (b"%PDF-1.7 x", "file", "don.exe", "application/pdf"),
        (b"\x00\x00\x00\x18ftypmp42", "video", "v.mp4", "video/mp4"),
        (b"#!AMR\n..", "audio", "", "audio/amr"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(data: bytes, kind: str, name: str, expected: str) -> None:
    assert inspect_file(data, kind, name).media_type == expected


@pytest.mark.parametrize(
    ("data", "kind", "name"), [(b"MZ\x90", "file", "don.pdf"), (b"%PDF-", "audio", "a.amr"), (b"", "video", "v.mp4")]
)
def test_a_file_of_no_known_kind_is_refused(data: bytes, kind: str, name: str) -> None:
    with pytest.raises(PictureError, match="not_a_known_file"):
        inspect_file(data, kind, name)
