"""One job from delivery to its last fact, against the simulator and a fake ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise

import grpc
import pytest

from generator.worker.turns import FEW
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1 import failure_pb2 as failures
from mediagen.v1.job_pb2 import Job
from tests.fakes.generator_bench import FLUX, TOKEN, Rig, generator_rig
from tests.fakes.ledger import FakeAttempt, seconds

HAPPY = [
    "ClaimJob", "BeginSubmit", "RecordPrediction", "RecordSucceeded", "CompleteJob",
]  # fmt: skip


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig() as made:
        yield made


async def test_a_prompt_becomes_a_stored_picture(rig: Rig) -> None:
    """Claim, ack, permit, call, id, success, artifacts, complete: in this order, and paid once."""
    job = rig.ledger.add("j1", FLUX, "a beautiful sunset", num_outputs=2)
    delivery = await rig.run(job)
    assert delivery.settled == "ack"
    assert delivery.calls_before == ["ClaimJob"]
    assert rig.ledger.names() == HAPPY
    assert rig.creates() == 1
    assert job.completed is not None
    first, second = job.completed.artifacts
    assert first.object_key == "default/j1/1/1/0.webp"
    assert (first.artifact.output_path, second.artifact.output_path) == ("/0", "/1")
    assert first.artifact.media_type == "image/webp"
    assert len(await rig.bytes_of(first.object_key)) == first.artifact.size_bytes
    assert not job.completed.HasField("output")
    assert len(rig.parts.leases) == 0
    assert rig.sim.ledger()["auth_leaks"] == []


async def test_the_call_is_sent_as_the_permit_was_asked_for(rig: Rig) -> None:
    """The permit's input is what was sent: with the prompt, a seed of ours, and integers whole."""
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=1)
    await rig.run(job)
    permit = job.attempts[0].permit
    sent = rig.sim.ledger()["predictions"][0]["input"]
    assert sent == {"prompt": "a cat", "num_outputs": 1, "seed": permit.seed}
    assert type(sent["num_outputs"]) is int
    assert dict(permit.input.items()) == sent
    assert permit.post_timeout.ToTimedelta().total_seconds() == 3


async def test_a_seed_of_the_caller_is_kept(rig: Rig) -> None:
    """Only where the caller gave none is there one of ours."""
    job = rig.ledger.add("j1", FLUX, "a cat", seed=7)
    await rig.run(job)
    assert not job.attempts[0].permit.HasField("seed")
    assert rig.sim.ledger()["predictions"][0]["input"]["seed"] == 7


async def test_a_late_message_is_acked_and_forgotten(rig: Rig) -> None:
    """Nothing to claim: no permit, no call."""
    job = rig.ledger.add("j1", FLUX, "a cat")
    job.leased = True
    delivery = await rig.run(job)
    assert delivery.settled == "ack"
    assert rig.ledger.names() == ["ClaimJob"]


async def test_a_store_that_is_away_at_claim_leaves_the_message_unsettled(rig: Rig) -> None:
    """The consumer then puts it back after a pause."""
    rig.bear(claim=0.3)
    job = rig.ledger.add("j1", FLUX, "a cat")
    rig.ledger.fail("ClaimJob", grpc.StatusCode.UNAVAILABLE, 20)
    assert (await rig.run(job)).settled == ""


@pytest.mark.parametrize("fault", ["drop_after_create", "html_502_after_create", "500", "drop"])
async def test_a_lost_answer_is_unknown_and_never_sent_again(rig: Rig, fault: str) -> None:
    """Bytes left and no definite answer came: ambiguous, whether or not it was created."""
    rig.sim.set_fault(fault, count=1)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.ledger.names() == ["ClaimJob", "BeginSubmit", "RecordUnknown"]
    assert rig.creates() == (1 if fault.endswith("after_create") else 0)


