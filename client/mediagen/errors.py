"""Why was a call refused?

    MediagenError
    ├── InvalidRequest         the request breaks rules; `violations` lists every one
    │   └── UploadRefused      the file is empty, too large, or of a type that is not taken
    ├── NotFound
    │   ├── JobNotFound        no job has this id
    │   ├── ArtifactNotFound   the job has no such artifact, or not yet
    │   │   └── ArtifactDeleted  it was kept long enough
    │   ├── ModelNotFound      the provider has no such model, or it is not allowed here
    │   ├── UploadNotFound     no upload has this id, or it is no longer kept
    │   ├── DeadLetterNotFound no job of this id was given up or parked
    │   ├── EndpointNotFound   no webhook endpoint has this id
    │   └── DeliveryNotFound   no webhook delivery has this id, or it is no longer kept
    ├── RequestIdReused        an earlier submission used this request_id for another request
    ├── TransitionRefused      it can not be done as things are: pinging a paused endpoint
    ├── TooManyEndpoints       there are as many webhook endpoints as there may be
    ├── TooManyUploads         there are as many uploads without a job as there may be
    ├── TooManyRequests        too much at once; `retry_delay` says when to try again
    ├── Unavailable            the service, or a part of it, can not be reached now
    ├── DeadlineExceeded       no answer within the client's timeout
    ├── AccessDenied           the API key is missing, wrong, or not enough
    ├── ServerFailed           something broke on the server's side
    ├── DownloadBroken         what arrived is not what the job says it stored
    └── UploadBroken           what was stored is not what was sent

The server's reason (`mediagen.v1.ErrorReason`) decides the class. A reason that this version does
not know falls back to the gRPC code, so a newer server still raises something sensible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

DOMAIN = "mediagen.dev"


@dataclass(frozen=True)
class Violation:
    """One rule that a request breaks."""

    field: str
    """The field's path: "prompt", "input.aspect_ratio"; empty for the request as a whole."""
    description: str
    """What is wrong, for people."""
    rule: str = ""
    """The rule's name, for programs. Empty where the server gives none."""


class MediagenError(Exception):
    """A call to mediagen did not succeed. `str()` of it is fit to be shown to people."""

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode | None = None,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_delay: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        """The gRPC code. None where the error is the client's own."""
        self.reason = reason
        """The name of the ErrorReason without its prefix ("JOB_NOT_FOUND"), or empty."""
        self.metadata = dict(metadata or {})
        """What the reason is about: job_id, request_id, index, revision."""
        self.violations = tuple(violations)
        self.retry_delay = retry_delay
        """Seconds to wait before another try, where the server says so."""

    def __str__(self) -> str:
        lines = [f"{each.field or 'request'}: {each.description}" for each in self.violations]
        return "\n".join([self.message, *(f"  {line}" for line in lines)])


class InvalidRequest(MediagenError):
    """The request breaks rules. Nothing was done; sending it again changes nothing."""


class UploadRefused(InvalidRequest):
    """The file is empty, too large (`metadata["limit"]`), of a type that is not taken
    (`metadata["media_type"]`), or has another SHA-256 than the one given."""


class NotFound(MediagenError):
    """What was asked for does not exist."""


class JobNotFound(NotFound):
    """No job has this id (`metadata["job_id"]`)."""


class ArtifactNotFound(NotFound):
    """The job has no artifact with this index, or not yet."""


class ArtifactDeleted(ArtifactNotFound):
    """The artifact was kept long enough: its bytes are gone, the job still lists it."""


class ModelNotFound(NotFound):
    """The provider has no such model or version, or it is not allowed (`metadata["model"]`)."""


class UploadNotFound(NotFound):
    """No upload has this id (`metadata["upload_id"]`), or it is no longer kept."""


class DeadLetterNotFound(NotFound):
    """No job of this id (`metadata["job_id"]`) was given up or parked."""


class EndpointNotFound(NotFound):
    """No webhook endpoint has this id (`metadata["endpoint_id"]`)."""


class DeliveryNotFound(NotFound):
    """No webhook delivery has this id (`metadata["delivery_id"]`), or it is no longer kept."""


