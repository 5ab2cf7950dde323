"""The table of all jobs: which rows it has, and what it says, without any server."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console

from mediagen import Forecast, Heartbeat, Job, JobForecasts, JobsGap, JobSnapshot, JobUpdate
from mediagen.cli import board, board_page, words
from mediagen.cli.board import Board

RUNNING, PENDING, DONE = Job.STATE_RUNNING, Job.STATE_PENDING, Job.STATE_COMPLETED


def a_job(number: int, state: Job.State.ValueType = RUNNING, **changes: object) -> Job:
    job = Job(job_id=f"0198-{number:08d}", state=state, revision=1, **changes)
    job.create_time.FromSeconds(1_700_000_000 + number)
    job.request.prompt = f"prompt {number}"
    job.request.model = "owner/model"
    return job


def ids(shown: list[board.Row]) -> list[str]:
    return [row.job.job_id for row in shown]


def picture(shown: Board, *, now: float = 0.0, width: int = 120, height: int = 24) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(board_page.board_page(shown, console, now))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def in_seconds(seconds: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC))
    stamp.FromNanoseconds(stamp.ToNanoseconds() + round(seconds * 1e9))
    return stamp


def test_the_newest_is_on_top() -> None:
    """Whatever came first."""
    shown = Board()
    for number in (2, 3, 1):
        shown.take(JobSnapshot(a_job(number)), 0.0)
    assert ids(shown.rows(0.0, 9)) == ["0198-00000003", "0198-00000002", "0198-00000001"]


def test_a_job_that_ended_fades_and_goes() -> None:
    """Its end stays to be read for a while."""
    shown = Board()
    shown.take(JobUpdate(a_job(1, DONE)), 100.0)
    shown.take(JobUpdate(a_job(2)), 100.0)
    assert not shown.rows(101.0, 9)[1].faded(101.0)
    assert shown.rows(120.0, 9)[1].faded(120.0)
    assert ids(shown.rows(100.0 + board.SHOWN_AFTER_END + 1, 9)) == ["0198-00000002"]


def test_what_is_open_has_room_before_what_ended() -> None:
    """And the newest of it: the rest is counted."""
    shown = Board()
    for number in range(10):
        shown.take(JobSnapshot(a_job(number, DONE if number % 2 else RUNNING)), 0.0)
    assert ids(shown.rows(0.0, 3)) == ["0198-00000008", "0198-00000006", "0198-00000004"]
    assert "7 more than fit" in picture(shown, height=board_page._BESIDES + 3)


def test_rows_are_bounded() -> None:
    """The oldest are forgotten."""
    shown = Board()
    for number in range(board.MOST_ROWS + 5):
        shown.take(JobSnapshot(a_job(number)), 0.0)
    assert shown.counts().total() == board.MOST_ROWS
    assert "0198-00000004" not in ids(shown.rows(0.0, board.MOST_ROWS))


def test_a_restored_service_begins_a_new_table() -> None:
    """What was seen may be no more; an ordinary gap keeps it."""
    shown = Board()
    shown.take(JobSnapshot(a_job(1)), 0.0)
    shown.take(JobsGap(datetime.now(UTC), restored=False), 0.0)
    assert len(shown.rows(0.0, 9)) == 1
    shown.take(JobsGap(datetime.now(UTC), restored=True), 0.0)
    assert shown.rows(0.0, 9) == []


def test_the_status_line_tells_how_current_the_table_is() -> None:
    """Live or not, and since when nothing was heard."""
    shown = Board()
    assert "connecting" in picture(shown)
    shown.take(JobSnapshot(a_job(1)), 100.0)
    assert "live · as of 3s ago · 1 running · 0 pending" in picture(shown, now=103.0)
    shown.lost("Socket closed")
    shown.lost("Socket closed")
    told = picture(shown, now=109.0)
    assert "reconnecting (try 2): Socket closed · as of 9s ago" in told
    shown.take(Heartbeat(None), 110.0)
    assert "live · as of 0s ago" in picture(shown, now=110.0)


def test_a_row_tells_the_place_the_percent_and_the_forecast() -> None:
    """The forecast of a snapshot, and one that came by itself."""
    shown = Board()
    waiting = a_job(1, PENDING)
    waiting.forecast.MergeFrom(Forecast(jobs_ahead=7))
    shown.take(JobSnapshot(waiting), 0.0)
    running = a_job(2, stage=Job.STAGE_PROCESSING, progress_percent=45)
    running.attempts.add(number=3)
    shown.take(JobUpdate(running), 0.0)
    moved = Forecast(end_time_p50=in_seconds(12.4), end_time_p90=in_seconds(40.4))
    shown.take(JobForecasts({running.job_id: moved}), 0.0)
    _, first, second, *_ = picture(shown).splitlines()
    for told in ("processing", "45%", " 3 ", "~12 s"):
        assert told in first
    assert "waiting" in second and " 7 " in second
    assert "~12 s, ≤40 s" in picture(shown, width=160)


def test_no_text_of_a_server_breaks_the_table() -> None:
    """Markup, escapes and line ends are shown, and steer nothing."""
    shown = Board()
    job = a_job(1)
    job.request.prompt = "\x1b[2J[bold]x[/bold]\n\u202ey"
    job.job_id = "\x1b]0;owned\x07"
    shown.take(JobSnapshot(job), 0.0)
    told = picture(shown)
    assert "\x1b" not in told and "\u202e" not in told
    assert "[bold]x[/bold]" in told


def test_forecasts_are_said_in_words() -> None:
    """What is known, and nothing where it is not."""
    job = a_job(1, PENDING)
    assert words.ahead(Forecast()) == words.estimate(job, Forecast()) == ""
    assert words.ahead(Forecast(jobs_ahead=0)) == "next in line"
    assert words.ahead(Forecast(jobs_ahead=3)) == "3 ahead"
    forecast = Forecast(start_time_p50=in_seconds(8.4), start_time_p90=in_seconds(20.4))
    forecast.end_time_p50.CopyFrom(in_seconds(61.4))
    forecast.end_time_p90.CopyFrom(in_seconds(61.4))
    told = "starts in about 8 s, at most 20 s; done in about 1 min 1 s"
    assert words.estimate(job, forecast) == told
    assert words.estimate(a_job(1), forecast) == "done in about 1 min 1 s"
    soon = Forecast(end_time_p50=in_seconds(0.2), end_time_p90=in_seconds(4.4))
    assert words.estimate(a_job(1), soon) == "done any moment, at most 4 s"
    late = Forecast(end_time_p50=in_seconds(-30), end_time_p90=in_seconds(-10))
    assert words.estimate(a_job(1), late) == "done later than usual"