async def test_an_answer_that_takes_too_long_is_unknown(rig: Rig) -> None:
    """One clock is over the whole call."""
    rig.sim.set_fault("slow_create", 4)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.attempts[0].state == "UNKNOWN"


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ("401", pb.FAILURE_KIND_ACCOUNT, failures.FAILURE_REASON_PROVIDER_REFUSED),
        ("402", pb.FAILURE_KIND_ACCOUNT, failures.FAILURE_REASON_PROVIDER_REFUSED),
        ("429_with_retry_after", pb.FAILURE_KIND_RATE, failures.FAILURE_REASON_PROVIDER_FAILED),
        ("429_plain", pb.FAILURE_KIND_RATE, failures.FAILURE_REASON_PROVIDER_FAILED),
        ("422_input", pb.FAILURE_KIND_PERMANENT, failures.FAILURE_REASON_INVALID_INPUT),
        ("422_version", pb.FAILURE_KIND_PERMANENT, failures.FAILURE_REASON_MODEL_NOT_FOUND),
    ],
)
async def test_a_definite_refusal_is_not_created(
    rig: Rig, fault: str, kind: int, reason: int
) -> None:
    """A 4xx says that nothing was created, and how it counts."""
    rig.sim.set_fault(fault)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.ledger.names() == ["ClaimJob", "BeginSubmit", "RecordNotCreated"]
    failure = job.attempts[0].failure
    assert failure is not None
    assert (failure.kind, failure.failure.reason) == (kind, reason)
    assert "billing" not in failure.failure.message
    if fault == "429_with_retry_after":
        assert failure.retry_after.seconds == 2
    if fault == "422_input":
        assert failure.failure.field_violations[0].field == "prompt"


async def test_a_permit_that_ran_out_sends_nothing(rig: Rig) -> None:
    """Timed from before BeginSubmit was called."""
    rig.ledger.send_within = 0.0
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    failure = job.attempts[0].failure
    assert failure is not None
    assert failure.kind == pb.FAILURE_KIND_NOT_SENT
    assert rig.creates() == 0


async def test_a_permit_whose_answer_was_lost_is_asked_for_again_by_the_same_token(
    rig: Rig,
) -> None:
    """The store gives the same permit again: one attempt, one call."""
    rig.ledger.lose_answer("BeginSubmit", grpc.StatusCode.UNAVAILABLE)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert len(job.attempts) == 1
    assert rig.creates() == 1
    assert job.completed is not None


async def test_an_id_is_recorded_however_long_the_store_is_away(rig: Rig) -> None:
    """Before anything else: no poll comes before it."""
    rig.ledger.fail("RecordPrediction", grpc.StatusCode.UNAVAILABLE, 3)
    rig.ledger.lose_answer("RecordPrediction", grpc.StatusCode.DEADLINE_EXCEEDED)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.ledger.names().count("RecordPrediction") == 5
    assert job.completed is not None


async def test_an_orphan_is_canceled_at_once(rig: Rig) -> None:
    """The store has no use for the id: the run is ended before it costs more, and read back."""
    rig.ledger.orphan_all = True
    rig.sim.set_fault("run", 600)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.sim.ledger()["predictions"][0]["status"] == "canceled"
    assert rig.ledger.names()[2:] == ["RecordPrediction", "RecordEnded"]


@pytest.mark.parametrize(
    "reason",
    [
        "REFUSAL_REASON_PROVIDER_SHUT",
        "REFUSAL_REASON_DUPLICATE_IN_FLIGHT",
        "REFUSAL_REASON_ATTEMPT_OPEN",
        "REFUSAL_REASON_DEADLINE",
    ],
)
async def test_a_refused_permit_ends_the_workers_part(rig: Rig, reason: str) -> None:
    """The store handed the job back or ended it; nothing is released twice."""
    refusal = pb.BeginSubmitResponse(refusal=pb.RefusalReason.Value(reason))
    rig.ledger.refusals.append(refusal)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.ledger.names() == ["ClaimJob", "BeginSubmit"]


