"""Do watches cost the store the same, however many there are?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.domain.errors import StoreUnavailable
from gateway.watch.cursor import Cursor
from gateway.watch.feed import Feed
from gateway.watch.filters import JobFilter
from gateway.watch.flights import Flights
from gateway.watch.hub import Hub
from gateway.watch.requests import Requests
from mediagen.store.v1 import job_store_service_pb2 as store_pb2
from mediagen.v1 import job_pb2
from tests.fakes.store import FakeStore
from tests.fakes.store_source import StoreSource

Job = job_pb2.Job
MANY = 300


def asked(store: FakeStore) -> dict[str, int]:
    """How often each method was called."""
    names = [type(each).__name__.removesuffix("Request") for each in store.seen]
    return {name: names.count(name) for name in sorted(set(names))}


async def test_an_answer_is_shared_and_never_older_than_who_gets_it() -> None:
    """Those who come while a read is under way wait for the next one, all for the same."""
    flights, reads, gate = Flights(), 0, asyncio.Event()

    async def read() -> int:
        nonlocal reads
        reads += 1
        number = reads
        await gate.wait()
        return number

    first = asyncio.create_task(flights.ask("key", read))
    await asyncio.sleep(0.01)
    later = [asyncio.create_task(flights.ask("key", read)) for _ in range(MANY)]
    await asyncio.sleep(0.01)
    gate.set()
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * MANY


async def test_reads_are_few_at_once_and_wait_only_so_long() -> None:
    """A storm of starts does not pile up on the store, and nobody waits for ever."""
    flights, under_way, most = Flights(at_once=3), 0, 0

    async def read() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1

    await asyncio.gather(*(flights.ask(number, read) for number in range(20)))
    assert most == 3
    flights = Flights(at_once=3, longest_wait=0.01)
    stuck = [asyncio.create_task(flights.ask(n, asyncio.Event().wait)) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await flights.ask("late", read)
    for each in stuck:
        each.cancel()


async def test_one_who_leaves_does_not_take_the_answer_from_the_others() -> None:
    flights, gate = Flights(), asyncio.Event()
    waiting = [asyncio.create_task(flights.ask("key", gate.wait)) for _ in range(2)]
    await asyncio.sleep(0.01)
    waiting[0].cancel()
    gate.set()
    assert await waiting[1] is True


async def test_a_failed_read_fails_those_who_shared_it_and_nobody_after() -> None:
    flights, fails = Flights(), True

    async def read() -> str:
        if fails:
            raise StoreUnavailable
        return "fine"

    found = await asyncio.gather(
        *(flights.ask("key", read) for _ in range(3)), return_exceptions=True
    )
    assert {type(each) for each in found} == {StoreUnavailable}
    fails = False
    assert await flights.ask("key", read) == "fine"


class Storm:
    """Many watchers that come at the same time."""

    def __init__(self, hub: Hub, opening: Any) -> None:
        self._hub = hub
        self._opening = opening
        self._watches: list[Any] = []
        self.told: list[list[Any]] = []

    async def take(self, messages: int) -> None:
        """Opens them and takes so many messages of each."""

        async def one() -> list[Any]:
            async with self._opening() as watch:
                events = watch.events()
                return [(await anext(events)).message for _ in range(messages)]

        async with asyncio.timeout(20):
            self.told = await asyncio.gather(*(one() for _ in range(MANY)))


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


async def test_a_storm_of_starts_reads_the_jobs_a_few_times(store: FakeStore) -> None:
    """However many watch the same jobs, they begin with the same pages."""
    for _ in range(5):
        store.add()
    hub = Hub(StoreSource(store), read_every=60)
    storm = Storm(hub, lambda: hub.watch_jobs("default", JobFilter(), None))
    await storm.take(6)
    assert {len(told) for told in storm.told} == {6}
    assert {told[-1].WhichOneof("event") for told in storm.told} == {"synced"}
    assert asked(store)["ListJobs"] <= 3 and asked(store)["ReadFeed"] <= 8


async def test_a_storm_of_resumes_reads_the_feed_a_few_times(store: FakeStore) -> None:
    """As after a gateway's restart: nothing is kept there yet, and each has a cursor of its own."""
    job = store.add()
    for _ in range(200):
        store.change(job.job_id)
    hub = Hub(StoreSource(store), read_every=60)
    cursors = iter(range(MANY))

    def opening() -> Any:
        return hub.watch_jobs("default", JobFilter(), Cursor(1, 150 + next(cursors) % 50, 0))

    storm = Storm(hub, opening)
    await storm.take(1)
    assert {told[0].update.revision for told in storm.told} == set(range(151, 201))
    assert asked(store)["ReadFeed"] <= 4


