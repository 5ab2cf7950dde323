"""How does an outcome at the provider count, and what is a person told of it?

create answer or error -> Created | NotCreated | Ambiguous     (anything after bytes left is
terminal prediction    -> (PredictionEnd, ProviderFailure)      ambiguous unless it is definite)
What is done about it (retry, wait, fail) is the store's decision.
"""

from __future__ import annotations

import re
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from generator.domain import failure_table as table
from generator.domain.answers import Prediction, Problem
from mediagen.store.v1.attempt_ledger_service_pb2 import PredictionEnd, ProviderFailure
from mediagen.v1.failure_pb2 import Failure, FieldViolation

_TOLD = 500
_OWNERS = re.compile(r"replicate\.com/account|#billing", re.IGNORECASE)

ENDS = {
    "failed": PredictionEnd.PREDICTION_END_FAILED,
    "canceled": PredictionEnd.PREDICTION_END_CANCELED,
    "aborted": PredictionEnd.PREDICTION_END_ABORTED,
}


def is_definite(status: int) -> bool:
    """Whether an answer to a create without a prediction says that nothing was created.

    5xx may come from the CDN in front while the call behind it went through; 408 is a timeout; a
    redirect or a 2xx without an id says nothing at all.
    """
    return 400 <= status < 500 and status not in (408, 499)


def create_refused(problem: Problem) -> ProviderFailure:
    """A definite refusal of a create."""
    row = table.CREATE_REFUSALS.get(problem.status, table.OTHER_REFUSAL)
    words = f"{problem.title} {problem.detail}".lower()
    if problem.status == 422 and not problem.invalid_fields and "version" in words:
        row = table.BAD_VERSION
    failure = refusal(row, problem.retry_after, problem.detail or problem.title)
    failure.failure.field_violations.extend(
        FieldViolation(field=field, description=_told(words))
        for field, words in problem.invalid_fields
    )
    return failure


def refusal(
    row: table.Refusal, retry_after: float | None = None, detail: str = ""
) -> ProviderFailure:
    """A row of the table as the failure to report."""
    message = row.message
    if row.tell and (words := _told(detail)):
        message = f"{message} It says: {words}"
    wait = retry_after if retry_after is not None else row.wait
    return ProviderFailure(
        kind=row.kind,
        failure=Failure(reason=row.reason, message=message, retry_advice=row.advice),
        retry_after=_duration(wait),
    )


def ended(prediction: Prediction, created: int) -> tuple[PredictionEnd.ValueType, ProviderFailure]:
    """A terminal prediction that did not succeed, the job's *created*-th that was created."""
    end = ENDS[prediction.status]
    if end == PredictionEnd.PREDICTION_END_FAILED:
        return end, run_failed(prediction.error, created)
    # Whether that was our cancel or the deadline is the store's to know.
    stopped = "stopped the run" if prediction.status == "canceled" else "did not start the run"
    return end, ProviderFailure(
        kind=table.TRANSIENT,
        failure=Failure(
            reason=table.PROVIDER,
            message=f"The provider {stopped}.",
            retry_advice=table.RETRY,
        ),
    )


def run_failed(error: str, created: int) -> ProviderFailure:
    """A failed run, by the first row whose code stands in its `error`. *created*: how many calls of
    the job were created so far, this one included; those that created nothing do not count."""
    for row in table.RUN_FAILURES:
        if row.matches.search(error):
            again = row.attempts is None or created <= row.attempts
            return ProviderFailure(
                kind=table.TRANSIENT if again else table.PERMANENT,
                failure=Failure(reason=row.reason, message=row.message, retry_advice=row.advice),
                retry_after=_duration(row.wait) if again else None,
            )
    words = _told(error)
    return ProviderFailure(
        kind=table.PERMANENT,
        failure=Failure(
            reason=table.MODEL,
            message="The model ended with an error." + (f" It says: {words}" if words else ""),
            retry_advice=table.CHANGE,
        ),
    )


def vanished() -> ProviderFailure:
    """A known id that the provider no longer knows. It never licenses a new call."""
    return ProviderFailure(
        kind=table.PERMANENT,
        failure=Failure(
            reason=table.LOST,
            message="The provider no longer knows the run, so its result can not be fetched.",
            retry_advice=table.PAYS_TWICE,
        ),
    )


def too_large() -> ProviderFailure:
    """A known id of which the provider says more than is read. It never licenses a new call."""
    return ProviderFailure(
        kind=table.PERMANENT,
        failure=Failure(
            reason=table.REJECTED,
            message="What the provider says of the run is larger than what is read.",
            retry_advice=table.PAYS_TWICE,
        ),
    )


def _duration(seconds: float | None) -> Duration | None:
    if seconds is None:
        return None
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration


def _told(text: str) -> str:
    """The provider's words as a caller may read them: not those that lead to its owner's bill."""
    text = " ".join(text.split())
    if _OWNERS.search(text):
        return ""
    return text if len(text) <= _TOLD else text[: _TOLD - 1] + "…"