def told_to_wait(rig: Rig, wait: float) -> None:
    """The next one that asks for a permit is told to come back in *wait* seconds."""
    rate = pb.RefusalReason.Value("REFUSAL_REASON_RATE")
    rig.ledger.refusals.append(pb.BeginSubmitResponse(refusal=rate, retry_after=seconds(wait)))


async def test_the_rate_is_waited_for_with_the_lease_for_as_long_as_told(rig: Rig) -> None:
    """Not guessed: a token that is not fetched when it is there is lost to all."""
    for _ in range(4):
        told_to_wait(rig, 0.2)
    times: list[float] = []
    begin = rig.parts.ledger.begin_submit

    async def timed(request: pb.BeginSubmitRequest) -> pb.BeginSubmitResponse:
        times.append(time.monotonic())
        return await begin(request)

    rig.parts.ledger.begin_submit = timed  # type: ignore[method-assign]
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.completed is not None
    waits = [after - before for before, after in pairwise(times)]
    assert len(waits) == 4
    assert min(waits) >= 0.2
    assert min(waits) < 0.5


@pytest.mark.parametrize("why", ["cancel", "deadline"])
async def test_a_job_that_is_to_end_does_not_wait_for_the_rate(rig: Rig, why: str) -> None:
    """It asks at once: the store ends it then."""
    told_to_wait(rig, 30)
    job = rig.ledger.add("j1", FLUX, "a cat", timeout=1.0 if why == "deadline" else 600.0)
    running = asyncio.create_task(rig.run(job))
    await until(lambda: "BeginSubmit" in rig.ledger.names())
    job.cancel_requested = True
    if why == "cancel":
        rig.parts.leases._held["j1"].told_cancel()
    await asyncio.wait_for(running, 10)
    assert job.state == "ENDED"
    assert rig.ledger.names().count("BeginSubmit") == 2


async def test_one_waits_for_the_rate_and_the_others_for_it(rig: Rig) -> None:
    """They would be told the same; afterwards each gets its permit in the order of coming."""
    told_to_wait(rig, 1.0)
    jobs = [rig.ledger.add(f"j{number}", FLUX, "a cat") for number in range(12)]
    running = [asyncio.create_task(rig.run(jobs[0]))]
    await until(lambda: rig.ledger.names().count("BeginSubmit") == 1)
    for job in jobs[1:]:
        running.append(asyncio.create_task(rig.run(job)))
        await until(lambda: len(rig.parts.leases) == len(running))
    assert rig.ledger.names().count("BeginSubmit") == 1
    await asyncio.gather(*running)
    asked = [request.job_id for name, request in rig.ledger.calls if name == "BeginSubmit"]
    assert asked == ["j0", *(job.job_id for job in jobs)]
    assert all(job.completed is not None for job in jobs)


async def test_few_ask_for_a_permit_at_once(rig: Rig) -> None:
    """The others wait their turn, which a lost lease ends and a cancel takes at once."""
    for _ in range(FEW):
        await rig.parts.turns._few.acquire()
    jobs = [rig.ledger.add(name, FLUX, f"a cat {name}") for name in ("goes", "lost", "canceled")]
    running = [asyncio.create_task(rig.run(job)) for job in jobs]
    await until(lambda: len(rig.parts.leases) == 3)
    await asyncio.sleep(0.2)
    assert "BeginSubmit" not in rig.ledger.names()
    held = rig.parts.leases._held
    held["lost"].told_lost()
    await asyncio.wait_for(running[1], 1)
    jobs[2].cancel_requested = True
    held["canceled"].told_cancel()
    await asyncio.wait_for(running[2], 1)
    assert jobs[2].state == "ENDED"
    rig.parts.turns._few.release()
    await running[0]
    assert jobs[0].completed is not None
    for _ in range(FEW - 1):
        rig.parts.turns._few.release()
    assert rig.parts.turns._few._value == FEW


