"""How may a browser show a file? As what it is, and never as a page of ours."""

from __future__ import annotations

import re
from urllib.parse import quote

from servicekit.media_types import UNKNOWN, extension

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
# What a page of ours could be made to run or to dress in: its policy lets it load its own origin.
_LOADABLE = re.compile(r"(text|application)/((x-)?(ecma|java|j|live)script[0-9.]*|css)")
_TEXT = "text/plain; charset=utf-8"
# In a header within quotes; what is not plain goes into filename* beside it (RFC 6266).
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 ()_.,+=@-]{1,150}")


def content_type(media_type: str) -> str:
    """*media_type* as a Content-Type; what is not plainly one is octets, and a script is a text."""
    bare = media_type.partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.fullmatch(bare):
        return UNKNOWN
    return _TEXT if bare == "text/plain" or _LOADABLE.fullmatch(bare) else bare


def disposition(stem: str, media_type: str, file_name: str = "") -> str:
    """The Content-Disposition of a file: under *file_name*, or *stem* and its type's extension."""
    bare = content_type(media_type).partition(";")[0]
    verb = "inline" if _may_be_shown(bare) else "attachment"
    plain = f"{stem}{extension(bare) or '.bin'}"
    if not file_name:
        return f'{verb}; filename="{plain}"'
    if _PLAIN_NAME.fullmatch(file_name):
        return f'{verb}; filename="{file_name}"'
    encoded = quote(file_name.encode(errors="replace"), safe="")
    return f"{verb}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def headers(stem: str, media_type: str, file_name: str = "") -> dict[str, str]:
    """What makes a browser show, save and sandbox the bytes rightly.

    An SVG or HTML page can carry script, which would run as a page of this origin: those are saved,
    not shown, and sandboxed should something show them all the same.
    """
    kind = content_type(media_type)
    told = {
        "content-type": kind,
        "content-disposition": disposition(stem, media_type, file_name),
        "x-content-type-options": "nosniff",
    }
    if not _may_be_shown(kind.partition(";")[0]):
        told["content-security-policy"] = "default-src 'none'; sandbox"
    return told


def is_active_type(media_type: str) -> bool:
    """A browser that shows it may run what it carries."""
    bare = content_type(media_type).partition(";")[0]
    return bare.endswith("xml") or bare == "text/html"


def _may_be_shown(bare: str) -> bool:
    family = bare.partition("/")[0]
    # Every +xml type may carry script.
    if bare.endswith("xml"):
        return False
    return family in ("image", "video", "audio") or bare == "text/plain"
