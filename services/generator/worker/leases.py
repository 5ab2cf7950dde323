"""How does a worker keep its jobs, and hear that it must stop?

One heartbeat for all jobs, every 5 s; 1 s after the last where there is progress to show, 2 s where
there is more of a log. Its answer, a hint over the broker, or a drain ends or wakes a job through
its Lease (lease.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from uuid import UUID

import structlog
from google.protobuf.message import DecodeError

from generator.adapters.ledger import Ledger, LedgerError
from generator.adapters.provider import Account
from generator.worker.lease import SHOW_LOG_AFTER, Lease
from mediagen.generator.v1.messages_pb2 import WorkerHint
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from servicekit.lifecycle import Stop

log = structlog.get_logger()

HEARTBEAT = 5.0
SHORTEST = 0.2
SHOW_PROGRESS_AFTER = 1.0
# Bytes of logs in one heartbeat; the others' go with the next. gRPC takes 4 MiB in all, and with
# 5,000 jobs the rest of it is a quarter of a MiB.
MOST_LOGS = 1024 * 1024


def canonical_id(job_id: str) -> str:
    """A job's id as the store writes it: its answers are looked up under it."""
    try:
        return str(UUID(job_id))
    except ValueError:
        return job_id


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
        self._simulated = False
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

    def tell_of(self, account: Account) -> None:
        """The store is to know whose it is: with the next heartbeat, which is soon."""
        self._simulated = account.simulated
        self._changed.set()

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
            if told.HasField("news"):
                lease.told_news(told.news)
            if told.cancel_requested:
                lease.told_cancel()

    async def run(self, stop: Stop) -> None:
        """Beats until *stop*, and after it until the last job was dropped."""
        while not (stop.is_set() and not self._held):
            await self._beat()
            await self._pause(stop)

    async def _pause(self, stop: Stop) -> None:
        """5 s or a third of a lease, less where a job has something to show, or at once when
        draining is done."""
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
            if waited >= SHOW_LOG_AFTER and any(each.log_waits for each in self._held.values()):
                return

    async def _beat(self) -> None:
        self._changed.clear()
        sent = dict(self._held)
        now = time.monotonic()
        reports = _reports(sent, now)
        request = pb.HeartbeatRequest(
            worker_id=self._worker_id,
            slots=0 if self._draining else self._slots,
            leases=reports,
            simulated=self._simulated,
        )
        try:
            answer = await self._ledger.heartbeat(request)
        except LedgerError as error:
            self.reachable = False
            log.warning("heartbeat.failed", error=str(error), leases=len(sent))
            return
        unshown = frozenset(answer.unshown_job_ids)
        for report in reports:
            if report.job_id not in unshown:
                sent[report.job_id].reported(report, now)
        if unshown:
            self._changed.set()
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


def _reports(leases: Mapping[str, Lease], now: float) -> list[pb.LeaseReport]:
    """Whose log was told longest ago comes first: there may not be room for all."""
    room = MOST_LOGS
    reports = []
    for lease in sorted(leases.values(), key=lambda lease: lease.log_told_at):
        report = lease.report(now, room)
        room -= len(report.log_tail.encode())
        reports.append(report)
    return reports
