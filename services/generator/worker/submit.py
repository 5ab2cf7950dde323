"""How is one paid call made, so that a crash at any line neither repeats nor loses it?

prepare (free) ─▶ BeginSubmit: the permit ─▶ POST under the permit's clock ─▶ RecordPrediction
From the permit to the record nothing interrupts but death, and after death the store looks the
call up. The permit's clock starts before BeginSubmit is called: a worker that was paused in between
sends nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import timedelta

import structlog
from google.protobuf.duration_pb2 import Duration

from generator.adapters.create import Ambiguous, Created, NotCreated, Outcome
from generator.adapters.endpoint import ProviderError
from generator.adapters.ledger import LeaseLost, LedgerError, LedgerUnreachable
from generator.domain.classify import refusal
from generator.domain.failure_table import STOPPING, TOO_LATE
from generator.domain.fingerprint import PaidCall
from generator.domain.values import to_struct
from generator.worker.lease import LeaseEnded
from generator.worker.observe import read_back
from generator.worker.parts import Parts
from generator.worker.prepare import Ready, Unsendable, prepare
from generator.worker.task import Done, Task
from generator.worker.turns import Turn
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.job_pb2 import Job

log = structlog.get_logger()

_ORPHAN_CANCEL_TRIES = 8
_ORPHAN_LOOKS = 30  # a second apart; after its Cancel-After the store counts it as over anyway


async def submit(parts: Parts, task: Task) -> None:
    """On return the prediction is recorded, and task.prediction_id set."""
    task.lease.show(Job.STAGE_SUBMITTING)
    permitted = None
    while permitted is None:
        ready = await _ready(parts, task)
        async with parts.turns.of(task) as turn:
            permitted = await _permit(parts, task, ready, turn)
    token, permit, send_by = permitted
    outcome = await _post(parts, task, ready.call, token, permit, send_by)
    await _record(parts, task, token, outcome)
    task.forget_request()


async def _ready(parts: Parts, task: Task) -> Ready:
    try:
        return await prepare(parts, task)
    except Unsendable as unsendable:
        log.warning("job.unsendable", why=str(unsendable))
        await parts.ledger.fail_unsent(
            pb.FailUnsentRequest(
                job_id=task.job_id, lease_epoch=task.lease.epoch, failure=unsendable.failure
            )
        )
        raise Done(f"failed unsent: {unsendable}") from None


async def _permit(
    parts: Parts, task: Task, ready: Ready, turn: Turn
) -> tuple[str, pb.BeginSubmitResponse, float] | None:
    """(token, permit, last moment to send on time.monotonic()); None: its files are to be uploaded
    again first, as the wait was long."""
    call = ready.call
    request = pb.BeginSubmitRequest(
        job_id=task.job_id,
        lease_epoch=task.lease.epoch,
        submit_token=secrets.token_hex(16),
        fingerprint=call.fingerprint,
        seed=call.seed,
        account=parts.account,
        post_timeout=_duration(parts.creates.timeout),
        input=to_struct(call.known_by),
    )
    unheard = False  # a permit may have been given in an answer that never came
    while True:
        if task.lease.ended:
            if unheard:
                await _give_up_permit(parts, task, request.submit_token)
            raise LeaseEnded
        if ready.stale and not unheard:
            return None
        began = time.monotonic()
        try:
            answer = await parts.ledger.begin_submit(request)
        except LedgerUnreachable as error:
            # The same token asks for the same permit.
            unheard = True
            log.warning("permit.retried", error=str(error))
            await asyncio.sleep(0.5 + parts.jitter() * 0.5)
            continue
        except LeaseLost:
            if unheard:
                await _give_up_permit(parts, task, request.submit_token)
            raise
        if not answer.refusal:
            if answer.attempt != task.attempt:
                task.attempt = answer.attempt
                structlog.contextvars.bind_contextvars(attempt=answer.attempt)
            send_within = answer.send_within.ToTimedelta().total_seconds()
            return request.submit_token, answer, began + send_within
        await _refused(parts, task, answer, turn)


async def _refused(parts: Parts, task: Task, answer: pb.BeginSubmitResponse, turn: Turn) -> None:
    """Returns only if it is worth asking again, and then when the store said that it is."""
    if answer.refusal != pb.RefusalReason.REFUSAL_REASON_RATE:
        raise Done(f"no permit: {pb.RefusalReason.Name(answer.refusal)}")
    if await turn.is_first(task):
        # Not longer than that: a token that is not fetched when it is there is lost to all.
        wait = max(answer.retry_after.ToTimedelta().total_seconds(), 0.01)
        await task.lease.sleep(min(wait, parts.patience.rate_wait, max(task.time_left, 0.0) + 0.01))


async def _give_up_permit(parts: Parts, task: Task, token: str) -> None:
    """A permit that may have been given unheard is closed: nothing was or will be sent."""
    log.info("permit.given_up")
    request = pb.RecordNotCreatedRequest(submit_token=token, failure=refusal(STOPPING))
    try:
        async with asyncio.timeout(5):
            await parts.ledger.record_not_created(request, task.lease_lost)
    except (LedgerError, TimeoutError):
        pass  # there was no permit, or its lease expires into a look-up that finds nothing


async def _post(
    parts: Parts,
    task: Task,
    call: PaidCall,
    token: str,
    permit: pb.BeginSubmitResponse,
    send_by: float,
) -> Outcome:
    if time.monotonic() >= send_by:
        return NotCreated(refusal(TOO_LATE))
    return await parts.creates.create(
        call.version,
        call.input,
        submit_token=token,
        cancel_after=permit.cancel_after.ToTimedelta().total_seconds(),
        send_by=send_by,
        redacted=task.redacted,
    )


async def _record(parts: Parts, task: Task, token: str, outcome: Outcome) -> None:
    """Before anything else. Returns only with a live prediction."""
    match outcome:
        case Created(prediction):
            answer = await parts.ledger.record_prediction(
                pb.RecordPredictionRequest(
                    submit_token=token,
                    prediction_id=prediction.id,
                    model_version=prediction.version,
                )
            )
            if answer.orphan:
                await cancel_orphan(parts, prediction.id)
                task.prediction_id = prediction.id
                await read_back(parts, task, _ORPHAN_LOOKS)
                raise Done("the id came too late")
            task.prediction_id = prediction.id
            task.look_at_once = prediction.terminal
            log.info("prediction.recorded", prediction_id=prediction.id)
        case NotCreated(failure):
            await parts.ledger.record_not_created(
                pb.RecordNotCreatedRequest(submit_token=token, failure=failure), task.lease_lost
            )
            raise Done(f"not created: {failure.failure.message}")
        case Ambiguous(why):
            log.warning("prediction.unknown", why=why)
            known = await parts.ledger.record_unknown(
                pb.RecordUnknownRequest(submit_token=token), task.lease_lost
            )
            if not known.prediction_id:
                raise Done(f"the answer was lost: {why}")
            # A webhook was faster than the loss.
            task.prediction_id, task.look_at_once = known.prediction_id, True
            log.info("prediction.known", prediction_id=task.prediction_id)


async def cancel_orphan(parts: Parts, prediction_id: str) -> None:
    """A paid run that nobody waits for is ended, at once and with persistence."""
    log.error("prediction.orphaned", prediction_id=prediction_id)
    for number in range(_ORPHAN_CANCEL_TRIES):
        try:
            await parts.provider.cancel(prediction_id)
        except ProviderError as error:
            log.warning("orphan.cancel_retried", prediction_id=prediction_id, error=str(error))
            await asyncio.sleep(min(0.25 * 2**number, 5.0))
        else:
            log.info("orphan.canceled", prediction_id=prediction_id)
            return
    log.error("orphan.not_canceled", prediction_id=prediction_id)


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration
