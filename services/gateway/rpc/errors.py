"""Which code has each refusal? The one table, for gRPC, SSE and HTTP alike."""

from __future__ import annotations

from collections.abc import Mapping

import grpc
import structlog
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from gateway.domain import errors
from mediagen.v1.error_reason_pb2 import ERROR_REASON_INVALID_REQUEST, ErrorReason
from servicekit import statuses
from servicekit.validation import InvalidRequest

log = structlog.get_logger()

DOMAIN = "mediagen.dev"
INVALID_REQUEST = ErrorReason.Name(ERROR_REASON_INVALID_REQUEST)

STATUSES: Mapping[type[Exception], grpc.StatusCode] = {
    errors.JobNotFound: grpc.StatusCode.NOT_FOUND,
    errors.ArtifactNotFound: grpc.StatusCode.NOT_FOUND,
    errors.ModelNotFound: grpc.StatusCode.NOT_FOUND,
    errors.UploadNotFound: grpc.StatusCode.NOT_FOUND,
    errors.UploadUnfit: grpc.StatusCode.INVALID_ARGUMENT,
    errors.UploadTooLarge: grpc.StatusCode.INVALID_ARGUMENT,
    errors.UploadTypeRefused: grpc.StatusCode.INVALID_ARGUMENT,
    errors.UploadForm: grpc.StatusCode.INVALID_ARGUMENT,
    errors.TooManyUploads: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.TooManyWatchers: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.CursorInvalid: grpc.StatusCode.INVALID_ARGUMENT,
    errors.StoreUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.ArtifactsUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.ModelUnread: grpc.StatusCode.UNAVAILABLE,
    errors.Draining: grpc.StatusCode.UNAVAILABLE,
    errors.SignatureInvalid: grpc.StatusCode.PERMISSION_DENIED,
    errors.CallNotFound: grpc.StatusCode.NOT_FOUND,
    errors.PredictionTaken: grpc.StatusCode.ALREADY_EXISTS,
}


def status_of(error: Exception) -> Status:
    """*error* as google.rpc.Status, where no interceptor stands: within a stream, and over HTTP.

    What is not in the table is INTERNAL, logged, and its text kept from the caller.
    """
    match error:
        case InvalidRequest():
            info = ErrorInfo(reason=error.reason, domain=DOMAIN)
            return statuses.packed(
                grpc.StatusCode.INVALID_ARGUMENT, str(error), [info, *error.details]
            )
        case errors.GatewayError():
            info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
            return statuses.packed(STATUSES[type(error)], str(error), [info, *error.details])
        case grpc.aio.AioRpcError() if error.code() not in _OURS:
            return statuses.of_upstream(error)
    log.error("call.crashed", exc_info=error)
    return statuses.packed(grpc.StatusCode.INTERNAL, statuses.INTERNAL_MESSAGE)


# A peer that fails in one of these ways says nothing about our caller's request.
_OURS = frozenset(
    {
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.DATA_LOSS,
    }
)
