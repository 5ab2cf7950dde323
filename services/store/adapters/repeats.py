"""Is a submission the repeat of an earlier one, or another wish under the same request_id?

Equal wishes have equal hashes, which is all that is compared in nearly every case. Only where they
differ are the two looked at: a caller that repeats with a file of its own uploads it again, and the
same bytes under another upload's name are the same wish. Secrets are not kept: a digest of them is
compared, which takes long to make, so that it does not give away a short one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from mediagen.v1 import job_pb2
from servicekit import secret_inputs

#: What is not the caller's: the id, and what was settled as the job was accepted, which may come
#: out otherwise when it is accepted again.
_NOT_ASKED_FOR = (
    "request_id", "model_version", "defaults", "input_files", "title", "secret_inputs",
)  # fmt: skip
_UPLOAD = "upload:"


def request_hash(request: job_pb2.JobRequest) -> bytes:
    """The SHA-256 of what was asked for: what a repeat is compared by."""
    return hashlib.sha256(json.dumps(_asked_for(request), sort_keys=True).encode()).digest()


def is_repeat(first: job_pb2.JobRequest, again: job_pb2.JobRequest) -> bool:
    """Both ask for the same, an uploaded file counting by its bytes."""
    return _by_bytes(first) == _by_bytes(again)


def secrets_digest(tenant: str, request_id: str, secrets: Struct) -> bytes | None:
    """What the secrets of a repeat are compared by; None: there are none. Takes 50 ms of a core."""
    if not secrets.fields:
        return None
    words = json.dumps(MessageToDict(secrets), sort_keys=True).encode()
    salt = hashlib.sha256(json.dumps([tenant, request_id]).encode()).digest()
    return hashlib.scrypt(words, salt=salt, n=2**14, r=8, p=1, dklen=32)


def as_accepted(
    request: job_pb2.JobRequest, secrets: Struct, first: job_pb2.JobRequest
) -> tuple[job_pb2.JobRequest, Struct]:
    """*request* with masks where *first* has them, and its secrets. By now its model may say
    otherwise what is secret, or not be known."""
    again = job_pb2.JobRequest()
    again.CopyFrom(request)
    secret_inputs.reveal(again.input, secrets)
    return again, secret_inputs.hide(again.input, first.secret_inputs)


def _asked_for(request: job_pb2.JobRequest) -> dict[str, Any]:
    words: dict[str, Any] = MessageToDict(request, preserving_proto_field_name=True)
    for name in _NOT_ASKED_FOR:
        words.pop(name, None)
    return words


def _by_bytes(request: job_pb2.JobRequest) -> dict[str, Any]:
    words = _asked_for(request)
    for file in request.input_files:
        if file.uri.startswith(_UPLOAD):
            _put(words["input"], file.path, f"sha256:{file.sha256} {file.media_type}")
    return words


def _put(within: Any, pointer: str, value: str) -> None:
    """Puts *value* where the JSON pointer (RFC 6901) leads, which is a place that there is."""
    *way, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    for part in way:
        within = within[int(part)] if isinstance(within, list) else within[part]
    within[int(last) if isinstance(within, list) else last] = value
