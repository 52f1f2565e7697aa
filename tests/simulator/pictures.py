"""Built-in sample photos: scenes a citizen would report, painted in pure Python and written as PNG."""

import struct
import zlib
from collections.abc import Callable
from functools import cache

WIDTH, HEIGHT = 640, 480
Colour = tuple[int, int, int]


class Canvas:
    """A picture to paint spans of colour on."""

    def __init__(self) -> None:
        self.rows = [bytearray(WIDTH * 3) for _ in range(HEIGHT)]

    def span(self, y: int, left: float, right: float, colour: Colour) -> None:
        """Paint one row from left to right."""
        first, last = max(0, round(left)), min(WIDTH, round(right))
        if 0 <= y < HEIGHT and first < last:
            self.rows[y][first * 3 : last * 3] = bytes(colour) * (last - first)

    def fade(self, top: int, bottom: int, above: Colour, below: Colour) -> None:
        """Paint full rows from one colour to another."""
        for y in range(top, bottom):
            part = (y - top) / max(1, bottom - top)
            red, green, blue = (round(a + (b - a) * part) for a, b in zip(above, below, strict=True))
            self.span(y, 0, WIDTH, (red, green, blue))

    def box(self, left: float, top: int, right: float, bottom: int, colour: Colour) -> None:
        """Paint a rectangle."""
        for y in range(top, bottom):
            self.span(y, left, right, colour)

    def disc(self, x: float, y: float, across: float, down: float, colour: Colour) -> None:
        """Paint an ellipse by its centre and half axes."""
        for row in range(round(y - down), round(y + down) + 1):
            reach = 1 - ((row - y) / down) ** 2
            if reach > 0:
                self.span(row, x - across * reach**0.5, x + across * reach**0.5, colour)

    def slope(self, top: int, bottom: int, above: tuple[float, float], below: tuple[float, float], ink: Colour) -> None:
        """Paint a four-sided shape whose upper and lower edges are level."""
        for y in range(top, bottom):
            part = (y - top) / max(1, bottom - top)
            left = above[0] + (below[0] - above[0]) * part
            right = above[1] + (below[1] - above[1]) * part
            self.span(y, left, right, ink)


def _street(canvas: Canvas, above: Colour = (120, 178, 224), below: Colour = (214, 232, 240)) -> None:
    canvas.fade(0, 230, above, below)
    for left, top, right, wall in (
        (0, 90, 120, (214, 178, 130)),
        (120, 60, 215, (196, 205, 212)),
        (430, 70, 530, (226, 206, 158)),
        (530, 110, 640, (176, 196, 176)),
    ):
        canvas.box(left, top, right, 260, wall)
        canvas.box(left, top, right, top + 12, (150, 84, 66))
        for x in range(left + 16, right - 24, 36):
            for y in range(top + 34, 225, 48):
                canvas.box(x, y, x + 20, y + 28, (92, 118, 138))
    canvas.box(0, 230, WIDTH, HEIGHT, (150, 160, 132))
    canvas.slope(230, HEIGHT, (250, 390), (40, 600), (98, 100, 106))
    for top, bottom in ((250, 275), (300, 335), (365, 415), (445, 480)):
        width = (top - 220) / 40
        canvas.slope(top, bottom, (320 - width, 320 + width), (320 - width * 1.3, 320 + width * 1.3), (232, 228, 206))


def _pothole(canvas: Canvas) -> None:
    _street(canvas)
    canvas.disc(345, 395, 130, 38, (70, 66, 62))
    canvas.disc(345, 400, 112, 28, (112, 92, 70))
    canvas.disc(330, 404, 78, 15, (136, 116, 92))
    canvas.disc(300, 400, 26, 5, (186, 196, 200))


def _rubbish(canvas: Canvas) -> None:
    _street(canvas)
    bags = ((150, 400, 70, (44, 48, 56)), (230, 415, 62, (62, 104, 74)), (95, 425, 58, (60, 62, 70)))
    for x, y, size, colour in (*bags, (190, 360, 52, (188, 72, 60)), (285, 440, 48, (40, 44, 50))):
        canvas.disc(x, y, size, size * 0.8, colour)
        canvas.disc(x - size / 4, y - size / 3, size / 4, size / 6, (min(colour[0] + 50, 255), 120, 124))
        canvas.disc(x, y - size * 0.8, size / 7, size / 5, colour)
    canvas.box(340, 430, 420, 470, (198, 160, 104))
    canvas.box(340, 446, 420, 450, (150, 116, 72))


