"""From the provider's output to stored artifacts and a completed job.

    walk the output ─▶ fetch, store and list each file ─▶ CompleteJob with all of them
Trouble that may pass hands the job back: the call stays SUCCEEDED, and whoever takes the job next
saves it, under keys of its own lease. What can not pass ends the job, paid for, without a result:
a dead address alone does not, unless the provider says that the data is removed, knows the
prediction no more, or has kept it for its hour.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from generator.adapters.delivery import FileGone, FileRefused, FileTrouble
from generator.adapters.endpoint import ProviderError, ProviderRefused
from generator.domain.answers import Prediction
from generator.domain.outputs import BadDataUri, Walked, is_empty, walk
from generator.domain.polling import Rhythm
from generator.domain.values import to_value
from generator.worker.artifacts import Keeper
from generator.worker.listing import Listing
from generator.worker.parts import Parts
from generator.worker.task import Done, HandBack, Task
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.failure_pb2 import Failure, FailureReason, RetryAdvice
from mediagen.v1.job_pb2 import Job
from servicekit.objects import ObjectError, ObjectTooLarge

log = structlog.get_logger()

MOST_FILES = 1000
_READ_TRIES = 5
_LONGEST_RUN = timedelta(hours=24)  # the most that a Cancel-After can be


class _Hopeless(Exception):
    """The result can not be stored, ever."""

    def __init__(self, reason: FailureReason.ValueType, message: str) -> None:
        super().__init__(message)
        advice = RetryAdvice.RETRY_ADVICE_MAY_PAY_TWICE
        self.failure = Failure(reason=reason, message=message, retry_advice=advice)


async def save(parts: Parts, task: Task) -> None:
    """Ends the job, or raises HandBack."""
    task.lease.show(Job.STAGE_SAVING)
    try:
        async with task.lease.interruptible():
            request = await _stored(parts, task)
    except _Hopeless as hopeless:
        log.warning("saving.given_up", why=str(hopeless))
        await parts.ledger.fail_saving(
            pb.FailSavingRequest(
                job_id=task.job_id, lease_epoch=task.lease.epoch, failure=hopeless.failure
            )
        )
        raise Done(f"failed: {hopeless}") from None
    await parts.ledger.complete(request)
    log.info("job.completed", artifacts=len(request.artifacts))


async def _stored(parts: Parts, task: Task) -> pb.CompleteJobRequest:
    """Every artifact in object storage, as the completing call names them."""
    try:
        async with Listing(parts, task) as listing:
            return await _all(parts, task, Keeper(parts, task, listing))
    except FileRefused as error:
        raise _rejected(str(error)) from error
    except RecursionError as error:
        raise _rejected("It is nested too deeply.") from error
    except BadDataUri as error:
        raise _rejected("A file within the output can not be read.") from error
    except ObjectTooLarge as error:
        raise _rejected("The result is larger than what is stored.") from error
    except FileTrouble as error:
        await _still_kept(parts, task)
        raise _later(parts, task, f"saving failed: {error}") from error
    except ObjectError as error:
        raise _later(parts, task, f"saving failed: {error}") from error


async def _all(parts: Parts, task: Task, keeper: Keeper) -> pb.CompleteJobRequest:
    output = task.output
    if output is None:
        # Too large for a message, gone, or never there.
        output = (await _read_again(parts, task)).output
    give_up = time.monotonic() + parts.patience.gone
    rhythm = Rhythm()
    while True:
        if is_empty(output):
            raise _Hopeless(
                FailureReason.FAILURE_REASON_NO_OUTPUT,
                "The model succeeded without giving anything.",
            )
        walked = walk(output)
        if len(walked.files) > MOST_FILES:
            raise _rejected(f"It has more than {MOST_FILES} files.")
        try:
            return await _kept(keeper, task, output, walked)
        except FileGone as error:
            log.warning("saving.file_gone", status=str(error))
            # Addresses may be stale; the prediction knows fresh ones, or that all is removed.
            output = (await _still_kept(parts, task)).output
            if time.monotonic() >= give_up:
                raise _later(parts, task, f"a file is out of reach: {error}") from error
        rhythm = rhythm.answered(0.0)
        await asyncio.sleep(rhythm.interval)


async def _kept(keeper: Keeper, task: Task, output: Any, walked: Walked) -> pb.CompleteJobRequest:
    request = pb.CompleteJobRequest(job_id=task.job_id, lease_epoch=task.lease.epoch)
    if walked.files:
        artifacts = await keeper.files(walked.files)
        rest = walked.rest
    else:
        artifacts = [await keeper.text(output)]
        rest = output
    if rest is not None:
        value = to_value(rest)
        if value.ByteSize() > Keeper.LARGEST_REST:
            if walked.files:
                artifacts.append(await keeper.text(rest, index=len(artifacts)))
            value = to_value({"artifact": len(artifacts) - 1})
        request.output.CopyFrom(value)
    request.artifacts.extend(artifacts)
    return request


def _later(parts: Parts, task: Task, why: str) -> HandBack:
    log.warning("saving.failed", why=why)
    return HandBack(why, parts.setbacks.delay(task.job_id, parts.patience.save_again))


async def _still_kept(parts: Parts, task: Task) -> Prediction:
    """The prediction as it is now; what can not be fetched an hour after its end is lost."""
    seen = await _read_again(parts, task)
    ended = seen.completed_at
    if ended is None and seen.created_at is not None:
        ended = seen.created_at + _LONGEST_RUN
    if ended is not None and datetime.now(UTC) - ended >= timedelta(seconds=parts.patience.kept):
        raise _lost()
    return seen


async def _read_again(parts: Parts, task: Task) -> Prediction:
    """The prediction as it is now. Data that was removed is lost."""
    began = time.monotonic()
    rhythm = Rhythm()
    tries = 0
    while True:
        tries += 1
        try:
            seen = await parts.provider.prediction(task.prediction_id)
        except ProviderError as error:
            missing = isinstance(error, ProviderRefused) and error.problem.status == 404
            if missing and time.monotonic() - began >= parts.patience.missing:
                raise _lost() from error
            if not missing and tries >= _READ_TRIES:
                why = f"the provider can not be read: {error}"
                raise _later(parts, task, why) from error
            rhythm = rhythm.troubled()
            await asyncio.sleep(rhythm.interval)
        else:
            if seen.data_removed:
                raise _lost()
            return seen


def _lost() -> _Hopeless:
    return _Hopeless(
        FailureReason.FAILURE_REASON_OUTPUT_LOST,
        "The model succeeded, but its result was gone before it was stored.",
    )


def _rejected(why: str) -> _Hopeless:
    return _Hopeless(
        FailureReason.FAILURE_REASON_OUTPUT_REJECTED,
        f"The model succeeded, but its result can not be stored. {why}",
    )
