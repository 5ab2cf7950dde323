"""How does one job run? A delivery comes in; what comes out is a fact in the store's ledger.

    claim ─▶ ack ─▶ road ┬ submit ─▶ prepare ─ begin_submit ─ post ─ record ─┐   (submit.py)
                         ├ observe ◀─────────────────────────────────────────┘   (observe.py)
                         └ save ◀── succeeded                                     (save.py)
Each step ends the job here by raising Done (the store has decided what is next), HandBack (another
worker goes on later), LeaseLost or LeaseEnded. There is one clause for each, below.
"""

from __future__ import annotations

import secrets
import time
from datetime import timedelta

import structlog
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError

from generator.adapters.ledger import LeaseLost, LedgerError, LedgerUnreachable
from generator.worker.lease import LeaseEnded
from generator.worker.observe import observe
from generator.worker.parts import Parts
from generator.worker.save import save
from generator.worker.submit import submit
from generator.worker.task import Done, HandBack, Task
from jobqueue.delivery import Delivery
from mediagen.generator.v1.messages_pb2 import WorkMessage
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb

log = structlog.get_logger()


class Worker:
    """Runs what is delivered. `handle` is called in a task of its own for each delivery."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def handle(self, delivery: Delivery) -> None:
        try:
            message = WorkMessage.FromString(delivery.body)
        except DecodeError:
            message = WorkMessage()
        if not message.job_id:
            log.error("message.unreadable", message_id=delivery.message_id)
            await delivery.reject()
            return
        structlog.contextvars.bind_contextvars(job_id=message.job_id)
        task = await self._claim(message, delivery)
        if task is None:
            return
        try:
            # At once: from here on the lease covers our death, not the broker.
            await delivery.ack()
            await self._run(task)
        finally:
            self._parts.leases.drop(task.lease)

    async def _claim(self, message: WorkMessage, delivery: Delivery) -> Task | None:
        began = time.monotonic()
        request = pb.ClaimJobRequest(
            job_id=message.job_id,
            dispatch=message.dispatch,
            worker_id=self._parts.worker_id,
            claim_token=secrets.token_hex(16),
            sends_settled=True,
        )
        try:
            answer = await self._parts.ledger.claim(request, self._parts.patience.claim)
        except LedgerUnreachable as error:
            # Left unsettled: the consumer puts it back after a pause.
            log.warning("job.claim_failed", error=str(error))
            return None
        except LedgerError as error:
            log.error("job.claim_refused", error=str(error))
            await delivery.reject()
            return None
        if answer.refusal:
            log.info("job.not_claimed", refusal=pb.RefusalReason.Name(answer.refusal))
            await delivery.ack()
            return None
        lasts = answer.lease_duration.ToTimedelta().total_seconds()
        lease = self._parts.leases.hold(message.job_id, answer.lease_epoch, lasts)
        structlog.contextvars.bind_contextvars(attempt=answer.attempt)
        log.info("job.claimed", road=pb.Road.Name(answer.road), lease_epoch=answer.lease_epoch)
        return Task.claimed(lease.job_id, answer, lease, began)

    async def _run(self, task: Task) -> None:
        try:
            await self._road(task)
        except Done as done:
            log.info("job.left", why=str(done))
        except HandBack as back:
            await self._release(task, back.delay, str(back))
        except LeaseLost as error:
            log.warning("job.lost", error=str(error))
        except LeaseEnded:
            if not task.lease.lost:
                await self._release(task, 0.0, "the worker drains")
        except LedgerUnreachable as error:
            log.error("job.stuck", error=str(error))
            await self._release(task, self._setback(task), "the store did not answer")
        except LedgerError as error:
            log.error("job.stuck", error=str(error))
            if not task.lease.lost:
                why = "the store refused a step"
                await self._release(task, self._setback(task), why, failed=True)
        except Exception:
            log.exception("job.crashed")
            await self._release(task, self._setback(task), "the worker failed", failed=True)

    def _setback(self, task: Task) -> float:
        return self._parts.setbacks.delay(task.job_id, self._parts.patience.save_again)

    async def _road(self, task: Task) -> None:
        match task.road:
            case pb.Road.ROAD_SUBMIT:
                await submit(self._parts, task)
                await observe(self._parts, task)
                await save(self._parts, task)
            case pb.Road.ROAD_OBSERVE:
                await observe(self._parts, task)
                await save(self._parts, task)
            case pb.Road.ROAD_SAVE:
                await save(self._parts, task)
            case unknown:
                raise HandBack(f"road {unknown} is not known here", 30.0)

    async def _release(self, task: Task, delay: float, why: str, *, failed: bool = False) -> None:
        """*failed*: on the job itself, so that the store sets it apart if it goes on so."""
        wait = Duration()
        wait.FromTimedelta(timedelta(seconds=delay))
        request = pb.ReleaseJobRequest(
            job_id=task.job_id, lease_epoch=task.lease.epoch, delay=wait, why=why[:500],
            failed=failed,
        )  # fmt: skip
        try:
            await self._parts.ledger.release(request)
        except LedgerError as error:
            # The lease then expires by itself, which comes to the same a little later.
            log.warning("job.release_failed", why=why, error=str(error))
        else:
            log.info("job.released", why=why, delay_seconds=delay)
