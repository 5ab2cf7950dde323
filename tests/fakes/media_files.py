"""Pictures, videos and sounds for tests: good ones, and such as somebody made to do harm."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import av
from PIL import Image, ImageDraw

ORANGE, BLACK = (250, 140, 30), (0, 0, 0)


def picture(form: str, size: tuple[int, int] = (800, 600), **options: object) -> bytes:
    """A drawing in Pillow's format *form*."""
    drawn = Image.new("RGB", size, (60, 90, 160))
    box = (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4)
    ImageDraw.Draw(drawn).ellipse(box, fill=ORANGE)
    return saved(drawn, form, **options)


def saved(made: Image.Image, form: str, **options: object) -> bytes:
    body = io.BytesIO()
    made.save(body, form, **options)
    return body.getvalue()


def film(
    container: str, codec: str, *, frames: int = 40, rate: int = 20, black: int = 0, key: int = 12
) -> bytes:
    """A video of 320 × 180 whose first *black* pictures are black; a key frame every *key*."""
    body = io.BytesIO()
    with av.open(body, "w", format=container) as made:
        stream = made.add_stream(codec, rate=rate, options={"g": str(key)})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(frames):
            colour = BLACK if number < black else ORANGE
            drawn = Image.new("RGB", (320, 180), colour)
            made.mux(stream.encode(av.VideoFrame.from_image(drawn)))
        made.mux(stream.encode())
    return body.getvalue()


def sound(container: str, codec: str, seconds: int = 3) -> bytes:
    """So long a silence."""
    rate = 48_000
    body = io.BytesIO()
    with av.open(body, "w", format=container) as made:
        stream = made.add_stream(codec, rate=rate, layout="mono")
        form = stream.codec_context.format.name
        size = stream.codec_context.frame_size or 1024
        for at in range(0, seconds * rate, size):
            frame = av.AudioFrame(format=form, layout="mono", samples=size)
            frame.sample_rate, frame.pts = rate, at
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return body.getvalue()


def png_of_zeros(width: int, height: int, *, whole: bool = True) -> bytes:
    """One bit a pixel, all alike: a few packed bytes are a flood when they are unpacked."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(height if whole else 1)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", packed), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def endless_gif(frames: int) -> bytes:
    """An animation of so many pictures, 16 × 16."""
    first = saved(Image.new("P", (16, 16)), "GIF")
    start = first.index(b"\x2c")  # the descriptor of its one picture
    return first[:start] + first[start:-1] * frames + b";"


def turned(body: bytes) -> bytes:
    """An MP4 that says that its video is to be shown on its side, as a phone's does."""
    at = body.index(b"tkhd") + 4 + 40
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    return body[:at] + matrix + body[at + len(matrix) :]


SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>fetch("//evil")</script></svg>'
PLAYLIST = b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile '/etc/passwd'\n"

#: By what it is: the type under which it comes, and its bytes. None of them gives a preview.
HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nothing": ("image/png", lambda: b""),
    "noise": ("image/webp", lambda: bytes(range(256)) * 64),
    "truncated png": ("image/png", lambda: picture("PNG")[:600]),
    "truncated webp": ("image/webp", lambda: picture("WEBP")[:300]),
    "truncated avif": ("image/avif", lambda: picture("AVIF")[:500]),
    "bomb by its size": ("image/png", lambda: png_of_zeros(60_000, 60_000, whole=False)),
    "svg that says png": ("image/png", lambda: SCRIPT),
    "png that says gif": ("image/gif", lambda: picture("PNG")),
    "video without index": ("video/mp4", lambda: film("mp4", "libx264")[:900]),
    "playlist that says mp4": ("video/mp4", lambda: PLAYLIST),
    "playlist that says webm": ("video/webm", lambda: PLAYLIST),
    "list of files that says mp4": ("video/mp4", lambda: CONCAT),
    "noise that says mp4": ("video/mp4", lambda: b"\x00\x00\x00\x18ftypmp42" + b"\xff" * 5000),
    "noise that says mp3": ("audio/mpeg", lambda: b"\xff\xfb\x90\x00" + b"\x80" * 5000),
}
