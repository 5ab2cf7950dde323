"""What have looks and webhooks shown of one prediction so far, and when is the next look due?

A webhook is shown without a request. It decides nothing: told of the end, the worker looks. What is
late or out of order is told by the length of the log: a shorter one is older.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import structlog

from generator.adapters.endpoint import ProviderError, ProviderRefused
from generator.adapters.reading import AnswerTooLarge
from generator.domain import classify, progress
from generator.domain.answers import TERMINAL, Prediction
from generator.domain.polling import Hearing, Rhythm
from generator.worker.parts import Parts
from generator.worker.task import Task
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.job_pb2 import Job

log = structlog.get_logger()


@dataclass(slots=True)
class Watch:
    """Of one prediction, by one worker."""

    parts: Parts
    task: Task
    rhythm: Rhythm = field(default_factory=Rhythm)
    began: float = field(default_factory=time.monotonic)
    missing_since: float | None = None
    too_large_since: float | None = None
    cancel_at: float = 0.0
    cancel_failed: bool = False
    status: str = ""
    log_length: int = 0

    @classmethod
    def begin(cls, parts: Parts, task: Task) -> Watch:
        if task.road == pb.Road.ROAD_OBSERVE:
            # Another worker may have had its webhooks: that none comes yet says nothing.
            return cls(parts, task)
        return cls(parts, task, parts.hearing.rhythm())

    async def pause(self) -> None:
        """Until the next look: its time, the deadline, a cancel, or news of the end."""
        task = self.task
        due = self._due()
        while True:
            if (status := self._listen()) is not None:
                if status in TERMINAL:
                    return
                due = self._due()
            left = due - time.monotonic()
            if not task.must_cancel:
                left = min(left, max(task.time_left, 0.0) + 0.01)
            if left <= 0:
                return
            await task.lease.sleep(left)
            if task.must_cancel:
                return

    def _due(self) -> float:
        parts = self.parts
        delay = parts.pace.delay(self.rhythm, len(parts.leases), parts.jitter())
        return time.monotonic() + delay

    def _listen(self) -> str | None:
        """The status of what a webhook told since it was asked last, if one did."""
        news = self.task.lease.heard.take(self.task.prediction_id)
        if news is None:
            return None
        _heard(self.parts.hearing)
        self.rhythm = self.rhythm.ending() if news.status in TERMINAL else self.rhythm.heard()
        log_end = self.task.redacted.text(news.log_end)
        self._show(news.status, log_end, news.log_length)
        return news.status

    def cancels(self) -> None:
        """A cancel was sent: the end is near."""
        self.rhythm = self.rhythm.ending()

    def goes_on(self, seen: Prediction) -> None:
        """After a look at a prediction that has not ended."""
        self.parts.pace.answered()
        self.missing_since = self.too_large_since = None
        self._listen()
        self._judge(seen.status)
        self.rhythm = self.rhythm.answered(time.monotonic() - self.began, seen.status)
        if seen.status != self.status:
            self.status = seen.status
            if seen.status not in ("starting", "processing"):
                log.warning("prediction.status_unknown", status=seen.status)
        self._show(seen.status, seen.logs, seen.log_length)

    def ended(self, seen: Prediction) -> None:
        """After the last look."""
        self._listen()
        self._judge(seen.status)
        log.info("prediction.ended", status=seen.status, seconds=seen.predict_seconds)

    def failed(self, error: ProviderError) -> pb.ProviderFailure | None:
        """A look that failed. Only an id that has been unknown, or an answer that has been too
        large, for too long ends the looking: nothing else is the provider's word on this
        prediction."""
        problem = error.problem if isinstance(error, ProviderRefused) else None
        status = problem.status if problem is not None else 0
        log.info("poll.failed", error=str(error) or type(error).__name__)
        self.rhythm = self.rhythm.troubled(problem.retry_after if problem else None)
        now, bears = time.monotonic(), self.parts.patience.missing
        if status == 429:
            self.parts.pace.throttled()
        if status == 404:
            self.missing_since = self.missing_since or now
            if now - self.missing_since >= bears:
                log.error("prediction.vanished")
                return classify.vanished()
        if isinstance(error, AnswerTooLarge):
            self.too_large_since = self.too_large_since or now
            if now - self.too_large_since >= bears:
                log.error("prediction.too_large")
                return classify.too_large()
        return None

    def _judge(self, status: str) -> None:
        if self.rhythm.missed(status):
            hearing = self.parts.hearing
            before = hearing.deaf
            hearing.missed()
            if hearing.deaf and not before:
                log.warning("webhooks.unheard", then="every prediction is polled until one comes")

    def _show(self, status: str, logs: str, log_length: int) -> None:
        lease = self.task.lease
        if log_length < self.log_length:
            percent = tail = None  # overtaken
        else:
            self.log_length = log_length
            percent, tail = progress.percent(logs), progress.tail(logs)
        if self.task.must_cancel:
            lease.show(Job.STAGE_CANCELING, log_tail=tail)
        elif status == "starting" and lease.stage != Job.STAGE_PROCESSING:
            lease.show(Job.STAGE_STARTING, log_tail=tail)
        else:
            lease.show(Job.STAGE_PROCESSING, percent, tail)


def _heard(hearing: Hearing) -> None:
    if hearing.deaf:
        log.info("webhooks.heard_again")
    hearing.heard()
