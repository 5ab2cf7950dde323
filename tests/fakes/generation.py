"""A GenerationService in memory, for tests of what calls it.

A job's model says what becomes of it (`SCRIPTS`), so that a test needs no second channel to the
server. `cuts` breaks the next watch streams after so many messages; `refusals` refuses the next
calls. `python -m tests.fakes.generation` serves one on a free port, printed on the first line.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import uuid
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from mediagen.v1 import generation_service_pb2 as messages
from mediagen.v1.attempt_pb2 import CHARGE_NO, CHARGE_UNKNOWN, CHARGE_YES, Attempt
from mediagen.v1.failure_pb2 import (
    FAILURE_REASON_MODEL_FAILED,
    RETRY_ADVICE_CHANGE_REQUEST,
    Failure,
)
from mediagen.v1.generation_service_pb2_grpc import (
    GenerationServiceServicer,
    add_GenerationServiceServicer_to_server,
)
from mediagen.v1.job_pb2 import Artifact, Job, JobRequest, Preview
from mediagen.v1.operator_service_pb2_grpc import (
    OperatorServiceServicer,
    add_OperatorServiceServicer_to_server,
)
from mediagen.v1.webhook_endpoint_service_pb2_grpc import (
    WebhookEndpointServiceServicer,
    add_WebhookEndpointServiceServicer_to_server,
)
from tests.fakes.catalogue import FakeCatalogue, add_to_server
from tests.fakes.refusing import abort, refusal

Script = list[dict[str, Any]]

_RUNNING: Script = [
    {"state": Job.STATE_RUNNING, "stage": Job.STAGE_SUBMITTING},
    {
        "state": Job.STATE_RUNNING,
        "stage": Job.STAGE_STARTING,
        "attempts": [Attempt(number=1, state=Attempt.STATE_SUBMITTED, prediction_id="p1")],
        "charge": CHARGE_UNKNOWN,
    },
    *(
        {"state": Job.STATE_RUNNING, "stage": Job.STAGE_PROCESSING, "progress_percent": percent}
        for percent in (10, 50, 90)
    ),
]


def _ends(**changes: Any) -> Script:
    return [*_RUNNING, {"stage": Job.STAGE_UNSPECIFIED, "charge": CHARGE_YES, **changes}]


def _fails(message: str) -> Script:
    failure = Failure(
        reason=FAILURE_REASON_MODEL_FAILED,
        message=message,
        retry_advice=RETRY_ADVICE_CHANGE_REQUEST,
    )
    failure.field_violations.add(field="aspect_ratio", description="must be one of 1:1, 16:9")
    return _ends(state=Job.STATE_FAILED, failure=failure)


PREVIEW = b"a small picture"
PICTURES = {"fake/picture": [b"a picture" * 20_000], "fake/two-pictures": [b"one", b"another"]}

SCRIPTS: dict[str, Script] = {
    "fake/picture": [
        *_RUNNING,
        {"state": Job.STATE_RUNNING, "stage": Job.STAGE_SAVING},
        _ends(state=Job.STATE_COMPLETED)[-1],
    ],
    "fake/two-pictures": _ends(state=Job.STATE_COMPLETED),
    "fake/values": _ends(state=Job.STATE_COMPLETED, output={"string_value": "a caption"}),
    "fake/fails": _fails("The model ended with an error."),
    "fake/hostile": _fails("\x1b]0;owned\x07\x1b[2J[bold]x[/bold]\u202egnp"),
    "fake/endless": _RUNNING,
    "fake/waits": [],
}


class FakeGeneration(GenerationServiceServicer):
    """What the real service promises, told from a script."""

    def __init__(self, *, step_seconds: float = 0.0, heartbeat_seconds: float = 15.0) -> None:
        self.step_seconds = step_seconds
        self.heartbeat_seconds = heartbeat_seconds
        self.history: dict[str, list[Job]] = {}
        """Every revision of every job, the first submitted first."""
        self.watches: list[messages.WatchJobRequest] = []
        self.metadata: list[dict[str, str]] = []
        self.calls = 0
        self.cuts: deque[tuple[int, grpc.StatusCode]] = deque()
        """For each watch stream to come: end it so after so many messages."""
        self.refusals: deque[Status] = deque()
        """What the next calls are answered, one each."""
        self.gone_before = 0
        """Watchers get no revision before this one any more, only a gap."""
        self.feed: list[Job] = []
        """Every revision of all jobs, as they came. A cursor is "c" and how many are known."""
        self.feed_begins = 0
        """Watchers of all jobs get no revision before this place of the feed, only a gap."""
        self.watches_of_all: list[messages.WatchJobsRequest] = []
        self.answers_lost = 0
        """So many submissions are stored, but their answer is lost."""
        self._changed = asyncio.Condition()
        self._plays: set[asyncio.Task[None]] = set()

    async def SubmitJob(
        self, request: messages.SubmitJobRequest, context: Any
    ) -> messages.SubmitJobResponse:
        await self._arrived(context)
        if "\n" in request.model or request.model == "fake/refused":
            await abort(context, _bad_request())
        if request.validate_only:
            checked = JobRequest(model=request.model, prompt=request.prompt, input=request.input)
            checked.defaults.update({"ratio": "1:1"})
            return messages.SubmitJobResponse(job=Job(request=checked))
        job = self._of_request_id(request.request_id)
        if job is None:
            job = await self.store(request)
        elif job.request.prompt != request.prompt:
            metadata = {"request_id": request.request_id, "job_id": job.job_id}
            status = refusal(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", **metadata)
            await abort(context, status)
        if self.answers_lost:
            self.answers_lost -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        return messages.SubmitJobResponse(job=job)

    async def GetJob(
        self, request: messages.GetJobRequest, context: Any
    ) -> messages.GetJobResponse:
        await self._arrived(context)
        return messages.GetJobResponse(job=(await self._found(request.job_id, context))[-1])

    async def ListJobs(
        self, request: messages.ListJobsRequest, context: Any
    ) -> messages.ListJobsResponse:
        await self._arrived(context)
        jobs = [
            job
            for job in (history[-1] for history in reversed(self.history.values()))
            if (not request.states or job.state in request.states)
            and (not request.model or job.request.model == request.model)
            and all(job.request.labels.get(k) == v for k, _, v in map(_pair, request.labels))
            and request.prompt_contains.lower() in job.request.prompt.lower()
        ]
        start, size = int(request.page_token or 0), request.page_size or 50
        more = str(start + size) if len(jobs) > start + size else ""
        return messages.ListJobsResponse(jobs=jobs[start : start + size], next_page_token=more)

    async def CancelJob(
        self, request: messages.CancelJobRequest, context: Any
    ) -> messages.CancelJobResponse:
        await self._arrived(context)
        job = (await self._found(request.job_id, context))[-1]
        if job.state in (Job.STATE_PENDING, Job.STATE_RUNNING):
            charge = CHARGE_NO if job.state == Job.STATE_PENDING else CHARGE_UNKNOWN
            job = await self.revise(job.job_id, state=Job.STATE_CANCELED, stage=0, charge=charge)
        return messages.CancelJobResponse(job=job)

    async def WatchJob(
        self, request: messages.WatchJobRequest, context: Any
    ) -> AsyncIterator[messages.WatchJobResponse]:
        self.watches.append(request)
        await self._arrived(context)
        history = await self._found(request.job_id, context)
        left, code = self.cuts.popleft() if self.cuts else (sys.maxsize, grpc.StatusCode.OK)
        async for message in self._events(history, request.after_revision):
            if left == 0:
                break
            left -= 1
            yield message
        if left == 0 and code is not grpc.StatusCode.OK:
            await context.abort(code, "cut by the test")

    async def _events(
        self, history: list[Job], last: int
    ) -> AsyncIterator[messages.WatchJobResponse]:
        if last > history[-1].revision:
            gap = messages.RevisionGap(from_revision=history[-1].revision + 1, to_revision=last)
            yield messages.WatchJobResponse(gap=gap)
            last = 0
        if last and last + 1 < self.gone_before <= history[-1].revision:
            gap = messages.RevisionGap(from_revision=last + 1, to_revision=self.gone_before - 1)
            yield messages.WatchJobResponse(gap=gap)
            last = 0
        if last == 0:
            last = history[-1].revision
            yield messages.WatchJobResponse(snapshot=history[-1])
        while True:
            for job in history[last:]:
                update = Job()
                update.CopyFrom(job)
                update.ClearField("request")
                last = job.revision
                yield messages.WatchJobResponse(update=update)
            if history[-1].state >= Job.STATE_COMPLETED:
                return
            try:
                async with asyncio.timeout(self.heartbeat_seconds), self._changed:
                    while len(history) == last:
                        await self._changed.wait()
            except TimeoutError:
                yield messages.WatchJobResponse(heartbeat=messages.Heartbeat(revision=last))

    async def WatchJobs(
        self, request: messages.WatchJobsRequest, context: Any
    ) -> AsyncIterator[messages.WatchJobsResponse]:
        self.watches_of_all.append(request)
        await self._arrived(context)
        if request.cursor and not request.cursor.startswith("c"):
            await abort(context, refusal(grpc.StatusCode.INVALID_ARGUMENT, "CURSOR_INVALID"))
        left, code = self.cuts.popleft() if self.cuts else (sys.maxsize, grpc.StatusCode.OK)
        async for message in self._events_of_all(request):
            if left == 0:
                break
            left -= 1
            yield message
        if left == 0 and code is not grpc.StatusCode.OK:
            await context.abort(code, "cut by the test")

    async def _events_of_all(
        self, request: messages.WatchJobsRequest
    ) -> AsyncIterator[messages.WatchJobsResponse]:
        def wanted(job: Job) -> bool:
            was = self.history[job.job_id][max(0, job.revision - 2)].state
            states = set(request.states)
            return not states or bool(states & {job.state, was})

        place = int(request.cursor.removeprefix("c") or 0)
        gone = place < self.feed_begins
        if request.cursor and gone:
            gap = messages.WatchGap()
            gap.from_time.GetCurrentTime()
            yield messages.WatchJobsResponse(gap=gap)
        if not request.cursor or gone:
            place = len(self.feed)
            now = [history[-1] for history in self.history.values()]
            ended = bool(request.cursor)
            jobs = [j for j in now if wanted(j) and (ended or j.state < Job.STATE_COMPLETED)]
            for job in jobs:
                yield messages.WatchJobsResponse(snapshot=job)
            synced = messages.Synced(snapshots=len(jobs))
            yield messages.WatchJobsResponse(cursor=f"c{place}", synced=synced)
        while True:
            for job in self.feed[place:]:
                place += 1
                if wanted(job):
                    update = Job()
                    update.CopyFrom(job)
                    if job.revision > 1:
                        update.ClearField("request")
                    yield messages.WatchJobsResponse(cursor=f"c{place}", update=update)
            try:
                async with asyncio.timeout(self.heartbeat_seconds), self._changed:
                    while len(self.feed) == place:
                        await self._changed.wait()
            except TimeoutError:
                beat = messages.WatchHeartbeat()
                beat.current_time.GetCurrentTime()
                yield messages.WatchJobsResponse(cursor=f"c{place}", heartbeat=beat)

    async def WatchJobsEvents(
        self, request: messages.WatchJobsEventsRequest, context: Any
    ) -> AsyncIterator[HttpBody]:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "for browsers")
        yield HttpBody()

    async def WatchJobEvents(
        self, request: messages.WatchJobEventsRequest, context: Any
    ) -> AsyncIterator[HttpBody]:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "for browsers")
        yield HttpBody()

    async def DownloadArtifact(
        self, request: messages.DownloadArtifactRequest, context: Any
    ) -> AsyncIterator[HttpBody]:
        await self._arrived(context)
        job = (await self._found(request.job_id, context))[-1]
        data = PICTURES[job.request.model][request.index]
        left, code = self.cuts.popleft() if self.cuts else (sys.maxsize, grpc.StatusCode.OK)
        for start in range(0, len(data), 65536):
            if left == 0:
                break
            left -= 1
            yield HttpBody(content_type="image/webp", data=data[start : start + 65536])
        if left == 0 and code is not grpc.StatusCode.OK:
            await context.abort(code, "cut by the test")

    async def DownloadPreview(
        self, request: messages.DownloadPreviewRequest, context: Any
    ) -> AsyncIterator[HttpBody]:
        await self._arrived(context)
        yield HttpBody(content_type="image/webp", data=PREVIEW)

    async def GetHealth(
        self, request: messages.GetHealthRequest, context: Any
    ) -> messages.GetHealthResponse:
        await self._arrived(context)
        health = messages.GetHealthResponse(status="SERVING")
        health.components.add(name="gateway", status="SERVING")
        health.components.add(name="workers", status="SERVING", message="2 workers, 32 slots")
        return health

    async def store(self, request: messages.SubmitJobRequest) -> Job:
        """A new job, whose script begins to play at once."""
        job = Job(job_id=str(uuid.uuid4()), state=Job.STATE_PENDING, revision=1, charge=CHARGE_NO)
        for field in ("model", "prompt", "request_id", "priority"):
            setattr(job.request, field, getattr(request, field))
        job.request.MergeFrom(JobRequest(input=request.input, labels=request.labels))
        if request.HasField("timeout"):
            job.request.timeout.CopyFrom(request.timeout)
        job.create_time.GetCurrentTime()
        if request.HasField("webhook"):
            job.request.webhook.CopyFrom(request.webhook)
        self.history[job.job_id] = [job]
        self.feed.append(job)
        async with self._changed:
            self._changed.notify_all()
        play = asyncio.create_task(self._play(job.job_id, SCRIPTS[request.model]))
        self._plays.add(play)
        play.add_done_callback(self._plays.discard)
        return job

    async def revise(self, job_id: str, **changes: Any) -> Job:
        """The next revision of a job."""
        job = Job()
        job.CopyFrom(self.history[job_id][-1])
        for field in {"progress_percent", "failure", *changes}:
            job.ClearField(field)  # type: ignore[arg-type]
        job.MergeFrom(Job(**changes))
        job.revision += 1
        job.update_time.GetCurrentTime()
        if job.state == Job.STATE_COMPLETED:
            job.artifacts.extend(artifacts(job.request.model))
        self.history[job_id].append(job)
        self.feed.append(job)
        async with self._changed:
            self._changed.notify_all()
        return job

    async def _play(self, job_id: str, script: Script) -> None:
        for changes in script:
            await asyncio.sleep(self.step_seconds)
            if self.history[job_id][-1].state >= Job.STATE_COMPLETED:
                return
            await self.revise(job_id, **changes)

    async def _arrived(self, context: Any) -> None:
        self.calls += 1
        self.metadata.append(dict(context.invocation_metadata()))
        if self.refusals:
            await abort(context, self.refusals.popleft())

    async def _found(self, job_id: str, context: Any) -> list[Job]:
        if job_id not in self.history:
            await abort(context, refusal(grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND", job_id=job_id))
        return self.history[job_id]

    def _of_request_id(self, request_id: str) -> Job | None:
        jobs = [history[-1] for history in self.history.values()]
        return next((job for job in jobs if job.request.request_id == request_id != ""), None)


def artifacts(model: str) -> list[Artifact]:
    """What a completed job of *model* has stored."""
    return [
        Artifact(
            index=index,
            url=f"http://localhost:8000/{index}",
            media_type="image/webp",
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            preview=Preview(size_bytes=len(PREVIEW), width=51, height=34),
        )
        for index, data in enumerate(PICTURES.get(model, []))
    ]


def _bad_request() -> Status:
    bad = BadRequest()
    bad.field_violations.add(field="model", description="must be owner/name", reason="MODEL_FORMAT")
    bad.field_violations.add(field="timeout", description="must be at least 10 s", reason="GTE")
    return refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", bad)


def _pair(label: str) -> tuple[str, str, str]:
    return label.partition("=")


@asynccontextmanager
async def served(
    fake: FakeGeneration,
    port: int = 0,
    endpoints: WebhookEndpointServiceServicer | None = None,
    models: FakeCatalogue | None = None,
    operator: OperatorServiceServicer | None = None,
) -> AsyncIterator[str]:
    """Serves *fake* on loopback, the others beside it; gives its address."""
    threads = ThreadPoolExecutor(2) if operator is not None else None
    server = grpc.aio.server(threads, options=[("grpc.so_reuseport", 0)])
    add_GenerationServiceServicer_to_server(fake, server)
    if endpoints is not None:
        add_WebhookEndpointServiceServicer_to_server(endpoints, server)
    if operator is not None:
        add_OperatorServiceServicer_to_server(operator, server)
    add_to_server(models or FakeCatalogue(), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def main() -> None:
    async with served(FakeGeneration(step_seconds=float(sys.argv[1]))) as address:
        print(address, flush=True)
        # Ends with the test that started it, however that ends.
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
