"""When are artifacts told to the store? Each as it is stored, before the others are.

One call at a time, with all that were stored since the last, and the more calls there were the
longer is the rest between two: each makes a revision that names every artifact, and an output may
have thousands. It is for those who watch: what fails is told with the next one, and in the end
CompleteJob names them all. Only a lost lease matters, and ends the saving.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import structlog

from generator.adapters.ledger import LeaseLost, LedgerError
from generator.worker.parts import Parts
from generator.worker.task import Task
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb

log = structlog.get_logger()

AGAIN_AFTER = 2.0  #: seconds
REST, LONGEST_REST = 0.02, 2.0  #: seconds after the first call, and at the most


class Listing:
    """Of one job's artifacts, for as long as it is entered."""

    def __init__(self, parts: Parts, task: Task) -> None:
        self._parts = parts
        self._task = task
        self._waiting: list[pb.StoredArtifact] = []
        self._more = asyncio.Event()
        self._calls: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._calls is not None:
            self._calls.cancel()
            await asyncio.gather(self._calls, return_exceptions=True)

    def add(self, stored: pb.StoredArtifact) -> None:
        """Told as soon as no other call is under way."""
        self._waiting.append(stored)
        self._more.set()
        if self._calls is None:
            self._calls = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        rest = 0.0
        while True:
            await asyncio.sleep(rest)
            rest = min(rest + REST, LONGEST_REST)
            await self._more.wait()
            self._more.clear()
            told, self._waiting = self._waiting, []
            request = pb.RecordArtifactsRequest(
                job_id=self._task.job_id, lease_epoch=self._task.lease.epoch, artifacts=told
            )
            try:
                await self._parts.ledger.record_artifacts(request)
            except LeaseLost as error:
                log.warning("artifacts.lease_lost", error=str(error))
                self._task.lease.told_lost()
                return
            except LedgerError as error:
                log.warning("artifacts.not_listed", error=str(error), count=len(told))
                self._waiting = told + self._waiting
                self._more.set()
                await asyncio.sleep(AGAIN_AFTER)
