# What `import mediagen` offers, for type checkers; __init__.py loads each name at its first use.
from mediagen.client import Client as Client
from mediagen.errors import AccessDenied as AccessDenied
from mediagen.errors import ArtifactDeleted as ArtifactDeleted
from mediagen.errors import ArtifactNotFound as ArtifactNotFound
from mediagen.errors import DeadLetterNotFound as DeadLetterNotFound
from mediagen.errors import DeadlineExceeded as DeadlineExceeded
from mediagen.errors import DeliveryNotFound as DeliveryNotFound
from mediagen.errors import DownloadBroken as DownloadBroken
from mediagen.errors import EndpointNotFound as EndpointNotFound
from mediagen.errors import InvalidRequest as InvalidRequest
from mediagen.errors import JobNotFound as JobNotFound
from mediagen.errors import MediagenError as MediagenError
from mediagen.errors import ModelNotFound as ModelNotFound
from mediagen.errors import NotFound as NotFound
from mediagen.errors import RequestIdReused as RequestIdReused
from mediagen.errors import ServerFailed as ServerFailed
from mediagen.errors import TooManyEndpoints as TooManyEndpoints
from mediagen.errors import TooManyRequests as TooManyRequests
from mediagen.errors import TooManyUploads as TooManyUploads
from mediagen.errors import TransitionRefused as TransitionRefused
from mediagen.errors import Unavailable as Unavailable
from mediagen.errors import UploadBroken as UploadBroken
from mediagen.errors import UploadNotFound as UploadNotFound
from mediagen.errors import UploadRefused as UploadRefused
from mediagen.errors import Violation as Violation
from mediagen.models import Models as Models
from mediagen.naming import file_name as file_name
from mediagen.operating import Decisions as Decisions
from mediagen.operating import Operator as Operator
from mediagen.retries import Backoff as Backoff
from mediagen.v1.attempt_pb2 import Attempt as Attempt
from mediagen.v1.attempt_pb2 import Charge as Charge
from mediagen.v1.dead_letter_pb2 import DeadLetter as DeadLetter
from mediagen.v1.failure_pb2 import Failure as Failure
from mediagen.v1.failure_pb2 import FailureReason as FailureReason
from mediagen.v1.failure_pb2 import RetryAdvice as RetryAdvice
from mediagen.v1.input_service_pb2 import Upload as Upload
from mediagen.v1.job_pb2 import Artifact as Artifact
from mediagen.v1.job_pb2 import Forecast as Forecast
from mediagen.v1.job_pb2 import Job as Job
from mediagen.v1.job_pb2 import Preview as Preview
from mediagen.v1.job_pb2 import Priority as Priority
from mediagen.v1.model_pb2 import Model as Model
from mediagen.v1.operator_service_pb2 import DeadLetterResult as DeadLetterResult
from mediagen.v1.webhook_pb2 import WebhookDelivery as WebhookDelivery
from mediagen.v1.webhook_pb2 import WebhookEndpoint as WebhookEndpoint
from mediagen.watching import Gap as Gap
from mediagen.watching import is_final as is_final
from mediagen.watching_jobs import Heartbeat as Heartbeat
from mediagen.watching_jobs import JobForecasts as JobForecasts
from mediagen.watching_jobs import JobsEvent as JobsEvent
from mediagen.watching_jobs import JobsGap as JobsGap
from mediagen.watching_jobs import JobSnapshot as JobSnapshot
from mediagen.watching_jobs import JobsWatch as JobsWatch
from mediagen.watching_jobs import JobUpdate as JobUpdate
from mediagen.watching_jobs import Synced as Synced
from mediagen.webhooks import Webhooks as Webhooks

__all__ = [
    "AccessDenied",
    "Artifact",
    "ArtifactDeleted",
    "ArtifactNotFound",
    "Attempt",
    "Backoff",
    "Charge",
    "Client",
    "DeadLetter",
    "DeadLetterNotFound",
    "DeadLetterResult",
    "DeadlineExceeded",
    "Decisions",
    "DeliveryNotFound",
    "DownloadBroken",
    "EndpointNotFound",
    "Failure",
    "FailureReason",
    "Forecast",
    "Gap",
    "Heartbeat",
    "InvalidRequest",
    "Job",
    "JobForecasts",
    "JobNotFound",
    "JobSnapshot",
    "JobUpdate",
    "JobsEvent",
    "JobsGap",
    "JobsWatch",
    "MediagenError",
    "Model",
    "ModelNotFound",
    "Models",
    "NotFound",
    "Operator",
    "Preview",
    "Priority",
    "RequestIdReused",
    "RetryAdvice",
    "ServerFailed",
    "Synced",
    "TooManyEndpoints",
    "TooManyRequests",
    "TooManyUploads",
    "TransitionRefused",
    "Unavailable",
    "Upload",
    "UploadBroken",
    "UploadNotFound",
    "UploadRefused",
    "Violation",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Webhooks",
    "file_name",
    "is_final",
]
