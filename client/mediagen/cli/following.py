"""How does the command line follow a job: submit, watch, save, tell the end?"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from rich.text import Text

from mediagen import errors
from mediagen.cli import documents, exits, pages, progress, saving, typed_inputs, words
from mediagen.cli.exits import Exit
from mediagen.cli.session import Session
from mediagen.cli.suggesting import explained
from mediagen.cli.typed_inputs import Given
from mediagen.requests import WebhookWish
from mediagen.v1.job_pb2 import Artifact, Job
from mediagen.watching import Gap


@dataclass(frozen=True)
class Submission:
    """A job as it was typed."""

    prompt: str
    model: str
    input: Given
    labels: dict[str, str]
    priority: str | None
    timeout: float | None
    webhook: WebhookWish | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


async def submit_job(session: Session, wanted: Submission, *, validate_only: bool = False) -> Job:
    """Submits, files first; from its end on, an interrupt speaks of the job."""
    values = await typed_inputs.values_of(session.client, wanted.model, wanted.input)
    session.request_id = "" if validate_only else wanted.request_id
    try:
        job = await session.client.submit(
            wanted.prompt,
            model=wanted.model,
            input=values,
            timeout=wanted.timeout,
            labels=wanted.labels,
            priority=wanted.priority,
            request_id=wanted.request_id,
            webhook=wanted.webhook,
            validate_only=validate_only,
        )
    except errors.InvalidRequest as refused:
        session.request_id = ""
        pairs = wanted.input.pairs
        raise await explained(session.client, refused, wanted.model, pairs) from None
    session.request_id = ""
    return job


async def follow(
    session: Session, job_id: str, view: progress.View, max_wait: float | None, after: int = 0
) -> Job:
    """The job once it is final, shown on the way. Raises TimeoutError after *max_wait* seconds."""
    session.job_id = job_id

    def tell_gap(gap: Gap) -> None:
        missed = f"{gap.from_revision} to {gap.to_revision}"
        session.hint(f"Revisions {missed} can not be shown any more.")

    with view:
        async with asyncio.timeout(max_wait):
            job = None
            jobs = session.client.watch(
                job_id,
                after,
                on_gap=tell_gap,
                on_reconnect=view.lost,
                on_forecast=view.forecast,
            )
            async for job in jobs:
                view.show(job)
            return job or await session.client.get(job_id)


async def finish(session: Session, job: Job, target: str | None, *, report: bool) -> Exit:
    """Saves the results where asked, tells how the job ended, and gives the exit code.

    report: print the end as the command's own result (with --json, as one document).
    """
    code = exits.of_job(job)
    files: list[tuple[Artifact, Path]] = []
    if code is Exit.OK and target is not None:
        session.job_id, session.saving = job.job_id, True
        files = saving.paths(job, target)
        await saving.save(session, job, files)
    session.job_id, session.saving = "", False
    if session.json:
        if report:
            print(documents.dump(documents.result(job, files)))
        return code
    _tell(session, job, files, target)
    return code


def _tell(
    session: Session, job: Job, files: list[tuple[Artifact, Path]], target: str | None
) -> None:
    if job.HasField("failure"):
        session.err.print(pages.failure_text(job))
        session.hint(session.command("status", job.job_id) + " shows every attempt.")
        return
    if job.state == Job.STATE_CANCELED:
        session.err.print(Text(f"The job was canceled. charged: {words.charge(job.charge)}"))
        return
    if session.quiet:
        for _, path in files:
            session.out.print(Text(words.plain(str(path))))
        return
    end = job.end_time if job.HasField("end_time") else None
    elapsed = words.duration(words.seconds_since(job.create_time, end))
    number = words.attempt(job)
    session.err.print(Text(f"completed in {elapsed}" + (f", {number}" if number else "")))
    places = [each.url for each in sorted(job.artifacts, key=lambda each: each.index)]
    if target is not None:
        places = [str(path) for _, path in files]
    pages.results_page(session.out, session.err, job, places)
    if job.artifacts and target is None:
        session.hint("To save it:  " + session.command("download", job.job_id))
