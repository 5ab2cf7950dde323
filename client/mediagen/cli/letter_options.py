"""Which options say what dead letters are meant, and how is what was typed understood?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from mediagen.cli import options
from mediagen.requests import DeadLetterFilters
from mediagen.v1.failure_pb2 import FailureReason

_WHICH = "Which"


class LetterWord(StrEnum):
    """What has become of a dead letter."""

    PARKED = "parked"
    DEAD = "dead"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"
    RESOLVED = "resolved"


class ChargeWord(StrEnum):
    """Whether anything may have been paid."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


def parse_reason(text: str) -> str:
    """A failure's reason, in the words of a table: "provider failed", "provider-failed"."""
    name = text.strip().replace(" ", "_").replace("-", "_").upper()
    known = [each.removeprefix("FAILURE_REASON_") for each in FailureReason.keys()[1:]]
    if name not in known:
        listed = ", ".join(each.lower().replace("_", "-") for each in known)
        raise typer.BadParameter(f"{text!r} is none of {listed}")
    return name


States = Annotated[
    list[LetterWord] | None,
    typer.Option(
        "--state",
        "-s",
        help="In this state; repeatable. Parked and dead if not given.",
        rich_help_panel=_WHICH,
    ),
]
Reasons = Annotated[
    list[str] | None,
    typer.Option(
        "--reason",
        "-r",
        parser=parse_reason,
        metavar="REASON",
        help="Given up for this reason, such as provider-failed; repeatable.",
        rich_help_panel=_WHICH,
    ),
]
Model = Annotated[str, typer.Option("--model", "-m", help="Of this model.", rich_help_panel=_WHICH)]
Tenant = Annotated[str, typer.Option("--tenant", help="Of this tenant.", rich_help_panel=_WHICH)]
Charges = Annotated[
    list[ChargeWord] | None,
    typer.Option(
        "--charge",
        "-c",
        help="That was paid, or may have been; repeatable.",
        rich_help_panel=_WHICH,
    ),
]
Older = Annotated[
    datetime | None,
    typer.Option(
        parser=options.parse_time,
        metavar="AGE",
        help="Given up longer ago: 2h, 7d, an ISO time.",
        rich_help_panel=_WHICH,
    ),
]
Newer = Annotated[
    datetime | None,
    typer.Option(
        parser=options.parse_time,
        metavar="AGE",
        help="Given up since: 2h, 7d, an ISO time.",
        rich_help_panel=_WHICH,
    ),
]
JobIds = Annotated[
    list[str] | None, typer.Argument(metavar="JOB_ID", help="These jobs; or say filters.")
]
Limit = Annotated[
    int,
    typer.Option("--limit", "-n", min=1, help="The most that filters may mean, the oldest first."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would become of each; change nothing.")
]


def filters(
    states: Sequence[LetterWord] | None,
    reasons: Sequence[str] | None,
    model: str,
    tenant: str,
    charges: Sequence[ChargeWord] | None,
    older: datetime | None,
    newer: datetime | None,
) -> DeadLetterFilters:
    """The dead letters that these options mean."""
    found = DeadLetterFilters(
        states=[each.value for each in states or []],
        reasons=list(reasons or []),
        model=model,
        tenant=tenant,
        charges=[each.value for each in charges or []],
    )
    if older:
        found["create_time_before"] = older
    if newer:
        found["create_time_from"] = newer
    return found
