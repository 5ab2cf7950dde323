"""How large is the picture that was asked for, and in which format?"""

from collections.abc import Mapping
from math import sqrt
from typing import Any

from simulator.catalogue import Model

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
MEDIA_TYPES: dict[str, str] = {"webp": "image/webp", "jpg": "image/jpeg", "png": "image/png"}
MOST, LEAST = 4096, 64


def asked(model: Model, given: Mapping[str, Any], name: str) -> Any:
    """An input's value, or the default of the model's schema."""
    value = given.get(name)
    item = model.by_name.get(name)
    return value if value is not None or item is None else item.default


def picture_size(model: Model, given: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height in pixels."""
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
    across_down = ONE_MEGAPIXEL.get(ratio) or _one_megapixel(ratio)
    return _bounded(across_down[0] * sqrt(area), across_down[1] * sqrt(area))


def picture_format(model: Model, given: Mapping[str, Any]) -> str:
    """webp, jpg or png; models without the choice make png."""
    return str(asked(model, given, "output_format") or "png")


def _one_megapixel(ratio: str) -> tuple[float, float]:
    across, _, down = ratio.partition(":")
    if not (across.isdigit() and down.isdigit()):
        return 1024, 1024
    scale = 1024 / sqrt(int(across) * int(down))
    return int(across) * scale, int(down) * scale


def _bounded(width: float, height: float) -> tuple[int, int]:
    return max(LEAST, min(MOST, round(width))), max(LEAST, min(MOST, round(height)))
