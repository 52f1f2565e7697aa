"""Small built-in files that are not photos: a document, a voice message, a clip, a moving picture, a sticker."""

import struct
from collections.abc import Callable

from .pictures import SCENES, png, scene


def pdf() -> bytes:
    """Return a one-page PDF."""
    page = b"BT /F1 24 Tf 72 720 Td (Don kien nghi) Tj ET"
    fonts = b"<< /Font << /F1 5 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % fonts,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    written, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return written + end % (table, len(written))


def amr(seconds: int = 3) -> bytes:
    """Return a silent AMR narrow-band recording (RFC 4867: 50 frames a second, 12.2 kbit/s)."""
    return b"#!AMR\n" + (b"\x3c" + bytes(31)) * (50 * seconds)


def ogg(seconds: int = 3) -> bytes:
    """Return a silent Opus recording in Ogg pages (RFC 7845: a head, tags, then frames of 20 ms)."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 3) + b"sim" + struct.pack("<I", 0)
    silence = b"\xf8\xff\xfe"
    frames = 50
    pages = [_ogg_page(0, 0, 2, [head]), _ogg_page(1, 0, 0, [tags])]
    pages += [
        _ogg_page(number + 2, (number + 1) * 48000, 4 * (number == seconds - 1), [silence] * frames)
        for number in range(seconds)
    ]
    return b"".join(pages)


def _ogg_page(number: int, granule: int, flags: int, packets: list[bytes]) -> bytes:
    sizes = bytes(len(packet) for packet in packets)
    page = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 1, number, 0, len(sizes)) + sizes + b"".join(packets)
    return page[:22] + struct.pack("<I", _ogg_sum(page)) + page[26:]


def _ogg_sum(page: bytes) -> int:
    # RFC 3533 section 6: polynomial 0x04c11db7, no reflection, no complement.
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def mp4() -> bytes:
    """Return an MP4 container without tracks."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content) + 8) + kind + content

    unity = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    head = bytes(12) + struct.pack(">II", 1000, 3000) + struct.pack(">IH", 0x10000, 0x100) + bytes(10)
    head += unity + bytes(24) + struct.pack(">I", 1)
    return box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + box(b"moov", box(b"mvhd", head)) + box(b"mdat", bytes(2048))


def gif() -> bytes:
    """Return a 16 x 16 picture of two frames that change colour."""
    table = bytes((230, 57, 70, 29, 120, 200, 255, 255, 255, 0, 0, 0))
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    frames = b"".join(
        b"\x21\xf9\x04\0\x32\0\0\0\x2c\0\0\0\0\x10\0\x10\0\0\x02" + _gif_pixels(colour) + b"\0" for colour in (0, 1)
    )
    return b"GIF89a\x10\0\x10\0\xf1\0\0" + table + loop + frames + b";"


def _gif_pixels(colour: int) -> bytes:
    # 3-bit codes; a clear code after each second pixel keeps the code length at 3 bits.
    codes = []
    for _ in range(128):
        codes += [4, colour, colour]
    codes.append(5)
    bits = sum(code << (3 * place) for place, code in enumerate(codes))
    data = bits.to_bytes((len(codes) * 3 + 7) // 8, "little")
    return bytes((len(data),)) + data


def sticker() -> bytes:
    """Return a smiling face, 96 x 96."""
    rows = []
    for y in range(96):
        row = bytearray()
        for x in range(96):
            face = (x - 48) ** 2 + (y - 48) ** 2
            eye = min((x - 34) ** 2, (x - 62) ** 2) + (y - 38) ** 2 < 30
            mouth = 500 < face < 800 and y > 56
            row += bytes((60, 44, 20) if eye or mouth else (255, 205, 70) if face < 1900 else (255, 255, 255))
        rows.append(row)
    return png(rows)


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    **{f"{name}.png": ("image/png", lambda name=name: scene(name)) for name in SCENES},  # type: ignore[misc]  # name is bound now
    "don-kien-nghi.pdf": ("application/pdf", pdf),
    "ghi-am.ogg": ("audio/ogg", ogg),
    "ghi-am.amr": ("audio/amr", amr),
    "doan-phim.mp4": ("video/mp4", mp4),
    "anh-dong.gif": ("image/gif", gif),
    "nhan-dan.png": ("image/png", sticker),
}
