"""How one job is shown while it runs: lines for a log, a picture for a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from mediagen import Forecast, Job
from mediagen.cli.progress import Lines, Live

RUNNING = Job.STATE_RUNNING


def a_job(revision: int, log: str = "", *, stored: int = 0, percent: int | None = None) -> Job:
    job = Job(job_id="j1", revision=revision, state=RUNNING, stage=Job.STAGE_PROCESSING)
    job.create_time.GetCurrentTime()
    job.log_tail = log
    if percent is not None:
        job.progress_percent = percent
    for index in range(stored):
        job.artifacts.add(index=index, url=f"http://x/{index}", media_type="image/webp")
    return job


def lines(*jobs: Job) -> list[str]:
    console = Console(file=io.StringIO(), width=200, markup=False, highlight=False)
    view = Lines(console)
    for job in jobs:
        view.show(job)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_pipe_gets_a_line_for_each_stage() -> None:
    """Not for each percent, nor for what the model prints; the end is told by what comes after."""
    jobs = [a_job(revision, "step\n" * revision, percent=10 * revision) for revision in range(1, 9)]
    saving, done = a_job(9), a_job(10, stored=1)
    saving.stage, done.state = Job.STAGE_SAVING, Job.STATE_COMPLETED
    for number, job in enumerate((*jobs, saving, done)):
        if number:
            job.attempts.add(number=1)
    told = lines(*jobs, saving, done)
    assert [line.split("  ")[0] for line in told] == ["processing", "saving the result"]


def test_a_job_that_has_ended_moves_nothing() -> None:
    """Its end is told once, by what comes after."""
    done = a_job(9, "printed", stored=1)
    done.state = Job.STATE_COMPLETED
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with Live(console) as view:
        view.show(done)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == ""
    assert lines(done) == []


def test_each_output_is_told_as_it_is_stored() -> None:
    """Before the job has ended."""
    told = lines(a_job(1), a_job(2, stored=1), a_job(3, stored=3), a_job(4, stored=3))
    stored = [line for line in told if line.startswith("stored")]
    assert [line.split()[1] for line in stored] == ["http://x/0", "http://x/1", "http://x/2"]


def test_a_waiting_jobs_place_is_told_as_it_moves() -> None:
    """A running one's place is none."""
    console = Console(file=io.StringIO(), width=200)
    view = Lines(console)
    job = Job(job_id="j1", revision=1, state=Job.STATE_PENDING)
    job.create_time.GetCurrentTime()
    job.forecast.jobs_ahead = 2
    view.show(job)
    view.forecast(Forecast(jobs_ahead=0))
    view.show(a_job(2))
    view.forecast(Forecast(jobs_ahead=0))
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert told.count("2 ahead") == told.count("next in line") == 1


def test_the_picture_has_the_end_of_the_log_and_nothing_that_steers() -> None:
    """A hostile model prints escapes: they are shown as signs."""
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with Live(console) as view:
        view.show(a_job(1, "\n".join([f"line {n}" for n in range(9)] + ["\x1b[2Jx[bold]y"]),
                        stored=1, percent=40))  # fmt: skip
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "line 8" in told and "line 5" not in told
    assert "http://x/0" in told and "40 %" in told
    assert "\x1b[2Jx" not in told and "[2Jx[bold]y" in told
