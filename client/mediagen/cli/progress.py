"""How is a running job shown: a live line and what the model says, or plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live as LivePicture
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from mediagen import MediagenError
from mediagen.cli import documents, words
from mediagen.v1.job_pb2 import Artifact, Forecast, Job
from mediagen.watching import is_final

_LOG_LINES = 4
_BAR = 24  # columns


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

    def forecast(self, forecast: Forecast) -> None:
        """When the job may be taken and done has moved."""

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

    def forecast(self, forecast: Forecast) -> None:
        """Nothing."""

    def lost(self, error: MediagenError) -> None:
        """Nothing."""


class Lines(Silent):
    """A line for each stage, for logs and pipes. The end is told by what comes after."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: tuple[str, int] | None = None
        self._job = Job()
        self._stored = 0

    def show(self, job: Job) -> None:
        """A line if the stage or the attempt changed, and one for each result that is stored
        before the others."""
        self._job = job
        if is_final(job):
            return
        for artifact in job.artifacts[self._stored :]:
            self._console.print(Text(f"stored: {stored(artifact)}"))
        self._stored = max(self._stored, len(job.artifacts))
        now = (words.activity(job), job.attempts[-1].number if job.attempts else 1)
        if now != self._last:
            self._last = now
            self._console.print(line(job, percent=False))
            if job.HasField("forecast"):
                self.forecast(job.forecast)

    def forecast(self, forecast: Forecast) -> None:
        """A line for a waiting job, whose turn comes nearer."""
        if self._job.state == Job.STATE_PENDING and (told := outlook(self._job, forecast)):
            self._console.print(Text(told))

    def lost(self, error: MediagenError) -> None:
        """A line that says so."""
        self._console.print("connection lost, trying again")


class Documents(Silent):
    """NDJSON: one job a line, at every revision."""

    def show(self, job: Job) -> None:
        """The whole job."""
        print(documents.dump(documents.of(job)), flush=True)


class Live(Silent):
    """One line that moves: stage, bar, percent, elapsed, attempt. Below it when the job may be
    done, what was stored, and the end of what the model printed."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            _Bar(),
            TextColumn("{task.fields[percent]}", markup=False),
            _Elapsed(),
            TextColumn("{task.fields[attempt]}", markup=False),
            console=console,
        )
        self._job, self._forecast = Job(), Forecast()
        self._since: float | None = None
        self._line = self._progress.add_task("…", total=None, percent="", attempt="", since=None)
        # Last: it draws at once.
        self._picture = LivePicture(
            console=console, transient=True, get_renderable=self._drawn, refresh_per_second=8
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._picture.stop()

    def show(self, job: Job) -> None:
        """The picture as of this revision. A job that has ended needs none."""
        if is_final(job):
            return
        self._picture.start()
        self._job = job
        if job.HasField("forecast"):
            self._forecast = job.forecast
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
        self._picture.refresh()

    def forecast(self, forecast: Forecast) -> None:
        """The line about it moves."""
        self._forecast = forecast

    def _drawn(self) -> Group:
        told = [Text(f"  {stored(each)}") for each in self._job.artifacts]
        if when := outlook(self._job, self._forecast):
            told.insert(0, Text(f"  {when}"))
        told += [Text(f"  {each}", style="dim") for each in words.log_lines(self._job, _LOG_LINES)]
        for each in told:
            each.no_wrap, each.overflow = True, "ellipsis"
        return Group(self._progress, *told)

    def lost(self, error: MediagenError) -> None:
        """Says so where the stage stood."""
        self._picture.start()
        self._progress.update(self._line, description="connection lost, trying again", total=None)


class _Bar(ProgressColumn):
    """How far the model is; a moving light where that is not known."""

    def render(self, task: Task) -> Text:
        if task.total is not None:
            return Text(words.bar(int(task.completed), _BAR), style="cyan")
        lit = int(time.time() * 8) % _BAR
        return Text("·" * lit + "━" + "·" * (_BAR - lit - 1), style="dim")


class _Elapsed(ProgressColumn):
    """Time since the job was accepted."""

    def render(self, task: Task) -> Text:
        since = task.fields["since"]
        return Text("" if since is None else words.duration(time.time() - since))


def line(job: Job, *, percent: bool = True) -> str:
    """One plain line about a job."""
    end = job.end_time if job.HasField("end_time") else None
    elapsed = words.duration(words.seconds_since(job.create_time, end))
    done = words.percent(job) if percent else ""
    return "  ".join(filter(None, [words.activity(job), done, elapsed, words.attempt(job)]))


def outlook(job: Job, forecast: Forecast) -> str:
    """The job's place in the line, and when it may be done."""
    place = words.ahead(forecast) if job.state == Job.STATE_PENDING else ""
    return "; ".join(filter(None, [place, words.estimate(job, forecast)]))


def stored(artifact: Artifact) -> str:
    """One result, as soon as it is kept."""
    return f"{words.plain(artifact.url)}  {words.artifact(artifact)}"


def view(console: Console, *, quiet: bool) -> View:
    """The view that fits where it is shown."""
    if quiet:
        return Silent()
    return Live(console) if console.is_terminal else Lines(console)
