"""How does the table of all jobs look?"""

from __future__ import annotations

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from mediagen.cli import words
from mediagen.cli.board import Board, Row
from mediagen.cli.pages import STATE_COLORS
from mediagen.v1.job_pb2 import Job
from mediagen.watching import is_final

WIDE = 150  # columns
_BESIDES = 4  # lines for titles, an empty one, the connection, and the cursor of the terminal
NARROW = 95  # columns
_SHORT_ID, _SHORTEST_ID = 13, 9
_BAR = 10


def board_page(board: Board, console: Console, now: float) -> Group:
    """As many rows as fit, and what is said of the rest and of the connection."""
    rows = board.rows(now, console.height - _BESIDES)
    return Group(_table(rows, console.width, now), Text(), _status(board, len(rows), now))


def _table(rows: list[Row], width: int, now: float) -> Table:
    wide, narrow = width >= WIDE, width < NARROW
    id_width = 36 if wide else _SHORTEST_ID if narrow else _SHORT_ID
    widths = {
        "job": id_width,
        "state": 24 if wide else 18,
        "": 0 if narrow else _BAR,
        "%": 4,
        "try": 3,
        "ahead": 5,
        "done in": 20 if wide else 11,
        "elapsed": 11,
        "model": 32 if wide else 0,
    }
    shown = {title: size for title, size in widths.items() if size}
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for title, size in shown.items():
        table.add_column(title, no_wrap=True, overflow="ellipsis", width=size)
    left = width - sum(shown.values()) - len(shown)
    table.add_column("prompt", no_wrap=True, overflow="ellipsis", width=max(6, left))
    for row in rows:
        cells: list[str | Text] = [
            _id(row.job, id_width),
            Text(words.activity(row.job), style=STATE_COLORS.get(row.job.state, "")),
            *([] if narrow else [_bar(row.job)]),
            words.percent(row.job).replace(" ", ""),
            str(row.job.attempts[-1].number) if row.job.attempts else "",
            _ahead(row),
            _done_in(row, wide),
            _elapsed(row.job),
            *([Text(words.plain(row.job.request.model))] if wide else []),
            Text(words.title(row.job)[:300]),
        ]
        table.add_row(*cells, style="dim" if row.faded(now) else "")
    return table


def _id(job: Job, width: int) -> Text:
    # The end of an id tells jobs apart; its beginning is the time.
    shown = words.plain(job.job_id)
    return Text(shown if len(shown) <= width else f"…{shown[1 - width :]}")


def _bar(job: Job) -> Text:
    if job.state != Job.STATE_RUNNING or not job.HasField("progress_percent"):
        return Text()
    return Text(words.bar(job.progress_percent, _BAR), style="cyan")


def _ahead(row: Row) -> str:
    known = row.job.state == Job.STATE_PENDING and row.forecast.HasField("jobs_ahead")
    return str(row.forecast.jobs_ahead) if known else ""


def _done_in(row: Row, wide: bool) -> str:
    forecast = row.forecast
    if is_final(row.job) or not forecast.HasField("end_time_p50"):
        return ""
    half, most = (
        -words.seconds_since(forecast.end_time_p50),
        -words.seconds_since(forecast.end_time_p90),
    )
    if most <= 0:
        return "late"
    told = f"~{words.span(half)}" if half >= 0.5 else "soon"
    return f"{told}, ≤{words.span(most)}" if wide else told


def _elapsed(job: Job) -> str:
    end = job.end_time if job.HasField("end_time") else None
    return words.duration(words.seconds_since(job.create_time, end))


def _status(board: Board, shown: int, now: float) -> Text:
    if board.trouble:
        text = Text("reconnecting", style="bold yellow")
        text.append(f" (try {board.tries}): {words.plain(board.trouble)}", style="not bold")
    elif board.heard is None:
        text = Text("connecting", style="bold yellow")
    else:
        text = Text("live", style="bold green")
    if board.heard is not None:
        text.append(f" · as of {words.age(now - board.heard)} ago", style="not bold default")
    counts = board.counts()
    for state in (Job.STATE_RUNNING, Job.STATE_PENDING):
        name = words.state(Job(state=state))
        text.append(f" · {counts[state]} {name}", style="not bold default")
    if left := counts.total() - shown:
        text.append(f" · {left} more than fit", style="not bold dim")
    return text
