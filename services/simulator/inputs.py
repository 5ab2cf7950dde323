"""Is this a request that Replicate would take? The body, the model reference and the input."""

import re
from collections.abc import Mapping
from typing import Any

from simulator.model import Model
from simulator.problems import InvalidField
from simulator.schemas import Field
from simulator.shelf import Shelf

EVENTS = ("start", "output", "logs", "completed")
BODY_KEYS = {"input", "webhook", "webhook_events_filter", "webhook_completed", "stream"}
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
CANCEL_AFTER = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


def words_of(given: object) -> str:
    """The words that a model's input is about: its prompt or, for speech, its text."""
    if not isinstance(given, Mapping):
        return ""
    return str(given.get("prompt") or given.get("text") or "")


def check_body(body: Mapping[str, Any], needs_version: bool) -> list[InvalidField]:
    """Everything wrong with the body around `input`."""
    wrong: list[InvalidField] = []
    known = BODY_KEYS | ({"version"} if needs_version else set())
    for key in body:
        if key not in known:
            description = f"Additional property {key} is not allowed"
            wrong.append(InvalidField("additional_property_not_allowed", "", description))
    for key in ("version", "input") if needs_version else ("input",):
        if body.get(key) is None:
            wrong.append(InvalidField("required", "", f"{key} is required"))
    kinds = {"version": "string", "input": "object", "webhook": "string", "stream": "boolean"}
    wrong += [
        _wrong_type(key, kind, body[key])
        for key, kind in kinds.items()
        if body.get(key) is not None and not isinstance(body[key], TYPES[kind])
    ]
    hook = body.get("webhook")
    if isinstance(hook, str) and not hook.startswith(("https://", "http://")):
        wrong.append(InvalidField("format", "webhook", "Does not match format 'uri'"))
    events = body.get("webhook_events_filter")
    if events is not None and not (
        isinstance(events, list) and all(event in EVENTS for event in events)
    ):
        allowed = ", ".join(f'"{event}"' for event in EVENTS)
        description = f"Must be one of the following: {allowed}"
        wrong.append(InvalidField("enum", "webhook_events_filter", description))
    return wrong


def find_model(shelf: Shelf, version: str) -> tuple[Model, str] | None:
    """The model of a `version` field and the version that will run, or None if not permitted.

    `owner/name` (official only), `owner/name:<64 hex>` or `<64 hex>`; a tag is refused.
    An outdated version runs as the newest: recorded answers show another one than was asked for.
    """
    slug, _, digest = version.partition(":") if "/" in version else ("", "", version)
    if slug and not digest:
        model = shelf.get(slug)
        found = model if model and model.official and not version.endswith(":") else None
    else:
        found = shelf.of_version(digest)
        if found and slug and found.slug != slug:
            found = None
    if not found:
        return None
    return found, "hidden" if found.official else found.version_ids[0]


def check_input(model: Model, given: Mapping[str, Any], refuse_unknown: bool) -> list[InvalidField]:
    """Everything wrong with `input` against the model's schema, in the validator's own words."""
    wrong = [
        InvalidField("required", "input", f"{item.name} is required")
        for item in model.fields
        if item.required and given.get(item.name) is None
    ]
    for key, value in given.items():
        item = model.by_name.get(key)
        if item is None:
            if refuse_unknown:
                description = f"Additional property {key} is not allowed"
                wrong.append(InvalidField("additional_property_not_allowed", "input", description))
        elif value is not None:
            wrong += _check_value(item, value)
    return wrong


def _check_value(item: Field, value: Any) -> list[InvalidField]:
    name = f"input.{item.name}"
    if item.choices:
        if value in item.choices and isinstance(value, type(item.choices[0])):
            return []
        allowed = ", ".join(f'"{option}"' for option in item.choices)
        return [InvalidField("enum", name, f"Must be one of the following: {allowed}")]
    kind = str(item.schema["type"])
    whole = isinstance(value, float) and value.is_integer() and kind == "integer"
    wrong_bool = isinstance(value, bool) and kind != "boolean"
    if wrong_bool or not (whole or isinstance(value, TYPES[kind])):
        return [_wrong_type(name, kind, value)]
    least, most = item.schema.get("minimum"), item.schema.get("maximum")
    if least is not None and value < least:
        description = f"Must be greater than or equal to {least}"
        return [InvalidField("number_gte", name, description)]
    if most is not None and value > most:
        return [InvalidField("number_lte", name, f"Must be less than or equal to {most}")]
    return []


def _wrong_type(field: str, kind: str, value: Any) -> InvalidField:
    given = next((name for name, types in TYPES.items() if type(value) in types), "null")
    return InvalidField("invalid_type", field, f"Invalid type. Expected: {kind}, given: {given}")


def parse_cancel_after(header: str) -> float | None:
    """Seconds of a `Cancel-After` header (`90`, `30s`, `1h30m45s`); None if it is malformed."""
    header = header.strip()
    if len(header) <= 9 and header.isascii() and header.isdecimal():
        seconds = int(header)
    else:
        match = CANCEL_AFTER.fullmatch(header)
        if not header or len(header) > 20 or not match:
            return None
        hours, minutes, rest = (int(part or 0) for part in match.groups())
        seconds = hours * 3600 + minutes * 60 + rest
    return float(seconds) if 5 <= seconds <= 86_400 else None


def parse_prefer_wait(header: str) -> float | None:
    """Seconds to hold the request open, at most 60; None if the header does not ask for it."""
    match = re.fullmatch(r"wait(?:=([1-9]\d?))?", header.strip())
    if not match:
        return None
    return min(60.0, float(match.group(1) or 60))
