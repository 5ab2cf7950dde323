"""What can go wrong with a job.

* JobError
  - JobNotFound
  - ArtifactNotFound
  - ArtifactDeleted
  - UploadNotFound
  - TooManyUploads
  - DeadLetterNotFound
  - RequestIdReused
  - PageTokenInvalid
  - LeaseLost
  - TransitionRefused
  - PermitUnknown
  - PredictionTaken
  - EndpointNotFound
  - DeliveryNotFound
  - TooManyEndpoints
  - EndpointPaused
  - EndpointNamedByJobs
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID


class JobError(Exception):
    """Base of every error a caller can act on. `reason` is its ErrorInfo.reason."""

    reason: ClassVar[str]

    def __init__(self, message: str, **metadata: object) -> None:
        super().__init__(message)
        self.metadata = {key: str(value) for key, value in metadata.items()}


class JobNotFound(JobError):
    """No job of this tenant has this id."""

    reason = "ERROR_REASON_JOB_NOT_FOUND"

    def __init__(self, job_id: object, name: str = "id") -> None:
        shown = str(job_id)[:64]
        super().__init__(
            f"No job has the {name} {shown!r}.", **{"job_id" if name == "id" else name: shown}
        )


class ArtifactNotFound(JobError):
    """The job has no artifact with this index, or not yet."""

    reason = "ERROR_REASON_ARTIFACT_NOT_FOUND"

    def __init__(self, job_id: UUID, index: int) -> None:
        super().__init__(f"Job {job_id} has no artifact {index}.", job_id=job_id, index=index)


class ArtifactDeleted(JobError):
    """The artifact was kept long enough: it is listed, and its bytes are gone."""

    reason = "ERROR_REASON_ARTIFACT_DELETED"

    def __init__(self, job_id: UUID, index: int) -> None:
        super().__init__(
            f"Artifact {index} of job {job_id} was kept long enough, and is deleted.",
            job_id=job_id, index=index,
        )  # fmt: skip


class UploadNotFound(JobError):
    """The tenant has no upload of this id, or it is no longer kept."""

    reason = "ERROR_REASON_UPLOAD_NOT_FOUND"

    def __init__(self, upload_id: object) -> None:
        shown = str(upload_id)[:64]
        super().__init__(
            f"No upload has the id {shown!r}, or it is no longer kept.", upload_id=shown
        )


class TooManyUploads(JobError):
    """The tenant has as many uploads that wait for a job as it may, or as many bytes of them."""

    reason = "ERROR_REASON_TOO_MANY_UPLOADS"

    def __init__(self, most: int, most_bytes: int) -> None:
        super().__init__(
            f"There are {most} uploads that no job has used, or {most_bytes} bytes of them, which "
            "is the limit. Use some in jobs, or wait until they expire.",
            limit=most, limit_bytes=most_bytes,
        )  # fmt: skip


class DeadLetterNotFound(JobError):
    """No job of this id was ever given up or parked."""

    reason = "ERROR_REASON_DEAD_LETTER_NOT_FOUND"

    def __init__(self, job_id: object) -> None:
        shown = str(job_id)[:64]
        super().__init__(f"No job with the id {shown!r} was given up or parked.", job_id=shown)


class RequestIdReused(JobError):
    """An earlier submission used this request_id for another request."""

    reason = "ERROR_REASON_REQUEST_ID_REUSED"

    def __init__(self, request_id: str, job_id: UUID) -> None:
        super().__init__(
            f"request_id {request_id!r} was used for another request, which is job {job_id}. "
            "Use a new request_id for a new request.",
            request_id=request_id,
            job_id=job_id,
        )


class PageTokenInvalid(JobError):
    """The page token is not one of ours, or belongs to another filter."""

    reason = "ERROR_REASON_PAGE_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__(
            "page_token is not one that this method gave for this filter. Start without one, and "
            "keep every filter as it is from page to page."
        )


class LeaseLost(JobError):
    """The worker no longer holds the job: stop, spend nothing."""

    reason = "ERROR_REASON_LEASE_LOST"

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"The lease on job {job_id} is lost.", job_id=job_id)


class TransitionRefused(JobError):
    """The change does not fit the state that the job or attempt is in."""

    reason = "ERROR_REASON_TRANSITION_REFUSED"

    def __init__(self, job_id: UUID, why: str) -> None:
        super().__init__(f"Job {job_id}: {why}", job_id=job_id)


class PermitUnknown(JobError):
    """No attempt was ever given this submit token or prediction."""

    reason = "ERROR_REASON_TRANSITION_REFUSED"

    def __init__(self, what: str) -> None:
        super().__init__(f"No attempt belongs to {what}.")


class PredictionTaken(JobError):
    """The prediction belongs to another attempt than the one that it was told of."""

    reason = "ERROR_REASON_PREDICTION_TAKEN"

    def __init__(self) -> None:
        super().__init__("The prediction belongs to another call.")


class EndpointNotFound(JobError):
    """The tenant has no webhook endpoint of this id."""

    reason = "ERROR_REASON_WEBHOOK_ENDPOINT_NOT_FOUND"

    def __init__(self, endpoint_id: object) -> None:
        shown = str(endpoint_id)[:64]
        super().__init__(f"No webhook endpoint has the id {shown!r}.", endpoint_id=shown)


class DeliveryNotFound(JobError):
    """The tenant has no webhook delivery of this id, or it is no longer kept."""

    reason = "ERROR_REASON_WEBHOOK_DELIVERY_NOT_FOUND"

    def __init__(self, delivery_id: object) -> None:
        shown = str(delivery_id)[:64]
        super().__init__(f"No webhook delivery has the id {shown!r}.", delivery_id=shown)


class TooManyEndpoints(JobError):
    """The tenant has as many webhook endpoints as it may."""

    reason = "ERROR_REASON_TOO_MANY_WEBHOOK_ENDPOINTS"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"There are {limit} webhook endpoints already, which is the limit. Remove one first.",
            limit=limit,
        )


class EndpointPaused(JobError):
    """Nothing is posted to the endpoint until it is resumed."""

    reason = "ERROR_REASON_TRANSITION_REFUSED"

    def __init__(self, endpoint_id: UUID) -> None:
        super().__init__(
            f"Webhook endpoint {endpoint_id} is paused. Resume it first.", endpoint_id=endpoint_id
        )


class EndpointNamedByJobs(JobError):
    """The endpoint is a URL that jobs have named: there is nothing but them to say another."""

    reason = "ERROR_REASON_TRANSITION_REFUSED"

    def __init__(self, endpoint_id: UUID) -> None:
        super().__init__(
            f"Webhook endpoint {endpoint_id} is a URL that jobs named when they were submitted. "
            "What it is told of and where is theirs to say.",
            endpoint_id=endpoint_id,
        )
