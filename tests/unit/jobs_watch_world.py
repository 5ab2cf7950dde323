"""A store, two gateways over it, a client that follows jobs, and all that can happen to them.

The client applies what it is told as its documentation says, and checks each message as it comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from functools import partial
from random import Random
from typing import Any

from gateway.domain.errors import StoreUnavailable
from gateway.watch.cursor import Cursor
from gateway.watch.feed import Feed
from gateway.watch.filters import FINAL, JobFilter
from gateway.watch.hub import Hub
from gateway.watch.jobs_watching import JobsWatch
from gateway.watch.told import Told
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import WatchJobsResponse
from tests.fakes.store import FakeStore
from tests.fakes.store_source import StoreSource

Job = job_pb2.Job
KEPT = 4
MODELS = ("a/b", "c/d")
OPEN = (Job.STATE_PENDING, Job.STATE_RUNNING)


class JobsClient:
    """Follows the jobs of a filter, at one gateway or another, and keeps what it was told."""

    def __init__(self, store: FakeStore, wanted: JobFilter) -> None:
        self._store = store
        self.wanted = wanted
        self.jobs: dict[str, Job] = {}
        self.cursor: Cursor | None = None
        self._synced_jobs: dict[str, Job] = {}
        self._seen_in_gap: set[str] | None = None  # from the start, or a gap, to synced

    def apply(self, event: WatchJobsResponse) -> None:
        kind = event.WhichOneof("event")
        assert bool(event.cursor) == (kind not in ("gap", "snapshot")) or self._open(kind)
        match kind:
            case "snapshot":
                self._snapshot(event.snapshot)
            case "update":
                self._update(event.update)
            case "gap":
                self._gap(event)
            case "synced":
                assert self._seen_in_gap is not None and event.cursor
                self._seen_in_gap = None
            case "heartbeat":
                self._heartbeat(event)
        if event.cursor:
            self.cursor = Cursor.parsed(event.cursor, "default")

    def _open(self, kind: str | None) -> bool:
        """Until synced there is no cursor: who is lost then begins anew."""
        return kind == "update" and self._seen_in_gap is not None

    def begin(self) -> None:
        """A connection. What was told until synced never came goes back to the cursor's time."""
        if self._seen_in_gap is not None:
            self.jobs = dict(self._synced_jobs)
        self._seen_in_gap = set() if self.cursor is None else None

    def _snapshot(self, job: Job) -> None:
        assert self._seen_in_gap is not None, "a snapshot out of place"
        assert job.HasField("request") and job.job_id not in self._seen_in_gap
        known = self.jobs.get(job.job_id)
        assert known is None or known.revision <= job.revision
        self._seen_in_gap.add(job.job_id)
        self._keep(job)

    def _update(self, job: Job) -> None:
        known = self.jobs.get(job.job_id)
        if known is None:
            gone = job.job_id not in self._store.kept
            assert job.HasField("request") or gone, "a job that was not known, without its request"
        elif self._seen_in_gap is None or job.job_id in self._seen_in_gap:
            outside = self.wanted.states and known.state not in self.wanted.states
            assert job.revision == known.revision + 1 or (outside and job.HasField("request"))
        if self._seen_in_gap is not None:
            self._seen_in_gap.add(job.job_id)
        self._keep(job)

    def _keep(self, job: Job) -> None:
        kept = Job()
        kept.CopyFrom(job)
        if not kept.HasField("request") and job.job_id in self.jobs:
            kept.request.CopyFrom(self.jobs[job.job_id].request)
        self.jobs[job.job_id] = kept

    def _gap(self, event: WatchJobsResponse) -> None:
        if self._seen_in_gap is None:
            self._synced_jobs = dict(self.jobs)
        if event.gap.restored:
            self.jobs.clear()
        else:
            at = self.cursor
            needed = (
                at is None
                or at.generation != self._store.generation
                or self._store.head.sequence - at.sequence > KEPT
                or self._store.dropped > at.sequence
            )
            assert needed, "a gap without need"
        self._seen_in_gap = set()

    def _heartbeat(self, event: WatchJobsResponse) -> None:
        """What happened before the time that it says was told."""
        until = event.heartbeat.current_time.ToNanoseconds()
        for job_id, kept in self._store.kept.items():
            told = self.jobs.get(job_id)
            for job in kept.revisions:
                if job.update_time.ToNanoseconds() < until // 10**6 * 10**6 and told is not None:
                    inside = not self.wanted.states or told.state in self.wanted.states
                    assert job.revision <= told.revision or not inside

    def check(self) -> None:
        """All that the store has of the filter is known as it is."""
        for job_id, kept in self._store.kept.items():
            request = kept.job.request
            ours = not self.wanted.model or request.model == self.wanted.model
            ours = ours and all(request.labels.get(k) == v for k, v in self.wanted.labels)
            inside = not self.wanted.states or kept.job.state in self.wanted.states
            told = self.jobs.get(job_id)
            if not ours:
                assert told is None
            elif inside and kept.job.state not in FINAL:
                assert told is not None and told.revision == kept.job.revision
            elif told is not None and inside:
                assert told.revision == kept.job.revision
            elif told is not None:
                assert told.state not in self.wanted.states, "it has left, and nobody said so"
        assert not set(self.jobs) - set(self._store.kept), "a job that is no more"


