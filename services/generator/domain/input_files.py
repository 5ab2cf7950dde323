"""How do files get into the input that is sent? In it as data: URLs while they are small, else by
an address of the provider's own.

The provider asks for addresses above 256 kB, and what is inline is in every record of the call.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

#: Bytes of all files together that are sent within the input.
MOST_INLINE: Final = 256_000
_LONGEST_NAME = 255  # bytes, with what is added for its type


def inline(sizes: Sequence[int], already: int) -> list[bool]:
    """Which files of these *sizes* go inline, in order, beside *already* bytes that are there."""
    left = MOST_INLINE - already
    chosen = []
    for size in sizes:
        fits = size <= left
        left -= size if fits else 0
        chosen.append(fits)
    return chosen


def data_url(media_type: str, body: bytes) -> str:
    """The file within the input."""
    return f"data:{media_type};base64,{base64.b64encode(body).decode()}"


def placed(value: Any, path: str, address: str) -> Any:
    """*value* with *address* at the JSON pointer *path*, which must be there already. KeyError,
    IndexError, ValueError for one that is not."""
    first, *rest = path.removeprefix("/").split("/", 1)
    key = first.replace("~1", "/").replace("~0", "~")
    deeper = f"/{rest[0]}" if rest else ""
    match value:
        case Mapping():
            found = value[key]
            return {**value, key: placed(found, deeper, address) if deeper else address}
        case list():
            at = int(key)
            changed = list(value)
            changed[at] = placed(value[at], deeper, address) if deeper else address
            return changed
    raise KeyError(path)


def field_name(path: str) -> str:
    """A JSON pointer as people read it: "/input_images/0" is "input_images[0]"."""
    parts = [each.replace("~1", "/").replace("~0", "~") for each in path.split("/")[1:]]
    return "".join(
        f"[{each}]" if each.isdigit() and number else f".{each}" if number else each
        for number, each in enumerate(parts)
    )


def safe_name(name: str, fallback: str) -> str:
    """A file's name as it may stand in a header: no path, no control characters, not too long."""
    short = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(each for each in short if each.isprintable()).strip(" .")
    while len(plain.encode()) > _LONGEST_NAME:
        plain = plain[1:]  # the end has what it is
    return plain or fallback
