"""What does one held job show of itself, and what is it told?

    shows  ─▶ stage, percent and log tail go into the next heartbeat (leases.py)
    told lost, or to drain ─▶ whatever runs under `interruptible()` stops with LeaseEnded
    told of a cancel, or news of its prediction ─▶ whatever sleeps in `sleep()` wakes
Money is never in flight under `interruptible()`, so that nothing paid for is dropped by a stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from generator.domain.answers import TERMINAL
from mediagen.generator.v1.messages_pb2 import PredictionNews
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.job_pb2 import Job

log = structlog.get_logger()

SHOW_LOG_AFTER = 2.0  #: seconds between two log tails of a job of which nothing else changes
_NEVER = float("-inf")


class LeaseEnded(Exception):
    """The job is not to be worked on any more: lost to another, or the worker drains."""


class Heard:
    """What webhooks told and nobody has asked for yet, by prediction.

    Which one is ours is not known before the create is answered, and an earlier attempt's may come
    late: so the last few are kept. Of one prediction only what is newest.
    """

    MOST = 4

    def __init__(self) -> None:
        self._news: dict[str, PredictionNews] = {}

    def put(self, news: PredictionNews) -> None:
        known = self._news.pop(news.prediction_id, None)
        overtaken = known is not None and (
            known.status in TERMINAL
            or (news.status not in TERMINAL and news.log_length < known.log_length)
        )
        self._news[news.prediction_id] = known if known is not None and overtaken else news
        while len(self._news) > self.MOST:
            del self._news[next(iter(self._news))]

    def take(self, prediction_id: str) -> PredictionNews | None:
        return self._news.pop(prediction_id, None)


class Lease:
    """One job held."""

    def __init__(self, job_id: str, epoch: int, *, on_change: asyncio.Event) -> None:
        self.job_id = job_id
        self.epoch = epoch
        self.stage: Job.Stage.ValueType = Job.STAGE_SUBMITTING
        self.progress: int | None = None
        self.log_tail = ""
        self.log_told_at = _NEVER
        self.heard = Heard()
        self.cancel_requested = False
        self.lost = False
        self.draining = False
        self._log_told = ""
        self._told: tuple[int, int | None] = (self.stage, None)
        self._on_change = on_change
        self._wake = asyncio.Event()
        self._interruptible: asyncio.Task[object] | None = None
        self._interrupted = False

    def show(
        self,
        stage: Job.Stage.ValueType,
        progress: int | None = None,
        log_tail: str | None = None,
    ) -> None:
        """What the next heartbeat reports; a progress never goes back."""
        progress = self.progress if progress is None else max(progress, self.progress or 0)
        if log_tail is not None:
            self.log_tail = log_tail
        if (stage, progress) != (self.stage, self.progress):
            self.stage, self.progress = stage, progress
            self._on_change.set()

    @property
    def log_waits(self) -> bool:
        """There is more of the log than was told."""
        return self.log_tail != self._log_told

    def report(self, now: float, room: int) -> pb.LeaseReport:
        """For a heartbeat. The log is in it if it has changed and takes at most *room* bytes; if
        nothing else has, not more often than every 2 s."""
        report = pb.LeaseReport(
            job_id=self.job_id,
            lease_epoch=self.epoch,
            stage=self.stage,
            progress_percent=self.progress,
        )
        due = now - self.log_told_at >= SHOW_LOG_AFTER or self._told != (self.stage, self.progress)
        if self.log_waits and due and len(self.log_tail.encode()) <= room:
            report.log_tail = self.log_tail
        return report

    def reported(self, report: pb.LeaseReport, now: float) -> None:
        """The heartbeat with *report* was answered."""
        progress = report.progress_percent if report.HasField("progress_percent") else None
        self._told = (report.stage, progress)
        if report.HasField("log_tail"):
            self._log_told, self.log_told_at = report.log_tail, now

    def told_news(self, news: PredictionNews) -> None:
        self.heard.put(news)
        self._wake.set()

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
