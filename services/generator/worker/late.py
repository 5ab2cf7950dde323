"""How are predictions ended that nobody waits for? Each is canceled, read back, and its end told.

The store names them to whoever is the reconciler: an id that came by a webhook after its job had
ended, or whose worker died before it could cancel. To cancel again is harmless, as is another
worker that does the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from generator.adapters.endpoint import ProviderError
from generator.adapters.ledger import LedgerError
from generator.domain import classify
from generator.worker import facts
from generator.worker.parts import Parts
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb

log = structlog.get_logger()

AT_ONCE = 4
PATIENCE = 15.0  #: seconds of a turn for all of them; what is left comes with the next


async def end_late(parts: Parts, late: Iterable[pb.LatePrediction]) -> None:
    """Until all are told, or time is up. Trouble is logged: the store names them again."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(each: pb.LatePrediction) -> None:
        async with turns:
            try:
                await _end(parts, each)
            except (ProviderError, LedgerError) as error:
                why = str(error) or type(error).__name__
                log.warning("late.not_ended", prediction_id=each.prediction_id, error=why)
            except Exception:
                log.exception("late.crashed", prediction_id=each.prediction_id)

    try:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            for each in late:
                group.create_task(one(each))
    except TimeoutError:
        log.warning("late.too_many")


async def _end(parts: Parts, late: pb.LatePrediction) -> None:
    seen = await parts.provider.cancel(late.prediction_id)
    if not seen.terminal:
        return  # asked for; its end is read at the next turn
    # The answer to a cancel may differ from what is on record in the end.
    final = await parts.provider.prediction(late.prediction_id)
    if not final.terminal:
        return
    log.info("late.ended", prediction_id=late.prediction_id, status=final.status)
    if final.status == "succeeded":
        fact = facts.succeeded(late.job_id, late.prediction_id, final)
        await parts.ledger.record_succeeded(fact, _nobody_waits)
    else:
        end, failure = classify.ended(final, 1)
        told = facts.ended(late.job_id, late.prediction_id, end, failure, final)
        await parts.ledger.record_ended(told, _nobody_waits)


def _nobody_waits() -> bool:
    return True
