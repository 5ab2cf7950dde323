"""Which gRPC code each error of the store is. The one table."""

from __future__ import annotations

from grpc import StatusCode

from store.adapters.database import Unavailable
from store.domain.errors import (
    ArtifactDeleted,
    ArtifactNotFound,
    DeadLetterNotFound,
    DeliveryNotFound,
    EndpointNamedByJobs,
    EndpointNotFound,
    EndpointPaused,
    JobNotFound,
    LeaseLost,
    PageTokenInvalid,
    PermitUnknown,
    PredictionTaken,
    RequestIdReused,
    TooManyEndpoints,
    TooManyUploads,
    TransitionRefused,
    UploadNotFound,
)

DOMAIN = "mediagen.dev"

STATUSES: dict[type[Exception], StatusCode] = {
    ArtifactDeleted: StatusCode.NOT_FOUND,
    ArtifactNotFound: StatusCode.NOT_FOUND,
    DeadLetterNotFound: StatusCode.NOT_FOUND,
    DeliveryNotFound: StatusCode.NOT_FOUND,
    EndpointNamedByJobs: StatusCode.FAILED_PRECONDITION,
    EndpointNotFound: StatusCode.NOT_FOUND,
    EndpointPaused: StatusCode.FAILED_PRECONDITION,
    JobNotFound: StatusCode.NOT_FOUND,
    LeaseLost: StatusCode.FAILED_PRECONDITION,
    PageTokenInvalid: StatusCode.INVALID_ARGUMENT,
    PermitUnknown: StatusCode.FAILED_PRECONDITION,
    PredictionTaken: StatusCode.ALREADY_EXISTS,
    RequestIdReused: StatusCode.ALREADY_EXISTS,
    TooManyEndpoints: StatusCode.RESOURCE_EXHAUSTED,
    TooManyUploads: StatusCode.RESOURCE_EXHAUSTED,
    TransitionRefused: StatusCode.FAILED_PRECONDITION,
    Unavailable: StatusCode.UNAVAILABLE,
    UploadNotFound: StatusCode.NOT_FOUND,
}
