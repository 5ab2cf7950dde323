"""How does a worker keep its jobs, and hear that it must stop?

One heartbeat for all jobs, every 5 s, and 1 s after the last where there is progress to show. Its
answer, a hint over the broker, or a drain ends or wakes a job through its Lease:

    lost, draining ─▶ whatever runs under `lease.interruptible()` stops with LeaseEnded
    cancel, hint ──▶ whatever sleeps in `lease.sleep()` wakes
Money is never in flight under `interruptible()`, so that nothing paid for is dropped by a stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import structlog
from google.protobuf.message import DecodeError

from generator.adapters.ledger import Ledger, LedgerError
from mediagen.generator.v1.messages_pb2 import WorkerHint
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.job_pb2 import Job
from servicekit.lifecycle import Stop

log = structlog.get_logger()

HEARTBEAT = 5.0
SHORTEST = 0.2
SHOW_PROGRESS_AFTER = 1.0


def canonical_id(job_id: str) -> str:
    """A job's id as the store writes it: its answers are looked up under it."""
    try:
        return str(UUID(job_id))
    except ValueError:
        return job_id


class LeaseEnded(Exception):
    """The job is not to be worked on any more: lost to another, or the worker drains."""


class Lease:
    """One job held: what it shows of itself, and what it is told."""

    def __init__(self, job_id: str, epoch: int, *, on_change: asyncio.Event) -> None:
        self.job_id = job_id
        self.epoch = epoch
        self.stage: Job.Stage.ValueType = Job.STAGE_SUBMITTING
        self.progress: int | None = None
        self.cancel_requested = False
        self.lost = False
        self.draining = False
        self._on_change = on_change
        self._wake = asyncio.Event()
        self._interruptible: asyncio.Task[object] | None = None
        self._interrupted = False

    def show(self, stage: Job.Stage.ValueType, progress: int | None = None) -> None:
        """What the next heartbeat reports; a progress never goes back."""
        progress = self.progress if progress is None else max(progress, self.progress or 0)
        if (stage, progress) != (self.stage, self.progress):
            self.stage, self.progress = stage, progress
            self._on_change.set()

    def told_cancel(self) -> None:
        if not self.cancel_requested:
            self.cancel_requested = True
            log.info("job.cancel_heard", job_id=self.job_id)
        self._wake.set()

    def told_wake(self) -> None:
        self._wake.set()

    def told_lost(self) -> None:
        self.lost = True
        self._interrupt()

    def told_drain(self) -> None:
        self.draining = True
        self._interrupt()

    @property
    def ended(self) -> bool:
        return self.lost or self.draining

    async def sleep(self, seconds: float) -> None:
        """Until then, a cancel, a hint, or LeaseEnded."""
        async with self.interruptible():
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    @asynccontextmanager
    async def interruptible(self) -> AsyncIterator[None]:
        """LeaseEnded as soon as the lease ends; not to be nested."""
        if self.ended:
            raise LeaseEnded
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        self._interruptible = task
        try:
            yield
        except asyncio.CancelledError:
            # As asyncio.timeout does it: ours is taken back, another's cancel goes on.
            if self._interrupted and task.uncancel() <= before:
                raise LeaseEnded from None
            raise
        finally:
            self._interruptible, self._interrupted = None, False

    def _interrupt(self) -> None:
        if self._interruptible is not None and not self._interrupted:
            self._interrupted = True
            self._interruptible.cancel()


class Leases:
    """Every job that this worker holds."""

    def __init__(
        self, ledger: Ledger, worker_id: str, slots: int, *, heartbeat: float = HEARTBEAT
    ) -> None:
        self._longest = self._every = heartbeat
        self._ledger = ledger
        self._worker_id = worker_id
        self._slots = slots
        self._held: dict[str, Lease] = {}
        self._changed = asyncio.Event()
        self._draining = False
        self.reachable = False

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, job_id: str, epoch: int, lasts: float = 0.0) -> Lease:
        """Kept by every heartbeat until `drop`. *lasts*: seconds without one, where they are told:
        there are to be three within them."""
        if lasts > 0:
            self._every = min(self._longest, max(lasts / 3, SHORTEST))
        job_id = canonical_id(job_id)
        lease = Lease(job_id, epoch, on_change=self._changed)
        earlier = self._held.get(job_id)
        if earlier is not None:
            # We lost it and took it again ourselves.
            earlier.told_lost()
        self._held[job_id] = lease
        if self._draining:
            lease.told_drain()
        return lease

    def drop(self, lease: Lease) -> None:
        if self._held.get(lease.job_id) is lease:
            del self._held[lease.job_id]

    def drain(self) -> None:
        """Every job stops at its next safe point and is handed back."""
        self._draining = True
        self.hand_back()
        self._changed.set()

    def hand_back(self) -> None:
        """The jobs held now stop at their next safe point; others may come."""
        for lease in list(self._held.values()):
            lease.told_drain()

    async def drain_at(self, stop: Stop) -> None:
        await stop.wait()
        self.drain()

    async def beat_soon(self) -> None:
        """Hints may have been lost: the heartbeat's answer repeats them."""
        self._changed.set()

    async def check(self) -> None:
        """Raises unless the last heartbeat was answered. For Health."""
        if not self.reachable:
            raise ConnectionError("the store does not answer")

    async def hint(self, body: bytes) -> None:
        """A message from the worker's own queue."""
        try:
            told = WorkerHint.FromString(body)
        except DecodeError:
            log.warning("hint.unreadable", size=len(body))
            return
        lease = self._held.get(canonical_id(told.job_id))
        if lease is not None:
            if told.cancel_requested:
                lease.told_cancel()
            else:
                lease.told_wake()

    async def run(self, stop: Stop) -> None:
        """Beats until *stop*, and after it until the last job was dropped."""
        while not (stop.is_set() and not self._held):
            await self._beat()
            await self._pause(stop)

    async def _pause(self, stop: Stop) -> None:
        """5 s or a third of a lease, 1 s where a job has something to show, or at once when
        draining is done."""
        self._changed.clear()
        waited = 0.0
        while waited < self._every and not (stop.is_set() and not self._held):
            step = 0.25 if stop.is_set() else SHOW_PROGRESS_AFTER
            step = min(step, self._every - waited)
            if stop.is_set():
                await asyncio.sleep(step)
            else:
                await stop.wait(step)
            waited += step
            if self._changed.is_set() and waited >= SHOW_PROGRESS_AFTER:
                return

    async def _beat(self) -> None:
        sent = dict(self._held)
        request = pb.HeartbeatRequest(
            worker_id=self._worker_id,
            slots=0 if self._draining else self._slots,
            leases=[
                pb.LeaseReport(
                    job_id=lease.job_id,
                    lease_epoch=lease.epoch,
                    stage=lease.stage,
                    progress_percent=lease.progress,
                )
                for lease in sent.values()
            ],
        )
        try:
            answer = await self._ledger.heartbeat(request)
        except LedgerError as error:
            self.reachable = False
            log.warning("heartbeat.failed", error=str(error), leases=len(sent))
            return
        self.reachable = True
        for job_id in answer.lost_job_ids:
            lease = sent.get(job_id)
            # Only what was sent can have been lost: it may have been claimed again since.
            if lease is not None and self._held.get(job_id) is lease:
                log.warning("lease.lost", job_id=job_id, lease_epoch=lease.epoch)
                lease.told_lost()
        for job_id in answer.cancel_job_ids:
            if (lease := self._held.get(job_id)) is not None:
                lease.told_cancel()
