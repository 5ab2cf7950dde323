"""What are these bytes? Told by their first few, not by what a header claims."""

from __future__ import annotations

import re

import puremagic

HEAD_BYTES = 4096

# The library's answers that are too rough or have several names, and the ones it does not know.
_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb".{4}ftypavi[fs]", re.DOTALL), "image/avif"),
    (re.compile(rb"glTF[\x01\x02]\x00\x00\x00"), "model/gltf-binary"),
    (re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]",
                re.DOTALL | re.IGNORECASE), "image/svg+xml"),
)  # fmt: skip
_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/svg+xml": ".svg",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "audio/wav": ".wav",
    "audio/mpeg": ".mp3",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg",
    "model/gltf-binary": ".glb",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/json": ".json",
    "text/plain": ".txt",
}
UNKNOWN = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")
# What a browser runs must have been seen in the bytes, not only been declared.
_ACTIVE = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml"})
_SURE = 0.4


def sniff(head: bytes, declared: str = "") -> str:
    """The media type of a file that begins with *head*; *declared* where the bytes are mute."""
    for pattern, media_type in _SIGNATURES:
        if pattern.match(head):
            return media_type
    claimed = declared.partition(";")[0].strip().lower()
    known = _by_library(head)
    if known:
        # An office file is a zip, and a zip an office file: the claim decides among relatives.
        if head[:2] == b"PK" and claimed:
            return claimed if _TYPE.fullmatch(claimed) else "application/zip"
        return "application/zip" if head[:2] == b"PK" else known
    if _TYPE.fullmatch(claimed) and claimed not in _ACTIVE and claimed != UNKNOWN:
        return claimed
    return "text/plain" if _is_text(head) else UNKNOWN


def extension(media_type: str) -> str:
    """With its dot; empty for what has none here."""
    return _EXTENSIONS.get(media_type, "")


def _by_library(head: bytes) -> str:
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return ""
    best = next((each for each in matches if each.mime_type), None)
    if best is None or best.confidence < _SURE or best.mime_type in _ACTIVE:
        return ""
    return str(best.mime_type)


def _is_text(head: bytes) -> bool:
    if not head or b"\x00" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The head may end within a character.
        return error.start >= len(head) - 3
    return True