async def test_a_crash_of_ours_counts_against_the_job_and_comes_back_ever_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store sets apart what goes on crashing."""
    monkeypatch.setattr("generator.worker.watch.progress.percent", lambda logs: 1 / 0)
    rig.sim.set_fault("run", 600)
    job = rig.ledger.add("j1", FLUX, "a cat")
    delays = []
    for _ in range(3):
        await rig.run(job)
        assert job.released is not None
        assert job.released.failed
        delays.append(job.released.delay.ToTimedelta().total_seconds())
    assert delays == [1, 2, 4]


async def test_a_step_that_the_store_refuses_counts_against_the_job(rig: Rig) -> None:
    """One of us has a fault; trying at once would meet it again."""
    rig.ledger.fail("RecordSucceeded", grpc.StatusCode.INVALID_ARGUMENT)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.released is not None
    assert job.released.failed


async def test_a_fact_that_the_store_never_takes_is_left_once_the_lease_is_lost(rig: Rig) -> None:
    """Whoever has the job now finds it again; with the lease in hand it is tried on."""
    rig.ledger.fail("RecordSucceeded", grpc.StatusCode.INTERNAL, 1000)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = asyncio.create_task(rig.run(job))
    await until(lambda: rig.ledger.names().count("RecordSucceeded") >= 5)
    assert not running.done()
    rig.parts.leases._held["j1"].told_lost()
    await asyncio.wait_for(running, 5)
    assert "ReleaseJob" not in rig.ledger.names()


async def test_a_paid_id_is_recorded_also_after_the_lease_and_many_refusals(rig: Rig) -> None:
    """The most persistent of all."""
    rig.ledger.fail("RecordPrediction", grpc.StatusCode.INTERNAL, 6)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = asyncio.create_task(rig.run(job))
    await until(lambda: "RecordPrediction" in rig.ledger.names())
    rig.parts.leases._held["j1"].told_lost()
    await running
    assert job.attempts[0].state == "SUBMITTED"


@pytest.mark.parametrize(("before", "kind"), [(0, "TRANSIENT"), (1, "PERMANENT")])
async def test_only_calls_that_were_created_count_towards_a_rows_attempts(
    rig: Rig, before: int, kind: str
) -> None:
    """E9243 is worth one more run; three calls that created nothing do not use it up."""
    rig.sim.set_fault("fail", "E9243")
    job = rig.ledger.add("j1", FLUX, "a cat")
    none = pb.BeginSubmitRequest()
    for n in range(3):
        job.attempts.append(FakeAttempt(n + 1, f"t{n}", none, state="NOT_CREATED"))
    for n in range(before):
        job.attempts.append(FakeAttempt(4, f"p{n}", none, state="FAILED", prediction_id=f"p{n}"))
    await rig.run(job)
    failure = job.attempts[-1].failure
    assert failure is not None
    assert failure.kind == pb.FailureKind.Value(f"FAILURE_KIND_{kind}")


async def test_a_cancel_does_not_wait_behind_looks(rig: Rig) -> None:
    """Hundreds of jobs are looked at all the time; what is to end costs money."""
    outcome = await rig.parts.creates.create(
        FLUX, {"prompt": "a cat"}, cancel_after=600, send_by=float("inf")
    )
    identity = outcome.prediction.id  # type: ignore[union-attr]
    looks = rig.parts.provider._looks._turns
    for _ in range(8):
        await looks.acquire()
    async with asyncio.timeout(5):
        await rig.parts.provider.cancel(identity)
        await rig.parts.provider.listing(datetime.now(UTC))


async def test_polling_trouble_never_ends_the_polling(rig: Rig) -> None:
    """Errors, throttling, early 404s and words that nobody knows: the id is paid for."""
    rig.sim.set_fault("500", on="get", count=1)
    rig.sim.set_fault("429_with_retry_after", 1, on="get", count=1)
    rig.sim.set_fault("drop", on="get", count=1)
    rig.sim.set_fault("early_404", 1000)
    rig.sim.set_fault("unknown_status", "preparing")
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.ledger.names() == HAPPY


async def test_a_lasting_404_is_a_lost_output_and_permanent(rig: Rig) -> None:
    """It never licenses a new call."""
    rig.bear(missing=0.5)
    rig.sim.set_fault("early_404", 1e9)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    failure = job.attempts[0].failure
    assert failure is not None
    assert failure.kind == pb.FAILURE_KIND_PERMANENT
    assert failure.failure.reason == failures.FAILURE_REASON_OUTPUT_LOST


@pytest.mark.parametrize(
    ("fault", "argument", "state", "kind"),
    [
        ("fail", "E9828", "FAILED", pb.FAILURE_KIND_TRANSIENT),
        ("fail", "NSFW", "FAILED", pb.FAILURE_KIND_PERMANENT),
        ("fail", "unknown", "FAILED", pb.FAILURE_KIND_PERMANENT),
        ("aborted", None, "ABORTED", pb.FAILURE_KIND_TRANSIENT),
        ("canceled_by_platform", None, "CANCELED", pb.FAILURE_KIND_TRANSIENT),
    ],
)
async def test_an_end_without_a_result_is_recorded_as_it_was(
    rig: Rig, fault: str, argument: str | None, state: str, kind: int
) -> None:
    """The store decides whether another attempt follows."""
    rig.sim.set_fault(fault, argument)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.ledger.names()[-1] == "RecordEnded"
    failure = job.attempts[0].failure
    assert failure is not None
    assert (job.attempts[0].state, failure.kind) == (state, kind)


async def test_a_cancel_is_told_to_the_provider_and_read_back(rig: Rig) -> None:
    """By the heartbeat's answer; the end on record is what the provider says."""
    rig.sim.set_fault("run", 6000)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = asyncio.create_task(rig.run(job))
    await until(lambda: job.current is not None and job.current.state == "SUBMITTED")
    job.cancel_requested = True
    await running
    assert job.attempts[0].state == "CANCELED"
    assert rig.sim.ledger()["predictions"][0]["cancels"] == 1


