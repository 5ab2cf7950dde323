"""What does the delivery host send as a model's cover? A painted one, or one made to harm."""

import struct
import zlib
from collections.abc import Callable

from starlette.responses import Response

from simulator.model import Model
from simulator.pictures import PictureSpec

SIZE = (960, 640)
SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.domain)</script></svg>'


def cover_spec(model: Model) -> PictureSpec:
    """The cover of a model, without words on it."""
    return PictureSpec(
        prompt=model.cover or model.slug,
        seed=int(model.version_ids[0][:6], 16),
        index=0,
        width=SIZE[0],
        height=SIZE[1],
        format="webp",
        quality=84,
        lettered=False,
    )


def hostile_cover(name: str, endless: Callable[[int], Response]) -> Response | None:
    """The cover that a fault names (hostile_models.COVERS)."""
    if name == "svg":
        return Response(SCRIPT, media_type="image/svg+xml")
    if name == "html":
        return Response(b"<script>alert(1)</script>", media_type="image/png")
    if name == "bomb":
        return Response(_bomb(), media_type="image/png")
    if name == "broken":
        return Response(_bomb()[:60], media_type="image/png")
    if name == "huge":
        return endless(1_000_000_000)
    if name == "redirect":
        return Response(status_code=302, headers={"location": "http://foreign.invalid/cover.webp"})
    return None


def _bomb() -> bytes:
    """A PNG of a few kilobytes that says it is 50,000 pixels wide and as high."""
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    )
