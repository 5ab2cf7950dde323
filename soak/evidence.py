"""What is there after a soak? Asked of the API, the provider's ledger, the broker, the database."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import aio_pika
import httpx

from devstack.testing import Stack
from mediagen import errors
from mediagen.v1.attempt_pb2 import CHARGE_NO, Attempt
from mediagen.v1.failure_pb2 import FailureReason
from mediagen.v1.job_pb2 import Job
from mediagen.watching import is_final
from soak import payments, sightings
from soak.chaos import Chaos
from soak.judging import Evidence
from soak.orders import number_in
from soak.payments import Call
from soak.scale import Scale
from soak.sightings import Watch
from soak.submitting import Book, Callers
from store.adapters.invariants import broken

T = TypeVar("T")

_TRIES = 20
_DEAD_LETTERS = "jobs.dead"


@dataclass(frozen=True)
class Afterwards:
    """A soak that is over, with its stack still running."""

    stack: Stack
    scale: Scale
    seed: str
    book: Book
    watches: Sequence[Watch]
    chaos: Chaos
    seconds: float


async def gather(after: Afterwards, callers: Callers) -> Evidence:
    """All of it. Nothing is killed any more, but what was may still be coming back."""
    by_number = await _patiently(lambda: _listed(callers))
    jobs = [job for each in by_number.values() for job in each]
    calls = payments.by_job(await asyncio.to_thread(_ledger, after.stack.simulator_url))
    seen = {watch.number: _seen(watch, by_number) for watch in after.watches}
    fetched, spoiled = await _fetched(after, callers, jobs)
    return Evidence(
        ordered=after.scale.jobs,
        unacknowledged=after.scale.jobs - len(after.book.job_ids),
        states=Counter(_name(Job.State.Name(job.state)) for job in jobs),
        failures=Counter(
            _name(FailureReason.Name(job.failure.reason))
            for job in jobs
            if job.state == Job.STATE_FAILED
        ),
        lost=await _lost(after.book, by_number, callers),
        doubled=[_told(each) for each in by_number.values() if len(each) > 1],
        paid_twice=[line for each in calls.values() for line in payments.paid_twice(each)],
        stuck=[_told([job]) for job in jobs if not is_final(job)],
        missed=_lines(after.watches, {number: each.missed for number, each in seen.items()}),
        repeated=_lines(after.watches, {number: each.repeated for number, each in seen.items()}),
        broken_artifacts=spoiled,
        broken_invariants=await _patiently(lambda: broken(after.stack.database_url)),
        wrong_charges=[_told([job]) for job in jobs if _free_but_billed(job, calls)],
        odd_answers=[*after.book.odd_answers, *(odd for each in after.watches for odd in each.odd)],
        watched=len(after.watches),
        gaps=sum(each.gaps for each in seen.values()),
        streams=sum(each.streams for each in after.watches),
        calls=sum(map(len, calls.values())),
        artifacts=fetched,
        parked=sum(_is_parked(job) for job in jobs),
        dead_letters=await _patiently(lambda: _dead_letters(after.stack.amqp_url)),
        repeats=after.book.repeats,
        seconds=after.seconds,
        kills=after.chaos.kills,
        restarts=after.chaos.restarts(),
        put_off=after.chaos.put_off,
    )  # fmt: skip


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, once what is asked has come back from its last kill."""
    for _ in range(_TRIES):
        try:
            return await ask()
        except (errors.MediagenError, OSError, aio_pika.exceptions.AMQPError):
            await asyncio.sleep(1.0)
    return await ask()


async def _listed(callers: Callers) -> dict[int, list[Job]]:
    """Every job that the API lists for the soak's orders."""
    found: defaultdict[int, list[Job]] = defaultdict(list)
    async for job in callers.client().list(page_size=200):
        number = number_in(job.request.prompt)
        if number is not None:
            found[number].append(job)
    return found


async def _lost(book: Book, listed: dict[int, list[Job]], callers: Callers) -> list[str]:
    """Jobs that were acknowledged and are not there, by their ids."""
    lost = []
    for number, job_id in book.job_ids.items():
        if any(job.job_id == job_id for job in listed.get(number, ())):
            continue
        try:
            await callers.client().get(job_id)
            lost.append(f"job {job_id} of order {number} is there, but is not listed")
        except errors.JobNotFound:
            lost.append(f"job {job_id} of order {number}")
    return lost


