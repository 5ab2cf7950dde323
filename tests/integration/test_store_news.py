"""What a webhook of the provider tells comes to the worker that holds the job, at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from jobqueue.publisher import Publisher, PublishFailed
from mediagen.generator.v1.messages_pb2 import PredictionNews, WorkerHint
from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from store.adapters import tables as t
from store.domain.errors import PermitUnknown

from .store_bench import NO_CONTEXT, Bench, store_bench


class Heard(Publisher):
    """Keeps what workers are told; fails where it is *away*."""

    def __init__(self) -> None:
        super().__init__("amqp://guest:guest@127.0.0.1:1/")
        self.hints: list[tuple[str, WorkerHint]] = []
        self.away = False

    async def publish_event(self, routing_key: str, body: bytes, *, content_type: str = "") -> None:
        if self.away:
            raise PublishFailed("disconnected", routing_key)
        self.hints.append((routing_key, WorkerHint.FromString(body)))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def bench(database_url: str, heard: Heard) -> AsyncIterator[Bench]:
    async with store_bench(database_url, publisher=heard) as made:
        yield made


async def webhook(bench: Bench, job_id: str, status: str, prediction_id: str = "") -> bool:
    """The provider tells it. True if it came too late."""
    name = prediction_id or f"p-{job_id}"
    request = lb.RecordPredictionRequest(
        submit_token=bench.tokens[job_id], prediction_id=name, by_webhook=True,
        news=PredictionNews(prediction_id=name, status=status, log_length=7, log_end="step 1\n"),
    )  # fmt: skip
    return (await bench.ledger.RecordPrediction(request, NO_CONTEXT)).orphan


async def versions(bench: Bench) -> list[tuple[str, str, str]]:
    """Every row of jobs and attempts, by the transaction that wrote or locked it last."""
    found = []
    async with bench.database.single() as connection:
        for table in (t.jobs, t.attempts):
            query = sa.text(f"SELECT ctid::text, xmin::text, xmax::text FROM {table.name}")
            found += [tuple(row) for row in await connection.execute(query)]
    return sorted(found)


async def test_the_worker_that_holds_the_job_is_told(bench: Bench, heard: Heard) -> None:
    """On the road that a cancel takes, also of the end: it looks for itself then."""
    job_id, _ = await bench.submitted()
    for status in ("starting", "processing", "succeeded"):
        assert not await webhook(bench, job_id, status)
    assert [key for key, _ in heard.hints] == ["worker.worker-1"] * 3
    assert [hint.news.status for _, hint in heard.hints] == ["starting", "processing", "succeeded"]
    for _, hint in heard.hints:
        assert (hint.job_id, hint.cancel_requested) == (job_id, False)
        assert (hint.news.log_length, hint.news.log_end) == (7, "step 1\n")


async def test_news_of_a_known_prediction_writes_and_locks_nothing(bench: Bench) -> None:
    """Most webhooks are such, so each costs the database one read."""
    job_id, _ = await bench.submitted()
    before = await versions(bench)
    for _ in range(3):
        await webhook(bench, job_id, "processing")
    assert await versions(bench) == before


async def test_a_webhook_that_is_first_records_the_id_and_tells_it(
    bench: Bench, heard: Heard
) -> None:
    """The worker may still wait for the answer to its call."""
    job = await bench.submit()
    epoch = (await bench.claim(job.job_id)).lease_epoch
    await bench.begin(job.job_id, epoch)
    assert not await webhook(bench, job.job_id, "starting")
    assert [attempt.prediction_id for attempt in (await bench.job(job.job_id)).attempts] == [
        f"p-{job.job_id}"
    ]
    [(key, hint)] = heard.hints
    assert (key, hint.news.prediction_id) == ("worker.worker-1", f"p-{job.job_id}")


async def test_nobody_is_told_of_what_nobody_waits_for(bench: Bench, heard: Heard) -> None:
    """No worker holds the job, or its call has ended, or was never the job's."""
    job_id, _ = await bench.submitted()
    await bench.pass_time(job_id, 60)
    await bench.sweeper.turn()
    assert not await webhook(bench, job_id, "processing")
    await bench.claim(job_id, worker="worker-2")
    await bench.succeeded(job_id)
    assert not await webhook(bench, job_id, "succeeded")
    assert await webhook(bench, job_id, "starting", "p-a-second-one"), "an orphan"
    assert await webhook(bench, job_id, "processing", "p-a-second-one")
    assert heard.hints == []


async def test_a_hint_that_is_lost_is_only_a_delay(bench: Bench, heard: Heard) -> None:
    """The webhook is answered all the same; the worker polls."""
    heard.away = True
    job_id, _ = await bench.submitted()
    assert not await webhook(bench, job_id, "succeeded")


async def test_a_token_that_nobody_was_given_is_told_so(bench: Bench, heard: Heard) -> None:
    """And wakes nobody."""
    job_id, _ = await bench.submitted()
    bench.tokens[job_id] = "another"
    with pytest.raises(PermitUnknown):
        await webhook(bench, job_id, "succeeded")
    assert heard.hints == []
