"""How do chores run beside jobs? Turn after turn, with rests between, ever longer ones on trouble.

A turn that is under way when the worker is to stop is dropped: whatever it had taken from the store
comes to another in a while.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from generator.adapters.ledger import LedgerError
from generator.worker.parts import Parts
from servicekit import lifecycle
from servicekit.lifecycle import Stop

log = structlog.get_logger()

#: One turn. Whether there may be more to do at once.
Turn = Callable[[Parts], Coroutine[Any, Any, bool]]


async def keep_at(turn: Turn, parts: Parts, stop: Stop, *, every: float, longest: float) -> None:
    """Until *stop*, every *every* seconds; every *longest* while the store is away. Trouble is
    logged: what one turn meets must not stop the worker."""
    rest = every
    while not stop.is_set():
        more = False
        try:
            more = await _unless(stop, turn(parts))
        except LedgerError as error:
            rest = min(2 * rest, longest)
            log.warning("chore.failed", chore=turn.__name__, error=str(error))
        except Exception:
            rest = longest
            log.exception("chore.crashed", chore=turn.__name__)
        else:
            rest = every
        if not more:
            await stop.wait(rest * random.uniform(0.75, 1.25))


async def _unless(stop: Stop, work: Coroutine[Any, Any, bool]) -> bool:
    """What *work* says; False if *stop* came first."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        return working.done() and working.result()
    finally:
        await lifecycle.cancel([working, stopping])
