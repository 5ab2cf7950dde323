"""What does a picture show? Runs in the child process only: the file may be anything.

Its size is read before its pixels are unpacked, and of an animation only the first picture is.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Final

from PIL import AvifImagePlugin, Image

from generator.media.seen import LARGEST_PREVIEW, Seen

#: More are not unpacked: 100 million take 400 MB as RGBA.
MOST_PIXELS: Final = 100_000_000
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUALITIES = (80, 50, 20)

# Pillow itself refuses what becomes larger while it is read, such as a later frame.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def look(path: Path, form: str, longest: int) -> Seen:
    """*form*: Pillow's name of the only format that it is read as; *longest*: of the preview's
    sides, in pixels."""
    with Image.open(path, formats=[form]) as picture:
        width, height = picture.size
        turn = _turn(picture)
        if turn in (5, 6, 7, 8):
            width, height = height, width
        try:
            small = _small(picture, longest)
            if turn in _TURNS:
                small = small.transpose(_TURNS[turn])
            return Seen(width, height, None, webp(small), *small.size)
        except MemoryError:
            raise
        except Exception as error:
            # It is broken further in: how large it is has been read.
            return Seen(width, height, problem=type(error).__name__)


def _turn(picture: Image.Image) -> int:
    """How a camera was held. Browsers turn a picture by it."""
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # of a broken block every kind comes out
        return 1
    return value if isinstance(value, int) else 1


def _small(picture: Image.Image, longest: int) -> Image.Image:
    # JPEG unpacks to an eighth by itself; others are averaged down before they are converted.
    picture.draft("RGB", (2 * longest, 2 * longest))
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    longer = max(picture.size)
    factor = longer // longest if longer % longest == 0 else longer // (2 * longest)
    reducible = picture.mode in ("L", "LA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I", "F")
    if factor > 1 and reducible:
        picture = picture.reduce(factor)
    if picture.mode not in ("RGB", "RGBA"):
        picture = _plain(picture)
    scale = min(1.0, longest / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        low, high = picture.convert("F").getextrema()
        assert isinstance(low, float)
        assert isinstance(high, float)
        span = 65535.0 if high > 255 or low < 0 else 255.0
        return picture.convert("F").point(lambda value: value * (255 / span)).convert("RGB")
    has_alpha = picture.mode in ("LA", "PA", "La", "RGBa") or "transparency" in picture.info
    return picture.convert("RGBA" if has_alpha else "RGB")


def webp(picture: Image.Image) -> bytes:
    """The bytes of a small picture; nothing of what the file says beside it."""
    for quality in _QUALITIES:
        body = io.BytesIO()
        picture.save(body, "WEBP", quality=quality, method=1, exif=b"", icc_profile=b"")
        if body.tell() <= LARGEST_PREVIEW:
            return body.getvalue()
    raise ValueError("the preview is too large")
