"""Do changes reach a watcher through RabbitMQ, and does a watch outlive the broker?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from devstack.testing import Broker
from gateway.watch.cursor import Cursor
from gateway.watch.filters import JobFilter
from gateway.watch.hub import HINT_KEYS, Hub
from gateway.watch.told import Told
from jobqueue.events import EventSubscriber
from servicekit.lifecycle import Background, Stop
from tests.fakes.store import FakeStore
from tests.fakes.store_source import StoreSource

from .publishing import publishing


async def _next(*streams: AsyncIterator[Told[Any]]) -> int:
    """The revision that each of the streams tells next."""
    revisions = set()
    async with asyncio.timeout(20):
        for events in streams:
            while not (told := (await anext(events)).message).HasField("update"):
                pass
            revisions.add(told.update.revision)
    [revision] = revisions
    return int(revision)


async def test_a_hint_is_faster_than_the_poll_and_a_lost_broker_costs_no_revision(
    broker: Broker, amqp_url: str
) -> None:
    """Every revision comes, in order, to watchers of one job and of all: by hints, by the poll
    alone, and by hints again."""
    store, stop = FakeStore(), Stop()
    hub = Hub(StoreSource(store), read_every=2.0)
    subscriber = EventSubscriber(
        amqp_url, "test", on_event=hub.hear, on_resync=hub.resync, keys=HINT_KEYS
    )
    job = store.add()
    async with publishing(amqp_url) as publisher, Background(stop) as background:
        background.start("feeds", hub.run(stop))
        background.start("events", subscriber.run(stop))

        async def hinted() -> float:
            """Seconds from a change to its update, with a hint of it."""
            changed = store.change(job.job_id)
            begin = time.perf_counter()
            await publisher.publish_event("tenant.default", store.batch(len(store.feed)))
            assert await _next(events, jobs_events) == changed.revision
            return time.perf_counter() - begin

        while not (subscriber.connected and publisher.connected):
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        async with (
            hub.watch_job("default", job.job_id, 1) as watch,
            hub.watch_jobs("default", JobFilter(), Cursor(1, 1, 0)) as jobs,
        ):
            events, jobs_events = watch.events(), jobs.events()
            assert min([await hinted() for _ in range(3)]) < 0.5
            await asyncio.to_thread(broker.supervised.kill, "rabbitmq")
            store.change(job.job_id)
            store.change(job.job_id)
            assert [await _next(events, jobs_events) for _ in range(2)] == [5, 6]
            await asyncio.to_thread(broker.supervised.wait_ready, "rabbitmq")
            async with asyncio.timeout(60):
                while not (subscriber.connected and publisher.connected):
                    await asyncio.sleep(0.1)
            await asyncio.sleep(0.3)
            assert min([await hinted() for _ in range(3)]) < 0.5
        stop.set()
