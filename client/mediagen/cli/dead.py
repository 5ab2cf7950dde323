"""`mediagen dead list | show | redrive | discard`: jobs that were given up, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from mediagen.cli import documents, letter_options, letter_pages, words
from mediagen.cli.deciding import Wish, decide
from mediagen.cli.exits import Exit
from mediagen.cli.letter_words import Verb
from mediagen.cli.options import DEFAULT_SERVER, JobId, JsonOutput, Quiet, Server
from mediagen.cli.session import Session, run
from mediagen.requests import DeadLetterFilters
from mediagen.v1.dead_letter_pb2 import DeadLetter

app = typer.Typer(no_args_is_help=True, help="Jobs that were given up, and what to do about them.")

_LARGEST_PAGE = 200


@app.command("list")
def list_letters(
    states: letter_options.States = None,
    reasons: letter_options.Reasons = None,
    model: letter_options.Model = "",
    tenant: letter_options.Tenant = "",
    charges: letter_options.Charges = None,
    older: letter_options.Older = None,
    newer: letter_options.Newer = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Without a limit.")] = False,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """List dead letters, newest first; with --json, one line of JSON for each."""
    filters = letter_options.filters(states, reasons, model, tenant, charges, older, newer)
    most = None if everything else limit

    async def body(session: Session) -> Exit:
        kept, count, more = await _listed(session, filters, most)
        if kept:
            letter_pages.letters_table(session.out, kept)
        if not count:
            session.hint("No dead letters.")
        elif more:
            session.hint(f"Only the newest {count}; --limit or --all shows more.")
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def show(
    job_id: JobId,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Show one dead letter: why, every call, what may be paid, what a redrive would do."""

    async def body(session: Session) -> Exit:
        operator = session.client.operator
        letter = await operator.dead_letter(job_id)
        [foreseen] = (await operator.redrive([job_id], validate_only=True)).results
        if session.json:
            document = {"dead_letter": documents.of(letter), "redrive": documents.of(foreseen)}
            print(documents.dump(document))
        elif session.quiet:
            session.out.print(Text(words.enum_word(DeadLetter.State, "STATE_", letter.state)))
        else:
            letter_pages.letter_page(session.out, letter, foreseen)
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def redrive(
    job_ids: letter_options.JobIds = None,
    states: letter_options.States = None,
    reasons: letter_options.Reasons = None,
    model: letter_options.Model = "",
    tenant: letter_options.Tenant = "",
    charges: letter_options.Charges = None,
    older: letter_options.Older = None,
    newer: letter_options.Newer = None,
    limit: letter_options.Limit = 1000,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also what may have been paid for: it may be paid again."),
    ] = False,
    yes: letter_options.Yes = False,
    dry_run: letter_options.DryRun = False,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Let jobs be made again: a failed one as a new job, a parked one goes on itself."""
    filters = letter_options.filters(states, reasons, model, tenant, charges, older, newer)
    wish = _wish("redrive", job_ids, filters, limit, force)
    _decide(Session(server, json_output, quiet), wish, yes, dry_run)


@app.command()
def discard(
    job_ids: letter_options.JobIds = None,
    states: letter_options.States = None,
    reasons: letter_options.Reasons = None,
    model: letter_options.Model = "",
    tenant: letter_options.Tenant = "",
    charges: letter_options.Charges = None,
    older: letter_options.Older = None,
    newer: letter_options.Newer = None,
    limit: letter_options.Limit = 1000,
    yes: letter_options.Yes = False,
    dry_run: letter_options.DryRun = False,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Decide that nothing is to be done. A parked job fails, its charge unknown."""
    filters = letter_options.filters(states, reasons, model, tenant, charges, older, newer)
    wish = _wish("discard", job_ids, filters, limit)
    _decide(Session(server, json_output, quiet), wish, yes, dry_run)


async def _listed(
    session: Session, filters: DeadLetterFilters, most: int | None
) -> tuple[list[DeadLetter], int, bool]:
    """The letters for a table, their number, and whether there are more.

    Machine forms are printed as they come, and not kept.
    """
    kept: list[DeadLetter] = []
    count = 0
    size = min(_LARGEST_PAGE, most or _LARGEST_PAGE)
    async for letter in session.client.operator.dead_letters(page_size=size, **filters):
        if most is not None and count == most:
            return kept, count, True
        count += 1
        if session.json:
            print(documents.dump(documents.of(letter)))
        elif session.quiet:
            session.out.print(Text(words.plain(letter.job_id)))
        else:
            kept.append(letter)
    return kept, count, False


def _wish(
    verb: Verb,
    job_ids: Sequence[str] | None,
    filters: DeadLetterFilters,
    limit: int,
    force: bool = False,
) -> Wish:
    ids = list(job_ids or [])
    if bool(ids) == any(filters.values()):
        wrong = "both job ids and filters are given" if ids else "nothing says which jobs are meant"
        raise typer.BadParameter(f"{wrong}: give one of them. All that are dead: --state dead")
    return Wish(verb, ids, filters, limit, force)


def _decide(session: Session, wish: Wish, yes: bool, dry_run: bool) -> None:
    asked = not yes and not dry_run
    if asked and (session.json or not (sys.stdin.isatty() and session.err.is_terminal)):
        raise typer.BadParameter(
            "nobody can be asked here: --yes does it, --dry-run shows what would happen"
        )
    run(session, lambda session: decide(session, wish, yes=yes, dry_run=dry_run))