def _ledger(simulator_url: str) -> list[Call]:
    url = f"{simulator_url}/_simulator/ledger"
    answer = httpx.get(url, params={"match": "soak "}, timeout=60, trust_env=False)
    return [Call.of(entry) for entry in answer.raise_for_status().json()["predictions"]]


def _seen(watch: Watch, listed: dict[int, list[Job]]) -> sightings.Seen:
    jobs = [job for job in listed.get(watch.number, ()) if job.job_id == watch.job_id]
    return sightings.count(watch.sightings, jobs[0].revision if jobs else 0)


def _lines(watches: Sequence[Watch], counts: dict[int, int]) -> list[str]:
    """A line for every revision, so that their number is the figure."""
    return [
        f"{watch.job_id} over {'SSE' if watch.over_sse else 'gRPC'}: "
        + " ".join(f"{each.stream}.{each.kind}.{each.revision}" for each in watch.sightings)
        for watch in watches
        for _ in range(counts[watch.number])
    ]


def _is_parked(job: Job) -> bool:
    return any(attempt.state == Attempt.STATE_UNRESOLVED for attempt in job.attempts)


def _free_but_billed(job: Job, calls: dict[int, list[Call]]) -> bool:
    number = number_in(job.request.prompt)
    billed = sum(call.billed for call in calls.get(-1 if number is None else number, ()))
    return is_final(job) and billed > 0 and job.charge == CHARGE_NO


async def _dead_letters(amqp_url: str) -> int:
    connection = await aio_pika.connect(amqp_url, timeout=10)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(_DEAD_LETTERS, passive=True)
        return queue.declaration_result.message_count or 0


async def _fetched(
    after: Afterwards, callers: Callers, jobs: Sequence[Job]
) -> tuple[int, list[str]]:
    """How many artifacts of a sample of jobs were fetched, and which of them are not right."""
    completed = sorted(
        (job for job in jobs if job.state == Job.STATE_COMPLETED), key=lambda job: job.job_id
    )
    count = min(len(completed), after.scale.downloads)
    sample = random.Random(f"artifacts {after.seed}").sample(completed, count)
    fetched, wrong = 0, []
    async with httpx.AsyncClient(base_url=after.stack.edge_url, trust_env=False) as http:
        for place, job in enumerate(sample):
            if not job.artifacts:
                wrong.append(f"{job.job_id} is COMPLETED without artifacts")
            for artifact in job.artifacts:
                try:
                    body = await _bytes(
                        callers, http, job, artifact.index, over_rest=place % 2 == 0
                    )
                except (errors.MediagenError, httpx.HTTPError) as error:
                    wrong.append(f"{job.job_id} {artifact.index}: {error}")
                    continue
                fetched += 1
                if hashlib.sha256(body).hexdigest() != artifact.sha256:
                    wrong.append(f"{job.job_id} {artifact.index}: another SHA-256")
    return fetched, wrong  # fmt: skip


async def _bytes(
    callers: Callers, http: httpx.AsyncClient, job: Job, index: int, *, over_rest: bool
) -> bytes:
    if over_rest:
        answer = await http.get(f"/api/v1/jobs/{job.job_id}/artifacts/{index}")
        return answer.raise_for_status().content
    kept = io.BytesIO()
    await callers.client().download(job.job_id, index, to=kept)
    return kept.getvalue()


def _name(value: str) -> str:
    return value.removeprefix("STATE_").removeprefix("FAILURE_REASON_")


def _told(jobs: Sequence[Job]) -> str:
    return "; ".join(
        f"{job.job_id} {job.request.prompt!r} {_name(Job.State.Name(job.state))} "
        f"{Job.Stage.Name(job.stage)} revision {job.revision}, calls: "
        + ", ".join(f"{_name(Attempt.State.Name(each.state))} {each.prediction_id}"
                    for each in job.attempts)
        for job in jobs
    )  # fmt: skip
