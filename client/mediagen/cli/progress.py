"""How is a running job shown: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from mediagen import MediagenError
from mediagen.cli import documents, words
from mediagen.v1.job_pb2 import Job
from mediagen.watching import is_final

_STEP = 10  # percent between two plain lines


class View(Protocol):
    """Something that shows a job as it changes."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None: ...
    def show(self, job: Job) -> None:
        """The job as of its next revision."""

    def lost(self, error: MediagenError) -> None:
        """The connection broke, and is tried again."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, job: Job) -> None:
        """Nothing."""

    def lost(self, error: MediagenError) -> None:
        """Nothing."""


class Lines(Silent):
    """A line for each change that matters, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: tuple[str, str, int] | None = None

    def show(self, job: Job) -> None:
        """A line if the stage, the attempt or the tens of the percent changed."""
        step = job.progress_percent // _STEP if job.HasField("progress_percent") else -1
        if is_final(job):
            return  # its end is told by what comes after
        now = (words.activity(job), words.attempt(job), step)
        if now != self._last:
            self._last = now
            self._console.print(line(job))

    def lost(self, error: MediagenError) -> None:
        """A line that says so."""
        self._console.print("connection lost, trying again")


class Documents(Silent):
    """NDJSON: one job a line, at every revision."""

    def show(self, job: Job) -> None:
        """The whole job."""
        print(documents.dump(documents.of(job)), flush=True)


class Live(Silent):
    """One line that moves: stage, bar, percent, elapsed, attempt."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[percent]}", markup=False),
            _Elapsed(),
            TextColumn("{task.fields[attempt]}", markup=False),
            console=console,
            transient=True,
        )
        self._since: float | None = None
        self._line = self._progress.add_task("…", total=None, percent="", attempt="", since=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, job: Job) -> None:
        """The line as of this revision."""
        if self._since is None:
            # A server's clock may be ahead of ours: never a time that has not begun.
            self._since = time.time() - max(0.0, words.seconds_since(job.create_time))
        known = job.state == Job.STATE_RUNNING and job.HasField("progress_percent")
        self._progress.update(
            self._line,
            description=words.activity(job),
            total=100 if known else None,
            completed=job.progress_percent if known else 0,
            percent=words.percent(job),
            attempt=words.attempt(job),
            since=self._since,
        )
        self._progress.refresh()

    def lost(self, error: MediagenError) -> None:
        """Says so where the stage stood."""
        self._progress.update(self._line, description="connection lost, trying again", total=None)


class _Elapsed(ProgressColumn):
    """Time since the job was accepted."""

    def render(self, task: Task) -> Text:
        since = task.fields["since"]
        return Text("" if since is None else words.duration(time.time() - since))


def line(job: Job) -> str:
    """One plain line about a job."""
    end = job.end_time if job.HasField("end_time") else None
    elapsed = words.duration(words.seconds_since(job.create_time, end))
    return "  ".join(
        filter(None, [words.activity(job), words.percent(job), elapsed, words.attempt(job)])
    )


def view(console: Console, *, quiet: bool) -> View:
    """The view that fits where it is shown."""
    if quiet:
        return Silent()
    return Live(console) if console.is_terminal else Lines(console)
