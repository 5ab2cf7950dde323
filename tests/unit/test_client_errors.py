"""A refusal becomes an exception that says what to do with it."""

from __future__ import annotations

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

import mediagen
from mediagen import errors
from mediagen.v1.error_reason_pb2 import ErrorReason
from tests.fakes.refusing import refusal

DETAILS = "grpc-status-details-bin"
# Between our own parts, or to the provider that calls a webhook.
NOT_FOR_CALLERS = {
    "LEASE_LOST",
    "SIGNATURE_INVALID",
    "CALL_NOT_FOUND",
    "PREDICTION_TAKEN",
}


def failed(code: grpc.StatusCode, status: Status | None = None) -> grpc.aio.AioRpcError:
    trailing = grpc.aio.Metadata()
    if status is not None:
        trailing.add(DETAILS, status.SerializeToString())
    message = status.message if status else "as the peer says"
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, message)


@pytest.mark.parametrize(
    "name", [each.removeprefix("ERROR_REASON_") for each in ErrorReason.keys()[1:]]
)
def test_every_reason_of_the_contract_has_a_class(name: str) -> None:
    """A new ErrorReason needs a place in the tree (or is never sent to a caller)."""
    code = grpc.StatusCode.DATA_LOSS
    error = errors.from_call(failed(code, refusal(code, name)))
    assert error.reason == name
    assert (type(error) is errors.ServerFailed) == (name in NOT_FOR_CALLERS | {"INTERNAL"})


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, mediagen.InvalidRequest),
        (grpc.StatusCode.NOT_FOUND, mediagen.NotFound),
        (grpc.StatusCode.UNAVAILABLE, mediagen.Unavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, mediagen.DeadlineExceeded),
        (grpc.StatusCode.UNAUTHENTICATED, mediagen.AccessDenied),
        (grpc.StatusCode.FAILED_PRECONDITION, mediagen.TransitionRefused),
        (grpc.StatusCode.DATA_LOSS, mediagen.ServerFailed),
    ],
)
def test_an_unknown_reason_falls_back_to_the_code(
    code: grpc.StatusCode, kind: type[mediagen.MediagenError]
) -> None:
    """A newer server may give reasons that this client does not know, or none at all."""
    assert type(errors.from_call(failed(code, refusal(code, "OF_LATER")))) is kind
    assert type(errors.from_call(failed(code))) is kind


def test_a_reason_of_another_domain_is_not_ours() -> None:
    """A proxy's own ErrorInfo may use the same word for something else."""
    code = grpc.StatusCode.NOT_FOUND
    status = refusal(code, "JOB_NOT_FOUND", domain="proxy.example.com")
    assert type(errors.from_call(failed(code, status))) is mediagen.NotFound


def test_every_violation_is_told() -> None:
    """All at once, each with its field, in the exception's text too."""
    bad = BadRequest()
    bad.field_violations.add(field="model", description="must be owner/name", reason="MODEL_FORMAT")
    bad.field_violations.add(field="", description="give a prompt")
    code = grpc.StatusCode.INVALID_ARGUMENT
    error = errors.from_call(failed(code, refusal(code, "INVALID_REQUEST", bad)))
    assert isinstance(error, mediagen.InvalidRequest)
    assert error.violations[0] == mediagen.Violation("model", "must be owner/name", "MODEL_FORMAT")
    assert "model: must be owner/name" in str(error)
    assert "request: give a prompt" in str(error)


def test_the_time_to_try_again_is_told() -> None:
    """google.rpc.RetryInfo, in seconds."""
    retry = RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    error = errors.from_call(failed(code, refusal(code, "TOO_MANY_REQUESTS", retry)))
    assert isinstance(error, mediagen.TooManyRequests)
    assert error.retry_delay == 1.5


@pytest.mark.parametrize("details", [b"\xff\xff", Status(code=3, message="x").SerializeToString()])
def test_details_that_contradict_the_code_or_are_broken_are_left_out(details: bytes) -> None:
    """Proxies rewrite codes; the error must still be raised."""
    trailing = grpc.aio.Metadata((DETAILS, details))
    code = grpc.StatusCode.UNAVAILABLE
    call = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, "gone")
    assert isinstance(errors.from_call(call), mediagen.Unavailable)
