"""A second paid call is made only after a definite end of the first, and never after a success."""

from __future__ import annotations

import itertools

import pytest

from devstack.testing import Stack
from mediagen import Client
from mediagen.v1.attempt_pb2 import CHARGE_NO, Attempt
from mediagen.v1.failure_pb2 import FailureReason
from mediagen.v1.job_pb2 import Job

from .workers import assert_never_paid_twice, calls, set_fault

MODEL = "black-forest-labs/flux-schnell"


async def ended(stack: Stack, prompt: str) -> Job:
    """The job of *prompt* once it is final."""
    async with Client(stack.gateway_address) as client:
        job = await client.submit(prompt, model=MODEL)
        return await client.wait(job.job_id, timeout=90)


@pytest.mark.parametrize(
    ("fault", "argument", "first"),
    [
        ("fail", "E9828", Attempt.STATE_FAILED),
        ("fail", "PA", Attempt.STATE_FAILED),
        ("canceled_by_platform", "", Attempt.STATE_CANCELED),
        ("aborted", "", Attempt.STATE_ABORTED),
        ("429_with_retry_after", "1", Attempt.STATE_NOT_CREATED),
        ("429_plain", "", Attempt.STATE_NOT_CREATED),
    ],
)
async def test_after_a_definite_end_there_is_another_call(
    stack: Stack, fault: str, argument: str, first: Attempt.State.ValueType
) -> None:
    """The job completes with its second call, and both ends are on record."""
    prompt = f"second create after {fault} {argument}".strip()
    set_fault(stack, fault, match=prompt, argument=argument)
    job = await ended(stack, prompt)
    assert job.state == Job.STATE_COMPLETED
    assert [attempt.state for attempt in job.attempts] == [first, Attempt.STATE_SUCCEEDED]
    assert_never_paid_twice(calls(stack, prompt))


@pytest.mark.parametrize(
    ("fault", "argument", "reason"),
    [
        ("422_input", "", FailureReason.FAILURE_REASON_INVALID_INPUT),
        ("422_version", "", FailureReason.FAILURE_REASON_MODEL_NOT_FOUND),
        ("fail", "E005", FailureReason.FAILURE_REASON_CONTENT_REJECTED),
        ("fail", "E1001", FailureReason.FAILURE_REASON_MODEL_FAILED),
        ("output_none", "", FailureReason.FAILURE_REASON_NO_OUTPUT),
        ("redirect_foreign_host", "", FailureReason.FAILURE_REASON_OUTPUT_REJECTED),
    ],
)
async def test_a_permanent_failure_is_the_job_s_at_once(
    stack: Stack, fault: str, argument: str, reason: FailureReason.ValueType
) -> None:
    """One call, no retry, and a reason that a person understands."""
    prompt = f"permanent {fault} {argument}".strip()
    set_fault(stack, fault, match=prompt, argument=argument)
    job = await ended(stack, prompt)
    assert (job.state, job.failure.reason) == (Job.STATE_FAILED, reason)
    assert len(job.attempts) == 1
    assert job.failure.message
    assert job.failure.retry_advice


async def test_four_attempts_and_then_the_job_is_given_up(stack: Stack) -> None:
    """MAX_RETRIES of 3: the retry queues delay 2, 4 and 8 s; every call ended before the next."""
    prompt = "a model that is always interrupted"
    set_fault(stack, "fail", match=prompt, argument="E9828", count=4)
    job = await ended(stack, prompt)
    assert (job.state, len(job.attempts)) == (Job.STATE_FAILED, 4)
    assert job.failure.reason == FailureReason.FAILURE_REASON_PROVIDER_FAILED
    times = [attempt.create_time.ToDatetime() for attempt in job.attempts]
    waits = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]
    assert [wait >= least for wait, least in zip(waits, (2, 4, 8), strict=True)] == [True] * 3
    assert_never_paid_twice(calls(stack, prompt))


async def test_a_saved_result_that_broke_off_is_fetched_again_not_paid_again(stack: Stack) -> None:
    """A truncated download is the delivery's trouble: one call, and the whole file."""
    prompt = "a download that breaks off"
    set_fault(stack, "truncated_download", match=prompt, argument="1")
    job = await ended(stack, prompt)
    assert job.state == Job.STATE_COMPLETED
    assert len(calls(stack, prompt)) == 1


async def test_a_cancel_while_running_is_told_to_the_provider(stack: Stack) -> None:
    """The job says canceled only after the provider has, and what that cost."""
    prompt = "a run that is canceled in the middle"
    set_fault(stack, "run", match=prompt, argument="600")
    async with Client(stack.gateway_address) as client:
        job = await client.submit(prompt, model=MODEL)
        async for each in client.watch(job.job_id):
            if each.stage == Job.STAGE_PROCESSING:
                canceling = await client.cancel(job.job_id)
                assert canceling.state == Job.STATE_RUNNING
                assert canceling.stage == Job.STAGE_CANCELING
                break
        final = await client.wait(job.job_id, timeout=60)
    assert final.state == Job.STATE_CANCELED
    assert final.charge != CHARGE_NO
    [call] = calls(stack, prompt)
    assert (call["status"], call["cancels"]) == ("canceled", 1)
