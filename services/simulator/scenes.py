"""What lies under the sky? One function per scene, each painting from far to near."""

from math import sin, tau
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from simulator.brushes import (
    Size,
    curve,
    disc,
    fade,
    fill_below,
    glow,
    gradient,
    noise,
    ridge,
)
from simulator.palettes import Colour, Palette, mix


def peaks(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """Mountain behind mountain, each darker than the one before, mist in the valleys."""
    height = image.height
    layers = rng.randint(4, 6)
    for layer in range(layers):
        share = layer / (layers - 1)
        tone = mix(palette.far, palette.near, share**1.15)
        base = horizon + (height - horizon) * (0.05 + 0.62 * share)
        tall = (height - horizon) * (0.62 - 0.34 * share) * rng.uniform(0.8, 1.15)
        line = ridge(rng, 257, 0.5 + 0.06 * (1 - share))
        mist = mix(tone, palette.sky[-1], 0.42 * (1 - share))
        fill_below(image, [base - tall * y for y in line], (tone, mist, mist))


def dunes(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """Long smooth waves of sand, lit along their edges."""
    height = image.height
    layers = 6
    for layer in range(layers):
        share = layer / (layers - 1)
        tone = mix(palette.far, palette.near, share * 0.85)
        base = horizon + (height - horizon) * share * 0.75
        phase, waves = rng.random(), rng.uniform(0.6, 1.3)
        tall = height * (0.03 + 0.06 * share)
        line = [
            base + tall * (sin(tau * (x / 64 * waves + phase)) + 0.3 * sin(tau * x / 64 * 2.3))
            for x in range(65)
        ]
        lit = mix(tone, palette.light, 0.35 * (1 - share))
        fill_below(image, line, (lit, tone, mix(tone, palette.near, 0.4)))


def forest(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """Hills full of pines that stand out of the haze."""
    width, height = image.size
    layers = 5
    for layer in range(layers):
        share = layer / (layers - 1)
        tone = mix(palette.far, palette.near, share)
        base = horizon + (height - horizon) * (0.02 + 0.78 * share)
        line = [base - height * (0.16 - 0.06 * share) * y for y in ridge(rng, 65, 0.42)]
        tall = height * (0.045 + 0.15 * share)
        trees = [(rng.random(), rng.uniform(0.6, 1.15)) for _ in range(int(70 - 44 * share))]

        def pines(
            draw: ImageDraw.ImageDraw,
            top: int,
            trees: list[tuple[float, float]] = trees,
            line: list[float] = line,
            tall: float = tall,
        ) -> None:
            for place, scale in trees:
                foot = line[min(len(line) - 1, int(place * len(line)))] + tall * 0.2
                _pine(draw, place * width * 2, (foot - top) * 2, tall * scale * 2)

        mist = mix(tone, palette.sky[-1], 0.5 * (1 - share))
        fill_below(image, line, (tone, tone, mist), pines, headroom=int(tall * 1.2))


def _pine(draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float) -> None:
    tiers = 6
    for tier in range(tiers):
        top = foot - tall * (1 - tier * 0.13)
        wide = tall * (0.05 + 0.032 * tier)
        low = top + tall * 0.28
        draw.polygon([(x, top), (x - wide, low), (x, low - tall * 0.05), (x + wide, low)], fill=255)
    draw.rectangle((x - tall * 0.012, foot - tall * 0.1, x + tall * 0.012, foot + 2), fill=255)


def city(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """Rows of towers; in the near ones the lights are on."""
    height = image.height
    lamp = mix(palette.light, (255, 196, 92), 0.6)
    for layer in range(4):
        share = layer / 3
        tone = mix(palette.far, palette.near, 0.15 + 0.85 * share)
        ground = horizon + (height - horizon) * (0.25 + 0.6 * share)
        line: list[float] = []
        towers: list[tuple[int, int, int]] = []
        while len(line) < 192:
            wide = rng.randint(6, 15)
            tall = height * rng.uniform(0.08, 0.34 - 0.1 * share) * (0.8 + 0.5 * rng.random())
            towers.append((len(line), min(191, len(line) + wide), int(ground - tall)))
            line += [ground - tall] * wide
            if rng.random() < 0.25:
                line[-wide // 2] -= height * rng.uniform(0.02, 0.07)  # a mast
        mist = mix(tone, palette.sky[-1], 0.35 * (1 - share))
        fill_below(image, line[:192], (tone, tone, mist))
        if layer:
            _windows(image, rng, towers, int(ground), lamp, tone, 0.35 + 0.65 * share)


def _windows(
    image: Image.Image,
    rng: Random,
    towers: list[tuple[int, int, int]],
    ground: int,
    lamp: Colour,
    wall: Colour,
    bright: float,
) -> None:
    draw = ImageDraw.Draw(image)
    unit = max(2, image.width // 256)
    for left, right, top in towers:
        lit = rng.uniform(0.1, 0.5)
        start = int(left * image.width / 191) + unit * 2
        for x in range(start, int(right * image.width / 191) - unit * 2, unit * 3):
            for y in range(top + unit * 3, min(ground + unit * 30, image.height), unit * 4):
                if rng.random() < lit:
                    tone = mix(wall, lamp, bright * rng.uniform(0.45, 1.0))
                    draw.rectangle((x, y, x + unit - 1, y + unit * 2 - 1), fill=tone)


def sea(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """Water that mirrors the sky, with the light lying on it in strokes."""
    width, height = image.size
    _far_shore(image, rng, palette, horizon)
    depth = height - horizon
    mirror = image.crop((0, max(0, horizon - depth), width, horizon))
    mirror = mirror.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, depth))
    mirror = mirror.resize((width, max(1, depth // 14))).resize(
        (width, depth), Image.Resampling.BICUBIC
    )
    deep = gradient((width, depth), (mix(palette.far, palette.near, 0.35), palette.near))
    water = Image.composite(deep, mirror, fade((width, depth), 60, 190))
    swell = noise(rng, (width // 2, max(1, depth // 2)), (3, 24), 3).point(curve(96, 190, 90))
    swell = ImageChops.multiply(swell.resize((width, depth)), fade((width, depth), 110, 255))
    water.paste(Image.new("RGB", water.size, palette.near), (0, 0), swell)
    image.paste(water, (0, horizon))
    _glitter(image, rng, palette, horizon, sun)
    if rng.random() < 0.6:
        _sailboat(image, rng, palette, horizon)


def _far_shore(image: Image.Image, rng: Random, palette: Palette, horizon: int) -> None:
    height = image.height
    tone = mix(palette.far, palette.near, 0.25)
    for layer in range(2):
        slope = ridge(rng, 129, 0.5)
        reach = rng.uniform(0.03, 0.09)
        side = rng.choice((1, -1))
        line = []
        for index, y in enumerate(slope):
            place = index / 128 if side > 0 else 1 - index / 128
            rise = max(0.0, 1 - place * rng.uniform(1.55, 1.65))
            line.append(horizon + 1 - height * reach * (0.35 + 0.65 * y) * rise)
        fill_below(image, line, (mix(tone, palette.near, 0.25 * layer), tone))


def _glitter(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    width, height = image.size
    depth = height - horizon
    strokes = Image.new("L", (width, depth))
    draw = ImageDraw.Draw(strokes)
    for _ in range(900):
        down = rng.random() ** 1.6
        y = int(down * depth)
        spread = width * (0.02 + 0.13 * down)
        x = rng.gauss(sun[0], spread)
        long = width * (0.006 + 0.035 * down) * rng.uniform(0.4, 1.3)
        tone = int(rng.uniform(70, 235) * (1 - 0.55 * down))
        thick = max(1, int(height / 420 * (0.4 + 1.6 * down)))
        draw.line((x - long, y, x + long, y), fill=tone, width=thick)
    strokes = strokes.filter(ImageFilter.GaussianBlur(max(0.6, height / 1100)))
    light = Image.new("RGB", strokes.size, mix(palette.light, palette.sky[-1], 0.3))
    image.paste(light, (0, horizon), strokes)


def _sailboat(image: Image.Image, rng: Random, palette: Palette, horizon: int) -> None:
    width, height = image.size
    tall = int(height * rng.uniform(0.06, 0.11))
    x, y = int(width * rng.uniform(0.15, 0.85)), horizon + int(height * rng.uniform(0.03, 0.09))
    scale = 4
    tile = Image.new("L", (tall * scale, tall * scale))
    draw = ImageDraw.Draw(tile)
    side = tall * scale
    hull = [(0.18, 0.86), (0.84, 0.86), (0.72, 0.98), (0.3, 0.98)]
    for shape in (
        hull,
        [(0.5, 0.04), (0.5, 0.8), (0.86, 0.8)],
        [(0.46, 0.16), (0.46, 0.8), (0.2, 0.8)],
    ):
        draw.polygon([(a * side, b * side) for a, b in shape], fill=255)
    mask = tile.reduce(scale)
    tone = mix(palette.near, (0, 0, 0), 0.3)
    image.paste(Image.new("RGB", mask.size, tone), (x, y - tall), mask)
    shadow = mask.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((tall, max(1, tall // 2)))
    image.paste(Image.new("RGB", shadow.size, tone), (x, y), shadow.point(lambda v: v // 3))


def space(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """A nebula and a planet, lit from one side."""
    width, height = image.size
    small = (max(1, width // 4), max(1, height // 4))
    for tint in (palette.cloud, (214, 84, 140), (60, 130, 210)):
        cloud = noise(rng, small, (3, 3), 5).point(curve(128, 225, 190)).resize(image.size)
        image.paste(Image.new("RGB", image.size, tint), (0, 0), cloud)
    stars(image, rng, 0.8)
    radius = int(min(width, height) * rng.uniform(0.16, 0.26))
    centre = (int(width * rng.uniform(0.3, 0.7)), int(height * rng.uniform(0.4, 0.62)))
    glow(image, centre, int(radius * 1.7), mix(palette.light, (120, 150, 255), 0.6), 0.8)
    base = rng.choice(((220, 150, 96), (90, 140, 190), (180, 110, 160), (120, 170, 140)))
    bands = [
        mix(base, rng.choice(((255, 240, 220), (30, 20, 50))), rng.uniform(0, 0.45))
        for _ in range(12)
    ]
    ball = gradient((radius * 2, radius * 2), bands)
    corner = int(radius * 1.8)  # the lit side is up and to the left
    shade = Image.radial_gradient("L").resize((radius * 4, radius * 4)).point(curve(40, 225, 252))
    shade = shade.crop((corner, corner, corner + radius * 2, corner + radius * 2))
    ball.paste(Image.new("RGB", ball.size, (4, 3, 12)), (0, 0), shade)
    disc(image, centre, radius, ball)


def stars(image: Image.Image, rng: Random, reach: float) -> None:
    """Points of light in the upper `reach` of the picture, a few of them shining."""
    width, height = image.size
    draw = ImageDraw.Draw(image)
    for _ in range(width * height // 2600):
        x, y = rng.randrange(width), int(height * reach * rng.random() ** 1.3)
        bright = rng.random() ** 3
        red, green, blue = image.getpixel((x, y))  # type: ignore[misc]
        tone = mix((int(red), int(green), int(blue)), (255, 250, 240), 0.25 + 0.75 * bright)
        dot = max(1, round(min(width, height) / 700 * (0.6 + bright)))
        draw.ellipse((x, y, x + dot - 1, y + dot - 1), fill=tone)
        if bright > 0.9:
            glow(image, (x, y), dot * 6, (220, 230, 255), 0.5)
