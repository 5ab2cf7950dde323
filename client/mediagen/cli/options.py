"""Which options do the commands share, and how is what was typed understood?"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from mediagen.requests import WebhookWish

DEFAULT_SERVER = "localhost:50051"

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+|\d+(?:\.\d+)?")


class PriorityWord(StrEnum):
    """How soon a job is taken."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class StateWord(StrEnum):
    """Where a job is in its life."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


def parse_duration(text: str) -> float:
    """Seconds of "90", "90s", "10m", "1h30m", "2d"."""
    if not _DURATION.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is not a duration such as 90s, 10m or 1h30m")
    if text[-1] not in _UNITS:
        return float(text)
    return sum(float(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"[\d.]+[dhms]", text))


def parse_time(text: str) -> datetime:
    """A moment: "2026-11-22", "2026-11-22T15:00", or a duration before now: "2h"."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        pass
    if not _DURATION.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is neither an ISO time nor an age such as 2h")
    try:
        return datetime.now().astimezone() - timedelta(seconds=parse_duration(text))
    except OverflowError:
        raise typer.BadParameter(f"{text!r} is too long ago") from None


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Keys and values of "key=value" words; no key twice."""
    values: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{pair!r} is not key=value")
        if key in values:
            raise typer.BadParameter(f"{key!r} is given twice")
        values[key] = value
    return values


def parse_webhook(url: str | None, events: Sequence[str] | None) -> WebhookWish | None:
    """--webhook with its events."""
    if url is None:
        if events:
            raise typer.BadParameter("--webhook-event says what, but no --webhook says where")
        return None
    return {"url": url, "events": list(events or [])}


def parse_prompt(text: str) -> str:
    """The prompt; "-" reads it from the standard input."""
    if text != "-":
        return text
    try:
        return sys.stdin.buffer.read().decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"the standard input is not UTF-8: {error}") from None


_SUBMISSION, _OUTPUT = "The job", "Output"

Server = Annotated[
    str,
    typer.Option("--server", envvar="MEDIAGEN_SERVER", help="host:port; https:// turns TLS on."),
]
JsonOutput = Annotated[
    bool, typer.Option("--json", help="JSON on standard output.", rich_help_panel=_OUTPUT)
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Only the essential, no progress.", rich_help_panel=_OUTPUT),
]
JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="The job's id.")]
Prompt = Annotated[
    str, typer.Argument(help='What to generate, in words; "-" reads the standard input.')
]
Model = Annotated[
    str,
    typer.Option(
        "--model", "-m", help="owner/name, or owner/name:version.", rich_help_panel=_SUBMISSION
    ),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="KEY=VALUE",
        help="One of the model's other inputs; repeatable. @FILE uploads and uses a file.",
        rich_help_panel=_SUBMISSION,
    ),
]
InputJson = Annotated[
    str | None,
    typer.Option(
        "--input-json",
        metavar="OBJECT",
        help="The model's other inputs as one JSON object.",
        rich_help_panel=_SUBMISSION,
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        "-l",
        metavar="KEY=VALUE",
        help="A label of your own; repeatable.",
        rich_help_panel=_SUBMISSION,
    ),
]
PriorityOption = Annotated[
    PriorityWord | None,
    typer.Option("--priority", help="How soon it is taken.", rich_help_panel=_SUBMISSION),
]
JobTimeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        parser=parse_duration,
        metavar="DURATION",
        help="How long the job may take in all, waiting included: 90s, 10m, 1h30m.",
        rich_help_panel=_SUBMISSION,
    ),
]
WebhookUrl = Annotated[
    str | None,
    typer.Option(
        "--webhook",
        metavar="URL",
        help="Where to tell of the job's end; see mediagen webhooks.",
        rich_help_panel=_SUBMISSION,
    ),
]
WebhookEvents = Annotated[
    list[str] | None,
    typer.Option(
        "--webhook-event",
        metavar="EVENT",
        help="What to tell there instead, such as job.started; repeatable.",
        rich_help_panel=_SUBMISSION,
    ),
]
RequestId = Annotated[
    str | None,
    typer.Option(
        "--request-id",
        help="Your id of this submission: repeating it makes no second job.",
        rich_help_panel=_SUBMISSION,
    ),
]
Check = Annotated[
    bool,
    typer.Option("--check", help="Only say whether it would be taken; submit nothing."),
]
MaxWait = Annotated[
    float | None,
    typer.Option(
        "--max-wait",
        parser=parse_duration,
        metavar="DURATION",
        help="Stop watching after this long (exit code 6); the job goes on.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Where to save the result: a file, or a folder. Implies watching.",
        rich_help_panel=_OUTPUT,
    ),
]
