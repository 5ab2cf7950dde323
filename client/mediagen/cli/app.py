"""Which commands are there? Each: read the options, run, print, exit code (docs/cli.md)."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from mediagen import connection
from mediagen.cli import (
    dead,
    documents,
    models,
    options,
    pages,
    saving,
    submitting,
    typed_inputs,
    webhooks,
    words,
)
from mediagen.cli.exits import Exit
from mediagen.cli.following import finish
from mediagen.cli.listing import list_jobs
from mediagen.cli.options import DEFAULT_SERVER, JobId, JsonOutput, Quiet, Server
from mediagen.cli.overview import show_overview
from mediagen.cli.session import Session, run
from mediagen.cli.watch import watch
from mediagen.v1.job_pb2 import Job
from mediagen.watching import is_final

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mediagen {connection.version()}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Prompts to media: submit, watch, and keep the result."""


@app.command()
def status(
    job_id: JobId,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Show one job as it is now."""

    async def body(session: Session) -> Exit:
        job = await session.client.get(job_id)
        if session.json:
            print(documents.dump(documents.of(job)))
        elif session.quiet:
            session.out.print(Text(words.state(job)))
        else:
            schema = await typed_inputs.schema_of(
                session.client, job.request.model, patience=typed_inputs.A_MOMENT
            )
            pages.job_page(session.out, job, schema)
        return Exit.OK

    run(Session(server, json_output, quiet), body)


app.command()(submitting.generate)
app.command()(submitting.submit)
app.command()(submitting.upload)
app.command("list")(list_jobs)
app.command("overview")(show_overview)
app.command("watch")(watch)
app.add_typer(models.app, name="models")
app.add_typer(dead.app, name="dead")
app.add_typer(webhooks.app, name="webhooks")


@app.command()
def cancel(
    job_id: JobId,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Cancel a job, and say whether it may cost."""

    async def body(session: Session) -> Exit:
        job = await session.client.cancel(job_id)
        if session.json:
            print(documents.dump(documents.of(job)))
        elif not session.quiet:
            session.out.print(Text(_canceled(job)))
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def download(
    job_id: JobId,
    target: options.Target = None,
    index: Annotated[
        int | None, typer.Option(min=0, help="Only the artifact with this index, from 0.")
    ] = None,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Save a completed job's results, here or where -o says."""
    saving.check(target)

    async def body(session: Session) -> Exit:
        job = await session.client.get(job_id)
        if job.state in (Job.STATE_FAILED, Job.STATE_CANCELED):
            return await finish(session, job, None, report=True)
        if index is not None:
            _keep_only(job, index)
        if not job.artifacts:
            session.err.print(f"There is nothing to download: the job is {words.state(job)}.")
            return Exit.NOT_FOUND
        return await finish(session, job, target or ".", report=True)

    session = Session(server, json_output, quiet)
    session.resume_options = ["-o", target] if target is not None else []
    run(session, body)


@app.command()
def health(
    server: Server = DEFAULT_SERVER, json_output: JsonOutput = False, quiet: Quiet = False
) -> None:
    """Say whether jobs can be taken, and how each part is."""

    async def body(session: Session) -> Exit:
        answer = await session.client.health()
        if session.json:
            print(documents.dump(documents.of(answer)))
        elif not session.quiet:
            pages.health_page(session.out, answer)
        return Exit.OK if answer.status == "SERVING" else Exit.UNAVAILABLE

    run(Session(server, json_output, quiet), body)


def _canceled(job: Job) -> str:
    charged = f"charged: {words.charge(job.charge)}"
    if job.state == Job.STATE_CANCELED:
        return f"canceled, {charged}"
    if is_final(job):
        return f"The job had ended before: {words.state(job)}, {charged}"
    return f"The cancel is noted; the provider's last word decides. So far {charged}"


def _keep_only(job: Job, index: int) -> None:
    kept = [each for each in job.artifacts if each.index == index]
    del job.artifacts[:]
    job.artifacts.extend(kept)
