"""What does a picture show? A landscape or a print that only (prompt, seed, index, size) decide.

Sky, light, clouds, land (or shapes), finish, and the prompt's own words at the lower edge, so that
whoever typed them sees that this picture is theirs.
"""

import hashlib
import textwrap
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from random import Random

from PIL import Image, ImageDraw, ImageFont

from simulator import abstracts, scenes
from simulator.brushes import Size, curve, disc, fade, glow, gradient, grain, noise
from simulator.palettes import PALETTES, Palette, choose_palette, choose_scene, mix

Scene = Callable[[Image.Image, Random, Palette, int, Size], None]
SCENES: dict[str, Scene] = {
    "sea": scenes.sea,
    "city": scenes.city,
    "forest": scenes.forest,
    "dunes": scenes.dunes,
    "space": scenes.space,
    "peaks": scenes.peaks,
    "silk": abstracts.silk,
    "orbs": abstracts.orbs,
    "print": abstracts.print_,
    "arches": abstracts.arches,
}
SKYLESS = {"space", "silk", "orbs", "print", "arches"}
LONGEST = 140


def paint(prompt: str, seed: int, index: int, size: Size, lettered: bool = True) -> Image.Image:
    """An RGB picture of exactly `size`."""
    digest = hashlib.sha256(f"{seed} {index} {prompt}".encode("utf-8", "replace")).digest()
    rng = Random(digest)
    palette, name = choose_palette(prompt, rng), choose_scene(prompt, rng)
    width, height = size
    image = gradient(size, palette.sky if name in SKYLESS else _sky(palette, height))
    horizon = int(height * (rng.uniform(0.5, 0.6) if name == "sea" else rng.uniform(0.42, 0.54)))
    sun = (int(width * rng.uniform(0.24, 0.76)), int(horizon * rng.uniform(0.5, 0.86)))
    if name not in SKYLESS:
        _heaven(image, rng, palette, horizon, sun)
    SCENES[name](image, rng, palette, horizon, sun)
    image = _finish(image, rng, 70 if name in SKYLESS else 130)
    if lettered:
        _letter(image, prompt)
    return image


def _sky(palette: Palette, height: int) -> tuple[tuple[int, int, int], ...]:
    # The horizon lies half-way down: the last colour must be reached there and stay.
    return (*palette.sky, *([palette.sky[-1]] * (len(palette.sky) - 1)))


def _heaven(image: Image.Image, rng: Random, palette: Palette, horizon: int, sun: Size) -> None:
    width, height = image.size
    if palette.dark:
        scenes.stars(image, rng, 0.55)
    if palette is PALETTES["aurora"]:
        _curtains(image, rng)
    short = min(width, height)
    glow(image, sun, int(short * 0.62), mix(palette.light, palette.sky[-1], 0.4), 0.75)
    radius = max(
        2, int(short * (rng.uniform(0.035, 0.05) if palette.dark else rng.uniform(0.045, 0.08)))
    )
    glow(image, sun, radius * 3, palette.light, 0.9)
    disc(image, sun, radius, palette.light)
    if palette.dark:
        craters = noise(rng, (radius * 2, radius * 2), (4, 4), 3).point(curve(120, 200, 90))
        shaded = Image.new("RGB", craters.size, palette.light)
        shaded.paste(
            Image.new("RGB", craters.size, mix(palette.light, palette.far, 0.5)), (0, 0), craters
        )
        disc(image, sun, radius, shaded)
    _clouds(image, rng, palette, horizon)


def _clouds(image: Image.Image, rng: Random, palette: Palette, horizon: int) -> None:
    width, _ = image.size
    small = (max(1, width // 3), max(1, horizon // 3))
    cover = rng.uniform(128, 150)
    for squeeze, tone, most in (
        (7, palette.cloud, 150),
        (14, mix(palette.cloud, palette.far, 0.5), 120),
    ):
        bank = noise(rng, small, (2, squeeze), 4).point(curve(cover, cover + 62, most))
        bank = bank.resize((width, horizon), Image.Resampling.BICUBIC)
        # Clouds thin out upwards and dissolve in the haze of the horizon.
        veil = Image.composite(bank, Image.new("L", bank.size), fade(bank.size, 70, 255))
        image.paste(Image.new("RGB", bank.size, tone), (0, 0), veil)


def _curtains(image: Image.Image, rng: Random) -> None:
    width, height = image.size
    reach = int(height * 0.55)
    for tint in ((70, 255, 170), (90, 220, 255), (170, 110, 255)):
        waves = noise(rng, (max(1, width // 4), max(1, reach // 4)), (9, 1), 3)
        waves = waves.point(curve(138, 215, 150)).resize((width, reach))
        shaped = Image.composite(waves, Image.new("L", waves.size), fade(waves.size, 40, 235))
        image.paste(Image.new("RGB", waves.size, tint), (0, 0), shaped)


def _finish(image: Image.Image, rng: Random, dusk: int) -> Image.Image:
    corners = Image.radial_gradient("L").point(curve(105, 255, dusk)).resize(image.size)
    image.paste(Image.new("RGB", image.size, (6, 4, 14)), (0, 0), corners)
    return grain(rng, image, 0.03)


def _letter(image: Image.Image, prompt: str) -> None:
    """The prompt in small white letters over a little dusk."""
    width, height = image.size
    size = max(11, round(min(width, height) * 0.02))
    font = _font(size)
    words = " ".join("".join(_drawable(font, c) for c in prompt[:1000]).split())
    if not words or min(width, height) < 160:
        return
    lines = textwrap.wrap(
        textwrap.shorten(words, LONGEST, placeholder=" …") if " " in words else words[:LONGEST],
        max(12, int(width * 0.8 / (size * 0.54))),
    )[:2]
    step, margin = round(size * 1.45), round(size * 1.6)
    dusk = step * len(lines) + margin * 2
    image.paste((5, 4, 12), (0, height - dusk, width, height), fade((width, dusk), 0, 140))
    veil = Image.new("L", (width, dusk))
    draw = ImageDraw.Draw(veil)
    for number, line in enumerate(lines):
        y = dusk - margin - step * (len(lines) - number)
        draw.text((margin, y), line, fill=205, font=font, anchor="la")
    image.paste((255, 250, 242), (0, height - dusk, width, height), veil)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=4096)
def _drawable(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, character: str) -> str:
    """The character, its plain letter, or a space: no picture should show empty boxes."""
    missing = bytes(font.getmask("\ufffe"))
    for form in (character, unicodedata.normalize("NFKD", character)[:1]):
        if form.isprintable() and bytes(font.getmask(form)) != missing:
            return form
    return " "
