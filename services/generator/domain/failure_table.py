"""Which failure of a run is worth another attempt? The table, as data.

Codes stand in the prediction's `error` text, usually in brackets: the code is matched, never the
sentence. What no row matches is permanent: a run that failed for a reason of its own would be paid
for again and fail again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mediagen.store.v1.attempt_ledger_service_pb2 import FailureKind
from mediagen.v1.failure_pb2 import FailureReason, RetryAdvice

TRANSIENT = FailureKind.FAILURE_KIND_TRANSIENT
PERMANENT = FailureKind.FAILURE_KIND_PERMANENT
RATE = FailureKind.FAILURE_KIND_RATE
ACCOUNT = FailureKind.FAILURE_KIND_ACCOUNT
NOT_SENT = FailureKind.FAILURE_KIND_NOT_SENT

CONTENT = FailureReason.FAILURE_REASON_CONTENT_REJECTED
MODEL = FailureReason.FAILURE_REASON_MODEL_FAILED
PROVIDER = FailureReason.FAILURE_REASON_PROVIDER_FAILED
REFUSED = FailureReason.FAILURE_REASON_PROVIDER_REFUSED
INPUT = FailureReason.FAILURE_REASON_INVALID_INPUT
NO_MODEL = FailureReason.FAILURE_REASON_MODEL_NOT_FOUND
LOST = FailureReason.FAILURE_REASON_OUTPUT_LOST
REJECTED = FailureReason.FAILURE_REASON_OUTPUT_REJECTED

RETRY = RetryAdvice.RETRY_ADVICE_RETRY
LATER = RetryAdvice.RETRY_ADVICE_RETRY_LATER
CHANGE = RetryAdvice.RETRY_ADVICE_CHANGE_REQUEST
PAYS_TWICE = RetryAdvice.RETRY_ADVICE_MAY_PAY_TWICE
OPERATOR = RetryAdvice.RETRY_ADVICE_ASK_OPERATOR


@dataclass(frozen=True, slots=True)
class RunFailure:
    """One row. `attempts`: up to this many calls that were created it is TRANSIENT, from there on
    PERMANENT; 0 is never, None always. `wait`: the least seconds until another attempt."""

    matches: re.Pattern[str]
    attempts: int | None
    reason: FailureReason.ValueType
    advice: RetryAdvice.ValueType
    message: str
    wait: float | None = None


def _code(code: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){code}(?![A-Za-z0-9])")


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


RUN_FAILURES: tuple[RunFailure, ...] = (
    RunFailure(_code("E1000"), None, PROVIDER, RETRY, "The provider met an unknown error."),
    RunFailure(_code("E1001"), 0, MODEL, CHANGE,
               "The model ran out of memory. Ask for a smaller or a simpler result."),
    RunFailure(_code("E4875"), 0, REFUSED, OPERATOR, "The provider was given an empty webhook."),
    RunFailure(_code("E6716"), None, PROVIDER, LATER,
               "The model did not start in time.", wait=10),
    RunFailure(_code("E8367"), None, PROVIDER, RETRY, "The provider stopped the run."),
    RunFailure(_code("E8765"), 2, PROVIDER, LATER,
               "The model failed the provider's health check.", wait=120),
    RunFailure(_code("E9243"), 1, MODEL, CHANGE, "The model failed to start."),
    RunFailure(_code("E9825"), None, PROVIDER, RETRY,
               "The provider failed to keep the model's output."),
    RunFailure(_code("E9828"), None, PROVIDER, RETRY, "The provider failed to run the model."),
    RunFailure(_words(r"\bcode: PA\b"), None, PROVIDER, RETRY, "The provider interrupted the run."),
    RunFailure(_code("E005"), 0, CONTENT, CHANGE,
               "The provider's safety filter rejected the inputs or the result."),
    RunFailure(_words(r"\bNSFW\b"), 0, CONTENT, CHANGE,
               "The model's safety filter rejected the result."),
    RunFailure(_words(r"CUDA (error: )?out of memory"), 1, MODEL, CHANGE,
               "The model ran out of memory. Ask for a smaller or a simpler result."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a definite refusal of a create counts. The provider's own words are added where `tell`:
    those of 401 and 402 carry the operator's billing page."""

    kind: FailureKind.ValueType
    reason: FailureReason.ValueType
    advice: RetryAdvice.ValueType
    message: str
    tell: bool = False
    wait: float | None = None


CREATE_REFUSALS: dict[int, Refusal] = {
    400: Refusal(PERMANENT, INPUT, CHANGE, "The provider can not read the request.", tell=True),
    401: Refusal(ACCOUNT, REFUSED, OPERATOR, "The provider does not accept the service's account."),
    402: Refusal(ACCOUNT, REFUSED, OPERATOR, "The provider's account is out of credit."),
    403: Refusal(PERMANENT, REFUSED, OPERATOR, "The provider does not permit this call."),
    404: Refusal(PERMANENT, NO_MODEL, CHANGE, "The provider knows no such model."),
    409: Refusal(TRANSIENT, PROVIDER, RETRY, "The provider could not take the call."),
    413: Refusal(PERMANENT, INPUT, CHANGE, "The inputs are too large for the provider."),
    422: Refusal(PERMANENT, INPUT, CHANGE, "The provider refused the inputs.", tell=True),
    425: Refusal(TRANSIENT, PROVIDER, RETRY, "The provider could not take the call."),
    429: Refusal(RATE, PROVIDER, LATER, "The provider takes no more calls for now."),
}
OTHER_REFUSAL = Refusal(PERMANENT, REFUSED, OPERATOR, "The provider refused the call.", tell=True)
BAD_VERSION = Refusal(
    PERMANENT, NO_MODEL, CHANGE,
    "The provider knows no such model or version, or does not permit it.",
)  # fmt: skip
UNREACHED = Refusal(NOT_SENT, PROVIDER, LATER, "The provider could not be reached.", wait=5)
TOO_LATE = Refusal(NOT_SENT, PROVIDER, RETRY, "The permit to send ran out before the call.")
STOPPING = Refusal(NOT_SENT, PROVIDER, RETRY, "The worker was stopped before the call.")
