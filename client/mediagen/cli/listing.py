"""How are jobs listed?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from mediagen.cli import documents, options, pages, words
from mediagen.cli.exits import Exit
from mediagen.cli.options import DEFAULT_SERVER, JsonOutput, Quiet, Server, StateWord
from mediagen.cli.session import Session, run
from mediagen.requests import ListFilters
from mediagen.v1.job_pb2 import Job

_LARGEST_PAGE = 200

_Time = Annotated[
    datetime | None,
    typer.Option(parser=options.parse_time, metavar="TIME", help="An ISO time, or an age: 2h, 7d."),
]


def list_jobs(
    states: Annotated[
        list[StateWord] | None, typer.Option("--state", "-s", help="In this state; repeatable.")
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="Of this model.")] = "",
    labels: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", metavar="KEY=VALUE", help="With this label; repeatable."),
    ] = None,
    since: _Time = None,
    before: _Time = None,
    text: Annotated[
        str, typer.Option("--prompt", help="With this text in the prompt or title.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Without a limit.")] = False,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """List jobs, newest first; with --json, one line of JSON for each."""
    filters = ListFilters(
        states=[each.value for each in states or []],
        model=model,
        labels=options.parse_pairs(labels or []),
        prompt_contains=text,
    )
    if since:
        filters["create_time_from"] = since
    if before:
        filters["create_time_before"] = before
    most = None if everything else limit

    async def body(session: Session) -> Exit:
        jobs, count, more = await _jobs(session, filters, most)
        if not session.json and not session.quiet:
            pages.jobs_table(session.out, jobs)
        if not count:
            session.hint("No jobs.")
        elif more:
            session.hint(f"Only the newest {count}; --limit or --all shows more.")
        return Exit.OK

    run(Session(server, json_output, quiet), body)


async def _jobs(
    session: Session, filters: ListFilters, most: int | None
) -> tuple[list[Job], int, bool]:
    """The jobs for a table, their number, and whether there are more.

    Machine forms are printed as they come, and not kept.
    """
    kept: list[Job] = []
    count = 0
    size = min(_LARGEST_PAGE, most or _LARGEST_PAGE)
    async for job in session.client.list(page_size=size, **filters):
        if most is not None and count == most:
            return kept, count, True
        count += 1
        if session.json:
            print(documents.dump(documents.of(job)))
        elif session.quiet:
            session.out.print(Text(words.plain(job.job_id)))
        else:
            kept.append(job)
    return kept, count, False
