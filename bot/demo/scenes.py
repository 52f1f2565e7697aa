"""Paint what citizens photograph, as it is reported and, with `fixed`, as the officials left it."""

from collections.abc import Callable
from random import Random

from bot.demo.canvas import ASPHALT, CONCRETE, GRASS, HEIGHT, HORIZON, SOIL, STEEL, WATER, WIDTH, Canvas, Colour

_RUBBISH: tuple[Colour, ...] = (
    (226, 226, 220),
    (62, 94, 150),
    (170, 60, 54),
    (58, 58, 60),
    (206, 178, 92),
    (88, 132, 92),
)
_MUD: Colour = (112, 92, 66)


def _street(rng: Random, *, light: float = 1.0) -> Canvas:
    canvas = Canvas(rng, light=light)
    canvas.houses()
    canvas.road()
    canvas.tree(rng.randint(40, 110), rng.randint(250, 300), rng.randint(90, 130))
    return canvas


def road(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a hole in the road full of water, or the patch on it."""
    canvas = _street(rng)
    x, y = rng.randint(250, 360), rng.randint(340, 390)
    if fixed:
        canvas.shape([(x - 105, y - 32), (x + 95, y - 36), (x + 118, y + 38), (x - 120, y + 34)], ASPHALT)
        canvas.litter((x, y), (60, 16), 60, ((112, 112, 116), (80, 80, 84)), 3)
        return canvas
    canvas.litter((x, y), (62, 20), 40, (_MUD, SOIL, (120, 116, 108)), 16)
    canvas.oval((x - 92, y - 28, x + 92, y + 28), _MUD)
    canvas.oval((x - 70, y - 16, x + 66, y + 18), (150, 160, 162))
    for dx in (-130, 120):
        canvas.line([(x + dx, y - 40), (x + dx * 0.8, y), (x + dx * 1.1, y + 46)], (104, 100, 94), 2)
    return canvas


def manhole(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a manhole without its cover, or with a new one."""
    canvas = _street(rng)
    x, y = rng.randint(270, 350), rng.randint(350, 390)
    canvas.oval((x - 88, y - 40, x + 88, y + 40), (128, 124, 116))
    canvas.oval((x - 74, y - 33, x + 74, y + 33), STEEL if fixed else (22, 22, 24))
    if fixed:
        for dx in range(-54, 60, 18):
            canvas.line([(x + dx, y - 22), (x + dx, y + 22)], (70, 72, 78), 3)
    else:
        canvas.shape([(x - 60, y + 18), (x - 8, y - 70), (x, y - 66), (x - 44, y + 24)], (120, 90, 60))
    return canvas


def sign(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a road sign behind branches, or standing free."""
    canvas = _street(rng)
    x = rng.randint(470, 510)
    canvas.box((x - 4, 150, x + 4, 360), STEEL)
    canvas.shape([(x, 92), (x + 52, 178), (x - 52, 178)], (196, 44, 40))
    canvas.shape([(x, 114), (x + 34, 168), (x - 34, 168)], (246, 214, 92))
    canvas.box((x - 3, 126, x + 3, 162), (30, 30, 30))
    if not fixed:
        canvas.litter((x, 150), (42, 40), 120, ((66, 106, 58), (82, 124, 66), (54, 90, 50)), 20)
    return canvas


def pavement(rng: Random, *, fixed: bool) -> Canvas:
    """Paint stalls that stand in the road, or kept behind a painted line."""
    canvas = _street(rng)
    for number in range(3):
        x = (40 if fixed else 110) + number * (58 if fixed else 92)
        y = 400 - number * 62
        canvas.box((x, y - 44, x + 90, y), (150, 112, 72))
        canvas.shape(
            [(x - 14, y - 84), (x + 104, y - 84), (x + 92, y - 66), (x - 2, y - 66)], (206, 84, 60 + number * 60)
        )
        canvas.litter((x + 45, y - 48), (24, 4), 26, ((206, 60, 48), (92, 150, 60), (236, 190, 70)), 9)
    if fixed:
        canvas.line([(190, HEIGHT), (296, HORIZON + 20)], (244, 244, 240), 5)
    return canvas


def bridge(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a small bridge over a canal whose railing is broken, or whole."""
    canvas = Canvas(rng)
    canvas.houses()
    canvas.box((0, 300, WIDTH, HEIGHT), WATER)
    canvas.box((0, 290, WIDTH, 352), CONCRETE)
    canvas.box((0, 346, WIDTH, 358), (116, 112, 104))
    posts = range(20, WIDTH, 62)
    for number, x in enumerate(posts):
        if fixed or number not in {4, 5, 6}:
            canvas.box((x, 228, x + 9, 296), (198, 194, 186))
    gaps = [(0, WIDTH)] if fixed else [(0, 260), (420, WIDTH)]
    for left, right in gaps:
        for y in (236, 262):
            canvas.box((left, y, right, y + 8), (210, 206, 198))
    if not fixed:
        canvas.line([(258, 240), (318, 300)], (210, 206, 198), 7)
    return canvas


def lamp(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a lane at night, dark or under new lamps."""
    canvas = _street(rng, light=0.62 if fixed else 0.3)
    for number, x in enumerate((120, 205, 255)):
        top = 66 + number * 44
        canvas.box((x, top, x + 6 - number, 440 - number * 80), (150, 150, 156))
        canvas.line([(x, top), (x + 44 - number * 10, top - 8)], (150, 150, 156), 4 - number)
        if fixed:
            canvas.glow(x + 44 - number * 10, top, 120 - number * 34)
    return canvas


def water(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a bucket of tap water, muddy or clear."""
    canvas = Canvas(rng)
    canvas.box((0, 0, WIDTH, HEIGHT), (188, 190, 188))
    for x in range(0, WIDTH, 64):
        canvas.line([(x, 0), (x, HEIGHT)], (164, 166, 164), 2)
    for y in range(0, HEIGHT, 64):
        canvas.line([(0, y), (WIDTH, y)], (164, 166, 164), 2)
    canvas.shape([(170, 190), (470, 190), (430, 450), (210, 450)], (44, 96, 168))
    canvas.oval((164, 150, 476, 232), (60, 116, 190))
    canvas.oval((182, 162, 458, 222), (192, 214, 220) if fixed else (168, 148, 104))
    if not fixed:
        canvas.litter((320, 194), (70, 12), 50, ((146, 122, 78), (184, 166, 124)), 5)
    canvas.box((300, 0, 322, 60), STEEL)
    canvas.shape([(302, 60), (320, 60), (326, 170), (296, 170)], (206, 220, 224) if fixed else (178, 160, 120))
    return canvas


def cable(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a cable that hangs low over a gate, or drawn tight."""
    canvas = _street(rng)
    for x in (70, 560):
        canvas.box((x, 40, x + 16, 380), (170, 166, 158))
    low = 84 if fixed else 300
    for offset in (0, 14, 26):
        points = [(78 + step * 24.5, 60 + offset + (low - 60) * (1 - (step / 10 - 1) ** 2)) for step in range(21)]
        canvas.line(points, (34, 34, 38), 3)
    canvas.box((240, 250, 400, 258), (64, 110, 160))
    for x in range(244, 400, 18):
        canvas.box((x, 258, x + 5, 330), (64, 110, 160))
    return canvas


def pipe(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a broken pipe flooding a lane, or the trench filled again."""
    canvas = _street(rng)
    if fixed:
        canvas.shape([(150, 352), (430, 330), (450, 372), (140, 398)], (132, 128, 120))
        canvas.litter((300, 362), (80, 12), 50, ((150, 146, 138), (112, 108, 100)), 4)
        return canvas
    canvas.oval((90, 330, 560, 450), (140, 148, 146))
    canvas.oval((240, 340, 380, 400), _MUD)
    canvas.line([(210, 372), (300, 366)], (40, 60, 110), 14)
    canvas.line([(322, 366), (410, 360)], (40, 60, 110), 14)
    for _ in range(26):
        end = (311 + rng.uniform(-70, 70), rng.uniform(170, 330))
        canvas.line([(311, 366), (311 + (end[0] - 311) * 0.4, end[1]), end], (206, 222, 228), 2.4)
    return canvas


def rubbish(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a heap of rubbish beside a field road, or the place swept and limed."""
    canvas = Canvas(rng)
    canvas.tree(540, 260, 110)
    canvas.road(SOIL)
    if fixed:
        canvas.oval((330, 330, 600, 410), (214, 212, 202))
        canvas.box((470, 230, 478, 350), STEEL)
        canvas.box((420, 190, 528, 246), (238, 232, 216))
        canvas.box((430, 206, 518, 212), (190, 50, 44))
        canvas.box((430, 222, 500, 227), (60, 60, 60))
        return canvas
    canvas.oval((280, 300, 640, 440), (92, 84, 70))
    canvas.litter((450, 350), (76, 34), 260, _RUBBISH, 15)
    return canvas


def smoke(rng: Random, *, fixed: bool) -> Canvas:
    """Paint straw burning beside a road, or the field after it."""
    canvas = Canvas(rng)
    canvas.box((0, HORIZON, WIDTH, HEIGHT), (196, 172, 96))
    for y in range(HORIZON + 12, HEIGHT, 22):
        canvas.line([(0, y), (WIDTH, y + rng.randint(-6, 6))], (172, 148, 80), 3)
    canvas.road(ASPHALT)
    if fixed:
        canvas.litter((130, 330), (60, 20), 40, ((150, 132, 78), (128, 112, 68)), 12)
        return canvas
    canvas.litter((140, 340), (46, 14), 40, ((40, 34, 30), (222, 110, 40), (70, 60, 50)), 12)
    canvas.litter((220, 210), (130, 60), 90, ((196, 194, 190), (176, 174, 172), (212, 210, 206)), 52)
    canvas.haze(0.45)
    return canvas


def ditch(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a ditch choked with weed and waste, or dredged."""
    canvas = Canvas(rng)
    canvas.houses()
    canvas.shape([(290, HORIZON + 6), (350, HORIZON + 6), (520, HEIGHT), (120, HEIGHT)], (128, 122, 110))
    canvas.shape(
        [(300, HORIZON + 10), (340, HORIZON + 10), (470, HEIGHT), (170, HEIGHT)], WATER if fixed else (58, 62, 48)
    )
    if not fixed:
        canvas.litter((320, 380), (60, 50), 170, ((76, 116, 56), (94, 134, 66), (58, 92, 48)), 14)
        canvas.litter((320, 400), (46, 36), 40, _RUBBISH, 9)
    return canvas


def pond(rng: Random, *, fixed: bool) -> Canvas:
    """Paint a pond full of dead fish, or clean."""
    canvas = Canvas(rng)
    canvas.houses()
    canvas.tree(80, 240, 120)
    canvas.oval((-60, 230, 720, 520), (96, 128, 126) if fixed else (62, 84, 62))
    if not fixed:
        for _ in range(70):
            x, y = rng.uniform(60, 600), rng.uniform(270, 460)
            canvas.oval((x - 15, y - 4, x + 15, y + 4), (214, 218, 214))
            canvas.shape([(x + 13, y), (x + 23, y - 5), (x + 23, y + 5)], (188, 194, 190))
    return canvas


def building(rng: Random, *, fixed: bool) -> Canvas:
    """Paint foundations built into a canal, or the bank cleared."""
    canvas = Canvas(rng)
    canvas.houses()
    canvas.shape([(0, 330), (WIDTH, 270), (WIDTH, 340), (0, 430)], WATER)
    if fixed:
        canvas.shape([(180, 300), (500, 276), (500, 292), (180, 318)], GRASS)
        return canvas
    canvas.shape([(180, 250), (500, 226), (520, 330), (190, 372)], (150, 140, 126))
    for number in range(5):
        x = 205 + number * 66
        canvas.box((x, 160 - number * 3, x + 16, 340 - number * 10), (176, 104, 78))
        for rod in range(3):
            canvas.line([(x + 3 + rod * 5, 160), (x + 3 + rod * 5, 132)], (90, 62, 50), 1.6)
    canvas.litter((120, 430), (50, 18), 80, ((188, 96, 70), (170, 84, 62)), 9)
    return canvas


SCENES: dict[str, Callable[..., Canvas]] = {
    scene.__name__: scene
    for scene in (
        road,
        manhole,
        sign,
        pavement,
        bridge,
        lamp,
        water,
        cable,
        pipe,
        rubbish,
        smoke,
        ditch,
        pond,
        building,
    )
}
