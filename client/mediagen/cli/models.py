"""`mediagen models`: which models are there, what does each take, and are they up to date?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from mediagen import errors
from mediagen.cli import documents, model_pages, options, words
from mediagen.cli.exits import Exit
from mediagen.cli.options import DEFAULT_SERVER, JsonOutput, Quiet, Server
from mediagen.cli.session import Session, run
from mediagen.cli.suggesting import explained
from mediagen.v1.model_pb2 import Model

app = typer.Typer(
    invoke_without_command=True,
    help="Which models there are, and what each takes.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_LARGEST_PAGE = 200
_LOOK = 1.0  # seconds between two looks at what a sync has done
_PATIENCE = 120.0
_RETRIES_OF_A_WORKER = 20.0  # seconds after which a problem is no passing one


class KindWord(StrEnum):
    """What a model makes."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
    OTHER = "other"


@app.callback()
def models(
    context: typer.Context,
    text: Annotated[
        str, typer.Option("--search", "-s", help="With these words in name or description.")
    ] = "",
    makes: Annotated[KindWord | None, typer.Option(help="That make this.")] = None,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """List the models that jobs may name; with --json, one line of JSON for each."""
    if context.invoked_subcommand is not None:
        return

    async def body(session: Session) -> Exit:
        kind = makes.value if makes else None
        listed = session.client.models.list(query=text, output_kind=kind, page_size=_LARGEST_PAGE)
        found = [each async for each in listed]
        if session.json or session.quiet:
            for each in found:
                told = documents.dump(documents.of(each)) if session.json else each.name
                session.out.print(Text(words.plain(told)))
        elif found:
            model_pages.models_table(session.out, found)
        if not found:
            session.hint("No models.")
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command("show")
def show_model(
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="owner/name, or owner/name:version.")
    ],
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Show one model: its inputs with their types, defaults and choices, its price and time."""

    async def body(session: Session) -> Exit:
        slug, _, version = name.partition(":")
        try:
            model = await session.client.models.get(slug, version=version)
        except errors.InvalidRequest as refused:
            raise await explained(session.client, refused, name, {}) from None
        if session.json:
            print(documents.dump(documents.of(model)))
        elif not session.quiet:
            model_pages.model_page(session.out, model)
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command("sync")
def sync_models(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL", help="Only these; all if none is given.")
    ] = None,
    max_wait: Annotated[
        float | None,
        typer.Option(
            "--max-wait",
            parser=options.parse_duration,
            metavar="DURATION",
            help="Stop waiting after this long (exit code 6); 2 minutes if not given.",
        ),
    ] = None,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """For operators: have the provider asked about the models now, and wait until it is done."""

    async def body(session: Session) -> Exit:
        asked = await session.client.operator.sync_models(names or [])
        for each in asked.unknown_names:
            session.err.print(Text(f"{words.plain(each)}: no model of that name is allowed"))
        wanted = set(names or []) - set(asked.unknown_names)
        left = []
        if asked.models:
            since = asked.request_time.ToDatetime(UTC)
            left = await _follow(session, wanted, since, max_wait or _PATIENCE)
        return _end(session, left, bool(asked.unknown_names))

    run(Session(server, json_output, quiet), body)


async def _follow(
    session: Session, wanted: set[str], since: datetime, max_wait: float
) -> list[Model]:
    """The models that were not read by the end of the wait."""
    clock = asyncio.get_running_loop().time
    begun, told = clock(), set[str]()
    progress = Progress(
        *(TextColumn("reading models"), BarColumn(24), MofNCompleteColumn()),
        # What both write must be one console's, or the names land in the line that moves.
        console=session.out if session.out.is_terminal else session.err,
        disable=session.quiet or not session.err.is_terminal,
        transient=True,
    )
    with progress:
        task = progress.add_task("", total=None)
        while True:
            found = [each async for each in session.client.models.list(page_size=_LARGEST_PAGE)]
            found = [each for each in found if not wanted or each.name in wanted]
            done = [each for each in found if each.sync_time.ToDatetime(UTC) > since]
            for each in done:
                if each.name not in told:
                    told.add(each.name)
                    _tell(session, each)
            progress.update(task, total=len(found), completed=len(done))
            left = [each for each in found if each.name not in told]
            waited = clock() - begun
            hopeless = waited > _RETRIES_OF_A_WORKER and all(each.sync_problem for each in left)
            if not left or hopeless or waited + _LOOK > max_wait:
                return left
            await asyncio.sleep(_LOOK)


def _tell(session: Session, model: Model) -> None:
    if session.json:
        print(documents.dump(documents.of(model)), flush=True)
    elif not session.quiet:
        session.out.print(Text(words.plain(model.name)))


def _end(session: Session, left: Sequence[Model], unknown: bool) -> Exit:
    for each in left:
        why = words.plain(each.sync_problem) or "not read so far; a worker goes on trying"
        session.err.print(Text(f"{words.plain(each.name)}: {why}"))
    if left:
        failed = all(each.sync_problem for each in left)
        return Exit.UNAVAILABLE if failed else Exit.STILL_RUNNING
    return Exit.NOT_FOUND if unknown else Exit.OK
