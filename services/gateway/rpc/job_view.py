"""How does a caller see a job? With artifact URLs, and as the JSON that Envoy would print."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from gateway.domain.inputs import LARGEST_WHOLE
from mediagen.v1 import job_pb2

Json = dict[str, Any]


class JobView:
    """Adds what only the gateway knows: its public address."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def show(self, job: job_pb2.Job) -> job_pb2.Job:
        """*job* itself, with the URLs set; doing it twice changes nothing."""
        for artifact in job.artifacts:
            artifact.url = f"{self._public_url}/api/v1/jobs/{job.job_id}/artifacts/{artifact.index}"
        return job


def as_json(message: Message) -> Json:
    """Names as in the proto, enums by name, zeros printed; what is absent stays absent."""
    printed: Json = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return {key: _whole(value) for key, value in printed.items()}


def _whole(value: Any) -> Any:
    """A model's input of 4 went through a double, and is 4 again, not 4.0."""
    match value:
        case dict():
            return {key: _whole(each) for key, each in value.items()}
        case list():
            return [_whole(each) for each in value]
        case float() if value.is_integer() and abs(value) <= LARGEST_WHOLE:
            return int(value)
    return value
