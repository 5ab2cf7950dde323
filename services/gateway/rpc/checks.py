"""What is wrong with a request that no rule in its proto can say?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest

from gateway.domain import inputs
from gateway.domain.errors import JobNotFound
from mediagen.v1.generation_service_pb2 import ListJobsRequest, SubmitJobRequest
from servicekit.validation import violation

_JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# 0001-01-01 and 9999-12-31, as google.protobuf.Timestamp has them.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_NANOS = 1_000_000_000
# Far beyond what the protos allow; up to here their own rules find the words.
_MOST_ENTRIES = 1000


def further(request: Message) -> Sequence[BadRequest.FieldViolation]:
    """For ValidationInterceptor: told together with what the proto's own rules find."""
    match request:
        case SubmitJobRequest():
            found = _submit(request)
        case ListJobsRequest():
            found = _list(request)
        case _:
            return ()
    return [violation(*each) for each in found]


def oversized(request: Message) -> Sequence[BadRequest.FieldViolation]:
    """For ValidationInterceptor: what is too large for every rule to be tried on it.

    A rule over each of 100 000 entries holds up every other caller for seconds.
    """
    found: list[inputs.Problem] = []
    match request:
        case SubmitJobRequest():
            if request.input.ByteSize() > inputs.MOST_STRUCT_BYTES:
                found.append(inputs.too_large())
            if len(request.labels) > _MOST_ENTRIES:
                found.append(inputs.Problem("labels", "has too many entries", "MAP_MAX_PAIRS"))
        case ListJobsRequest():
            for name in ("states", "labels"):
                if len(getattr(request, name)) > _MOST_ENTRIES:
                    said = "has too many entries"
                    found.append(inputs.Problem(name, said, "REPEATED_MAX_ITEMS"))
    return [violation(*each) for each in found]


def job_id_of(text: str) -> str:
    """*text*, which can be the id of a job. Raises JobNotFound: no other string ever was one."""
    if not _JOB_ID.fullmatch(text):
        raise JobNotFound(text)
    return text


def _submit(request: SubmitJobRequest) -> Iterator[inputs.Problem]:
    if request.HasField("input"):
        yield from inputs.problems(inputs.plain(request.input))
    if not 0 <= request.timeout.nanos < _NANOS:
        yield inputs.Problem("timeout", "is not a valid duration", "DURATION_VALID")


def _list(request: ListJobsRequest) -> Iterator[inputs.Problem]:
    for name in ("create_time_from", "create_time_before"):
        if request.HasField(name) and not _is_valid(getattr(request, name)):
            yield inputs.Problem(name, "is not a time from year 1 to 9999", "TIMESTAMP_VALID")
    seen: dict[str, str] = {}
    for index, label in enumerate(request.labels):
        key, _, value = label.partition("=")
        if seen.setdefault(key, value) != value:
            yield inputs.Problem(
                f"labels[{index}]",
                f"asks for a second value of {key}; a job has one at most",
                "LABEL_TWICE",
            )


def _is_valid(time: Timestamp) -> bool:
    return _FIRST_SECOND <= time.seconds <= _LAST_SECOND and 0 <= time.nanos < _NANOS
