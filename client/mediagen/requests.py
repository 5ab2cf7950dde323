"""How do plain Python values become requests?

What would be changed or lost on the way is refused here, as the server would refuse it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from mediagen.errors import InvalidRequest, Violation
from mediagen.v1.attempt_pb2 import Charge
from mediagen.v1.dead_letter_pb2 import DeadLetter, DeadLetterFilter
from mediagen.v1.failure_pb2 import FailureReason
from mediagen.v1.generation_service_pb2 import ListJobsRequest, SubmitJobRequest
from mediagen.v1.job_pb2 import Job, Priority

# google.protobuf.Struct keeps every number as a double, exact for whole numbers up to here.
_LARGEST_WHOLE = 2**53
_DEEPEST = 64

Seconds = float | int | timedelta


def submit_request(
    prompt: str,
    *,
    model: str,
    request_id: str,
    input: Mapping[str, Any] | None,
    timeout: Seconds | None,
    labels: Mapping[str, str] | None,
    priority: Priority.ValueType | str | None,
) -> SubmitJobRequest:
    """The submission that these values say. Raises InvalidRequest with every violation."""
    violations = [
        *_text_violations({"prompt": prompt, "model": model, "request_id": request_id}),
        *_text_violations(
            {f"labels.{key}": f"{key}{value}" for key, value in (labels or {}).items()}
        ),
        *_value_violations("input", dict(input or {}), 0),
    ]
    _refuse(violations)
    return SubmitJobRequest(
        request_id=request_id,
        model=model,
        prompt=prompt,
        input=_struct(input) if input else None,
        timeout=_duration(timeout),
        labels=labels,
        priority=_named(Priority, "PRIORITY_", priority, "priority")
        if priority
        else Priority.PRIORITY_UNSPECIFIED,
    )


class ListFilters(TypedDict, total=False):
    """Which jobs to list. All that are given must hold."""

    states: Iterable[Job.State.ValueType | str]
    """Any of these: "pending", "running", "completed", "failed", "canceled"."""
    model: str
    """Of this model, letter for letter as submitted."""
    labels: Mapping[str, str]
    """With all of these labels."""
    create_time_from: datetime
    """Accepted at this time or later."""
    create_time_before: datetime
    """Accepted before this time."""
    prompt_contains: str
    """With this text in the prompt, in any case."""


def list_request(page_size: int, page_token: str, filters: ListFilters) -> ListJobsRequest:
    """The page of jobs that these values ask for."""
    model, contained = filters.get("model", ""), filters.get("prompt_contains", "")
    pairs = [f"{key}={value}" for key, value in filters.get("labels", {}).items()]
    texts = {"model": model, "prompt_contains": contained, "page_token": page_token}
    _refuse([*_text_violations(texts), *_text_violations({"labels": ",".join(pairs)})])
    return ListJobsRequest(
        page_size=page_size,
        page_token=page_token,
        states=[_named(Job.State, "STATE_", each, "states") for each in filters.get("states", ())],
        model=model,
        labels=pairs,
        create_time_from=_timestamp(filters.get("create_time_from")),
        create_time_before=_timestamp(filters.get("create_time_before")),
        prompt_contains=contained,
    )


class DeadLetterFilters(TypedDict, total=False):
    """Which dead letters are meant. All that are given must hold."""

    states: Iterable[DeadLetter.State.ValueType | str]
    """Any of these: "parked", "dead", "redriven", …; the first two if none is given."""
    tenant: str
    """Of this tenant."""
    model: str
    """Of this model, letter for letter as submitted."""
    reasons: Iterable[FailureReason.ValueType | str]
    """Given up for any of these: "provider_failed", "deadline", …"""
    charges: Iterable[Charge.ValueType | str]
    """With any of these: "no", "yes", "unknown"."""
    create_time_from: datetime
    """Given up or parked at this time or later."""
    create_time_before: datetime
    """Given up or parked before this time."""


def dead_letter_filter(filters: DeadLetterFilters) -> DeadLetterFilter:
    """The dead letters that these values mean."""
    tenant, model = filters.get("tenant", ""), filters.get("model", "")
    _refuse(_text_violations({"tenant": tenant, "model": model}))
    states, reasons = filters.get("states", ()), filters.get("reasons", ())
    return DeadLetterFilter(
        states=[_named(DeadLetter.State, "STATE_", each, "states") for each in states],
        tenant=tenant,
        model=model,
        reasons=[_named(FailureReason, "FAILURE_REASON_", each, "reasons") for each in reasons],
        charges=[_named(Charge, "CHARGE_", each, "charges") for each in filters.get("charges", ())],
        create_time_from=_timestamp(filters.get("create_time_from")),
        create_time_before=_timestamp(filters.get("create_time_before")),
    )


def decided_ids(job_ids: Iterable[str]) -> list[str]:
    """The jobs to decide about, each once."""
    ids = [job_ids] if isinstance(job_ids, str) else list(job_ids)
    _refuse(_text_violations({f"job_ids[{place}]": each for place, each in enumerate(ids)}))
    return list(dict.fromkeys(ids))


def _refuse(violations: Sequence[Violation]) -> None:
    if violations:
        raise InvalidRequest("The request can not be sent.", violations=violations)


def _named(kind: Any, prefix: str, value: int | str, field: str) -> Any:
    if not isinstance(value, str):
        return value
    name = value.upper() if value.upper().startswith(prefix) else prefix + value.upper()
    if name not in kind.DESCRIPTOR.values_by_name:
        names = [each.name for each in kind.DESCRIPTOR.values[1:]]
        words = ", ".join(each.removeprefix(prefix).lower() for each in names)
        _refuse([Violation(field, f"{value!r} is none of {words}", "enum")])
    return kind.Value(name)


def _duration(value: Seconds | None) -> Duration | None:
    if value is None:
        return None
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    duration = Duration()
    try:
        duration.FromNanoseconds(round(seconds * 1e9))
    except (ValueError, OverflowError):
        _refuse([Violation("timeout", f"{value} is not a duration in seconds", "duration")])
    return duration


def _timestamp(value: datetime | None) -> Timestamp | None:
    if value is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(value.astimezone())  # a naive time is local time, as Python has it
    return timestamp


def _struct(values: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(_plain(values))
    return struct


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _text_violations(texts: Mapping[str, str]) -> list[Violation]:
    return [
        Violation(field, wrong, "utf8")
        for field, text in texts.items()
        if (wrong := _not_text(text))
    ]


def _not_text(value: object) -> str:
    if not isinstance(value, str):
        return f"must be text, not {type(value).__name__}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode text"
    return ""


def _value_violations(path: str, value: object, depth: int) -> list[Violation]:
    """What of *value* JSON does not have, or a double would change."""
    if depth > _DEEPEST:
        return [Violation(path, "is nested too deep", "depth")]
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, str):
        return _text_violations({path: value})
    if isinstance(value, int):
        wrong = "is larger than 2^53 and would lose digits" if abs(value) > _LARGEST_WHOLE else ""
    elif isinstance(value, float):
        wrong = "" if math.isfinite(value) else "is not a number that JSON has"
    elif isinstance(value, Mapping):
        return _mapping_violations(path, value, depth)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [
            wrong
            for place, each in enumerate(value)
            for wrong in _value_violations(f"{path}[{place}]", each, depth + 1)
        ]
    else:
        wrong = f"must be a JSON value, not {type(value).__name__}"
    return [Violation(path, wrong, "json")] if wrong else []


def _mapping_violations(path: str, value: Mapping[Any, object], depth: int) -> list[Violation]:
    found = []
    for key, each in value.items():
        if wrong := _not_text(key):
            found.append(Violation(path, f"a name in it {wrong}", "json"))
        else:
            found += _value_violations(f"{path}.{key}", each, depth + 1)
    return found
