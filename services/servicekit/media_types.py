"""What are these bytes? Told by their first few, not by what a header claims."""

from __future__ import annotations

import re

import puremagic

HEAD_BYTES = 4096

# Atomic groups for comments, or a file of nothing else is tried in every way it can be parted.
# The library's answers that are too rough or have several names, and the ones it does not know.
_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb".{4}ftypavi[fs]", re.DOTALL), "image/avif"),
    (re.compile(rb"BM.{4}\x00{4}", re.DOTALL), "image/bmp"),
    (re.compile(rb"glTF[\x01\x02]\x00\x00\x00"), "model/gltf-binary"),
    (re.compile(rb"\s*(<\?xml[^>]*>\s*)?(?><!--.*?-->\s*)*+(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]",
                re.DOTALL | re.IGNORECASE), "image/svg+xml"),
)  # fmt: skip
_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/svg+xml": ".svg",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/mpeg": ".mp3",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg",
    "model/gltf-binary": ".glb",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/json": ".json",
    "text/html": ".html",
    "text/plain": ".txt",
}
UNKNOWN = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")
# What a browser runs must have been seen in the bytes, not only been declared.
_ACTIVE = frozenset(
    {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"}
)
# What a page begins with, as browsers tell it that are not told the type.
_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(?><!--.*?-->\s*)*+<(\?xml|!doctype|html|head|body|script|iframe|style|title|"
    rb"table|div|svg|a|br|p|h1|font|b)[\s>/]",
    re.DOTALL | re.IGNORECASE,
)
# Types whose bytes always say so: a claim of one that the bytes do not bear out is not believed.
_TELLING = frozenset(
    {
        "image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "audio/wav",
        "application/pdf", "application/zip", "model/gltf-binary",
    }
)  # fmt: skip
# What is a zip within: office files, books, scenes, programs. No other claim makes one harmless.
_ZIPPED = re.compile(
    r"application/(vnd\.[a-z0-9.-]{1,100}|java-archive)|[a-z]{1,20}/[a-z0-9.-]{1,60}\+zip"
)
# What a client says that was told nothing.
_CLAIMS_NOTHING = frozenset({UNKNOWN, "application/x-www-form-urlencoded"})
# What stands in no text, as browsers have it.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SURE = 0.4


def sniff(head: bytes, declared: str = "") -> str:
    """The media type of a file that begins with *head*; *declared* where the bytes are mute."""
    for pattern, media_type in _SIGNATURES:
        if pattern.match(head):
            return media_type
    claimed = declared.partition(";")[0].strip().lower()
    known = _by_library(head)
    if known:
        if head[:2] != b"PK":
            return known
        # An office file is a zip, and a zip an office file: the claim decides among relatives.
        return claimed if _ZIPPED.fullmatch(claimed) else "application/zip"
    if _may_be(claimed, head):
        return claimed
    return "text/plain" if _is_text(head) else UNKNOWN


def is_active(head: bytes, declared: str = "") -> bool:
    """A browser might take it for a page or a drawing that can carry script."""
    claimed = declared.partition(";")[0].strip().lower()
    return claimed in _ACTIVE or claimed.endswith("+xml") or _PAGE.match(head) is not None


def _may_be(claimed: str, head: bytes) -> bool:
    """The bytes are mute, and do not speak against the claim."""
    if not _TYPE.fullmatch(claimed) or claimed in _ACTIVE | _TELLING | _CLAIMS_NOTHING:
        return False
    said_to_be_text = claimed.startswith("text/") or claimed == "application/json"
    return _is_text(head) if said_to_be_text else True


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
    if not head or _BINARY.search(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The head may end within a character.
        return error.start >= len(head) - 3
    return True
