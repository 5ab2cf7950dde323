"""The store's attempt ledger in memory, for tests of the generator.

It knows one job per id and enforces what the generator must keep to: facts about a prediction need
a permit that was given, nothing is spent or decided without the lease, an id is never recorded
twice. What it saw is in `calls`, in order. `fail` makes the next calls of a method fail.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.store.v1.attempt_ledger_service_pb2_grpc import (
    AttemptLedgerServiceServicer,
    add_AttemptLedgerServiceServicer_to_server,
)
from mediagen.store.v1.catalogue_service_pb2_grpc import add_CatalogueServiceServicer_to_server
from mediagen.store.v1.file_service_pb2_grpc import add_FileServiceServicer_to_server
from mediagen.v1.job_pb2 import InputFile, JobRequest
from tests.fakes.chores import FakeCatalogue, FakeFiles

REFUSED = pb.RefusalReason.Value


def seconds(value: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=value))
    return duration


@dataclass
class FakeAttempt:
    number: int
    token: str
    permit: pb.BeginSubmitRequest
    permit_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    state: str = "SUBMITTING"
    prediction_id: str = ""
    failure: pb.ProviderFailure | None = None
    output: Any = None
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass
class FakeJob:
    job_id: str
    request: JobRequest
    deadline: float
    tenant: str = "default"
    state: str = "PENDING"
    epoch: int = 0
    leased: bool = False
    dispatch: int = 1
    cancel_requested: bool = False
    attempts: list[FakeAttempt] = field(default_factory=list)
    completed: pb.CompleteJobRequest | None = None
    failure: Any = None
    released: pb.ReleaseJobRequest | None = None
    stages: list[tuple[int, int | None]] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    listed: dict[int, pb.StoredArtifact] = field(default_factory=dict)
    provider_version: str = ""
    takes_seed: bool = True
    stored_inputs: list[pb.StoredInput] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)  # the versions that were told

    @property
    def current(self) -> FakeAttempt | None:
        open_states = ("SUBMITTING", "SUBMITTED", "UNKNOWN", "SUCCEEDED")
        return next((each for each in self.attempts if each.state in open_states), None)


class FakeLedger(AttemptLedgerServiceServicer):  # type: ignore[misc]
    def __init__(self) -> None:
        self.jobs: dict[str, FakeJob] = {}
        self.calls: list[tuple[str, Any]] = []
        self.failing: dict[str, deque[grpc.StatusCode]] = defaultdict(deque)
        self.after: dict[str, deque[grpc.StatusCode]] = defaultdict(deque)
        self.refusals: deque[pb.BeginSubmitResponse] = deque()
        self.send_within = 5.0
        self.orphan_all = False
        self.lost: set[str] = set()
        self.scans: list[pb.ReportScanRequest] = []
        self.unknown: list[pb.UnknownAttempt] = []
        self.owned: list[str] = []
        self.scan_orphans: list[str] = []
        self.late: list[pb.LatePrediction] = []
        self.catalogue = FakeCatalogue()
        self.files = FakeFiles()

    def add(
        self, job_id: str, model: str, prompt: str = "", *, timeout: float = 600.0, **given: Any
    ) -> FakeJob:
        request = JobRequest(model=model, prompt=prompt)
        request.input.update(given)
        job = FakeJob(job_id, request, time.monotonic() + timeout)
        self.jobs[job_id] = job
        return job

    def give_file(
        self, job: FakeJob, path: str, body: bytes, *, key: str, media_type: str = "image/png"
    ) -> None:
        """*body* as a stored input of *job*; where its bytes lie is the caller's to see to."""
        job.stored_inputs.append(
            pb.StoredInput(
                file=InputFile(
                    path=path,
                    uri=f"upload:{len(job.stored_inputs)}",
                    media_type=media_type,
                    size_bytes=len(body),
                    sha256=hashlib.sha256(body).hexdigest(),
                ),
                object_key=key,
                file_name="a cat.png",
            )
        )

    def fail(self, method: str, code: grpc.StatusCode, times: int = 1) -> None:
        """The next calls do nothing."""
        self.failing[method].extend([code] * times)

    def lose_answer(self, method: str, code: grpc.StatusCode, times: int = 1) -> None:
        """The next calls are carried out, and not answered."""
        self.after[method].extend([code] * times)

    def lose(self, attempt: FakeAttempt) -> None:
        """What an expired lease makes of a call in flight; two scans' strong match adopts it."""
        attempt.state = "UNKNOWN"
        unknown = pb.UnknownAttempt(
            submit_token=attempt.token,
            model=self._job_of(attempt).request.model,
            input=attempt.permit.input,
        )
        unknown.permit_time.FromDatetime(attempt.permit_time)
        unknown.send_by.FromDatetime(attempt.permit_time + timedelta(seconds=5))
        self.unknown.append(unknown)

    def names(self) -> list[str]:
        """What a job's road is made of, in order."""
        beside = ("Heartbeat", "LeaseReconciler", "RecordArtifacts")
        return [name for name, _ in self.calls if name not in beside]

    async def ClaimJob(self, request: Any, context: Any) -> Any:
        await self._enter("ClaimJob", request, context)
        job = self.jobs.get(request.job_id)
        if job is None or job.leased or job.completed or job.failure or job.state == "ENDED":
            return pb.ClaimJobResponse(refusal=REFUSED("REFUSAL_REASON_NOTHING_TO_CLAIM"))
        job.leased, job.state = True, "RUNNING"
        job.epoch += 1
        current = job.current
        answer = pb.ClaimJobResponse(
            lease_epoch=job.epoch,
            lease_duration=seconds(30),
            tenant=job.tenant,
            request=job.request,
            time_left=seconds(job.deadline - time.monotonic()),
            cancel_requested=job.cancel_requested or job.deadline <= time.monotonic(),
            attempt=current.number if current else len(job.attempts) + 1,
            created_attempts=sum(1 for each in job.attempts if each.prediction_id),
            road=pb.ROAD_SUBMIT,
            provider_version=job.provider_version,
            takes_seed=job.takes_seed,
            stored_inputs=job.stored_inputs,
        )
        if current is not None:
            answer.road = pb.ROAD_SAVE if current.state == "SUCCEEDED" else pb.ROAD_OBSERVE
            answer.prediction_id = current.prediction_id
            if current.output is not None:
                answer.output.CopyFrom(current.output)
            if current.state == "SUCCEEDED":
                answer.stored_artifacts.extend(job.listed[each] for each in sorted(job.listed))
        return answer

    async def Heartbeat(self, request: Any, context: Any) -> Any:
        await self._enter("Heartbeat", request, context)
        answer = pb.HeartbeatResponse()
        for lease in request.leases:
            job = self.jobs[lease.job_id]
            if not job.leased or job.epoch != lease.lease_epoch or lease.job_id in self.lost:
                answer.lost_job_ids.append(lease.job_id)
                continue
            shown = lease.progress_percent if lease.HasField("progress_percent") else None
            job.stages.append((lease.stage, shown))
            if lease.HasField("log_tail"):
                assert len(lease.log_tail) <= 1024
                job.logs.append(lease.log_tail)
            if job.cancel_requested:
                answer.cancel_job_ids.append(lease.job_id)
        return answer

    async def BeginSubmit(self, request: Any, context: Any) -> Any:
        await self._enter("BeginSubmit", request, context)
        job = await self._leased(request, context)
        assert len(request.fingerprint) == 32
        assert request.account
        known = self._by_token(request.submit_token)
        if known is None:
            if self.refusals:
                refusal = self.refusals.popleft()
                if refusal.refusal != REFUSED("REFUSAL_REASON_RATE"):
                    job.leased = False
                return refusal
            if job.cancel_requested:
                job.leased, job.state = False, "ENDED"
                return pb.BeginSubmitResponse(refusal=REFUSED("REFUSAL_REASON_CANCELED"))
            assert job.current is None, "a second live call was asked for"
            known = FakeAttempt(len(job.attempts) + 1, request.submit_token, request)
            job.attempts.append(known)
        answer = pb.BeginSubmitResponse(
            attempt=known.number,
            send_within=seconds(self.send_within),
            cancel_after=seconds(max(5.0, job.deadline - time.monotonic())),
        )
        await self._leave("BeginSubmit", context)
        return answer

    async def RecordPrediction(self, request: Any, context: Any) -> Any:
        await self._enter("RecordPrediction", request, context)
        attempt = await self._permitted(request.submit_token, context)
        if self.orphan_all:
            attempt.state, attempt.prediction_id = "ORPHAN", request.prediction_id
            return pb.RecordPredictionResponse(orphan=True)
        assert attempt.prediction_id in ("", request.prediction_id), "a second id for one permit"
        self._job_of(attempt).ran.append(request.model_version)
        attempt.prediction_id, attempt.state = request.prediction_id, "SUBMITTED"
        await self._leave("RecordPrediction", context)
        return pb.RecordPredictionResponse()

    async def RecordUnknown(self, request: Any, context: Any) -> Any:
        await self._enter("RecordUnknown", request, context)
        attempt = await self._permitted(request.submit_token, context)
        attempt.state = "UNKNOWN"
        self._job_of(attempt).leased = False
        return pb.RecordUnknownResponse()

    async def RecordNotCreated(self, request: Any, context: Any) -> Any:
        await self._enter("RecordNotCreated", request, context)
        attempt = await self._permitted(request.submit_token, context)
        attempt.state, attempt.failure = "NOT_CREATED", request.failure
        self._job_of(attempt).leased = False
        return pb.RecordNotCreatedResponse()

    async def RecordSucceeded(self, request: Any, context: Any) -> Any:
        await self._enter("RecordSucceeded", request, context)
        attempt = await self._known(request, context)
        attempt.state = "SUCCEEDED"
        attempt.output = request.output if request.HasField("output") else None
        attempt.metrics = dict(request.metrics)
        self.jobs[request.job_id].ran.append(request.model_version)
        return pb.RecordSucceededResponse()

    async def RecordEnded(self, request: Any, context: Any) -> Any:
        await self._enter("RecordEnded", request, context)
        attempt = await self._known(request, context)
        attempt.state = pb.PredictionEnd.Name(request.end).removeprefix("PREDICTION_END_")
        attempt.failure, attempt.metrics = request.failure, dict(request.metrics)
        self.jobs[request.job_id].leased = False
        return pb.RecordEndedResponse()

    async def RecordArtifacts(self, request: Any, context: Any) -> Any:
        await self._enter("RecordArtifacts", request, context)
        job = await self._leased(request, context)
        for each in request.artifacts:
            job.listed.setdefault(each.artifact.index, each)
        return pb.RecordArtifactsResponse()

    async def CompleteJob(self, request: Any, context: Any) -> Any:
        await self._enter("CompleteJob", request, context)
        job = await self._leased(request, context)
        assert job.current is not None
        assert job.current.state == "SUCCEEDED", "completed before the success was recorded"
        named = {each.artifact.index: each for each in request.artifacts}
        assert all(named[index] == each for index, each in job.listed.items()), "listed otherwise"
        job.completed, job.leased = request, False
        return pb.CompleteJobResponse()

    async def FailSaving(self, request: Any, context: Any) -> Any:
        await self._enter("FailSaving", request, context)
        job = await self._leased(request, context)
        job.failure, job.leased = request.failure, False
        return pb.FailSavingResponse()

    async def FailUnsent(self, request: Any, context: Any) -> Any:
        await self._enter("FailUnsent", request, context)
        job = await self._leased(request, context)
        assert job.current is None, "failed unsent with a call open"
        job.failure, job.leased = request.failure, False
        return pb.FailUnsentResponse()

    async def ReleaseJob(self, request: Any, context: Any) -> Any:
        await self._enter("ReleaseJob", request, context)
        job = await self._leased(request, context)
        current = job.current
        assert current is None or current.state != "SUBMITTING", "released with a call in flight"
        job.released, job.leased = request, False
        return pb.ReleaseJobResponse()

    async def LeaseReconciler(self, request: Any, context: Any) -> Any:
        await self._enter("LeaseReconciler", request, context)
        answer = pb.LeaseReconcilerResponse(
            held=True,
            epoch=1,
            attempts=self.unknown,
            owned_prediction_ids=self.owned,
            late_predictions=self.late,
        )
        answer.store_time.FromDatetime(datetime.now(UTC))
        return answer

    async def ReportScan(self, request: Any, context: Any) -> Any:
        await self._enter("ReportScan", request, context)
        self.scans.append(request)
        for each in request.evidence:
            attempt = self._by_token(each.submit_token)
            if attempt and len(each.strong_prediction_ids) == 1 and not each.weak_candidates:
                attempt.prediction_id = each.strong_prediction_ids[0]
                attempt.state = "SUBMITTED"
                self.unknown = [u for u in self.unknown if u.submit_token != each.submit_token]
        return pb.ReportScanResponse(orphan_prediction_ids=self.scan_orphans)

    async def _enter(self, name: str, request: Any, context: Any) -> None:
        self.calls.append((name, request))
        if self.failing[name]:
            await context.abort(self.failing[name].popleft(), "made to fail")

    async def _leave(self, name: str, context: Any) -> None:
        if self.after[name]:
            await context.abort(self.after[name].popleft(), "the answer is lost")

    async def _leased(self, request: Any, context: Any) -> FakeJob:
        job = self.jobs[request.job_id]
        if not job.leased or job.epoch != request.lease_epoch:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the lease is lost")
        return job

    async def _permitted(self, token: str, context: Any) -> FakeAttempt:
        attempt = self._by_token(token)
        if attempt is None:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no such permit")
            raise AssertionError
        return attempt

    async def _known(self, request: Any, context: Any) -> FakeAttempt:
        for attempt in self.jobs[request.job_id].attempts:
            if attempt.prediction_id == request.prediction_id:
                return attempt
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no such prediction")
        raise AssertionError

    def _by_token(self, token: str) -> FakeAttempt | None:
        everyone = (each for job in self.jobs.values() for each in job.attempts)
        return next((each for each in everyone if each.token == token), None)

    def _job_of(self, attempt: FakeAttempt) -> FakeJob:
        return next(job for job in self.jobs.values() if attempt in job.attempts)


@asynccontextmanager
async def running_ledger() -> AsyncIterator[tuple[FakeLedger, str]]:
    """A fake ledger and its address."""
    ledger = FakeLedger()
    server = grpc.aio.server()
    add_AttemptLedgerServiceServicer_to_server(ledger, server)
    add_CatalogueServiceServicer_to_server(ledger.catalogue, server)
    add_FileServiceServicer_to_server(ledger.files, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield ledger, f"127.0.0.1:{port}"
    finally:
        await server.stop(0)
        await asyncio.sleep(0)
