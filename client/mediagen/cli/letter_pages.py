"""What do the commands for operators print about dead letters?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from mediagen.cli import documents, letter_words, words
from mediagen.cli.pages import NARROW, grid
from mediagen.cli.tables import Column, show
from mediagen.v1.dead_letter_pb2 import DeadLetter
from mediagen.v1.operator_service_pb2 import DeadLetterResult

_COLORS: dict[int, str] = {
    DeadLetter.STATE_PARKED: "yellow",
    DeadLetter.STATE_DEAD: "red",
    DeadLetter.STATE_REDRIVEN: "green",
    DeadLetter.STATE_RESOLVED: "green",
    DeadLetter.STATE_DISCARDED: "magenta",
}
_OUTCOME_COLORS: dict[int, str] = {
    DeadLetterResult.OUTCOME_DONE: "green",
    DeadLetterResult.OUTCOME_MAY_PAY_TWICE: "red",
    DeadLetterResult.OUTCOME_NOT_OPEN: "red",
    DeadLetterResult.OUTCOME_NOT_FOUND: "red",
    DeadLetterResult.OUTCOME_SECRETS_WIPED: "red",  # pragma: allowlist secret
    DeadLetterResult.OUTCOME_UNAVAILABLE: "yellow",
}
_TIMES: tuple[tuple[str, Any], ...] = (
    ("submitted", "create_time"),
    ("ended", "end_time"),
    ("deadline", "deadline"),
)


def letters_table(console: Console, letters: Sequence[DeadLetter]) -> None:
    """One line for each. The id is whole, the model gets what is left of the width."""
    narrow = console.is_terminal and console.width < NARROW
    titles = {
        "job": 36,
        "state": 6 if narrow else 9,
        "why": 11 if narrow else 18,
        "calls": 5,
        "paid": 4 if narrow else 7,
        "age": 3,
        **({} if narrow else {"tenant": 8}),
        "model": 0,
    }
    rows = []
    for letter in letters:
        paid = letter_words.paid(letter)
        cells = [
            Text(words.plain(letter.job_id)),
            Text(letter_words.state(letter), style=_COLORS.get(letter.state, "")),
            Text(words.reason(letter.failure.reason)),
            Text(str(letter.attempt_count)),
            Text(paid.replace("unknown", "?") if narrow else paid),
            Text(words.age(words.seconds_since(letter.create_time))),
        ]
        if not narrow:
            cells.append(Text(words.plain(letter.tenant)))
        model = letter.model.rpartition("/")[2] if narrow else letter.model
        rows.append([*cells, Text(words.plain(model))])
    columns = [Column(title, width) for title, width in titles.items()]
    show(console, columns, rows, gap=1 if narrow else 2)


def letter_page(console: Console, letter: DeadLetter, foreseen: DeadLetterResult) -> None:
    """Everything about one dead letter, and what a redrive would do."""
    page, job = grid(), letter.job
    page.add_row("job", words.plain(letter.job_id))
    state = Text(letter_words.state(letter), style=_COLORS.get(letter.state, ""))
    meaning = letter_words.state_meaning(letter)
    page.add_row("state", state.append(f"  {meaning}" if meaning else "", style="default"))
    page.add_row("since", words.when(letter.create_time))
    if letter.HasField("resolve_time"):
        page.add_row("decided", words.when(letter.resolve_time))
    if letter.redriven_as:
        page.add_row("made again as", words.plain(letter.redriven_as))
    page.add_row("tenant", words.plain(letter.tenant))
    page.add_row("model", words.plain(letter.model))
    page.add_row("prompt" if job.request.prompt else "title", words.title(job))
    if job.request.input.fields:
        page.add_row("input", documents.dump(documents.of(job.request.input)))
    for key, value in sorted(job.request.labels.items()):
        page.add_row("label", f"{words.plain(key)}={words.plain(value)}")
    for label, name in _TIMES:
        if job.HasField(name):
            page.add_row(label, words.when(getattr(job, name)))
    page.add_row("why", Text(words.reason(letter.failure.reason), style="bold"))
    for line in letter.failure.message.splitlines():
        page.add_row("", words.plain(line))
    for each in letter.failure.field_violations:
        page.add_row("", f"{words.plain(each.field)}: {words.plain(each.description)}")
    for call in job.attempts:
        page.add_row(f"attempt {call.number}", "\n".join(letter_words.attempt_lines(call)))
    if not job.attempts:
        page.add_row("attempts", str(letter.attempt_count))
    which = letter_words.may_be_paid(job)
    page.add_row("paid", letter_words.paid(letter) + (f": {which}" if which else ""))
    page.add_row("redrive would", letter_words.redrive_would(letter, foreseen))
    console.print(page, soft_wrap=False)


def results_table(
    console: Console,
    results: Iterable[DeadLetterResult],
    told: Callable[[DeadLetterResult], str],
) -> None:
    """What became of each, or would, as *told* says it."""
    columns = [Column("job", folds=True), Column("outcome", folds=True)]
    rows = []
    for each in results:
        outcome = Text(told(each), style=_OUTCOME_COLORS.get(each.outcome, ""))
        rows.append([Text(words.plain(each.job_id)), outcome])
    show(console, columns, rows)
