"""Why something failed, and what the provider's failures are made into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from store.domain.states import Charge, FailureKind

MESSAGE_LIMIT = 2000  #: characters of a provider's text that are kept
TAIL_LIMIT = 1024  #: characters of what a model printed that are kept


def clean_text(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Text that Postgres takes and a page can show: no U+0000, bounded."""
    text = text.replace("\x00", "\ufffd")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_tail(text: str, limit: int = TAIL_LIMIT) -> str:
    """As `clean_text`, but of what is too long the end is kept."""
    text = text.replace("\x00", "\ufffd")
    return text if len(text) <= limit else "…" + text[len(text) - limit + 1 :]


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One thing that is wrong with one input."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job or an attempt failed. `reason` and `advice` are the proto enums' value names."""

    reason: str
    message: str
    advice: str = "RETRY_ADVICE_UNSPECIFIED"
    violations: tuple[FieldViolation, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderFailure:
    """A provider's failure, as the worker understood it."""

    kind: FailureKind
    failure: Failure
    retry_after: timedelta | None = None


#: Failures that are the caller's to mend: no operator needs to see them on the dead-letter queue.
CALLERS_OWN = frozenset(
    {
        "FAILURE_REASON_INVALID_INPUT",
        "FAILURE_REASON_MODEL_NOT_FOUND",
        "FAILURE_REASON_CONTENT_REJECTED",
    }
)


def deadline_passed(charge: Charge) -> Failure:
    """The job's time was up, after calls that cost *charge*."""
    if charge is not Charge.NO:
        paid = "was paid for" if charge is Charge.YES else "may have been paid for"
        return Failure(
            "FAILURE_REASON_DEADLINE",
            f"The job's time was up before it was done, and a call that it made {paid}.",
            "RETRY_ADVICE_MAY_PAY_TWICE",
        )
    return Failure(
        "FAILURE_REASON_DEADLINE",
        "The job's time was up before it was done. Submit it again, with a longer timeout if "
        "the model needs one.",
        "RETRY_ADVICE_RETRY",
    )


def worker_killer() -> Failure:
    """Every worker that took the job died on it."""
    return Failure(
        "FAILURE_REASON_INTERNAL",
        "The job stopped every worker that took it, and was given up.",
        "RETRY_ADVICE_ASK_OPERATOR",
    )


def unresolved() -> Failure:
    """Nobody can say what became of the paid call."""
    return Failure(
        "FAILURE_REASON_UNRESOLVED",
        "The answer to a paid call was lost, and whether it was made could not be found out.",
        "RETRY_ADVICE_MAY_PAY_TWICE",
    )


def output_lost() -> Failure:
    """The provider keeps results for one hour, and it has passed."""
    return Failure(
        "FAILURE_REASON_OUTPUT_LOST",
        "The model succeeded and was paid for, but its result was gone before it was stored.",
        "RETRY_ADVICE_MAY_PAY_TWICE",
    )
