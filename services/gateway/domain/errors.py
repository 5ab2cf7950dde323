"""What can the gateway itself refuse?

* GatewayError
  - JobNotFound
  - ArtifactNotFound
  - ModelNotFound
  - UploadNotFound
  - UploadRefused
    - UploadUnfit
    - UploadTooLarge
    - UploadTypeRefused
    - UploadForm
  - TooManyUploads
  - TooManyWatchers
  - CursorInvalid
  - Unavailable
    - StoreUnavailable
    - ArtifactsUnavailable
    - ModelUnread
    - Draining
  - SignatureInvalid
  - CallNotFound
  - PredictionTaken

What the store refuses goes to the caller as the store says it.
"""

from __future__ import annotations

from typing import ClassVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo

from mediagen.v1 import error_reason_pb2 as reasons


class GatewayError(Exception):
    """Base of every error that a caller can act on. `reason` is its ErrorInfo.reason."""

    code: ClassVar[reasons.ErrorReason.ValueType]
    retry_after: ClassVar[int | None] = None

    def __init__(self, message: str, **metadata: object) -> None:
        super().__init__(message)
        self.reason = reasons.ErrorReason.Name(self.code)
        self.metadata = {key: str(value) for key, value in metadata.items()}
        self.details: list[Message] = []
        if self.retry_after is not None:
            self.details.append(RetryInfo(retry_delay=Duration(seconds=self.retry_after)))


class JobNotFound(GatewayError):
    """No job can have this id."""

    code = reasons.ERROR_REASON_JOB_NOT_FOUND

    def __init__(self, job_id: str) -> None:
        super().__init__(f"No job has the id {job_id!r}.", job_id=job_id)


class ArtifactNotFound(GatewayError):
    """The job has no such artifact, or its bytes are gone."""

    code = reasons.ERROR_REASON_ARTIFACT_NOT_FOUND

    def __init__(self, job_id: str, index: object, what: str = "artifact") -> None:
        super().__init__(
            f"Job {job_id} has no {what} {index}, or not yet.", job_id=job_id, index=index
        )


class ModelNotFound(GatewayError):
    """There is no such model or version here, or it has no picture. *why* is what is said of it,
    *similar* one that may be meant."""

    code = reasons.ERROR_REASON_MODEL_NOT_FOUND

    def __init__(self, model: str, why: str, similar: str = "") -> None:
        if similar:
            said = f"{model} {why}. Did you mean {similar}?"
            super().__init__(said, model=model, similar=similar)
        else:
            super().__init__(f"{model} {why}.", model=model)


class UploadNotFound(GatewayError):
    """No upload can have this id, or its bytes are gone."""

    code = reasons.ERROR_REASON_UPLOAD_NOT_FOUND

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"No upload has the id {upload_id!r}.", upload_id=upload_id)


class UploadRefused(GatewayError):
    """The file can not be an input. *why* is what is said of it."""

    code = reasons.ERROR_REASON_UPLOAD_REFUSED

    def __init__(self, why: str, **metadata: object) -> None:
        super().__init__(f"The file {why}.", **metadata)


class UploadUnfit(UploadRefused):
    """It is empty, not the one that was announced, or did not come in time."""


class UploadTooLarge(UploadRefused):
    """It is longer than MAX_UPLOAD_BYTES."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"is larger than {most_bytes} bytes", limit=most_bytes)


class UploadTypeRefused(UploadRefused):
    """By its bytes it is of a type that UPLOAD_TYPES leaves out, or that can carry script."""

    def __init__(self, media_type: str) -> None:
        super().__init__(f"is {media_type}, which is not taken here", media_type=media_type)


class UploadForm(UploadRefused):
    """It came wrapped in a form, as `curl -F` sends it."""

    def __init__(self) -> None:
        super().__init__(
            "must be the body itself, and this body is a form with the file in it: with curl, "
            "--data-binary @FILE in place of -F file=@FILE"
        )


class TooManyUploads(GatewayError):
    """This gateway receives as many files as it may."""

    code = reasons.ERROR_REASON_TOO_MANY_REQUESTS
    retry_after = 5

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} uploads under way already. Try again shortly.")


class TooManyWatchers(GatewayError):
    """This gateway holds as many watch streams as it may."""

    code = reasons.ERROR_REASON_TOO_MANY_REQUESTS
    retry_after = 5

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} watchers already. Try again shortly.")


class CursorInvalid(GatewayError):
    """The cursor of a watch of jobs is not one that this service gave to this tenant."""

    code = reasons.ERROR_REASON_CURSOR_INVALID

    def __init__(self) -> None:
        super().__init__("The cursor is not one of ours. Watch without one to begin anew.")
        said = BadRequest.FieldViolation(
            field="cursor", description="is not a cursor of this service", reason="CURSOR_INVALID"
        )
        self.details.append(BadRequest(field_violations=[said]))


class Unavailable(GatewayError):
    """A part can not answer now."""

    code = reasons.ERROR_REASON_UNAVAILABLE
    retry_after = 1


class StoreUnavailable(Unavailable):
    """The store did not answer."""

    def __init__(self) -> None:
        super().__init__("The store does not answer. Try again shortly.")


class ArtifactsUnavailable(Unavailable):
    """Object storage did not answer."""

    def __init__(self) -> None:
        super().__init__("The storage of artifacts does not answer. Try again shortly.")


class ModelUnread(Unavailable):
    """The model is allowed, and what it takes is not known yet."""

    retry_after = 5

    def __init__(self, model: str, problem: str = "") -> None:
        why = f" ({problem})" if problem else ""
        super().__init__(f"{model} is being looked up at the provider{why}. Try again shortly.")


class Draining(Unavailable):
    """This gateway is stopping; another one goes on."""

    def __init__(self) -> None:
        super().__init__("This gateway is stopping. Connect again, from the last thing seen.")


class SignatureInvalid(GatewayError):
    """The webhook is not the provider's, or too old to be believed."""

    code = reasons.ERROR_REASON_SIGNATURE_INVALID

    def __init__(self) -> None:
        super().__init__("The webhook is not signed by the provider, or too old.")


class CallNotFound(GatewayError):
    """No call of ours has the token that the webhook was sent to."""

    code = reasons.ERROR_REASON_CALL_NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No call of ours has this token.")


class PredictionTaken(GatewayError):
    """The webhook's prediction is another call's."""

    code = reasons.ERROR_REASON_PREDICTION_TAKEN

    def __init__(self) -> None:
        super().__init__("The prediction belongs to another call of ours.")
