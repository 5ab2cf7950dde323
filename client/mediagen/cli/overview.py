"""`mediagen overview`: what goes on in the service?"""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.text import Text

from mediagen.cli import documents, words
from mediagen.cli.exits import Exit
from mediagen.cli.options import DEFAULT_SERVER, JsonOutput, Quiet, Server
from mediagen.cli.pages import grid
from mediagen.cli.session import Session, run
from mediagen.cli.tables import Cell, Column, show
from mediagen.v1.operator_service_pb2 import (
    GetOverviewResponse,
    ProviderOverview,
    WorkerOverview,
)


def show_overview(
    server: Server = DEFAULT_SERVER, json_output: JsonOutput = False, quiet: Quiet = False
) -> None:
    """Show what goes on: waiting, running, parked and dead jobs, the provider, the workers."""

    async def body(session: Session) -> Exit:
        overview = await session.client.operator.overview()
        if session.json:
            print(documents.dump(documents.of(overview)))
        elif not session.quiet:
            overview_page(session.out, overview)
        return Exit.OK

    run(Session(server, json_output, quiet), body)


def overview_page(console: Console, overview: GetOverviewResponse) -> None:
    """Jobs by what they wait for, the provider's accounts, the workers."""
    page = grid()
    waiting = "for a worker, or for their next attempt"
    if overview.HasField("oldest_waiting_time"):
        waiting += f"; the oldest for {_ago(overview.oldest_waiting_time)}"
    for name, count, meaning in (
        ("waiting", overview.waiting_jobs, waiting),
        ("running", overview.running_jobs, "workers are at them"),
        ("reconciling", overview.reconciling_jobs, "a lost answer is being looked up"),
        ("parked", overview.parked_jobs, "a paid call's outcome can not be found out"),
        ("dead", overview.dead_jobs, "failed, and nobody has decided"),
    ):
        urgent = name in ("parked", "dead") and count > 0
        told = Text(str(count), style="bold red" if urgent else "bold")
        page.add_row(name, told.append(f"  {meaning}" if count else "", style="not bold dim"))
    for provider in overview.providers:
        page.add_row("provider", _provider(provider))
    if not overview.providers:
        page.add_row("provider", "not called so far")
    if not overview.workers:
        page.add_row("workers", Text("none was heard of lately", style="bold red"))
    console.print(page, soft_wrap=False)
    if overview.workers:
        console.print()
        _show_workers(console, list(overview.workers))


def _provider(provider: ProviderOverview) -> Text:
    text = Text("open" if provider.open else "shut", style="green" if provider.open else "bold red")
    details = []
    if not provider.open:
        details.append(words.plain(provider.message))
        if provider.HasField("shut_until"):
            details.append(f"tried again at {words.when(provider.shut_until)}")
    if provider.creates_per_minute:
        now, limit = provider.creates_per_minute, provider.creates_per_minute_limit
        adapted = f" now, {limit:.0f} while nothing is refused" if now != limit else ""
        details.append(f"at most {now:.0f} creates a minute{adapted}")
    else:
        details.append("no limit on creates")
    if provider.throttled_count:
        times = "once" if provider.throttled_count == 1 else f"{provider.throttled_count} times"
        last = (
            f", last {_ago(provider.throttle_time)} ago" if provider.throttle_time.seconds else ""
        )
        details.append(f"refused for too many creates {times}{last}")
    if provider.account:
        details.append(f"account {words.plain(provider.account)}")
    for each in filter(None, details):
        text.append(f"\n{each}", style="not bold default")
    return text


def _show_workers(console: Console, workers: list[WorkerOverview]) -> None:
    columns = [Column("worker", folds=True)]
    columns += [Column(title, right=True) for title in ("running", "slots", "heard of")]
    rows: list[list[Cell]] = []
    for each in workers:
        seen = f"{_ago(each.seen_time)} ago" if each.HasField("seen_time") else ""
        worker = Text(words.plain(each.worker_id))
        rows.append([worker, str(each.running), str(each.slots), seen])
    show(console, columns, rows)


def _ago(time: Timestamp) -> str:
    return words.age(words.seconds_since(time))
