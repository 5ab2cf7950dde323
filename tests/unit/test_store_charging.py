"""Why a call is billed or not: every end that there is, and its reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediagen.v1.attempt_pb2 import ChargeReason
from store.domain.charging import charge_of_end, charge_reason
from store.domain.job import Attempt
from store.domain.states import OPEN, AttemptState, Charge

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NO, YES, UNKNOWN = Charge.NO, Charge.YES, Charge.UNKNOWN
NONE_YET = "UNSPECIFIED"


def attempt(
    state: AttemptState,
    charge: Charge = UNKNOWN,
    seconds: float | None = None,
    *,
    output: bytes | None = None,
    ended: bool = True,
) -> Attempt:
    """An attempt in *state*."""
    return Attempt(
        number=1, state=state, submit_token="t", account="a", fingerprint=b"f", input=b"",
        create_time=NOW, send_by=NOW, settle_until=NOW, cancel_after=60, prediction_id="p",
        end_time=NOW if ended else None, output=output, charge=charge, predict_seconds=seconds,
    )  # fmt: skip


def reason(call: Attempt) -> str:
    name = charge_reason(call)
    assert ChargeReason.Value(name) is not None, "a reason that the proto does not have"
    return name.removeprefix("CHARGE_REASON_")


@pytest.mark.parametrize(
    ("state", "seconds", "charge", "why"),
    [
        (AttemptState.FAILED, None, UNKNOWN, "RUN_TIME_UNKNOWN"),
        (AttemptState.FAILED, 0.0, NO, "NEVER_RAN"),
        (AttemptState.FAILED, 2.5, UNKNOWN, "RAN_AND_FAILED"),
        (AttemptState.CANCELED, None, UNKNOWN, "RUN_TIME_UNKNOWN"),
        (AttemptState.CANCELED, 0.0, NO, "NEVER_RAN"),
        (AttemptState.CANCELED, 2.5, YES, "RAN_UNTIL_CANCELED"),
        (AttemptState.ABORTED, None, NO, "NEVER_RAN"),
        (AttemptState.ABORTED, 0.0, NO, "NEVER_RAN"),
        (AttemptState.ABORTED, 2.5, NO, "NEVER_RAN"),
    ],
)
def test_an_end_without_a_result(
    state: AttemptState, seconds: float | None, charge: Charge, why: str
) -> None:
    """The provider's word on how long it ran decides about the charge, and the reason follows."""
    assert charge_of_end(state, seconds) is charge
    assert reason(attempt(state, charge, seconds)) == why
    # A call that came too late, or that an operator closed, is billed for the same reasons.
    if why != "RUN_TIME_UNKNOWN":
        for outside in (AttemptState.ORPHAN, AttemptState.WRITTEN_OFF, AttemptState.UNRESOLVED):
            assert reason(attempt(outside, charge, seconds)) == why


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (attempt(AttemptState.SUCCEEDED, YES, 2.5, output=b""), "SUCCEEDED"),
        (attempt(AttemptState.SUCCEEDED, YES), "SUCCEEDED"),
        (attempt(AttemptState.ORPHAN, YES, output=b""), "SUCCEEDED"),
        (attempt(AttemptState.WRITTEN_OFF, YES, output=b"x"), "SUCCEEDED"),
        (attempt(AttemptState.UNRESOLVED, YES, output=b"x"), "SUCCEEDED"),
        (attempt(AttemptState.NOT_CREATED, NO), "NOT_CREATED"),
        (attempt(AttemptState.UNRESOLVED), "OUTCOME_UNKNOWN"),
        (attempt(AttemptState.WRITTEN_OFF), "OUTCOME_UNKNOWN"),
        (attempt(AttemptState.ORPHAN), "OUTCOME_UNKNOWN"),
        (attempt(AttemptState.ORPHAN, ended=False), NONE_YET),
        *((attempt(state, ended=False), NONE_YET) for state in OPEN),
    ],
)
def test_every_other_state(call: Attempt, why: str) -> None:
    """A success is billed whoever has a use for it; what is not over has no reason yet."""
    assert reason(call) == why


@given(
    state=st.sampled_from([state for state in AttemptState if state not in OPEN]),
    charge=st.sampled_from(list(Charge)),
    seconds=st.one_of(st.none(), st.floats(min_value=0, max_value=1e7)),
    output=st.one_of(st.none(), st.just(b""), st.just(b"x")),
)
def test_no_ended_attempt_lacks_a_reason(
    state: AttemptState, charge: Charge, seconds: float | None, output: bytes | None
) -> None:
    """Whatever stands in its row."""
    assert reason(attempt(state, charge, seconds, output=output)) != NONE_YET