class World:
    """What happens, by name."""

    def __init__(self, random: Random, racing: bool, wanted: JobFilter) -> None:
        self.random = random
        self.racing = racing
        self.store = FakeStore()
        self.store.numbers_at_once = False
        self.source = StoreSource(self.store, self._race)
        self.hubs = [self._hub(), self._hub()]
        self.client = JobsClient(self.store, wanted)
        self._open = AsyncExitStack()
        self._watch: JobsWatch | None = None
        self._events: AsyncGenerator[Told[WatchJobsResponse], None] | None = None
        self._calm = False
        self._failing = False
        self._saved = self.store.saved()
        for _ in range(3):
            self._add()

    def _hub(self) -> Hub:
        return Hub(
            self.source,
            read_every=3600,
            heartbeat=3600,
            forecasts_every=3600,
            settle_every=0,
            new_feed=partial(Feed, kept_events=KEPT),
        )

    async def act(self, action: str) -> None:
        store, random = self.store, self.random
        hub = random.choice(self.hubs)
        match action:
            case "add":
                self._add()
            case "change":
                self._change()
            case "burst":
                for _ in range(KEPT * 2):
                    self._change()
                    store.number()
                    await hub.hear(store.batch(len(store.feed)))
            case "number":
                store.number()
            case "hint" if store.feed:
                first = random.randint(1, len(store.feed))
                await hub.hear(store.batch(first, random.randint(first, len(store.feed))))
            case "read":
                await self._read(hub)
            case "look":
                await self.look()
            case "leave":
                await self.leave()
            case "drop" if store.feed:
                store.drop(random.randint(0, len(store.feed)))
            case "fail":
                self._failing = True
            case "save":
                self._saved = store.saved()
            case "restore":
                store.restore(self._saved)
                store.drop(0)
            case "quiet":
                await self.quiet()

    async def look(self) -> bool:
        """Takes one message; False if there was only silence, or the connection was lost."""
        try:
            if self._watch is None or self._events is None:
                self.client.begin()
                hub = self.random.choice(self.hubs)
                watching = hub.watch_jobs("default", self.client.wanted, self.client.cursor)
                self._watch = await self._open.enter_async_context(watching)
                self._events = await self._open.enter_async_context(aclosing(self._watch.events()))
            # So that silence is told at once.
            self._watch.beat_due = True
            told = await self._next(self._events)
        except StoreUnavailable:
            await self.leave()
            return True
        self.client.apply(told.message)
        return str(told.message.WhichOneof("event")) != "heartbeat"

    async def _next(self, events: AsyncGenerator[Told[WatchJobsResponse], None]) -> Any:
        """The next message. The store numbers what was committed before long: synced waits."""
        coming = asyncio.ensure_future(anext(events))
        for _ in range(50):
            await asyncio.sleep(0)
            if coming.done():
                break
        else:
            self.store.number()
        return await coming

    async def leave(self) -> None:
        """Disconnects; what was not looked at is lost."""
        await self._open.aclose()
        self._watch = self._events = None

    async def quiet(self) -> None:
        """Once the feed is read, a client has all there is."""
        self._calm = True
        self._failing = False
        self.store.number()
        while await self.look():
            pass
        for hub in self.hubs:
            await self._read(hub)
        while await self.look():
            pass
        self.client.check()
        self._calm = False

    def _add(self) -> None:
        request = job_pb2.JobRequest(model=self.random.choice(MODELS))
        request.labels["team"] = self.random.choice("xy")
        self.store.add(request)

    def _change(self) -> None:
        alive = [k for k, v in self.store.kept.items() if v.job.state not in FINAL]
        if not alive:
            return self._add()
        states = [*OPEN, *OPEN, *OPEN, Job.STATE_COMPLETED]
        self.store.change(self.random.choice(alive), state=self.random.choice(states))
        if self.random.random() < 0.5:
            self.store.number()

    def _race(self) -> None:
        """Something commits, or breaks, while an answer is on its way."""
        if self._failing and not self._calm:
            self._failing = False
            raise StoreUnavailable
        if self.racing and not self._calm and self.random.random() < 0.5:
            self._change()

    async def _read(self, hub: Hub) -> None:
        """Lets the hub read the feeds to their heads."""
        await hub.resync()
        for _ in range(12):
            await asyncio.sleep(0)
