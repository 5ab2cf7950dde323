"""How are many jobs decided about in one call? One transaction each, for as long as time allows.

A part that is away is not asked five hundred times: after two jobs in a row without an answer the
rest waits for the next call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mediagen.v1.operator_service_pb2 import DeadLetterResult
from store.adapters.database import Unavailable
from store.domain.operating import Outcome

LONGEST = 10.0  #: seconds, for a caller that says nothing
RESERVE = 1.0  #: what is left for the answer
MOST_MISSED = 2

Decide = Callable[[str], Awaitable[DeadLetterResult]]

MESSAGES = {
    Outcome.ALREADY_DONE: "It was done before; nothing has changed.",
    Outcome.MAY_PAY_TWICE: "An earlier call was paid for, or may have been. Force it to pay again.",
    Outcome.NOT_OPEN: "It was decided otherwise before, or went on by itself.",
    Outcome.NOT_FOUND: "No job of this id was given up or parked.",
    # pragma: allowlist nextline secret
    Outcome.SECRETS_WIPED: "Its secret inputs were wiped as it ended. Submit it anew with them.",
    Outcome.UNAVAILABLE: "Not known to be done: a part of the service did not answer. Call again.",
}


def result(
    job_id: str, outcome: Outcome, done: str = "", redriven_as: str = ""
) -> DeadLetterResult:
    """What became of one; *done* are the words if it was done."""
    return DeadLetterResult(
        job_id=job_id,
        outcome=DeadLetterResult.Outcome.Value(f"OUTCOME_{outcome}"),
        redriven_as=redriven_as,
        message=MESSAGES.get(outcome, done),
    )


async def decide_each(
    job_ids: Sequence[str], decide: Decide, context: Any
) -> list[DeadLetterResult]:
    """The results of the first of *job_ids*: of all, or of as many as there was time for."""
    said = context.time_remaining()
    end = time.monotonic() + (LONGEST if said is None else said) - RESERVE
    results: list[DeadLetterResult] = []
    missed = 0
    for job_id in job_ids:
        if missed >= MOST_MISSED or time.monotonic() >= end:
            break
        try:
            async with asyncio.timeout(end - time.monotonic()):
                results.append(await decide(job_id))
        except (Unavailable, TimeoutError):
            missed += 1
            results.append(result(job_id, Outcome.UNAVAILABLE))
        else:
            missed = 0
    return results


def undecided(job_ids: Sequence[str]) -> list[DeadLetterResult]:
    """The results of those that there was no time for."""
    return [result(each, Outcome.UNAVAILABLE) for each in job_ids]
