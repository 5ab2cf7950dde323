"""With which strokes are pictures painted? Gradients, noise, ridges, glows: all from a seed."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

from PIL import Image, ImageChops, ImageDraw

from simulator.palettes import Colour, mix

Size = tuple[int, int]
Box = tuple[int, int, int, int]


def gradient(size: Size, stops: Sequence[Colour]) -> Image.Image:
    """From the first colour at the top to the last at the bottom."""
    column = Image.new("RGB", (1, 256))
    last = len(stops) - 1
    for y in range(256):
        place = y / 255 * last
        step = min(int(place), last - 1)
        column.putpixel((0, y), mix(stops[step], stops[step + 1], place - step))
    return column.resize(size, Image.Resampling.BILINEAR)


def fade(size: Size, top: int, bottom: int) -> Image.Image:
    """A mask that goes from `top` to `bottom` (0 to 255)."""
    column = Image.linear_gradient("L").point(lambda y: round(top + (bottom - top) * y / 255))
    return column.resize(size, Image.Resampling.BILINEAR)


def noise(rng: Random, size: Size, cells: Size, octaves: int = 4) -> Image.Image:
    """Soft clouds of grey: a coarse random grid, with ever finer and weaker ones on it."""
    field = Image.new("L", size, 128)
    for octave in range(octaves):
        across, down = cells[0] << octave, cells[1] << octave
        grid = Image.frombytes("L", (across, down), rng.randbytes(across * down))
        grid = grid.resize(size, Image.Resampling.BICUBIC)
        field = Image.blend(field, grid, 0.62 if octave == 0 else 0.5 / (octave + 0.6))
    return field


def curve(low: float, high: float, most: int = 255) -> Callable[[int], int]:
    """A lookup that lifts `low`..`high` to 0..`most`, smoothly."""

    def look_up(value: int) -> int:
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return round(share * share * (3 - 2 * share) * most)

    return look_up


def glow(image: Image.Image, centre: Size, radius: int, light: Colour, strength: float) -> None:
    """Light around a point, added to what is there."""
    if radius < 2:
        return
    halo = Image.radial_gradient("L").point(
        lambda away: round(255 * strength * max(0.0, 1 - away / 181) ** 2.2)
    )
    halo = halo.resize((radius * 2, radius * 2), Image.Resampling.BILINEAR)
    box = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
    seen = clip(box, image.size)
    if seen[0] >= seen[2] or seen[1] >= seen[3]:
        return
    halo = halo.crop((seen[0] - box[0], seen[1] - box[1], seen[2] - box[0], seen[3] - box[1]))
    tint = Image.merge("RGB", [halo.point(lambda v, c=c: v * c // 255) for c in light])
    image.paste(ImageChops.screen(image.crop(seen), tint), seen)


def disc(image: Image.Image, centre: Size, radius: int, paint: Image.Image | Colour) -> None:
    """A smooth filled circle."""
    mask = Image.new("L", (radius * 8, radius * 8))
    ImageDraw.Draw(mask).ellipse((4, 4, radius * 8 - 4, radius * 8 - 4), fill=255)
    mask = mask.resize((radius * 2, radius * 2), Image.Resampling.BOX)
    if isinstance(paint, tuple):
        paint = Image.new("RGB", mask.size, paint)
    image.paste(paint, (centre[0] - radius, centre[1] - radius), mask)


def clip(box: Box, size: Size) -> Box:
    """The part of a box that lies in the picture."""
    return max(0, box[0]), max(0, box[1]), min(size[0], box[2]), min(size[1], box[3])


def ridge(rng: Random, points: int, roughness: float) -> list[float]:
    """A mountain line by midpoint displacement: `points` heights of 0 to 1."""
    line = [rng.random(), rng.random()]
    swing = 0.5
    while len(line) < points:
        finer = [line[0]]
        for left, right in pairwise(line):
            finer += [(left + right) / 2 + rng.uniform(-swing, swing), right]
        line, swing = finer, swing * roughness
    low, high = min(line), max(line)
    return [(height - low) / ((high - low) or 1) for height in line]


def fill_below(
    image: Image.Image,
    line: Sequence[float],
    colours: Sequence[Colour],
    extra: Callable[[ImageDraw.ImageDraw, int], None] | None = None,
    headroom: int = 0,
) -> None:
    """Paint everything below a line of y positions; `extra` draws more into the 2x mask."""
    width, height = image.size
    top = max(0, min(height - 1, int(min(line)) - headroom))
    size = (width, height - top)
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(mask)
    step = size[0] * 2 / (len(line) - 1)
    shape = [(index * step, (y - top) * 2) for index, y in enumerate(line)]
    draw.polygon([*shape, (size[0] * 2, size[1] * 2), (0, size[1] * 2)], fill=255)
    if extra:
        extra(draw, top)
    image.paste(gradient(size, colours), (0, top), mask.reduce(2))


def grain(rng: Random, image: Image.Image, strength: float) -> Image.Image:
    """Film grain from one small tile: it hides the banding of wide gradients."""
    tile = Image.frombytes("L", (192, 192), rng.randbytes(192 * 192))
    sheet = Image.new("L", image.size)
    for x in range(0, image.width, 192):
        for y in range(0, image.height, 192):
            sheet.paste(tile, (x, y))
    return Image.blend(image, Image.merge("RGB", (sheet,) * 3), strength)
