"""How large is what was asked for, and in which format?"""

from collections.abc import Mapping
from math import log, sqrt
from typing import Any

from simulator.model import Model

ONE_MEGAPIXEL: dict[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "21:9": (1536, 640),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "3:4": (896, 1152),
    "4:3": (1152, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
AREAS: dict[str, float] = {"0.25": 0.25, "0.5 MP": 0.5, "2 MP": 2, "4 MP": 4, "2K": 4, "4K": 16}
FILMS: dict[str, dict[str, tuple[int, int]]] = {
    "480p": {
        "16:9": (864, 480),
        "4:3": (736, 544),
        "1:1": (640, 640),
        "3:4": (544, 736),
        "9:16": (480, 864),
        "21:9": (960, 416),
    },
    "720p": {
        "16:9": (1248, 704),
        "4:3": (1120, 832),
        "1:1": (960, 960),
        "3:4": (832, 1120),
        "9:16": (704, 1248),
        "21:9": (1504, 640),
    },
}
MEDIA_TYPES: dict[str, str] = {
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "png": "image/png",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
}
Size = tuple[int, int]
MOST, LEAST = 4096, 64


def asked(model: Model, given: Mapping[str, Any], name: str) -> Any:
    """An input's value, or the default of the model's schema."""
    value = given.get(name)
    item = model.by_name.get(name)
    return value if value is not None or item is None else item.default


def picture_size(model: Model, given: Mapping[str, Any], like: Size | None = None) -> Size:
    """Width and height in pixels; `like` is the size of the picture that was given."""
    ratio = str(asked(model, given, "aspect_ratio") or "")
    size = str(asked(model, given, "size") or asked(model, given, "resolution") or "")
    width, height = asked(model, given, "width"), asked(model, given, "height")
    free = "aspect_ratio" not in model.by_name or "custom" in (ratio, size)
    if free and width and height:
        return _bounded(float(width), float(height))
    if "x" in size and ratio in ("", "Not set", "1:1"):
        across, _, down = size.partition("x")
        return _bounded(float(across), float(down))
    area = AREAS.get(str(asked(model, given, "megapixels")), AREAS.get(size, 1.0))
    if ratio == "match_input_image" and like:
        ratio = f"{like[0]}:{like[1]}"
    across_down = ONE_MEGAPIXEL.get(ratio) or _one_megapixel(ratio)
    return _bounded(across_down[0] * sqrt(area), across_down[1] * sqrt(area))


def film_size(model: Model, given: Mapping[str, Any], like: Size | None = None) -> Size:
    """Width and height in pixels: of the known ratios the nearest to the picture that was given."""
    sizes = FILMS[str(asked(model, given, "resolution"))]
    if like is None:
        return sizes[str(asked(model, given, "aspect_ratio"))]
    ratio = like[0] / like[1]
    return min(sizes.values(), key=lambda each: abs(log(each[0] / each[1] / ratio)))


def file_format(model: Model, given: Mapping[str, Any]) -> str:
    """webp, jpg or png; models of pictures without the choice make png."""
    if model.makes != "picture":
        return "mp4" if model.makes == "film" else "mp3"
    return str(asked(model, given, "output_format") or "png")


def _one_megapixel(ratio: str) -> tuple[float, float]:
    across, _, down = ratio.partition(":")
    if not (across.isdigit() and down.isdigit()):
        return 1024, 1024
    scale = 1024 / sqrt(int(across) * int(down))
    return int(across) * scale, int(down) * scale


def _bounded(width: float, height: float) -> tuple[int, int]:
    return max(LEAST, min(MOST, round(width))), max(LEAST, min(MOST, round(height)))
