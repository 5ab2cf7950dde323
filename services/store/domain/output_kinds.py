"""What does a model make? Read off its schemas: a file's address does not say what the file is."""

from __future__ import annotations

from typing import Any, Final

from store.domain.models import OutputKind

_FORMATS: Final = (
    (OutputKind.VIDEO, frozenset({"mp4", "webm", "mov"})),
    (OutputKind.AUDIO, frozenset({"mp3", "wav", "flac", "ogg", "m4a"})),
    (OutputKind.IMAGE, frozenset({"png", "jpg", "jpeg", "webp", "avif", "svg"})),
)
_INPUTS: Final = (
    (OutputKind.VIDEO, frozenset({"fps", "num_frames", "frames_per_second", "camera_fixed"})),
    (OutputKind.AUDIO, frozenset({"voice_id", "voice", "sample_rate", "bitrate", "bpm"})),
    (OutputKind.IMAGE, frozenset({"aspect_ratio", "width", "num_outputs", "mask", "megapixels"})),
)


def output_kind(taken: dict[str, Any], given: dict[str, Any]) -> OutputKind:
    """What a model makes that takes these inputs and gives this; UNSPECIFIED if nothing tells."""
    if not given:
        return OutputKind.UNSPECIFIED
    if not _has_file(given):
        return OutputKind.TEXT
    inputs: dict[str, Any] = taken.get("properties", {})
    choices = {
        str(choice).lower()
        for each in inputs.values()
        for choice in (*each.get("enum", ()), each.get("default"))
    }
    for kind, formats in _FORMATS:
        if choices & formats:
            return kind
    for kind, names in _INPUTS:
        if names & inputs.keys():
            return kind
    return OutputKind.UNSPECIFIED


def _has_file(schema: dict[str, Any]) -> bool:
    """Somewhere in it is an address."""
    if schema.get("format") == "uri":
        return True
    inner = [schema.get("items"), *schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    return any(_has_file(each) for each in inner if each)