def _dark_lamp(canvas: Canvas) -> None:
    canvas.fade(0, 300, (18, 24, 52), (58, 62, 96))
    for x, y in ((60, 50), (180, 90), (300, 40), (520, 70), (600, 130), (420, 120)):
        canvas.disc(x, y, 2.5, 2.5, (230, 230, 210))
    canvas.box(0, 180, 170, 330, (38, 38, 56))
    canvas.box(470, 150, 640, 330, (44, 42, 60))
    canvas.box(505, 200, 530, 230, (228, 190, 104))
    canvas.box(0, 300, WIDTH, HEIGHT, (34, 36, 48))
    canvas.slope(290, HEIGHT, (270, 370), (60, 580), (46, 48, 58))
    canvas.box(316, 90, 326, 400, (116, 120, 130))
    canvas.box(326, 90, 420, 98, (116, 120, 130))
    canvas.slope(98, 120, (392, 428), (384, 436), (84, 88, 98))
    canvas.disc(321, 402, 22, 7, (90, 92, 100))


def _flood(canvas: Canvas) -> None:
    _street(canvas, (128, 138, 150), (190, 196, 200))
    canvas.fade(290, HEIGHT, (138, 122, 96), (108, 94, 72))
    for y in range(300, HEIGHT, 26):
        for x in range(y % 90, WIDTH, 150):
            canvas.disc(x, y, 46, 3, (170, 156, 128))
    canvas.box(380, 270, 520, 330, (184, 44, 48))
    canvas.slope(232, 270, (412, 490), (390, 512), (150, 36, 42))
    canvas.slope(240, 266, (420, 482), (406, 498), (150, 190, 206))
    canvas.fade(322, 334, (150, 134, 108), (138, 122, 96))


def _fallen_tree(canvas: Canvas) -> None:
    _street(canvas)
    canvas.slope(352, 386, (70, 470), (60, 470), (108, 76, 50))
    canvas.disc(62, 369, 16, 20, (196, 160, 116))
    leaves = ((470, 350, 80), (540, 330, 70), (560, 385, 76), (480, 400, 66), (430, 372, 54))
    for x, y, size in leaves:
        canvas.disc(x, y, size, size * 0.7, (52, 118, 62))
    for x, y, size in leaves:
        canvas.disc(x - 14, y - 12, size * 0.5, size * 0.35, (86, 152, 84))


def _paddy(canvas: Canvas) -> None:
    canvas.fade(0, 200, (90, 160, 220), (224, 238, 242))
    canvas.disc(520, 80, 40, 40, (250, 226, 140))
    canvas.slope(140, 210, (60, 130), (-80, 300), (108, 140, 150))
    canvas.slope(150, 210, (330, 420), (200, 640), (124, 152, 156))
    canvas.fade(200, HEIGHT, (148, 190, 92), (84, 146, 60))
    for y in range(210, HEIGHT, 22):
        canvas.box(0, y, WIDTH, y + max(2, (y - 200) // 40), (112, 170, 74))
    canvas.slope(204, HEIGHT, (318, 326), (180, 330), (176, 150, 112))


SCENES: dict[str, Callable[[Canvas], None]] = {
    "duong-hong": _pothole,
    "bai-rac": _rubbish,
    "den-hong": _dark_lamp,
    "ngap-nuoc": _flood,
    "cay-do": _fallen_tree,
    "canh-dong": _paddy,
}


@cache
def scene(name: str) -> bytes:
    """Return the named scene as PNG bytes (640 x 480), with a place in its EXIF as phones leave it there."""
    canvas = Canvas()
    SCENES[name](canvas)
    return png(canvas.rows, exif=_exif(20.8573, 105.7684))


def png(rows: list[bytearray], *, exif: bytes = b"") -> bytes:
    """Write rows of RGB bytes as a PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 6)
    place = chunk(b"eXIf", exif) if exif else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + place + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _exif(latitude: float, longitude: float) -> bytes:
    """Return a TIFF block with one GPS directory (EXIF 2.3, section 4.6.6)."""
    gps_at, values_at = 26, 26 + 2 + 4 * 12 + 4

    def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack(">HHI", tag, kind, count) + value.ljust(4, b"\0")

    def degrees(value: float) -> bytes:
        minutes = value % 1 * 60
        return struct.pack(">6I", int(value), 1, int(minutes), 1, round(minutes % 1 * 6000), 100)

    first = struct.pack(">H", 1) + entry(0x8825, 4, 1, struct.pack(">I", gps_at)) + struct.pack(">I", 0)
    gps = struct.pack(">H", 4)
    gps += entry(1, 2, 2, b"N\0") + entry(2, 5, 3, struct.pack(">I", values_at))
    gps += entry(3, 2, 2, b"E\0") + entry(4, 5, 3, struct.pack(">I", values_at + 24)) + struct.pack(">I", 0)
    return struct.pack(">2sHI", b"MM", 42, 8) + first + gps + degrees(latitude) + degrees(longitude)
