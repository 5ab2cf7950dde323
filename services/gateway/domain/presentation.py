"""How may a browser show an artifact? As what it is, and never as a page of ours."""

from __future__ import annotations

import re

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_UNKNOWN = "application/octet-stream"
_EXTENSIONS = {
    "application/json": "json",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "audio/flac": "flac",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "model/gltf-binary": "glb",
    "text/html": "html",
    "text/plain": "txt",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}


def content_type(media_type: str) -> str:
    """*media_type* as a Content-Type; what is not plainly one is octets."""
    bare = media_type.partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.fullmatch(bare):
        return _UNKNOWN
    return f"{bare}; charset=utf-8" if bare == "text/plain" else bare


def headers(job_id: str, index: int, media_type: str) -> dict[str, str]:
    """What makes a browser show, save and sandbox the bytes rightly.

    An SVG or HTML page can carry script, which would run as a page of this origin: those are saved,
    not shown, and sandboxed should something show them all the same.
    """
    kind = content_type(media_type)
    bare = kind.partition(";")[0]
    name = f"{job_id}-{index}.{_EXTENSIONS.get(bare, 'bin')}"
    shown = _may_be_shown(bare)
    told = {
        "content-type": kind,
        "content-disposition": f'{"inline" if shown else "attachment"}; filename="{name}"',
        "x-content-type-options": "nosniff",
    }
    if not shown:
        told["content-security-policy"] = "default-src 'none'; sandbox"
    return told


def _may_be_shown(bare: str) -> bool:
    family = bare.partition("/")[0]
    # Every +xml type may carry script.
    if bare.endswith("xml"):
        return False
    return family in ("image", "video", "audio") or bare == "text/plain"