class RequestIdReused(MediagenError):
    """An earlier submission (`metadata["job_id"]`) used this request_id for another request."""


class TransitionRefused(MediagenError):
    """It can not be done as things are. The message says why."""


class TooManyEndpoints(MediagenError):
    """There are as many webhook endpoints (`metadata["limit"]`) as there may be."""


class TooManyUploads(MediagenError):
    """There are as many uploads that wait for a job (`metadata["limit"]`), or as many bytes of them
    (`metadata["limit_bytes"]`), as there may be. Use some, or wait until they expire."""


class TooManyRequests(MediagenError):
    """Too much was asked for at once."""


class Unavailable(MediagenError):
    """The service, or a part of it, can not be reached now. Try again later."""


class DeadlineExceeded(MediagenError):
    """No answer came within the client's timeout. Whether the call took effect is not known."""


class AccessDenied(MediagenError):
    """The API key is missing, wrong, or not enough for this call."""


class ServerFailed(MediagenError):
    """Something broke on the server's side."""


class DownloadBroken(MediagenError):
    """The bytes that arrived are not those that the job says it stored. No file was written."""


class UploadBroken(MediagenError):
    """The service has stored other bytes than were sent. Upload them again."""


_BY_REASON: dict[str, type[MediagenError]] = {
    "INVALID_REQUEST": InvalidRequest,
    "PAGE_TOKEN_INVALID": InvalidRequest,
    "CURSOR_INVALID": InvalidRequest,
    "JOB_NOT_FOUND": JobNotFound,
    "ARTIFACT_NOT_FOUND": ArtifactNotFound,
    "ARTIFACT_DELETED": ArtifactDeleted,
    "MODEL_NOT_FOUND": ModelNotFound,
    "UPLOAD_NOT_FOUND": UploadNotFound,
    "UPLOAD_REFUSED": UploadRefused,
    "DEAD_LETTER_NOT_FOUND": DeadLetterNotFound,
    "WEBHOOK_ENDPOINT_NOT_FOUND": EndpointNotFound,
    "WEBHOOK_DELIVERY_NOT_FOUND": DeliveryNotFound,
    "REQUEST_ID_REUSED": RequestIdReused,
    "TRANSITION_REFUSED": TransitionRefused,
    "TOO_MANY_WEBHOOK_ENDPOINTS": TooManyEndpoints,
    "TOO_MANY_REQUESTS": TooManyRequests,
    "TOO_MANY_UPLOADS": TooManyUploads,
    "UNAVAILABLE": Unavailable,
    "INTERNAL": ServerFailed,
}

_BY_CODE: dict[grpc.StatusCode, type[MediagenError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: RequestIdReused,
    grpc.StatusCode.FAILED_PRECONDITION: TransitionRefused,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TooManyRequests,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNAUTHENTICATED: AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: AccessDenied,
}


def from_call(error: grpc.aio.AioRpcError) -> MediagenError:
    """The error that a failed call stands for, with every detail that the server sent."""
    code = error.code()
    info, bad_request, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    _unpack(_status(error), info, bad_request, retry)
    reason = info.reason.removeprefix("ERROR_REASON_") if info.domain == DOMAIN else ""
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code, ServerFailed)
    return kind(
        error.details() or code.name,
        code=code,
        reason=reason,
        metadata=info.metadata,
        violations=[
            Violation(each.field, each.description, each.reason)
            for each in bad_request.field_violations
        ],
        retry_delay=retry.retry_delay.ToNanoseconds() / 1e9 if retry.ByteSize() else None,
    )


def _status(error: grpc.aio.AioRpcError) -> Status:
    try:
        return rpc_status.from_call(error) or Status()
    except (ValueError, DecodeError):  # a proxy changed the code or the text: those count
        return Status()


def _unpack(status: Status, *wanted: Message) -> None:
    for detail in status.details:
        for message in wanted:
            if detail.Is(message.DESCRIPTOR):
                try:
                    detail.Unpack(message)
                except DecodeError:
                    continue
