"""What is wrong with a request that no rule in its proto can say?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest

from gateway.domain import inputs
from gateway.domain.errors import JobNotFound
from mediagen.v1.dead_letter_pb2 import DeadLetterFilter
from mediagen.v1.generation_service_pb2 import (
    ListJobsRequest,
    SubmitJobRequest,
    WatchJobsEventsRequest,
    WatchJobsRequest,
)
from mediagen.v1.input_service_pb2 import UploadInputRequest
from mediagen.v1.operator_service_pb2 import (
    DiscardDeadLettersRequest,
    GetStatisticsRequest,
    ListDeadLettersRequest,
    RedriveDeadLettersRequest,
    SyncModelsRequest,
)
from mediagen.v1.webhook_endpoint_service_pb2 import (
    CreateWebhookEndpointRequest,
    ListWebhookDeliveriesRequest,
    UpdateWebhookEndpointRequest,
)
from mediagen.v1.webhook_pb2 import WebhookTarget
from servicekit import webhook_urls
from servicekit.hosts import HostList
from servicekit.validation import violation

_MODEL = re.compile(
    r"(?=.{3,300}\Z)[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*(:[0-9a-f]{64})?", re.ASCII
)
_JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# 0001-01-01 and 9999-12-31, as google.protobuf.Timestamp has them.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_NANOS = 1_000_000_000
MOST_CONTENT_BYTES = 1024 * 1024  #: of an upload, in one message
# Far beyond what the protos allow; up to here their own rules find the words.
_MOST_ENTRIES = 1000
_LISTS_OF_FILTER = ("states", "reasons", "charges")


class Further:
    """For ValidationInterceptor: told together with what the proto's own rules find.

    *webhook_hosts*: to which callers may have webhooks posted though they are not public.
    """

    def __init__(self, webhook_hosts: HostList = webhook_urls.NONE) -> None:
        self._webhook_hosts = webhook_hosts

    def __call__(self, request: Message) -> Sequence[BadRequest.FieldViolation]:
        return [violation(*each) for each in self._found(request)]

    def _found(self, request: Message) -> Iterator[inputs.Problem]:
        match request:
            case SubmitJobRequest():
                yield from _submit(request)
                if request.HasField("webhook"):
                    yield from self._target(request.webhook, "webhook")
            case CreateWebhookEndpointRequest() | UpdateWebhookEndpointRequest():
                if request.HasField("target"):
                    yield from self._target(request.target, "target")
            case UploadInputRequest():
                if len(request.content.data) > MOST_CONTENT_BYTES:
                    said = "is larger than 1 MiB; send more and smaller messages"
                    yield inputs.Problem("content.data", said, "BYTES_MAX_LEN")
            case GetStatisticsRequest():
                if not 0 <= request.window.nanos < _NANOS:
                    yield inputs.Problem("window", "is not a valid duration", "DURATION_VALID")
            case ListJobsRequest():
                yield from _times(request)
                yield from _twice(request.labels)
            case WatchJobsRequest() | WatchJobsEventsRequest():
                yield from _twice(request.labels)
            case (
                ListDeadLettersRequest() | RedriveDeadLettersRequest() | DiscardDeadLettersRequest()
            ):
                yield from _times(request.filter, "filter.")

    def _target(self, target: WebhookTarget, path: str) -> Iterator[inputs.Problem]:
        if said := webhook_urls.problem(target.url, self._webhook_hosts):
            yield inputs.Problem(f"{path}.url", said, "WEBHOOK_URL")


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
            found += _too_many(request.webhook, ("events",), "webhook.")
        case CreateWebhookEndpointRequest() | UpdateWebhookEndpointRequest():
            found += _too_many(request.target, ("events",), "target.")
        case ListJobsRequest() | WatchJobsRequest() | WatchJobsEventsRequest():
            found += _too_many(request, ("states", "labels"))
        case SyncModelsRequest():
            found += _too_many(request, ("names",))
        case ListWebhookDeliveriesRequest():
            found += _too_many(request, ("states",))
        case ListDeadLettersRequest():
            found += _too_many(request.filter, _LISTS_OF_FILTER, "filter.")
        case RedriveDeadLettersRequest() | DiscardDeadLettersRequest():
            found += _too_many(request, ("job_ids",))
            found += _too_many(request.filter, _LISTS_OF_FILTER, "filter.")
    return [violation(*each) for each in found]


def job_id_of(text: str) -> str:
    """*text*, which can be the id of a job. Raises JobNotFound: no other string ever was one."""
    if not _JOB_ID.fullmatch(text):
        raise JobNotFound(text)
    return text


def is_model(text: str) -> bool:
    """*text* can name a model, and perhaps a version of it: as the proto's own rule has it."""
    return _MODEL.fullmatch(text) is not None


def _submit(request: SubmitJobRequest) -> Iterator[inputs.Problem]:
    if request.HasField("input"):
        yield from inputs.problems(inputs.plain(request.input))
    if not 0 <= request.timeout.nanos < _NANOS:
        yield inputs.Problem("timeout", "is not a valid duration", "DURATION_VALID")


def _twice(labels: Iterable[str]) -> Iterator[inputs.Problem]:
    """Labels to filter by that no job can have together."""
    seen: dict[str, str] = {}
    for index, label in enumerate(labels):
        key, _, value = label.partition("=")
        if seen.setdefault(key, value) != value:
            yield inputs.Problem(
                f"labels[{index}]",
                f"asks for a second value of {key}; a job has one at most",
                "LABEL_TWICE",
            )


def _times(request: ListJobsRequest | DeadLetterFilter, path: str = "") -> Iterator[inputs.Problem]:
    """What is wrong with the span of time that *request* asks for."""
    said = "is not a time from year 1 to 9999"
    if request.HasField("create_time_from") and not _is_valid(request.create_time_from):
        yield inputs.Problem(f"{path}create_time_from", said, "TIMESTAMP_VALID")
    if request.HasField("create_time_before") and not _is_valid(request.create_time_before):
        yield inputs.Problem(f"{path}create_time_before", said, "TIMESTAMP_VALID")


def _too_many(request: Message, names: Iterable[str], path: str = "") -> Iterator[inputs.Problem]:
    for name in names:
        if len(getattr(request, name)) > _MOST_ENTRIES:
            yield inputs.Problem(f"{path}{name}", "has too many entries", "REPEATED_MAX_ITEMS")


def _is_valid(time: Timestamp) -> bool:
    return _FIRST_SECOND <= time.seconds <= _LAST_SECOND and 0 <= time.nanos < _NANOS
