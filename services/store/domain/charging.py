"""What a paid call costs, and how that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.domain.states import OPEN, AttemptState, Charge

if TYPE_CHECKING:
    from store.domain.job import Attempt

Metrics = tuple[tuple[str, float], ...]  #: what the provider measured, by its own names

MOST_METRICS = 32


def charge_of_end(state: AttemptState, predict_seconds: float | None) -> Charge:
    """What an end without a result costs: nothing if it never ran, else by the time it ran.

    Whether a failed run of a model that is priced by its output costs anything is not documented.
    """
    if state is AttemptState.ABORTED or predict_seconds == 0:
        return Charge.NO
    if state is AttemptState.CANCELED and predict_seconds is not None:
        return Charge.YES
    return Charge.UNKNOWN


def charge_reason(attempt: Attempt) -> str:
    """Why *attempt* is billed or not: the name of a ChargeReason of the proto."""
    if attempt.state in OPEN or (attempt.state is AttemptState.ORPHAN and not attempt.end_time):
        return "CHARGE_REASON_UNSPECIFIED"
    if attempt.state is AttemptState.NOT_CREATED:
        return "CHARGE_REASON_NOT_CREATED"
    if attempt.output is not None or attempt.state is AttemptState.SUCCEEDED:
        return "CHARGE_REASON_SUCCEEDED"
    match attempt.charge:
        case Charge.NO:
            return "CHARGE_REASON_NEVER_RAN"
        case Charge.YES:
            return "CHARGE_REASON_RAN_UNTIL_CANCELED"
    if attempt.predict_seconds is not None:
        return "CHARGE_REASON_RAN_AND_FAILED"
    if attempt.state in (AttemptState.FAILED, AttemptState.CANCELED):
        return "CHARGE_REASON_RUN_TIME_UNKNOWN"
    return "CHARGE_REASON_OUTCOME_UNKNOWN"
