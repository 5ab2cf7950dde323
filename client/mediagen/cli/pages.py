"""What do the commands print for people?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mediagen.cli import documents, input_words, letter_words, words
from mediagen.cli.input_words import Schema
from mediagen.cli.tables import Cell, Column, show
from mediagen.v1.attempt_pb2 import Attempt
from mediagen.v1.generation_service_pb2 import GetHealthResponse
from mediagen.v1.job_pb2 import Artifact, InputFile, Job

_TIMES: tuple[tuple[str, Any], ...] = (
    ("created", "create_time"),
    ("started", "start_time"),
    ("ended", "end_time"),
    ("deadline", "deadline"),
    ("next attempt", "next_attempt_time"),
)
_REDRIVES = (("made again from", "redrive_of"), ("made again as", "redriven_as"))
STATE_COLORS = {
    Job.STATE_PENDING: "yellow",
    Job.STATE_RUNNING: "cyan",
    Job.STATE_COMPLETED: "green",
    Job.STATE_FAILED: "red",
    Job.STATE_CANCELED: "magenta",
}
NARROW = 110  # columns


def job_page(console: Console, job: Job, schema: Schema) -> None:
    """Everything about one job. *schema*: of the model's inputs, as far as it is known."""
    page = grid()
    page.add_row("job", words.plain(job.job_id))
    state = " · ".join(filter(None, [words.state(job), _detail(job)]))
    page.add_row("state", Text(state, style=STATE_COLORS.get(job.state, "")))
    for row in request_rows(job, schema):
        page.add_row(*row)
    for label, name in _TIMES:
        if job.HasField(name):
            page.add_row(label, words.when(getattr(job, name)))
    for label, other in _REDRIVES:
        if getattr(job, other):
            page.add_row(label, words.plain(getattr(job, other)))
    for attempt in job.attempts:
        page.add_row(f"attempt {attempt.number}", _attempt(attempt))
    page.add_row("charged", words.charge(job.charge))
    console.print(page, soft_wrap=False)
    if job.HasField("failure"):
        console.print(failure_text(job))
    for artifact in job.artifacts:
        console.print(Text(words.plain(artifact.url), style="bold"))
        console.print(_facts(artifact))
    _output(console, job)


def request_rows(job: Job, schema: Schema) -> Iterator[tuple[str, str]]:
    """What was asked for."""
    request = job.request
    yield "model", words.plain(request.model)
    if request.model_version:
        yield "version", words.plain(request.model_version)
    if request.prompt:
        yield "prompt", words.plain(request.prompt)
    elif request.title:
        yield "title", words.plain(request.title)
    secret = request.secret_inputs
    for said in input_words.given(MessageToDict(request.input), schema, secret):
        yield "input", said
    if request.defaults.fields:
        defaults = input_words.given(MessageToDict(request.defaults), schema, secret)
        yield "defaults", ", ".join(defaults)
    for file in request.input_files:
        yield "file", _input_file(file)
    for key, value in sorted(request.labels.items()):
        yield "label", f"{words.plain(key)}={words.plain(value)}"


def jobs_table(console: Console, jobs: list[Job]) -> None:
    """One line for each job. The id is whole, the prompt gets what is left of the width."""
    narrow = console.is_terminal and console.width < NARROW
    columns = [
        Column("id", 36),
        Column("state", 9 if narrow else 16),
        Column("model", 12 if narrow else 36),
        Column("age", 3),
        Column("paid", 4),
        Column("prompt", 0),
    ]
    rows: list[list[Cell]] = [
        [
            Text(words.plain(job.job_id)),
            Text(_short_state(job, narrow), style=STATE_COLORS.get(job.state, "")),
            Text(words.plain(_model(job, narrow))),
            words.age(words.seconds_since(job.create_time)),
            words.charge(job.charge).partition(":")[0].replace("unknown", "?"),
            Text(words.title(job)[:500]),
        ]
        for job in jobs
    ]
    show(console, columns, rows, gap=1 if narrow else 2)


def _model(job: Job, narrow: bool) -> str:
    return job.request.model.rpartition("/")[2] if narrow else job.request.model


