"""Paint the common parts of a village scene: sky, ground, road, houses, trees, grain."""

from collections.abc import Sequence
from functools import cache
from random import Random

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 640, 480
_SCALE = 2  # painted twice as large, so that edges come out smooth
HORIZON = 190

Colour = tuple[int, int, int]
Point = tuple[float, float]

CONCRETE: Colour = (158, 154, 146)
ASPHALT: Colour = (96, 97, 101)
SOIL: Colour = (139, 115, 85)
GRASS: Colour = (112, 142, 74)
WATER: Colour = (104, 128, 132)
STEEL: Colour = (92, 96, 104)
_WALLS: Sequence[Colour] = ((226, 208, 168), (203, 214, 205), (214, 184, 160), (196, 202, 214), (232, 226, 210))
_ROOFS: Sequence[Colour] = ((156, 78, 62), (122, 66, 58), (110, 112, 120))


class Canvas:
    """A picture in 640 x 480 logical points; `light` below 1 is night.

    `rng` makes each place look like itself every time.
    """

    def __init__(self, rng: Random, *, light: float = 1.0) -> None:
        self.rng = rng
        self._light = light
        self._image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE))
        self._draw = ImageDraw.Draw(self._image)
        top, bottom = ((142, 182, 216), (220, 228, 228)) if light == 1 else ((24, 30, 52), (52, 56, 78))
        for y in range(HORIZON):
            self._plain((0, y, WIDTH, y + 1), _mix(top, bottom, y / HORIZON))
        self.box((0, HORIZON, WIDTH, HEIGHT), _varied(rng, GRASS, 10))

    def _plain(self, box: tuple[float, float, float, float], fill: Colour) -> None:
        self._draw.rectangle([v * _SCALE for v in box], fill=fill)

    def _lit(self, colour: Colour) -> Colour:
        red, green, blue = (int(value * self._light) for value in colour)
        return red, green, blue

    def box(self, box: tuple[float, float, float, float], colour: Colour) -> None:
        """Fill a rectangle (left, top, right, bottom)."""
        self._plain(box, self._lit(colour))

    def oval(self, box: tuple[float, float, float, float], colour: Colour) -> None:
        """Fill an ellipse."""
        self._draw.ellipse([v * _SCALE for v in box], fill=self._lit(colour))

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * _SCALE, y * _SCALE) for x, y in points], fill=self._lit(colour))

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """Draw a line through points."""
        scaled = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.line(scaled, fill=self._lit(colour), width=int(width * _SCALE), joint="curve")

    def glow(self, x: float, y: float, radius: float) -> None:
        """Paint the light of a lamp, unaffected by the night."""
        disc = Image.new("L", (64, 64), 0)
        pen = ImageDraw.Draw(disc)
        for step in range(32):
            pen.ellipse([step, step, 63 - step, 63 - step], fill=step * step // 5)
        size = int(radius * 2 * _SCALE)
        mask = disc.resize((size, size))
        place = (int((x - radius) * _SCALE), int((y - radius) * _SCALE))
        self._image.paste((255, 236, 178), place, mask)

    def haze(self, strength: float) -> None:
        """Lay smoke over everything; 0 is none, 1 hides all."""
        grey = Image.new("RGB", self._image.size, (206, 204, 200))
        self._image = Image.blend(self._image, grey, strength)
        self._draw = ImageDraw.Draw(self._image)

    def houses(self) -> None:
        """Put a row of village houses on the horizon."""
        x = -20.0
        while x < WIDTH:
            width, height = self.rng.randint(60, 120), self.rng.randint(40, 95)
            top = HORIZON + 8 - height
            self.box((x, top, x + width, HORIZON + 8), self.rng.choice(_WALLS))
            self.shape(
                [(x - 5, top), (x + width / 2, top - height * 0.35), (x + width + 5, top)], self.rng.choice(_ROOFS)
            )
            self.box((x + width * 0.4, HORIZON - 22, x + width * 0.6, HORIZON + 8), (98, 74, 58))
            self.box((x + width * 0.1, top + 12, x + width * 0.28, top + 28), (120, 146, 160))
            x += width + self.rng.randint(4, 40)

    def road(self, colour: Colour = CONCRETE) -> None:
        """Lead a road from the foreground to the horizon."""
        self.shape([(280, HORIZON + 4), (348, HORIZON + 4), (600, HEIGHT), (30, HEIGHT)], colour)
        for y in (230, 290, 370):
            half = (y - HORIZON) * 0.9 + 34
            self.line([(314 - half, y), (314 + half, y)], _mix(colour, (0, 0, 0), 0.15), 1.2)

    def tree(self, x: float, foot: float, size: float) -> None:
        """Plant a tree with its foot at (x, foot)."""
        self.box((x - size * 0.06, foot - size * 0.6, x + size * 0.06, foot), (104, 82, 60))
        for _ in range(14):
            dx, dy = self.rng.uniform(-0.32, 0.32) * size, self.rng.uniform(-1.0, -0.5) * size
            r = self.rng.uniform(0.12, 0.2) * size
            self.oval((x + dx - r, foot + dy - r, x + dx + r, foot + dy + r), _varied(self.rng, (66, 106, 58), 16))

    def litter(self, around: Point, spread: Point, number: int, colours: Sequence[Colour], size: float) -> None:
        """Scatter small things of given colours around a point."""
        for _ in range(number):
            x = self.rng.gauss(around[0], spread[0])
            y = self.rng.gauss(around[1], spread[1])
            w, h = self.rng.uniform(0.4, 1) * size, self.rng.uniform(0.3, 0.8) * size
            self.oval((x - w, y - h, x + w, y + h), _varied(self.rng, self.rng.choice(colours), 14))

    def finished(self) -> Image.Image:
        """Return the picture in its final size, with the grain of a cheap phone's camera."""
        small = self._image.reduce(_SCALE)
        return Image.blend(small, _grain(), 0.06)


@cache
def _grain() -> Image.Image:
    return Image.effect_noise((WIDTH // 2, HEIGHT // 2), 22).resize((WIDTH, HEIGHT)).convert("RGB")


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (int(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _varied(rng: Random, colour: Colour, by: int) -> Colour:
    shift = rng.randint(-by, by)
    red, green, blue = (max(0, min(255, value + shift)) for value in colour)
    return red, green, blue