async def test_a_cancel_that_fails_is_tried_again_soon_with_a_look_in_between(rig: Rig) -> None:
    """A run that nobody wants costs; and it may have ended while its cancel fails."""
    rig.sim.set_fault("run", 6000)
    rig.sim.set_fault("500", on="cancel", count=2)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = asyncio.create_task(rig.run(job))
    await until(lambda: job.current is not None and job.current.state == "SUBMITTED")
    job.cancel_requested = True
    await asyncio.wait_for(running, 8)
    assert job.attempts[0].state == "CANCELED"


async def test_a_run_ends_by_itself_though_it_can_never_be_canceled(rig: Rig) -> None:
    """The looks go on between the cancels."""
    rig.sim.set_fault("run", 3)
    rig.sim.set_fault("500", on="cancel")
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = asyncio.create_task(rig.run(job))
    await until(lambda: job.current is not None and job.current.state == "SUBMITTED")
    job.cancel_requested = True
    await asyncio.wait_for(running, 20)
    assert job.completed is not None


@pytest.mark.parametrize("fault", ["early_404", "packed_answer"])
async def test_a_run_that_can_not_be_followed_is_stopped(rig: Rig, fault: str) -> None:
    """Nobody will read its result: it must not go on and cost."""
    rig.bear(missing=0.5)
    rig.sim.set_fault("run", 6000)
    rig.sim.set_fault(fault, 40_000_000, on="get")
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    failure = job.attempts[0].failure
    assert failure is not None
    assert failure.kind == pb.FAILURE_KIND_PERMANENT
    assert rig.sim.ledger()["predictions"][0]["status"] == "canceled"


