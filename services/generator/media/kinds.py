"""Which files are opened, and as what? Each as the one format that its bytes were sniffed to be.

A library that may choose would try every format it knows: hundreds, most of them attacked never or
seldom, some of which read other files and addresses that are named within.
"""

from __future__ import annotations

from typing import Final

#: By media type: Pillow's name of the format. SVG is not among them: it is a program.
PICTURES: Final = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/x-ms-bmp": "BMP",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
}
#: FFmpeg's name of the container. Whether there are pictures in it shows when it is open.
FILMS: Final = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/x-m4v": "mov",
    "video/3gpp": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "audio/mp4": "mov",
    "audio/x-m4a": "mov",
    "audio/webm": "matroska",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/ogg": "ogg",
    "video/ogg": "ogg",
    "application/ogg": "ogg",
    "audio/aac": "aac",
}
#: Decoders of pictures that may be run; what is in another codec has a length and no poster.
CODECS: Final = frozenset(
    {"h264", "hevc", "vp8", "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d", "mpeg4", "prores"}
)


def is_opened(media_type: str) -> bool:
    """Anything can be told of such a file."""
    return media_type in PICTURES or media_type in FILMS
