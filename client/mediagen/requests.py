"""How do plain Python values become requests?

What would be changed or lost on the way is refused here, as the server would refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from mediagen.errors import InvalidRequest, Violation
from mediagen.json_values import struct, text_violations, value_violations
from mediagen.v1.attempt_pb2 import Charge
from mediagen.v1.dead_letter_pb2 import DeadLetter, DeadLetterFilter
from mediagen.v1.failure_pb2 import FailureReason
from mediagen.v1.generation_service_pb2 import (
    ListJobsRequest,
    SubmitJobRequest,
    WatchJobsRequest,
)
from mediagen.v1.job_pb2 import Job, Priority
from mediagen.v1.model_pb2 import Model
from mediagen.v1.model_service_pb2 import GetModelRequest, ListModelsRequest
from mediagen.v1.operator_service_pb2 import GetStatisticsRequest, SyncModelsRequest
from mediagen.v1.webhook_pb2 import WebhookDelivery, WebhookTarget

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
    webhook: Webhook | None,
    validate_only: bool = False,
) -> SubmitJobRequest:
    """The submission that these values say. Raises InvalidRequest with every violation."""
    violations = [
        *text_violations({"prompt": prompt, "model": model, "request_id": request_id}),
        *text_violations(
            {f"labels.{key}": f"{key}{value}" for key, value in (labels or {}).items()}
        ),
        *value_violations("input", dict(input or {}), 0),
    ]
    _refuse(violations)
    return SubmitJobRequest(
        request_id=request_id,
        model=model,
        prompt=prompt,
        input=struct(input) if input else None,
        timeout=_duration(timeout),
        labels=labels,
        priority=_named(Priority, "PRIORITY_", priority, "priority")
        if priority
        else Priority.PRIORITY_UNSPECIFIED,
        webhook=webhook_target(webhook) if webhook else None,
        validate_only=validate_only,
    )


def models_request(
    query: str, output_kind: Model.OutputKind.ValueType | str | None, page_size: int, token: str
) -> ListModelsRequest:
    """The page of models that these values ask for."""
    _refuse(text_violations({"query": query, "page_token": token}))
    kind = _named(Model.OutputKind, "OUTPUT_KIND_", output_kind or 0, "output_kind")
    return ListModelsRequest(query=query, output_kind=kind, page_size=page_size, page_token=token)


def model_request(name: str, version: str) -> GetModelRequest:
    """The model that these values mean."""
    _refuse(text_violations({"name": name, "version": version}))
    return GetModelRequest(name=name, version=version)


def statistics_request(window: Seconds | None, steps: int) -> GetStatisticsRequest:
    """The look back that these values ask for."""
    return GetStatisticsRequest(window=_duration(window, "window"), steps=steps)


def sync_request(names: Iterable[str]) -> SyncModelsRequest:
    """The models that are to be asked about."""
    wanted = [names] if isinstance(names, str) else list(names)
    _refuse(text_violations({f"names[{place}]": each for place, each in enumerate(wanted)}))
    return SyncModelsRequest(names=list(dict.fromkeys(wanted)))


class WebhookWish(TypedDict):
    """Where to tell of events, and of which."""

    url: str
    """The https URL to post to."""
    events: NotRequired[Sequence[str]]
    """Such as "job.started" or "job.completed"; the three ends of a job if none is given."""


Webhook = str | WebhookWish


def webhook_target(webhook: Webhook, field: str = "webhook") -> WebhookTarget:
    """The target that a URL stands for, or a URL with events."""
    wish: WebhookWish = {"url": webhook} if isinstance(webhook, str) else webhook
    events = wish.get("events", ())
    texts = {f"{field}.url": wish["url"]}
    texts |= {f"{field}.events[{place}]": each for place, each in enumerate(events)}
    _refuse(text_violations(texts))
    return WebhookTarget(url=wish["url"], events=events)


class WatchFilters(TypedDict, total=False):
    """Which jobs to watch. All that are given must hold."""

    states: Iterable[Job.State.ValueType | str]
    """In any of these, or until the change that is told: "pending", "running", …"""
    model: str
    """Of this model, letter for letter as submitted."""
    labels: Mapping[str, str]
    """With all of these labels."""


def watch_request(cursor: str, filters: WatchFilters) -> WatchJobsRequest:
    """The watch that these values ask for."""
    model = filters.get("model", "")
    pairs = [f"{key}={value}" for key, value in filters.get("labels", {}).items()]
    texts = {"cursor": cursor, "model": model, "labels": ",".join(pairs)}
    _refuse(text_violations(texts))
    return WatchJobsRequest(
        cursor=cursor,
        states=[_named(Job.State, "STATE_", each, "states") for each in filters.get("states", ())],
        model=model,
        labels=pairs,
    )


def delivery_states(
    states: Iterable[WebhookDelivery.State.ValueType | str],
) -> list[WebhookDelivery.State.ValueType]:
    """The states of deliveries that these words mean."""
    return [_named(WebhookDelivery.State, "STATE_", each, "states") for each in states]


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
    """With this text in the prompt, or in the title where there is no prompt, in any case."""


def list_request(page_size: int, page_token: str, filters: ListFilters) -> ListJobsRequest:
    """The page of jobs that these values ask for."""
    model, contained = filters.get("model", ""), filters.get("prompt_contains", "")
    pairs = [f"{key}={value}" for key, value in filters.get("labels", {}).items()]
    texts = {"model": model, "prompt_contains": contained, "page_token": page_token}
    _refuse([*text_violations(texts), *text_violations({"labels": ",".join(pairs)})])
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
    _refuse(text_violations({"tenant": tenant, "model": model}))
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
    _refuse(text_violations({f"job_ids[{place}]": each for place, each in enumerate(ids)}))
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


def _duration(value: Seconds | None, field: str = "timeout") -> Duration | None:
    if value is None:
        return None
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    duration = Duration()
    try:
        duration.FromNanoseconds(round(seconds * 1e9))
    except (ValueError, OverflowError):
        _refuse([Violation(field, f"{value} is not a duration in seconds", "duration")])
    return duration


def _timestamp(value: datetime | None) -> Timestamp | None:
    if value is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(value.astimezone())  # a naive time is local time, as Python has it
    return timestamp
