"""How is the worker that holds a job told something at once, on whatever machine it is?

Over the queue that each worker has on the events exchange. A hint decides nothing and may be lost:
the worker also hears of a cancel with its next heartbeat, and of a prediction by looking.
"""

from __future__ import annotations

from jobqueue.publisher import Publisher, PublishFailed
from mediagen.generator.v1.messages_pb2 import PredictionNews, WorkerHint


class WorkerHints:
    """Tells workers."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def canceled(self, worker: str, job_id: str) -> None:
        """A cancel of the job was asked for."""
        await self._tell(worker, WorkerHint(job_id=job_id, cancel_requested=True))

    async def news(self, worker: str, job_id: str, news: PredictionNews) -> None:
        """A webhook told this of the job's prediction."""
        await self._tell(worker, WorkerHint(job_id=job_id, news=news))

    async def _tell(self, worker: str, hint: WorkerHint) -> None:
        try:
            await self._publisher.publish_event(f"worker.{worker}", hint.SerializeToString())
        except PublishFailed:
            return
