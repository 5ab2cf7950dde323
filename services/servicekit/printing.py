"""How does a message look to callers over HTTP? As JSON as Envoy prints it, and with links."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

Json = dict[str, Any]

#: Up to here every double that is a whole number is surely the one that was meant.
_LARGEST_WHOLE = 2**53


def as_json(message: Message) -> Json:
    """Names as in the proto, enums by name, zeros printed; what is absent stays absent."""
    printed: Json = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return {key: _whole(value) for key, value in printed.items()}


def artifact_url(public_url: str, job_id: str, index: int) -> str:
    """Where callers get an artifact; *public_url* is where they reach the edge."""
    return f"{public_url}/api/v1/jobs/{job_id}/artifacts/{index}"


def preview_url(public_url: str, job_id: str, index: int) -> str:
    """Where callers get the small picture of an artifact."""
    return f"{artifact_url(public_url, job_id, index)}/preview"


def _whole(value: Any) -> Any:
    """A model's input of 4 went through a double, and is 4 again, not 4.0."""
    match value:
        case dict():
            return {key: _whole(each) for key, each in value.items()}
        case list():
            return [_whole(each) for each in value]
        case float() if value.is_integer() and abs(value) <= _LARGEST_WHOLE:
            return int(value)
    return value
