"""What does --json print? Field names as in the protos, every field always there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from mediagen import errors
from mediagen.v1.job_pb2 import Artifact, Job


def dump(document: Mapping[str, Any]) -> str:
    """One line. ASCII only, so that no text of a server can steer a terminal."""
    return json.dumps(document, ensure_ascii=True).replace("\x7f", "\\u007f")


def of(message: Message) -> dict[str, Any]:
    """A message as its JSON object, in snake_case."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def saved(artifact: Artifact, path: Path) -> dict[str, Any]:
    """A file that was written."""
    return {
        "path": str(path),
        "index": artifact.index,
        "media_type": artifact.media_type,
        "size_bytes": artifact.size_bytes,
        "sha256": artifact.sha256,
    }


def error(failed: errors.MediagenError) -> dict[str, Any]:
    """A refusal, for standard error."""
    violations: Sequence[errors.Violation] = failed.violations
    return {
        "error": {
            "reason": failed.reason,
            "code": failed.code.name if failed.code else "",
            "message": failed.message,
            "metadata": failed.metadata,
            "violations": [
                {"field": each.field, "description": each.description, "rule": each.rule}
                for each in violations
            ],
        }
    }


def result(job: Job, files: Sequence[tuple[Artifact, Path]]) -> dict[str, Any]:
    """A job with the files that were saved."""
    return {"job": of(job), "files": [saved(artifact, path) for artifact, path in files]}
