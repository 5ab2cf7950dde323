"""Which values do `--input key=value` words stand for? The model's schema says of what type.

`key=@path` is a file, which is uploaded; of an input that the model keeps secret it is the file
that the text is in, and `key=@-` is the standard input. Without a schema (an old server, an unknown
model) a value that is JSON is taken as JSON, any other as text.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import typer
from google.protobuf.json_format import MessageToDict

from mediagen import errors
from mediagen.cli.input_words import Schema
from mediagen.client import Client

SECRET = "x-cog-secret"  # pragma: allowlist secret
A_MOMENT = 2.0  #: seconds, where a schema is only there to order what is shown
STANDARD_INPUT = "@-"


@dataclass(frozen=True)
class Given:
    """A model's inputs as they were typed: --input-json's object, and --input's pairs on top."""

    document: dict[str, Any] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)


def parse(pairs: dict[str, str], document: str | None, *, prompt_is_piped: bool = False) -> Given:
    """The inputs that were typed. Files must be there."""
    values: Any = {}
    if document is not None:
        try:
            values = json.loads(document, parse_constant=_no_json)
        except (ValueError, RecursionError) as error:
            raise typer.BadParameter(f"--input-json is not JSON: {error}") from None
        if not isinstance(values, dict):
            raise typer.BadParameter('--input-json must be a JSON object such as {"seed": 4}')
    if list(pairs.values()).count(STANDARD_INPUT) + prompt_is_piped > 1:
        raise typer.BadParameter("the standard input can be only one of the prompt and the inputs")
    for key, text in pairs.items():
        if _is_file(text) and text != STANDARD_INPUT and not Path(text[1:]).is_file():
            told = f"there is no file {text[1:]!r}; @@ begins a text with @"
            raise typer.BadParameter(f"{key}: {told}")
    return Given(values, pairs)


async def values_of(client: Client, model: str, given: Given) -> dict[str, Any]:
    """The inputs, typed as the model's schema has them."""
    ambiguous = any(_is_file(each) or _json(each) is not None for each in given.pairs.values())
    schema = await schema_of(client, model) if ambiguous else {}
    known = schema.get("properties", {})
    typed = dict[str, Any]()
    for key, text in given.pairs.items():
        is_secret = bool(known.get(key, {}).get(SECRET))
        if is_secret and _is_file(text):
            typed[key] = await asyncio.to_thread(_secret_in, key, text[1:])
        elif text == STANDARD_INPUT:
            told = "only a secret input is read from standard input; see mediagen upload -"
            raise _refused(key, told)
        else:
            typed[key] = value_of(text, known.get(key, {}))
    return given.document | typed


def _secret_in(key: str, name: str) -> str:
    """The text of a file or of the standard input, so that it is in no list of processes."""
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _refused(key, "must be text in UTF-8") from None


def _refused(key: str, told: str) -> errors.InvalidRequest:
    violation = errors.Violation(f"input.{key}", told)
    return errors.InvalidRequest("The request can not be sent.", violations=[violation])


def value_of(text: str, schema: Schema) -> Any:
    """One value. A path stands for the file to upload."""
    types = types_of(schema)
    if _is_file(text):
        return [Path(text[1:])] if types == {"array"} else Path(text[1:])
    if text.startswith("@@"):
        return text[1:]
    parsed = _json(text)
    if parsed is None:
        told = {"true": True, "false": False, "null": None}
        fits = "boolean" in types or "null" in types
        return told.get(text.lower(), text) if fits and "string" not in types else text
    if "string" in types and not isinstance(parsed.value, str):
        kind = _type_of(parsed.value)
        fits = kind in types or (kind == "integer" and "number" in types)
        return parsed.value if fits and parsed.value is not None else text
    return parsed.value


def types_of(schema: Schema) -> set[str]:
    """The types that a value of this schema may have; empty where it does not say."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return {kind}
    if isinstance(kind, list):
        return {str(each) for each in kind}
    found = {_type_of(each) for each in schema.get("enum", [])}
    for keyword in ("anyOf", "oneOf"):
        found |= {each for part in schema.get(keyword, []) for each in types_of(part)}
    return found


@dataclass(frozen=True)
class _Parsed:
    value: Any


def _json(text: str) -> _Parsed | None:
    try:
        return _Parsed(json.loads(text, parse_constant=_no_json))
    except (ValueError, RecursionError):
        return None


def _no_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")  # Python would take NaN and Infinity


def _is_file(text: str) -> bool:
    return text.startswith("@") and not text.startswith("@@")


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    if value is None:
        return "null"
    names = {"int": "integer", "str": "string", "list": "array"}
    return names.get(type(value).__name__, "object")


async def schema_of(client: Client, model: str, *, patience: float | None = None) -> dict[str, Any]:
    """The JSON Schema of the model's inputs; empty where it can not be had, or not within
    *patience* seconds."""
    name, _, version = model.partition(":")
    try:
        async with asyncio.timeout(patience):
            found = await client.models.get(name, version=version)
    except (errors.MediagenError, TimeoutError):
        return {}  # what is wrong with the model is told where the job is submitted
    return MessageToDict(found.input_schema)
