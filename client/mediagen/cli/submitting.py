"""`mediagen generate | submit | upload`: what is wanted of the service, and with which files."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from mediagen.cli import documents, model_pages, options, progress, saving, typed_inputs, words
from mediagen.cli.exits import Exit
from mediagen.cli.following import Submission, finish, follow, submit_job
from mediagen.cli.options import DEFAULT_SERVER, JsonOutput, Quiet, Server
from mediagen.cli.session import Session, run
from mediagen.requests import WebhookWish
from mediagen.v1.job_pb2 import Job

_PIECE = 256 * 1024


def generate(
    model: options.Model,
    prompt: options.Prompt = "",
    inputs: options.Inputs = None,
    input_json: options.InputJson = None,
    labels: options.Labels = None,
    priority: options.PriorityOption = None,
    timeout: options.JobTimeout = None,
    request_id: options.RequestId = None,
    webhook: options.WebhookUrl = None,
    webhook_events: options.WebhookEvents = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Follow the job to its end.")
    ] = False,
    target: options.Target = None,
    check: options.Check = False,
    max_wait: options.MaxWait = None,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Submit a prompt; with --watch or -o, see it become media and keep the result."""
    saving.check(target)
    hook = options.parse_webhook(webhook, webhook_events)
    wanted = _submission(
        prompt, model, inputs, input_json, labels, priority, timeout, request_id, hook
    )
    session = Session(server, json_output, quiet)
    session.resume_options = ["-o", target] if target is not None else []

    async def body(session: Session) -> Exit:
        job = await submit_job(session, wanted, validate_only=check)
        if check:
            return await _tell_checked(session, job)
        if not watch and target is None and max_wait is None:
            return _tell_submitted(session, job, documents.result(job, []))
        session.hint(f"job {words.plain(job.job_id)}")
        view = progress.view(session.err, quiet=quiet)
        job = await follow(session, job.job_id, view, max_wait)
        return await finish(session, job, target, report=True)

    run(session, body)


def submit(
    model: options.Model,
    prompt: options.Prompt = "",
    inputs: options.Inputs = None,
    input_json: options.InputJson = None,
    labels: options.Labels = None,
    priority: options.PriorityOption = None,
    timeout: options.JobTimeout = None,
    request_id: options.RequestId = None,
    webhook: options.WebhookUrl = None,
    webhook_events: options.WebhookEvents = None,
    check: options.Check = False,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Submit a prompt and print the job's id."""
    hook = options.parse_webhook(webhook, webhook_events)
    wanted = _submission(
        prompt, model, inputs, input_json, labels, priority, timeout, request_id, hook
    )

    async def body(session: Session) -> Exit:
        job = await submit_job(session, wanted, validate_only=check)
        if check:
            return await _tell_checked(session, job)
        return _tell_submitted(session, job, documents.of(job))

    run(Session(server, json_output, quiet), body)


def upload(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help='The file; "-" is the standard input.')
    ],
    name: Annotated[str, typer.Option(help="A name for people instead of the file's own.")] = "",
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Upload a file, and print the reference by which --input image=upload:… uses it."""
    if file != "-" and not Path(file).is_file():
        raise typer.BadParameter(f"there is no file {file!r}")

    async def body(session: Session) -> Exit:
        source = _standard_input() if file == "-" else Path(file)
        kept = await session.client.upload(source, file_name=name)
        if session.json:
            print(documents.dump(documents.of(kept)))
        elif session.quiet or not session.out.is_terminal:
            session.out.print(Text(words.plain(kept.uri)))
        else:
            model_pages.upload_page(session.out, kept)
        return Exit.OK

    run(Session(server, json_output, quiet), body)


async def _standard_input() -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(sys.stdin.buffer.read, _PIECE):
        yield piece


def _submission(
    prompt: str,
    model: str,
    inputs: Sequence[str] | None,
    input_json: str | None,
    labels: Sequence[str] | None,
    priority: options.PriorityWord | None,
    timeout: float | None,
    request_id: str | None,
    webhook: WebhookWish | None,
) -> Submission:
    pairs = options.parse_pairs(inputs or [])
    given = typed_inputs.parse(pairs, input_json, prompt_is_piped=prompt == "-")
    return Submission(
        prompt=options.parse_prompt(prompt),
        model=model,
        input=given,
        labels=options.parse_pairs(labels or []),
        priority=priority.value if priority else None,
        timeout=timeout,
        webhook=webhook,
        request_id=request_id or str(uuid.uuid4()),
    )


def _tell_submitted(session: Session, job: Job, document: dict[str, object]) -> Exit:
    if session.json:
        print(documents.dump(document))
        return Exit.OK
    session.out.print(Text(words.plain(job.job_id)))
    session.hint("To follow it:  " + session.command("watch", job.job_id))
    return Exit.OK


async def _tell_checked(session: Session, job: Job) -> Exit:
    if session.json:
        print(documents.dump(documents.of(job)))
    elif not session.quiet:
        schema = await typed_inputs.schema_of(
            session.client, job.request.model, patience=typed_inputs.A_MOMENT
        )
        model_pages.checked_page(session.out, job, schema)
    return Exit.OK
