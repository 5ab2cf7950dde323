"""Which files does an input name, and where?

upload:0198…          bytes that were uploaded for it
artifact:0198…/0      what another job made
data:image/png;base64,…    the bytes themselves
https://…             the provider fetches it, and nothing is known of it here
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.domain.inputs import Problem, joined

#: Of references and data URLs together.
MOST_FILES = 100
#: Of the JSON pointer to one. It is kept beside the input, for each file: a long name above a
#: hundred of them would make a request of many megabytes.
LONGEST_PATH = 1000

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REFERENCE = re.compile(rf"upload:{_ID}|artifact:{_ID}/[0-9]{{1,5}}", re.ASCII)
_DATA = re.compile(
    r"data:(?P<type>[\w.+-]{1,60}/[\w.+-]{1,60})?(?:;[\w-]{1,60}=[^;,\s]{0,100}){0,5}"
    r"(?P<coded>;base64)?,",
    re.ASCII | re.IGNORECASE,
)
_HTTPS = re.compile(r"https://[^\s/?#@\\]+([/?#][^\s\\]*)?", re.IGNORECASE)
# No schema says of what kind a file has to be; names do: input_image, style_reference_images, mask.
_KIND_WORDS = {
    "image": "image", "images": "image", "mask": "image", "photo": "image", "picture": "image",
    "video": "video", "videos": "video", "audio": "audio", "audios": "audio",
}  # fmt: skip
_KINDS = {"image": "a picture", "video": "a video", "audio": "a sound"}
_UNKNOWN = "application/octet-stream"


class FileInput(NamedTuple):
    """A file that an input names."""

    path: str  #: a JSON pointer (RFC 6901)
    field: str  #: the same, as violations name it
    uri: str  #: empty for a data: URL
    content: bytes = b""  #: of a data: URL
    declared_type: str = ""


def names_a_file(text: str) -> bool:
    """It is of a form that a model's file may be given in."""
    return (
        _HTTPS.fullmatch(text) is not None
        or _DATA.match(text) is not None
        or _REFERENCE.fullmatch(text) is not None
    )


def misnamed(text: str) -> str:
    """What is wrong with a text that was meant to name a file; empty where that is not known."""
    kind, _, rest = text.partition(":")
    match kind.lower():
        case "upload":
            return (
                "is not the uri of an upload: upload: and the upload_id of 36 characters, "
                "as the upload was answered"
            )
        case "artifact":
            return (
                "is not the name of a result: artifact:JOB_ID/INDEX, with the job's id of 36 "
                "characters and the result's index, from 0"
            )
        case "data":
            return "is not a data: URL with a file in it, such as data:image/png;base64,…"
        case "http":
            return "must be https; files are not fetched over plain http"
        case "https" if rest:
            return "is not an https URL that names a host, without spaces"
    return ""


def files_of(inputs: Mapping[str, object]) -> tuple[list[FileInput], list[Problem]]:
    """The files of *inputs* in the order of their paths, and what is wrong with those given."""
    files: list[FileInput] = []
    problems: list[Problem] = []
    for path, field, text in _texts(inputs, "", "input"):
        head = _DATA.match(text)
        reference, data = _REFERENCE.fullmatch(text), head and (head["type"] or head["coded"])
        if len(path) > LONGEST_PATH and (reference or data):
            said = f"is a file under names of more than {LONGEST_PATH} characters in all"
            problems.append(Problem(field, said, "PATH_LENGTH"))
        elif reference:
            files.append(FileInput(path, field, text))
        elif head and data:
            content = _content(text[head.end() :], coded=bool(head["coded"]))
            if content is None:
                said = "is a data: URL whose base64 can not be read"
                problems.append(Problem(field, said, "DATA_URL"))
            else:
                files.append(FileInput(path, field, "", content, head["type"] or ""))
        if len(files) > MOST_FILES:
            said = f"names more than {MOST_FILES} files"
            return [], [Problem("input", said, "TOO_MANY_FILES")]
    return sorted(files), problems


def of_another_kind(file: FileInput, media_type: str) -> Problem | None:
    """What is wrong with a file of this type there, if its input's name says what it has to be."""
    name = file.path.split("/")[1]
    wanted = {_KIND_WORDS[word] for word in name.lower().split("_") if word in _KIND_WORDS}
    if len(wanted) != 1 or media_type == _UNKNOWN:
        return None
    (kind,) = wanted
    if media_type.startswith(f"{kind}/"):
        return None
    return Problem(file.field, f"takes {_KINDS[kind]}, and this file is {media_type}", "MEDIA_TYPE")


def _texts(value: object, path: str, field: str) -> Iterator[tuple[str, str, str]]:
    match value:
        case str():
            yield path, field, value
        case Mapping():
            for key, each in value.items():
                escaped = key.replace("~", "~0").replace("/", "~1")
                yield from _texts(each, f"{path}/{escaped}", joined(field, key))
        case Sequence():
            for index, each in enumerate(value):
                yield from _texts(each, f"{path}/{index}", f"{field}[{index}]")


def _content(text: str, *, coded: bool) -> bytes | None:
    plain = unquote_to_bytes(text)
    if not coded:
        return plain
    try:
        return base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        return None
