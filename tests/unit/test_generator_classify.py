"""Every row of the tables: what an outcome counts as, and what a person is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from generator.domain import failure_table as table
from generator.domain.answers import Prediction, Problem, prediction, problem
from generator.domain.classify import (
    create_refused,
    ended,
    is_definite,
    run_failed,
    too_large,
    vanished,
)
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1 import failure_pb2 as failures
from simulator.fault_kinds import FAILURES

T, P = pb.FAILURE_KIND_TRANSIENT, pb.FAILURE_KIND_PERMANENT
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

RUNS = [
    # error text, attempt, kind, reason
    ("E1000", 1, T, failures.FAILURE_REASON_PROVIDER_FAILED),
    ("E1001", 1, P, failures.FAILURE_REASON_MODEL_FAILED),
    ("E4875", 1, P, failures.FAILURE_REASON_PROVIDER_REFUSED),
    ("E6716", 4, T, failures.FAILURE_REASON_PROVIDER_FAILED),
    ("E8367", 1, T, failures.FAILURE_REASON_PROVIDER_FAILED),
    ("E8765", 1, T, failures.FAILURE_REASON_PROVIDER_FAILED),
    ("E8765", 3, P, failures.FAILURE_REASON_PROVIDER_FAILED),
    ("E9243", 1, T, failures.FAILURE_REASON_MODEL_FAILED),
    ("E9243", 2, P, failures.FAILURE_REASON_MODEL_FAILED),
    ("E9825", 1, T, failures.FAILURE_REASON_PROVIDER_FAILED),
    ("E9828", 4, T, failures.FAILURE_REASON_PROVIDER_FAILED),
    ("PA", 1, T, failures.FAILURE_REASON_PROVIDER_FAILED),
    ("E005", 1, P, failures.FAILURE_REASON_CONTENT_REJECTED),
    ("NSFW", 1, P, failures.FAILURE_REASON_CONTENT_REJECTED),
    ("OOM", 1, T, failures.FAILURE_REASON_MODEL_FAILED),
    ("OOM", 2, P, failures.FAILURE_REASON_MODEL_FAILED),
    ("unknown", 1, P, failures.FAILURE_REASON_MODEL_FAILED),
]


@pytest.mark.parametrize(("code", "attempt", "kind", "reason"), RUNS)
def test_a_failed_run_counts_by_its_code(code: str, attempt: int, kind: int, reason: int) -> None:
    """The code decides, never the sentence around it."""
    failure = run_failed(FAILURES[code][0], attempt)
    assert (failure.kind, failure.failure.reason) == (kind, reason)
    assert failure.failure.message
    assert failure.failure.retry_advice


def test_every_failure_that_the_simulator_knows_has_a_row() -> None:
    """Only what no table lists is left to the default."""
    unmatched = [
        code
        for code, (text, _) in FAILURES.items()
        if not any(row.matches.search(text) for row in table.RUN_FAILURES)
    ]
    assert unmatched == ["unknown"]


def test_a_code_within_a_longer_word_is_no_code() -> None:
    """A hash in a traceback must not make a permanent failure transient."""
    assert run_failed("object at 0xE1000F", 1).kind == P


CREATES = [
    (400, P, failures.FAILURE_REASON_INVALID_INPUT),
    (401, pb.FAILURE_KIND_ACCOUNT, failures.FAILURE_REASON_PROVIDER_REFUSED),
    (402, pb.FAILURE_KIND_ACCOUNT, failures.FAILURE_REASON_PROVIDER_REFUSED),
    (403, P, failures.FAILURE_REASON_PROVIDER_REFUSED),
    (404, P, failures.FAILURE_REASON_MODEL_NOT_FOUND),
    (409, T, failures.FAILURE_REASON_PROVIDER_FAILED),
    (413, P, failures.FAILURE_REASON_INVALID_INPUT),
    (418, P, failures.FAILURE_REASON_PROVIDER_REFUSED),
    (422, P, failures.FAILURE_REASON_INVALID_INPUT),
    (429, pb.FAILURE_KIND_RATE, failures.FAILURE_REASON_PROVIDER_FAILED),
]


@pytest.mark.parametrize(("status", "kind", "reason"), CREATES)
def test_a_refused_create_counts_by_its_status(status: int, kind: int, reason: int) -> None:
    """A definite refusal."""
    assert is_definite(status)
    failure = create_refused(Problem(status, detail="see https://x/account/billing"))
    assert (failure.kind, failure.failure.reason) == (kind, reason)
    if status in (401, 402, 403):
        assert "billing" not in failure.failure.message


@pytest.mark.parametrize("status", [200, 204, 301, 307, 408, 499, 500, 502, 503, 504, 520, 524])
def test_anything_else_without_an_id_is_ambiguous(status: int) -> None:
    """It may have been created behind whoever answered."""
    assert not is_definite(status)


def test_a_bad_version_is_told_from_a_bad_input() -> None:
    """Both are 422."""
    failure = create_refused(Problem(422, title="Invalid version or not permitted"))
    assert failure.failure.reason == failures.FAILURE_REASON_MODEL_NOT_FOUND


def test_invalid_fields_become_field_violations() -> None:
    """With paths from the job's input; a missing one is named by the words."""
    fields = [
        {"type": "enum", "field": "input.aspect_ratio", "description": "Must be one of"},
        {"type": "required", "field": "input", "description": "prompt is required"},
        {"type": "additional_property_not_allowed", "field": "",
         "description": "Additional property foo is not allowed"},
    ]  # fmt: skip
    body = json.dumps({"title": "Input validation failed", "invalid_fields": fields}).encode()
    failure = create_refused(problem(422, {}, body, NOW))
    assert [each.field for each in failure.failure.field_violations] == [
        "aspect_ratio", "prompt", "foo",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (429, {"retry-after": "9"}, b'{"retry_after": 5}', 5),
        (429, {"retry-after": "9", "ratelimit-reset": "3"}, b"{}", 9),
        (429, {"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, b"", 30),
        (429, {"ratelimit-reset": "3"}, b"<html>", 3),
        (429, {}, b'{"detail": "Your rate limit resets in ~7s."}', 7),
        (429, {}, b'{"retry_after": "soon"}', None),
        (429, {}, b'{"retry_after": -3}', None),
        (429, {}, b'{"retry_after": 99999}', 3600),
        (503, {"ratelimit-reset": "3"}, b"{}", None),
    ],
)
def test_retry_after_is_read_in_the_order_of_trust(
    status: int, headers: dict[str, str], body: bytes, expected: float | None
) -> None:
    """Body, header, reset, sentence; bounded."""
    assert problem(status, headers, body, NOW).retry_after == expected


def test_a_retry_after_goes_to_the_store() -> None:
    """As a duration."""
    assert create_refused(Problem(429, retry_after=2.5)).retry_after.ToTimedelta() == timedelta(
        seconds=2.5
    )
    assert not create_refused(Problem(429)).HasField("retry_after")


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("failed", pb.PREDICTION_END_FAILED),
        ("canceled", pb.PREDICTION_END_CANCELED),
        ("aborted", pb.PREDICTION_END_ABORTED),
    ],
)
def test_each_terminal_status_has_its_end(status: str, end: int) -> None:
    """Canceled and aborted are transient: whether we asked for it the store knows."""
    found, failure = ended(Prediction("p", status), 1)
    assert found == end
    assert failure.kind == (P if status == "failed" else T)


