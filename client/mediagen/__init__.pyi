# What `import mediagen` offers, for type checkers; __init__.py loads each name at its first use.
from mediagen.client import Client as Client
from mediagen.errors import AccessDenied as AccessDenied
from mediagen.errors import ArtifactNotFound as ArtifactNotFound
from mediagen.errors import DeadLetterNotFound as DeadLetterNotFound
from mediagen.errors import DeadlineExceeded as DeadlineExceeded
from mediagen.errors import DownloadBroken as DownloadBroken
from mediagen.errors import InvalidRequest as InvalidRequest
from mediagen.errors import JobNotFound as JobNotFound
from mediagen.errors import MediagenError as MediagenError
from mediagen.errors import NotFound as NotFound
from mediagen.errors import RequestIdReused as RequestIdReused
from mediagen.errors import ServerFailed as ServerFailed
from mediagen.errors import TooManyRequests as TooManyRequests
from mediagen.errors import Unavailable as Unavailable
from mediagen.errors import Violation as Violation
from mediagen.operating import Decisions as Decisions
from mediagen.operating import Operator as Operator
from mediagen.retries import Backoff as Backoff
from mediagen.v1.attempt_pb2 import Attempt as Attempt
from mediagen.v1.attempt_pb2 import Charge as Charge
from mediagen.v1.dead_letter_pb2 import DeadLetter as DeadLetter
from mediagen.v1.failure_pb2 import Failure as Failure
from mediagen.v1.failure_pb2 import FailureReason as FailureReason
from mediagen.v1.failure_pb2 import RetryAdvice as RetryAdvice
from mediagen.v1.job_pb2 import Artifact as Artifact
from mediagen.v1.job_pb2 import Job as Job
from mediagen.v1.job_pb2 import Priority as Priority
from mediagen.v1.operator_service_pb2 import DeadLetterResult as DeadLetterResult
from mediagen.watching import Gap as Gap
from mediagen.watching import is_final as is_final

__all__ = [
    "AccessDenied",
    "Artifact",
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
    "DownloadBroken",
    "Failure",
    "FailureReason",
    "Gap",
    "InvalidRequest",
    "Job",
    "JobNotFound",
    "MediagenError",
    "NotFound",
    "Operator",
    "Priority",
    "RequestIdReused",
    "RetryAdvice",
    "ServerFailed",
    "TooManyRequests",
    "Unavailable",
    "Violation",
    "is_final",
]
