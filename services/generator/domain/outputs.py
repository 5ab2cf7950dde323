"""What did the model give? Any shape of output, walked structurally.

The value may disagree with the model's schema (one URI announced, a list given), so only its leaves
count: a string that is an address of a file or a data: URI is a file, everything else stays.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

_ADDRESS = re.compile(r"(?:https://|http://(?:127(?:\.\d+){3}|localhost|\[::1\])[:/])\S+")
_DATA = re.compile(r"data:[^\s,]{0,200},")


@dataclass(frozen=True, slots=True)
class FileLeaf:
    """A file in the output: `source` is its URL or data: URI, `path` its JSON pointer."""

    source: str
    path: str

    @property
    def is_inline(self) -> bool:
        return self.source.startswith("data:")


@dataclass(frozen=True, slots=True)
class Walked:
    """The files in order, and the output with each replaced by {"artifact": index}.

    `rest` is None where the output was files only.
    """

    files: tuple[FileLeaf, ...]
    rest: Any


def walk(output: Any) -> Walked:
    """Finds every file in *output*."""
    files: list[FileLeaf] = []
    replaced = _replace(output, "", files)
    return Walked(tuple(files), replaced if not files or _says_more(replaced) else None)


def is_empty(output: Any) -> bool:
    """Nothing at all: null, an empty text, or containers of nothing."""
    match output:
        case None | "":
            return True
        case Mapping():
            return all(is_empty(each) for each in output.values())
        case list():
            return all(is_empty(each) for each in output)
    return False


def without_files(output: Any) -> tuple[bytes, str]:
    """(bytes, media type) of an output that holds no file: text as text, else as JSON."""
    match output:
        case str():
            return output.encode(), "text/plain"
        case list() if output and all(isinstance(each, str) for each in output):
            return "".join(output).encode(), "text/plain"
    return json.dumps(output, ensure_ascii=False).encode(), "application/json"


class BadDataUri(ValueError):
    """A data: URI that can not be decoded."""


def inline_bytes(source: str) -> tuple[bytes, str]:
    """(bytes, declared media type) of a data: URI."""
    head, _, payload = source.removeprefix("data:").partition(",")
    media_type, *parameters = head.split(";")
    raw = unquote_to_bytes(payload)
    if "base64" not in parameters:
        return raw, media_type
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True), media_type
    except (binascii.Error, ValueError) as error:
        raise BadDataUri("The data: URI is not base64.") from error


def _replace(value: Any, path: str, files: list[FileLeaf]) -> Any:
    match value:
        case str() if _ADDRESS.fullmatch(value) or _DATA.match(value):
            files.append(FileLeaf(value, path))
            return {"artifact": len(files) - 1}
        case Mapping():
            return {
                str(key): _replace(each, f"{path}/{_escape(str(key))}", files)
                for key, each in value.items()
            }
        case list():
            return [_replace(each, f"{path}/{at}", files) for at, each in enumerate(value)]
    return value


def _says_more(replaced: Any) -> bool:
    """Whether anything is left beside places of artifacts. Names of fields count."""
    match replaced:
        case {"artifact": int(), **others} if not others:
            return False
        case list():
            return any(_says_more(each) for each in replaced)
        case None:
            return False
    return True


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