async def test_a_run_that_succeeded_before_its_cancel_is_kept(rig: Rig) -> None:
    """It was paid for."""
    job = rig.ledger.add("j1", FLUX, "a cat")
    job.cancel_requested = True
    job.attempts.append(await succeeded_attempt(rig))
    await rig.run(job)
    assert job.completed is not None


async def test_the_deadline_cancels_by_the_workers_own_clock(rig: Rig) -> None:
    """No heartbeat is needed for it."""
    rig.sim.set_fault("processing_forever")
    job = rig.ledger.add("j1", FLUX, "a cat", timeout=3.0)
    await rig.run(job)
    assert job.attempts[0].state == "CANCELED"


async def test_a_lost_lease_stops_without_a_cancel_and_the_run_is_adopted(rig: Rig) -> None:
    """The prediction goes on; the next claim observes it and pays nothing."""
    rig.sim.set_fault("run", 3)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = asyncio.create_task(rig.run(job))
    await until(lambda: job.current is not None and job.current.state == "SUBMITTED")
    job.leased = False
    await running
    assert rig.ledger.names()[-1] == "RecordPrediction"
    assert rig.sim.ledger()["predictions"][0]["cancels"] == 0
    await rig.run(job)
    assert job.completed is not None
    assert job.completed.artifacts[0].object_key == "default/j1/1/2/0.webp"
    assert rig.creates() == 1


async def test_a_drain_hands_the_job_back_with_its_call_running(rig: Rig) -> None:
    """No cancel, no delay: another worker goes on at once."""
    rig.sim.set_fault("run", 6000)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = asyncio.create_task(rig.run(job))
    await until(lambda: job.current is not None and job.current.state == "SUBMITTED")
    rig.parts.leases.drain()
    await asyncio.wait_for(running, 2)
    assert job.released is not None
    assert job.released.delay.ToTimedelta().total_seconds() == 0
    assert rig.sim.ledger()["predictions"][0]["cancels"] == 0


async def test_a_drain_waits_for_a_paid_call_and_its_record(rig: Rig) -> None:
    """Between permit and record nothing interrupts."""
    rig.sim.set_fault("slow_create", 1)
    job = rig.ledger.add("j1", FLUX, "a cat")
    running = asyncio.create_task(rig.run(job))
    await until(lambda: bool(job.attempts))
    rig.parts.leases.drain()
    await running
    assert rig.ledger.names() == ["ClaimJob", "BeginSubmit", "RecordPrediction", "ReleaseJob"]


async def test_progress_goes_to_the_store_by_heartbeat(rig: Rig) -> None:
    """Stages and percents, as they change; a percent never goes back."""
    rig.sim.set_fault("run", 3)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    percents = [percent for stage, percent in job.stages if stage == Job.STAGE_PROCESSING]
    known = [percent for percent in percents if percent is not None]
    assert known
    assert known == sorted(known)


async def test_the_token_is_in_no_log(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither on success nor on trouble."""
    rig.sim.set_fault("500", on="get", count=2)
    rig.sim.set_fault("401", count=1)
    await rig.run(rig.ledger.add("j1", FLUX, "a cat"))
    await rig.run(rig.ledger.add("j2", FLUX, "a dog"))
    out = capfd.readouterr()
    assert TOKEN not in out.out + out.err


async def until(true: object, within: float = 10.0) -> None:
    assert callable(true)
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.02)


async def succeeded_attempt(rig: Rig) -> object:
    """An attempt whose prediction has run to its end."""
    outcome = await rig.parts.creates.create(
        FLUX, {"prompt": "done before"}, cancel_after=600, send_by=float("inf")
    )
    identity = outcome.prediction.id  # type: ignore[union-attr]
    async with asyncio.timeout(10):
        while not (await rig.parts.provider.prediction(identity)).terminal:
            await asyncio.sleep(0.05)
    return FakeAttempt(1, "t", pb.BeginSubmitRequest(), state="SUBMITTED", prediction_id=identity)