async def test_a_resume_from_what_is_kept_costs_the_store_nothing(store: FakeStore) -> None:
    """Behind a gateway that others have watched at meanwhile."""
    job = store.add()
    hub = Hub(StoreSource(store), read_every=60)
    async with hub.watch_jobs("default", JobFilter(), None):
        for number in range(2, 40):
            store.change(job.job_id)
            await hub.hear(store.batch(number))
        before = len(store.seen)
        storm = Storm(hub, lambda: hub.watch_jobs("default", JobFilter(), Cursor(1, 5, 0)))
        await storm.take(34)
        assert len(store.seen) == before
    assert {told[-1].update.revision for told in storm.told} == {39}


async def test_what_is_kept_of_a_feed_is_bounded_in_number_and_bytes(store: FakeStore) -> None:
    """The newest is always kept, however large."""
    for most in ({"kept_events": 10}, {"kept_bytes": 2000}):
        feed = Feed("default", **most)
        feed.begin(store_pb2.ReadFeedResponse(head=store.head), 0)
        for _ in range(50):
            store.add(log_tail="x" * 400)
            assert feed.hear(store.feed[-1])
        kept = feed.sequence - feed.kept_from
        assert 1 <= kept <= 10
        assert feed.at(feed.sequence).event == store.feed[-1]
        store.add(log_tail="x" * 5000)
        assert feed.hear(store.feed[-1])
        assert feed.at(feed.sequence).event == store.feed[-1]


async def test_requests_are_read_once_in_batches_and_kept_within_bounds(store: FakeStore) -> None:
    """However many ask for however many."""
    jobs = [store.add(job_pb2.JobRequest(prompt="p" * 1000)) for _ in range(30)]
    requests = Requests(StoreSource(store), Flights(), kept_bytes=12_000)
    wanted = [job.job_id for job in jobs] * 20
    found = await asyncio.gather(*(requests.of("default", job_id) for job_id in wanted))
    assert all(each is not None and each.prompt.endswith("p" * 1000) for each in found)
    assert asked(store)["ReadRequests"] <= 3
    await requests.of("default", jobs[0].job_id)
    read = asked(store)["ReadRequests"]
    await requests.of("default", jobs[0].job_id)
    assert asked(store)["ReadRequests"] == read, "it was kept"
    for job in jobs[1:]:
        await requests.of("default", job.job_id)
    read = asked(store)["ReadRequests"]
    await requests.of("default", jobs[0].job_id)
    assert asked(store)["ReadRequests"] == read + 1, "it had to go"
    assert await requests.of("default", "nobody's") is None


async def test_a_job_that_comes_into_a_watch_is_read_once_for_all(store: FakeStore) -> None:
    """Its request is not part of the event."""
    job = store.add()
    hub = Hub(StoreSource(store), read_every=60)
    running = JobFilter(states=frozenset({Job.STATE_RUNNING}))
    storm = Storm(hub, lambda: hub.watch_jobs("default", running, Cursor(1, 1, 0)))
    taking = asyncio.create_task(storm.take(1))
    await asyncio.sleep(0.05)
    store.change(job.job_id, state=Job.STATE_RUNNING)
    await hub.hear(store.batch(2))
    await taking
    assert {told[0].update.request.prompt for told in storm.told} == {"p"}
    assert asked(store)["ReadRequests"] == 1
