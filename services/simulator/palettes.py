"""Which colours and which scene does a prompt ask for? Words first, then chance by its hash."""

import re
from dataclasses import dataclass
from random import Random

Colour = tuple[int, int, int]


def colour(code: str) -> Colour:
    """ "#rrggbb" as three numbers."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with a share of `other`, 0 to 1."""
    keep = 1 - share
    return (
        round(one[0] * keep + other[0] * share),
        round(one[1] * keep + other[1] * share),
        round(one[2] * keep + other[2] * share),
    )


@dataclass(frozen=True, slots=True)
class Palette:
    """Sky from top to horizon, the light in it, and the land from far to near."""

    sky: tuple[Colour, ...]
    light: Colour
    far: Colour
    near: Colour
    cloud: Colour
    dark: bool = False


def _palette(sky: str, light: str, far: str, near: str, cloud: str, dark: bool = False) -> Palette:
    stops = tuple(colour(code) for code in sky.split())
    return Palette(stops, colour(light), colour(far), colour(near), colour(cloud), dark)


PALETTES: dict[str, Palette] = {
    "sunset": _palette(
        *("#241a4a #5b2a70 #b8436f #f2785c #ffb266 #ffe09a", "#fff3cf"),
        *("#c9617a", "#170d26", "#ff9a7a"),
    ),
    "dawn": _palette(
        *("#2f4a80 #6f86bd #c3a9c6 #f3bfb3 #ffe2bd", "#fff6e0"),
        *("#b99bb4", "#1c2742", "#ffd3c4"),
    ),
    "day": _palette(
        *("#1f66b5 #4f99da #92c8ee #d9eef6", "#fffdf0", "#9fc4d6", "#14402f", "#ffffff"),
    ),
    "night": _palette(
        *("#04061a #0a1338 #172a5c #33508a #5f7fae", "#f6f2df", "#2f4a80", "#03050e", "#33477a"),
        dark=True,
    ),
    "aurora": _palette(
        *("#030612 #06152b #0c3244 #1d6a66", "#eafff4", "#1b4f5c", "#020609", "#1d4a55"),
        dark=True,
    ),
    "forest": _palette(
        *("#5f9aa0 #9cc6b4 #d5e6c6 #f8f4d2", "#fffce0", "#8fb79c", "#08211a", "#f4f7e6"),
    ),
    "autumn": _palette(
        *("#5c7a9e #b9a79b #ecc48e #fbe2ad", "#fff2cd", "#cf8a50", "#34120b", "#fbe3c6"),
    ),
    "winter": _palette(
        *("#5f83b3 #9fbbdb #d3e2ef #f6f3ee", "#ffffff", "#bccfe2", "#2d4765", "#ffffff"),
    ),
    "desert": _palette(
        *("#2f74ad #8fb7c6 #f1d3a0 #fce6bd", "#fff8e1", "#dba066", "#56240f", "#fdf0d8"),
    ),
    "neon": _palette(
        *("#08031c #220845 #5d1277 #c22a86 #ff6f91", "#ffd7f5", "#5a2490", "#06010f", "#8a2a90"),
        dark=True,
    ),
    "storm": _palette(
        *("#161c25 #36434f #63727c #a3acab #d8d3c0", "#f4f1e2", "#5b6a74", "#0c1116", "#76848c"),
    ),
    "spring": _palette(
        *("#6aa5d6 #a9c4e6 #ecc6dc #fde9ea", "#fff7f2", "#cfa0bf", "#35243f", "#fff2f6"),
    ),
    "lagoon": _palette(
        *("#0d3b4f #14707a #3fb3a3 #a9e3c9 #fdf3d0", "#fffbe6", "#2c8f8f", "#072a33", "#f7e7c4"),
    ),
    "terracotta": _palette(
        *("#3a2a4d #8a4a5c #cf7a5c #efb98a #f9e6cf", "#fff4e2", "#b9654a", "#3b1a1d", "#f3c9a0"),
    ),
    "space": _palette(
        *("#020208 #0b0820 #23104a #431c63 #12102e", "#fdf3ff", "#2c1c55", "#030208", "#5a2f8a"),
        dark=True,
    ),
}

WORDS: dict[str, str] = {
    "sunset": "sunset dusk evening golden orange fire warm lava volcano red",
    "dawn": "dawn sunrise morning pastel dream peaceful calm",
    "day": "day sunny summer blue sky clear noon beach island lake",
    "night": "night midnight moon moonlit stars starry dark owl",
    "aurora": "aurora northern borealis arctic iceland",
    "forest": "forest wood woods jungle tree trees green moss valley",
    "autumn": "autumn fall october harvest leaves amber",
    "winter": "winter snow snowy ice frozen frost glacier christmas",
    "desert": "desert sahara dune dunes sand canyon camel mars",
    "neon": "neon cyberpunk synthwave futuristic robot vaporwave electric purple",
    "storm": "storm rain thunder lightning grey gray gloomy foggy fog mist",
    "lagoon": "lagoon turquoise teal reef coral tropical mint whale",
    "terracotta": "terracotta clay pottery coffee bread ramen food kitchen market brown",
    "spring": "spring blossom cherry sakura flower flowers pink garden meadow",
    "space": "space galaxy cosmos nebula planet astronaut universe rocket",
}
SCENES: dict[str, str] = {
    "sea": "sea ocean beach wave waves water lake island coast harbour harbor boat ship sail fish",
    "city": "city town skyline street tokyo york london paris building buildings cyberpunk robot",
    "forest": "forest wood woods jungle tree trees pine fox deer bear owl",
    "dunes": "desert dune dunes sand sahara camel",
    "space": "space galaxy cosmos nebula planet astronaut universe rocket",
    "silk": "abstract silk flowing fluid liquid smoke music sound jazz paint colours colors",
    "orbs": "bokeh orb orbs light lights lantern lanterns glow glowing bubbles party bar",
    "print": "geometric bauhaus pattern poster print logo icon design minimal minimalist shapes",
    "arches": "arch arches rainbow retro seventies vintage desk interior room sofa chair house",
    "peaks": "mountain mountains alps peak peaks hill hills valley volcano glacier snow castle",
}

ANY_PALETTE = (
    *("sunset", "dawn", "day", "night", "forest", "spring", "autumn", "neon"),
    *("desert", "aurora", "lagoon", "terracotta"),
)
ANY_SCENE = (
    *("sea", "peaks", "peaks", "forest", "dunes", "city", "space"),
    *("silk", "silk", "orbs", "print", "print", "arches"),
)


def choose_palette(prompt: str, rng: Random) -> Palette:
    """The palette whose words come first in the prompt, else one of them all."""
    name = _first(prompt, WORDS)
    return PALETTES[name or rng.choice(ANY_PALETTE)]


def choose_scene(prompt: str, rng: Random) -> str:
    return _first(prompt, SCENES) or rng.choice(ANY_SCENE)


def _first(prompt: str, table: dict[str, str]) -> str | None:
    for word in re.findall(r"[a-z]+", prompt.lower()[:2000]):
        for name, words in table.items():
            if word in words.split():
                return name
    return None
