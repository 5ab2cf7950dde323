"""What is painted where no landscape was asked for? Silk, lights, prints and arches."""

from math import cos, pi, sin, tau
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from simulator.brushes import Size, curve, fade, fill_below, glow, gradient, noise
from simulator.palettes import Colour, Palette, mix

SCALE = 2  # shapes are drawn twice as large and made smaller: smooth edges


def silk(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """Folds of cloth, one over the other, with light along their edges."""
    height = image.height
    tones = [*palette.sky, palette.far, palette.near]
    layers = rng.randint(7, 10)
    tilt, swing = rng.uniform(-0.25, 0.25), rng.uniform(0.09, 0.17)
    phases = [rng.random() for _ in range(3)]
    for layer in range(layers):
        share = layer / (layers - 1)
        place = share * (len(tones) - 1)
        step = min(int(place), len(tones) - 2)
        tone = mix(tones[step], tones[step + 1], place - step)
        drift = share * rng.uniform(0.5, 0.7)
        line = []
        for x in range(129):
            along = x / 128
            wave = sin(tau * (along * 0.8 + phases[0] + drift))
            wave += 0.5 * sin(tau * (along * 1.7 + phases[1] - drift * 1.4))
            wave += 0.22 * sin(tau * (along * 3.1 + phases[2] + drift))
            line.append(height * (0.02 + 0.86 * share + swing * wave + tilt * (along - 0.5)))
        lit, shade = mix(tone, palette.light, 0.42), mix(tone, palette.near, 0.35)
        shadow = [y - height * 0.022 for y in line]
        _veil(image, shadow, palette.near, 34)
        fill_below(image, line, (lit, tone, tone, shade, shade))


def _veil(image: Image.Image, line: list[float], tone: Colour, most: int) -> None:
    """A soft shadow above the edge of a fold."""
    width, height = image.size
    small = (max(2, width // 4), max(2, height // 4))
    mask = Image.new("L", small)
    step = small[0] / (len(line) - 1)
    shape = [(index * step, y / 4) for index, y in enumerate(line)]
    ImageDraw.Draw(mask).polygon([*shape, small, (0, small[1])], fill=most)
    mask = mask.filter(ImageFilter.GaussianBlur(max(1.0, min(small) / 26))).resize(image.size)
    image.paste(tone, (0, 0, width, height), mask)


def orbs(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """Lights out of focus, near and far."""
    width, height = image.size
    short = min(width, height)
    image.paste(gradient(image.size, (palette.near, mix(palette.far, palette.near, 0.5))))
    haze = noise(rng, (max(1, width // 4), max(1, height // 4)), (3, 3), 4)
    haze = haze.point(curve(110, 220, 150)).resize(image.size)
    image.paste(Image.new("RGB", image.size, mix(palette.sky[1], palette.near, 0.3)), (0, 0), haze)
    tints = [*palette.sky[-3:], palette.light, palette.cloud]
    for depth in range(3):
        layer = Image.new("RGB", image.size)
        for _ in range(16 - depth * 3):
            radius = max(4, int(short * rng.uniform(0.03, 0.075) * (1 + depth * 0.8)))
            x, y = rng.randrange(width), int(height * (0.5 + rng.gauss(0, 0.24)))
            _orb(layer, (x, y), radius, rng.choice(tints), rng.uniform(0.4, 0.9))
        blur = short * (0.012 - 0.004 * depth)
        image.paste(ImageChops.screen(image, layer.filter(ImageFilter.GaussianBlur(blur))))
    glow(image, sun, int(short * 0.7), palette.light, 0.35)


def _orb(layer: Image.Image, centre: Size, radius: int, tint: Colour, strength: float) -> None:
    disc = Image.new("L", (radius * 4, radius * 4))
    draw = ImageDraw.Draw(disc)
    edge = max(2, radius // 8)
    box = (2, 2, radius * 4 - 3, radius * 4 - 3)
    draw.ellipse(box, fill=round(160 * strength), outline=round(255 * strength), width=edge)
    mask = disc.resize((radius * 2, radius * 2), Image.Resampling.BOX)
    light = Image.merge("RGB", [mask.point(lambda v, c=c: v * c // 255) for c in tint])
    box = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
    layer.paste(ImageChops.screen(layer.crop(box), light), box[:2])


def print_(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """A poster of circles, quarters and bars on a grid, in the palette's flat colours."""
    width, height = image.size
    paper = mix(palette.light, palette.cloud, 0.2)
    inks = [palette.near, palette.far, *palette.sky[1:-1], mix(palette.far, palette.near, 0.5)]
    across = rng.choice((3, 4)) if width <= height else rng.choice((4, 5, 6))
    cell = width * SCALE / across
    down = max(1, round(height * SCALE / cell))
    tall = height * SCALE / down
    sheet = Image.new("RGB", (width * SCALE, height * SCALE), paper)
    draw = ImageDraw.Draw(sheet)
    for row in range(down):
        for column in range(across):
            left, top = column * cell, row * tall
            box = (round(left), round(top), round(left + cell), round(top + tall))
            ground, ink = rng.sample([*inks, paper], 2)
            draw.rectangle(box, fill=ground)
            rng.choice(TILES)(draw, rng, box, ink, rng.choice(inks))
    image.paste(sheet.reduce(SCALE))


Box = tuple[int, int, int, int]


def _ring(draw: ImageDraw.ImageDraw, rng: Random, box: Box, ink: Colour, other: Colour) -> None:
    left, top, right, bottom = box
    for share, tone in ((0.08, ink), (0.26, other)):
        inset = ((right - left) * share, (bottom - top) * share)
        shape = (left + inset[0], top + inset[1], right - inset[0], bottom - inset[1])
        draw.ellipse(shape, fill=tone)


def _quarter(draw: ImageDraw.ImageDraw, rng: Random, box: Box, ink: Colour, other: Colour) -> None:
    left, top, right, bottom = box
    wide, tall = right - left, bottom - top
    corner = rng.choice(((left, top), (right, top), (left, bottom), (right, bottom)))
    for share, tone in ((1.0, ink), (0.55, other)):
        x, y = wide * share, tall * share
        start = {(0, 0): 0, (1, 0): 90, (1, 1): 180, (0, 1): 270}
        turn = start[int(corner[0] == right), int(corner[1] == bottom)]
        shape = (corner[0] - x, corner[1] - y, corner[0] + x, corner[1] + y)
        draw.pieslice(shape, turn, turn + 90, fill=tone)


def _bars(draw: ImageDraw.ImageDraw, rng: Random, box: Box, ink: Colour, other: Colour) -> None:
    left, top, right, bottom = box
    count, upright = rng.choice((3, 4, 5)), rng.random() < 0.5
    for index in range(count):
        first, last = index / count, (index + 0.5) / count
        across = (left + (right - left) * first, left + (right - left) * last)
        down = (top + (bottom - top) * first, top + (bottom - top) * last)
        if upright:
            draw.rectangle((across[0], top, across[1], bottom), fill=ink)
        else:
            draw.rectangle((left, down[0], right, down[1]), fill=ink)


def _half(draw: ImageDraw.ImageDraw, rng: Random, box: Box, ink: Colour, other: Colour) -> None:
    left, top, right, bottom = box
    points = [(left, top), (right, top), (right, bottom), (left, bottom)]
    points.pop(rng.randrange(4))
    draw.polygon(points, fill=ink)


TILES = (_ring, _quarter, _quarter, _bars, _half)


def arches(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    """Rainbows of few colours under a sun, as posters of the seventies had them."""
    width, height = image.size
    size = (width * SCALE, height * SCALE)
    sheet = gradient(size, (mix(palette.light, palette.cloud, 0.15), palette.sky[-1]))
    draw = ImageDraw.Draw(sheet)
    short = min(size)
    disc = short * rng.uniform(0.09, 0.15)
    centre = (size[0] * rng.uniform(0.2, 0.8), size[1] * rng.uniform(0.16, 0.3))
    draw.ellipse(
        _around(centre, disc), fill=mix(palette.sky[len(palette.sky) // 2], palette.far, 0.2)
    )
    bands = [*palette.sky[:-1][::-1], palette.far, palette.near]
    for _ in range(rng.randint(2, 3)):
        reach = short * rng.uniform(0.4, 0.72)
        foot = (size[0] * rng.uniform(0.05, 0.95), size[1] * rng.uniform(0.92, 1.02))
        for index, tone in enumerate(bands):
            radius = reach * (1 - index / (len(bands) + 1.5))
            draw.ellipse(_around(foot, radius), fill=tone)
    image.paste(sheet.reduce(SCALE))
    line = [height * (0.93 + 0.03 * cos(pi * x / 16 + sun[0])) for x in range(65)]
    fill_below(image, line, (palette.near, mix(palette.near, palette.far, 0.15)))
    image.paste(palette.light, (0, 0, width, height), fade(image.size, 26, 0))


def _around(centre: tuple[float, float], radius: float) -> tuple[float, float, float, float]:
    return centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius
