"""mediagen: prompts to media, never paid twice, never lost, shown live.

`Client` is the way in. The contracts are in `mediagen.v1`, the refusals in `mediagen.errors`, the
command line in `mediagen.cli` (with the extra: ``pip install "mediagen[cli]"``).

Each name is loaded at its first use, so that a program which needs only the messages of
`mediagen.v1` loads no gRPC. Their types are in __init__.pyi.
"""

from importlib import import_module

_NAMES = {
    "mediagen.client": ["Client"],
    "mediagen.errors": [
        "AccessDenied",
        "ArtifactDeleted",
        "ArtifactNotFound",
        "DeadLetterNotFound",
        "DeadlineExceeded",
        "DeliveryNotFound",
        "DownloadBroken",
        "EndpointNotFound",
        "InvalidRequest",
        "JobNotFound",
        "MediagenError",
        "ModelNotFound",
        "NotFound",
        "RequestIdReused",
        "ServerFailed",
        "TooManyEndpoints",
        "TooManyRequests",
        "TooManyUploads",
        "TransitionRefused",
        "Unavailable",
        "UploadBroken",
        "UploadNotFound",
        "UploadRefused",
        "Violation",
    ],
    "mediagen.models": ["Models"],
    "mediagen.naming": ["file_name"],
    "mediagen.operating": ["Decisions", "Operator"],
    "mediagen.retries": ["Backoff"],
    "mediagen.v1.attempt_pb2": ["Attempt", "Charge"],
    "mediagen.v1.dead_letter_pb2": ["DeadLetter"],
    "mediagen.v1.failure_pb2": ["Failure", "FailureReason", "RetryAdvice"],
    "mediagen.v1.input_service_pb2": ["Upload"],
    "mediagen.v1.job_pb2": ["Artifact", "Forecast", "Job", "Preview", "Priority"],
    "mediagen.v1.model_pb2": ["Model"],
    "mediagen.v1.operator_service_pb2": ["DeadLetterResult"],
    "mediagen.v1.webhook_pb2": ["WebhookDelivery", "WebhookEndpoint"],
    "mediagen.watching": ["Gap", "is_final"],
    "mediagen.watching_jobs": [
        "Heartbeat",
        "JobForecasts",
        "JobSnapshot",
        "JobUpdate",
        "JobsEvent",
        "JobsGap",
        "JobsWatch",
        "Synced",
    ],
    "mediagen.webhooks": ["Webhooks"],
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mediagen' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
