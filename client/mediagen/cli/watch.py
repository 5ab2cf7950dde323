"""`mediagen watch JOB_ID` follows one job to its end, `mediagen watch --all` all that there are."""

from __future__ import annotations

from typing import Annotated

import typer

from mediagen.cli import options, progress, saving
from mediagen.cli.exits import Exit
from mediagen.cli.following import finish, follow
from mediagen.cli.following_all import follow_all
from mediagen.cli.options import DEFAULT_SERVER, JsonOutput, Quiet, Server, StateWord
from mediagen.cli.session import Session, run
from mediagen.requests import WatchFilters

_ALL = "With --all"


def watch(
    job_id: Annotated[str, typer.Argument(metavar="JOB_ID", help="The job's id.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Follow all jobs.")] = False,
    states: Annotated[
        list[StateWord] | None,
        typer.Option("--state", "-s", help="In this state; repeatable.", rich_help_panel=_ALL),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Of this model.", rich_help_panel=_ALL)
    ] = "",
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            "-l",
            metavar="KEY=VALUE",
            help="With this label; repeatable.",
            rich_help_panel=_ALL,
        ),
    ] = None,
    cursor: Annotated[
        str,
        typer.Option(help="Go on behind this cursor, which --json prints.", rich_help_panel=_ALL),
    ] = "",
    target: options.Target = None,
    max_wait: options.MaxWait = None,
    after_revision: Annotated[
        int, typer.Option(min=0, help="Show only revisions after this one.")
    ] = 0,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Follow a job to its end, or all jobs; with --json, one line of JSON for each change."""
    filtered = bool(states or model or labels or cursor)
    if everything == bool(job_id):
        raise typer.BadParameter("give either a JOB_ID or --all")
    if not everything and filtered:
        raise typer.BadParameter("--state, --model, --label and --cursor go with --all")
    if everything and (target is not None or after_revision):
        raise typer.BadParameter("--output and --after-revision go with a JOB_ID")
    session = Session(server, json_output, quiet)
    if everything:
        filters = WatchFilters(
            states=[each.value for each in states or []],
            model=model,
            labels=options.parse_pairs(labels or []),
        )
        run(session, lambda session: follow_all(session, filters, cursor, max_wait))
    saving.check(target)
    session.resume_options = ["-o", target] if target is not None else []

    async def body(session: Session) -> Exit:
        view = progress.Documents() if json_output else progress.view(session.err, quiet=quiet)
        job = await follow(session, job_id, view, max_wait, after_revision)
        return await finish(session, job, target, report=False)

    run(session, body)