def health_page(console: Console, health: GetHealthResponse) -> None:
    """Whether jobs can be taken, and how each part is."""
    page = grid()
    page.add_row("mediagen", _status(health.status))
    if health.simulated:
        page.add_row(
            "", Text("simulated: nothing is paid for, nothing real is made", style="yellow")
        )
    for part in health.components:
        status = _status(part.status)
        if part.message:
            status.append("  " + words.plain(part.message), style="dim")
        page.add_row(words.plain(part.name), status)
    console.print(page, soft_wrap=False)


def results_page(out: Console, err: Console, job: Job, places: Iterable[str]) -> None:
    """Where each result is, what it is, and whether the job was charged. What reads a pipe gets
    the places alone; the rest is for people."""
    facts = out if out.is_terminal else err
    artifacts = sorted(job.artifacts, key=lambda each: each.index)
    for place, artifact in zip(places, artifacts, strict=True):
        out.print(Text(words.plain(place), style="bold"))
        facts.print(_facts(artifact))
    _output(out, job)
    facts.print(Text(f"charged: {words.charge(job.charge)}"))


def failure_text(job: Job) -> Text:
    """What happened, whether it was charged, and what can be done."""
    failure = job.failure
    waiting = job.state == Job.STATE_PENDING
    title = "The last attempt failed" if waiting else "The job failed"
    text = Text(f"{title}: {words.reason(failure.reason)}", style="" if waiting else "bold red")
    lines = [words.plain(each) for each in failure.message.splitlines()]
    lines += [
        f"{words.plain(each.field)}: {words.plain(each.description)}"
        for each in failure.field_violations
    ]
    lines.append(f"charged: {words.charge(job.charge)}")
    if not waiting and words.advice(failure.retry_advice):
        lines.append(f"what to do: {words.advice(failure.retry_advice)}")
    for each in filter(None, lines):
        text.append(f"\n  {each}", style="not bold default")
    return text


def grid() -> Table:
    """Names on the left, what is said of them on the right."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _detail(job: Job) -> str:
    if job.state not in (Job.STATE_RUNNING, Job.STATE_PENDING):
        return ""
    return " ".join(filter(None, [words.activity(job), words.percent(job)]))


def _short_state(job: Job, narrow: bool) -> str:
    """The state, or how far a running job is."""
    if job.state != Job.STATE_RUNNING or not job.stage:
        return words.state(job)
    percent = words.percent(job)
    if narrow:
        return percent or words.state(job)
    return " ".join(filter(None, [words.enum_word(Job.Stage, "STAGE_", job.stage), percent]))


def _attempt(attempt: Attempt) -> str:
    state = words.enum_word(Attempt.State, "STATE_", attempt.state).replace("_", " ")
    charged = f"charged: {words.charge(attempt.charge)}"
    if because := letter_words.charge_reason(attempt.charge_reason):
        charged += f" ({because})"
    parts = [state, charged, words.plain(attempt.prediction_id)]
    if attempt.model_version not in ("", "hidden"):
        parts.append(f"version {words.plain(attempt.model_version[:12])}")
    if attempt.HasField("seed"):
        parts.append(f"seed {attempt.seed}")
    if attempt.HasField("predict_seconds"):
        parts.append(f"ran {words.duration(attempt.predict_seconds)}")
    parts.append(words.metrics(attempt))
    if attempt.HasField("failure"):
        parts.append(words.plain(attempt.failure.message))
    return ", ".join(filter(None, parts))


def _facts(artifact: Artifact) -> Text:
    text = Text(f"  {words.artifact(artifact)}\n  sha256 {words.plain(artifact.sha256)}")
    if artifact.HasField("delete_time"):
        deleted = f"\n  deleted {words.when(artifact.delete_time)}: it was kept long enough"
        text.append(deleted, style="yellow")
    return text


def _input_file(file: InputFile) -> str:
    kind, size = words.plain(file.media_type), words.size(file.size_bytes)
    name = words.plain(file.uri) or "given inline"
    return f"{words.plain(file.path)}: {name}, {kind}, {size}, sha256 {words.plain(file.sha256)}"


def _output(console: Console, job: Job) -> None:
    if job.HasField("output"):
        console.print(Text("output: " + documents.dump({"": documents.of(job)["output"]})[5:-1]))


def _status(status: str) -> Text:
    return Text(words.plain(status), style="green" if status == "SERVING" else "bold red")
