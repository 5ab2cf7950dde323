"""How does the command line follow all jobs? A table that lives, plain lines, or lines of JSON."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Any, Protocol, Self

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.live import Live
from rich.text import Text

from mediagen import MediagenError, errors
from mediagen.cli import board_page, documents, words
from mediagen.cli.board import Board
from mediagen.cli.exits import Exit
from mediagen.cli.progress import line
from mediagen.cli.session import Session
from mediagen.requests import WatchFilters
from mediagen.v1.generation_service_pb2 import JobForecast
from mediagen.v1.job_pb2 import Job
from mediagen.watching import is_final
from mediagen.watching_jobs import (
    Heartbeat,
    JobForecasts,
    JobsEvent,
    JobsGap,
    JobSnapshot,
    JobUpdate,
    Synced,
)

_REDRAW = 0.25  # seconds between two pictures of the table
_STEP = 10  # percent between two plain lines


class View(Protocol):
    """Something that shows all jobs as they change."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None: ...
    def show(self, event: JobsEvent, cursor: str) -> None:
        """What happened, and the cursor behind it."""

    def connected(self) -> None:
        """The server has answered, with nothing to tell so far."""

    def lost(self, error: MediagenError) -> None:
        """The connection broke, and is tried again."""

    def draw(self) -> None:
        """Some time has passed."""


class Lines:
    """A line for each change that matters, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str, tuple[str, str, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, event: JobsEvent, cursor: str) -> None:
        """A line if the job's stage, attempt, or tens of the percent changed."""
        match event:
            case JobSnapshot(job) | JobUpdate(job):
                self._show(job)
            case JobsGap(since, restored):
                told = "the service was restored; what was seen may be no more" if restored else ""
                self._print(told or f"changes since {since.astimezone():%H:%M:%S} are left out")
            case Synced(count):
                self._print(f"{count} jobs are open" if count != 1 else "1 job is open")

    def connected(self) -> None:
        """Nothing: the next line says so."""

    def lost(self, error: MediagenError) -> None:
        """A line that says so."""
        self._print("connection lost, trying again")

    def draw(self) -> None:
        """Nothing."""

    def _show(self, job: Job) -> None:
        step = job.progress_percent // _STEP if job.HasField("progress_percent") else -1
        now = (words.activity(job), words.attempt(job), step)
        if now == self._last.get(job.job_id):
            return
        if is_final(job):
            self._last.pop(job.job_id, None)
        else:
            self._last[job.job_id] = now
        self._print(f"{words.plain(job.job_id)}  {line(job)}  {words.plain(job.request.model)}")

    def _print(self, text: str) -> None:
        self._console.print(Text(f"{time.strftime('%H:%M:%S')}  {text}"))


class Documents(Lines):
    """NDJSON: each event in the form of WatchJobsResponse, with the cursor behind it."""

    def __init__(self) -> None:
        """Nothing is kept."""

    def show(self, event: JobsEvent, cursor: str) -> None:
        """One line."""
        print(documents.dump({"cursor": cursor, **_document(event)}), flush=True)

    def lost(self, error: MediagenError) -> None:
        """Nothing: no event is lost by it."""


class Table(Lines):
    """One row for each job, the newest on top, and a line about the connection."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._board = Board()
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        self.draw()
        return self

    def __exit__(self, *_: object) -> None:
        self.draw()
        self._live.stop()

    def show(self, event: JobsEvent, cursor: str) -> None:
        """It is in the next picture."""
        self._board.take(event, time.monotonic())

    def connected(self) -> None:
        """The line about the connection says so."""
        self._board.connected(time.monotonic())

    def lost(self, error: MediagenError) -> None:
        """The line about the connection says so."""
        self._board.lost(error.message)

    def draw(self) -> None:
        """The next picture."""
        picture = board_page.board_page(self._board, self._console, time.monotonic())
        self._live.update(picture, refresh=True)


async def follow_all(
    session: Session, filters: WatchFilters, cursor: str, max_wait: float | None
) -> Exit:
    """Shows all jobs until it is stopped, or *max_wait* seconds are over.

    Raises the error of a connection that is broken at the end, or was never there.
    """
    view: View = Documents() if session.json else _for_people(session)
    away: MediagenError | None = errors.Unavailable("It has not answered so far.")

    def lost(error: MediagenError) -> None:
        nonlocal away
        away = error
        view.lost(error)

    def connected() -> None:
        nonlocal away
        away = None
        view.connected()

    watch = session.client.watch_jobs(
        cursor=cursor, on_connect=connected, on_reconnect=lost, **filters
    )
    session.goes_on = lambda: _again(filters, watch.cursor)
    with view:
        try:
            async with asyncio.timeout(max_wait), _drawn(view), aclosing(watch):
                async for event in watch:
                    view.show(event, watch.cursor)
        except TimeoutError:
            pass
        except errors.InvalidRequest:
            session.goes_on = None  # from there, nothing goes on
            raise
    if away is not None:
        raise away
    session.hint("To go on from there:  " + session.command(*session.goes_on()))
    return Exit.OK


def _for_people(session: Session) -> View:
    return Table(session.out) if session.out.is_terminal else Lines(session.out)


def _again(filters: WatchFilters, cursor: str) -> list[str]:
    """The words of a command that goes on behind *cursor*."""
    typed = ["watch", "--all"]
    for state in filters.get("states", ()):
        typed += ["--state", str(state)]
    if filters.get("model"):
        typed += ["--model", filters["model"]]
    for key, value in filters.get("labels", {}).items():
        typed += ["--label", f"{key}={value}"]
    return [*typed, "--cursor", cursor] if cursor else typed


@asynccontextmanager
async def _drawn(view: View) -> AsyncIterator[None]:
    """Draws now and then, however much or little happens."""

    async def draw() -> None:
        while True:
            await asyncio.sleep(_REDRAW)
            view.draw()

    drawing = asyncio.create_task(draw())
    try:
        yield
    finally:
        drawing.cancel()


def _document(event: JobsEvent) -> dict[str, Any]:
    match event:
        case JobSnapshot(job):
            return {"snapshot": documents.of(job)}
        case JobUpdate(job):
            return {"update": documents.of(job)}
        case JobsGap(since, restored):
            return {"gap": {"from_time": _stamp(since), "restored": restored}}
        case Synced(count):
            return {"synced": {"snapshots": count}}
        case JobForecasts(forecasts):
            told = [JobForecast(job_id=key, forecast=each) for key, each in forecasts.items()]
            return {"forecasts": {"forecasts": [documents.of(each) for each in told]}}
        case Heartbeat(now):
            return {"heartbeat": {"current_time": _stamp(now)} if now else {}}


def _stamp(time: Any) -> str:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp.ToJsonString()
