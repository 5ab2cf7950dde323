"""From a recorded prediction to its last word, told to the store as a fact.

Nothing that goes wrong with looking ends the looking: the call is paid for. A cancel or the job's
deadline is told to the provider, and what became of the run is read back: it may have succeeded.

Comes from: submit.py, or a lost worker's prediction. Goes on: save.py.
"""

from __future__ import annotations

import asyncio
import time

import structlog

from generator.adapters.endpoint import ProviderError
from generator.domain import classify
from generator.domain.answers import Prediction
from generator.worker import facts
from generator.worker.parts import Parts
from generator.worker.task import Done, Task
from generator.worker.watch import Watch
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb

log = structlog.get_logger()


async def observe(parts: Parts, task: Task) -> None:
    """Returns once it succeeded and the store knows; task.output is then set."""
    structlog.contextvars.bind_contextvars(prediction_id=task.prediction_id)
    last = await _follow(parts, task)
    if isinstance(last, pb.ProviderFailure):
        await _stop_unheard(parts, task)
        await _record_ended(parts, task, pb.PREDICTION_END_FAILED, last, None)
    else:
        await _record(parts, task, last)


async def _stop_unheard(parts: Parts, task: Task) -> None:
    """A run that can not be followed may go on and cost, for nobody."""
    try:
        await parts.provider.cancel(task.prediction_id)
    except ProviderError as error:
        log.warning("prediction.not_stopped", error=str(error) or type(error).__name__)


async def _record(parts: Parts, task: Task, final: Prediction) -> None:
    if final.status == "succeeded":
        await _record_succeeded(parts, task, final)
    else:
        end, failure = classify.ended(final, task.created)
        await _record_ended(parts, task, end, failure, final)


async def read_back(parts: Parts, task: Task, looks: int) -> None:
    """Records how a canceled call that the job has no use for ended, if it does so soon."""
    for _ in range(looks):
        try:
            seen = task.redacted.prediction(await parts.provider.prediction(task.prediction_id))
        except ProviderError as error:
            log.info("poll.failed", error=str(error) or type(error).__name__)
        else:
            if seen.terminal:
                return await _record(parts, task, seen)
        await asyncio.sleep(1.0)


async def _follow(parts: Parts, task: Task) -> Prediction | pb.ProviderFailure:
    """The prediction once it is terminal, or why it can not be followed to its end."""
    watch = Watch.begin(parts, task)
    if not task.look_at_once:
        await watch.pause()
    while True:
        try:
            seen = await _look(parts, task, watch)
        except ProviderError as error:
            lost = watch.failed(error)
            if lost is not None:
                return lost
        else:
            if seen.terminal:
                watch.ended(seen)
                return seen
            watch.goes_on(seen)
        await watch.pause()


async def _look(parts: Parts, task: Task, watch: Watch) -> Prediction:
    now = time.monotonic()
    async with task.lease.interruptible():
        if task.must_cancel and now >= watch.cancel_at and not watch.cancel_failed:
            watch.cancels()
            watch.cancel_failed = True  # unless it comes back: then it is looked at in between
            seen = task.redacted.prediction(await _cancel(parts, task))
            watch.cancel_failed = False
            watch.cancel_at = now + parts.patience.cancel_again
            return seen
        watch.cancel_failed = False
        return task.redacted.prediction(await parts.provider.prediction(task.prediction_id))


async def _cancel(parts: Parts, task: Task) -> Prediction:
    seen = await parts.provider.cancel(task.prediction_id)
    if not task.cancel_sent:
        task.cancel_sent = True
        log.info("prediction.cancel_sent", asked=task.lease.cancel_requested, status=seen.status)
    # The answer to a cancel may differ from what is on record in the end: it may have succeeded.
    return await parts.provider.prediction(task.prediction_id) if seen.terminal else seen


async def _record_ended(
    parts: Parts,
    task: Task,
    end: pb.PredictionEnd.ValueType,
    failure: pb.ProviderFailure,
    final: Prediction | None,
) -> None:
    fact = facts.ended(task.job_id, task.prediction_id, end, failure, final)
    await parts.ledger.record_ended(fact, task.lease_lost)
    raise Done(f"{pb.PredictionEnd.Name(end)}: {failure.failure.message}")


async def _record_succeeded(parts: Parts, task: Task, final: Prediction) -> None:
    fact = facts.succeeded(task.job_id, task.prediction_id, final)
    answer = await parts.ledger.record_succeeded(fact, task.lease_lost)
    if answer.superseded:
        raise Done("the job has no use for the result")
    task.output = final.output
    log.info("prediction.succeeded")
