"""Which picture was given as an input? Its bytes, where they came inline or were uploaded here."""

import base64
import binascii
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from PIL import Image, ImageChops

from simulator.model import Model
from simulator.uploads import Uploads

OWN_FILE = re.compile(r"https?://[^/]+/v1/files/(?P<id>[0-9a-f]{46})(?:/download)?(?:\?.*)?")
#: Masks say where to paint, and a last frame where to end; neither is what the result looks like.
NOT_SHOWN = {"mask", "last_frame_image"}
LARGEST_SIDE = 2048


def files_of(model: Model, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The inputs that are files, by name and address."""
    for item in model.fields:
        many = item.schema.get("items", {}).get("format") == "uri"
        if item.schema.get("format") != "uri" and not many:
            continue
        value = given.get(item.name)
        for address in value if isinstance(value, list) else [value]:
            if isinstance(address, str):
                yield item.name, address


def reference_of(model: Model, given: Mapping[str, Any], uploads: Uploads, now: float) -> bytes:
    """The bytes of the first picture that the result is to look like; none if not at hand."""
    for name, address in files_of(model, given):
        if name not in NOT_SHOWN and (body := read(address, uploads, now)):
            return body
    return b""


def lost_file(model: Model, given: Mapping[str, Any], uploads: Uploads, at: float) -> str:
    """The input whose file, uploaded here once, is gone at that time; empty if none is."""
    for name, address in files_of(model, given):
        own = OWN_FILE.fullmatch(address)
        if own and uploads.get(own["id"], at) is None:
            return name
    return ""


def read(address: str, uploads: Uploads, now: float) -> bytes:
    """The bytes of a data: URL or of a file that was uploaded here, else nothing."""
    if address.startswith("data:"):
        head, _, body = address.partition(",")
        try:
            return base64.b64decode(body) if head.endswith(";base64") else unquote_to_bytes(body)
        except binascii.Error:
            return b""
    own = OWN_FILE.fullmatch(address)
    kept = uploads.get(own["id"], now) if own else None
    return kept.body if kept else b""


def opened(body: bytes) -> Image.Image | None:
    """The picture in these bytes; None if there is none that can be read."""
    try:
        with Image.open(io.BytesIO(body)) as image:
            image.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
            image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            return image.convert("RGB")
    except Exception:  # whatever a broken or hostile file makes of its decoder
        return None


def blended(painted: Image.Image, reference: Image.Image, strength: float) -> Image.Image:
    """The reference in the light of what was painted: strength 0 is all reference."""
    base = covering(reference, painted.size)
    lit = ImageChops.soft_light(base, painted)
    return Image.blend(lit, painted, 0.12 + 0.4 * max(0.0, min(1.0, strength)))


def covering(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of an image, scaled to fill a size."""
    scale = max(size[0] / image.width, size[1] / image.height)
    # Divided again, a whole side may come out a hair too long.
    wide, tall = min(image.width, size[0] / scale), min(image.height, size[1] / scale)
    left, top = (image.width - wide) / 2, (image.height - tall) / 2
    box = (left, top, left + wide, top + tall)
    return image.resize(size, Image.Resampling.BICUBIC, box=box)