def test_a_prediction_is_read_from_the_barest_answer() -> None:
    """Recorded creates lack most fields; errors may be objects, metrics negative."""
    assert prediction({"id": "a1", "status": "starting"}) == Prediction("a1", "starting")
    read = prediction({
        "id": "a1", "status": "failed", "error": {"type": "X"}, "logs": None, "output": None,
        "metrics": {"predict_time": -3}, "created_at": "2026-11-22T12:00:00.123456789Z",
    })  # fmt: skip
    assert read is not None
    assert read.error == '{"type": "X"}'
    assert read.predict_seconds is None
    assert read.created_at is not None
    assert read.terminal


@pytest.mark.parametrize(
    "body", [None, [], {}, {"id": "a"}, {"id": "", "status": "x"}, {"id": "../x", "status": "x"}]
)
def test_a_body_without_a_usable_id_is_no_prediction(body: object) -> None:
    """An id goes into addresses: only plain ones do."""
    assert prediction(body) is None


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"metrics": {"predict_time": 1.5}, "started_at": "x", "completed_at": "y"}, 1.5),
        ({"metrics": {"total_time": 9.0}, "started_at": None, "completed_at": "y"}, 0.0),
        ({"metrics": {"total_time": 9.0}, "started_at": "x", "completed_at": "y"}, None),
        ({"metrics": {"predict_time": -1.0}, "completed_at": "y"}, None),
        ({"metrics": None, "completed_at": "y"}, None),
        ({"metrics": {}}, None),
    ],
)
def test_a_run_that_ended_without_having_begun_took_no_time(
    told: dict[str, object], seconds: float | None
) -> None:
    """And so costs nothing; what is not measured, or not sensibly, is not known."""
    read = prediction({"id": "a1", "status": "canceled", **told})
    assert read is not None
    assert read.predict_seconds == seconds


@pytest.mark.parametrize("text", ["(E9828)" + "x" * 10**6, "x" * 10**6 + "(E9828)"])
def test_of_a_text_of_megabytes_only_its_ends_are_kept(text: str) -> None:
    """A dozen patterns are searched in it while nothing else is done; a code stands at an end."""
    read = prediction({"id": "a1", "status": "failed", "error": text, "logs": text})
    assert read is not None
    assert len(read.error) < 20_000
    assert len(read.logs) < 10_000
    assert run_failed(read.error, 1).kind == T


BILL = "Go to https://replicate.com/account/billing#billing to purchase credit."


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 418, 422, 429])
def test_words_that_lead_to_the_bill_are_never_told(status: int) -> None:
    """In whichever answer, and wherever in it, they stand."""
    problem = Problem(status, title=BILL, detail=BILL, invalid_fields=(("prompt", BILL),))
    assert "replicate.com" not in str(create_refused(problem))
    assert "replicate.com" not in str(run_failed(BILL, 1))


@pytest.mark.parametrize("failure", [vanished(), too_large()])
def test_a_run_that_can_not_be_followed_is_never_made_again(failure: pb.ProviderFailure) -> None:
    """It may have been paid for."""
    assert failure.kind == P
    assert failure.failure.retry_advice == failures.RETRY_ADVICE_MAY_PAY_TWICE
