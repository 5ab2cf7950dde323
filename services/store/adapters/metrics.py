"""What does the store show to Prometheus? What the database says, looked up at most once a second.

Every store says the same of the jobs: they share one database. Where it does not answer, only
mediagen_database_up is shown, and is 0. What was posted to webhooks is each store's own.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Iterable, Iterator, Mapping

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from store.adapters.database import Unavailable
from store.adapters.overview import Overview, OverviewReader
from store.domain.deliveries import Outcome
from store.domain.models import ReadState
from store.domain.states import LetterState

log = structlog.get_logger()

FRESH = 1.0  #: seconds for which a look is shown again
PATIENCE = 2.0  #: seconds after which the database counts as away


class Latest:
    """The last look at the database. Those who ask at once share one."""

    def __init__(self, reader: OverviewReader) -> None:
        self._reader = reader
        self._alone = asyncio.Lock()
        self._looked = -FRESH
        self._found: Overview | None = None

    async def get(self) -> Overview | None:
        """What is going on; None if the database does not answer."""
        async with self._alone:
            if time.monotonic() - self._looked >= FRESH:
                self._found = await self._look()
                self._looked = time.monotonic()
            return self._found

    async def _look(self) -> Overview | None:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._reader.read()
        except (Unavailable, TimeoutError):
            return None


class JobCollector(Collector):
    """Collects from the threads of the metrics server; the look itself is *loop*'s."""

    def __init__(self, latest: Latest, loop: asyncio.AbstractEventLoop) -> None:
        self._latest = latest
        self._loop = loop

    def collect(self) -> Iterable[Metric]:
        """The figures, or that there are none."""
        found = self._ask()
        up = GaugeMetricFamily("mediagen_database_up", "Whether the job database answers.")
        up.add_metric([], float(found is not None))
        yield up
        if found is not None:
            yield from figures(found)

    def _ask(self) -> Overview | None:
        asked = asyncio.run_coroutine_threadsafe(self._latest.get(), self._loop)
        try:
            # Twice: those who ask at once wait for one look, and then for its lock.
            return asked.result(2 * PATIENCE)
        except (TimeoutError, concurrent.futures.CancelledError):
            asked.cancel()
            return None
        except Exception:
            log.exception("metrics.failed")
            return None


class PostCounter(Collector):
    """Posts of webhook deliveries, by what came of them: what this store was told of."""

    def __init__(self) -> None:
        self._posts = dict.fromkeys(Outcome, 0)

    def count(self, outcome: Outcome) -> None:
        """One more."""
        self._posts[outcome] += 1

    def collect(self) -> Iterator[Metric]:
        """All of them, those that there were none of too."""
        family = CounterMetricFamily(
            "mediagen_webhook_posts",
            "Posts of webhook deliveries that this store was told of, by what came of them.",
            labels=["outcome"],
        )
        for outcome, count in self._posts.items():
            family.add_metric([outcome.lower()], count)
        yield family


def registry(reader: OverviewReader, posts: PostCounter) -> CollectorRegistry:
    """All that this process shows."""
    made = CollectorRegistry()
    made.register(posts)
    made.register(JobCollector(Latest(reader), asyncio.get_running_loop()))
    ProcessCollector(registry=made)
    return made


def figures(found: Overview) -> Iterator[Metric]:
    """The figures of *found*. Labels are few: states, and accounts of the provider by name."""
    counts = found.counts
    yield _by(
        "mediagen_jobs", "Jobs that are not final, by what they wait for.", "state",
        {"waiting": counts.waiting, "running": counts.running,
         "reconciling": counts.reconciling, "parked": counts.parked},
    )  # fmt: skip
    letters = {state.lower(): found.letters.get(state, 0) for state in LetterState}
    yield _by("mediagen_dead_letters", "Dead letters, by what became of them.", "state", letters)
    waited = 0.0
    if counts.oldest_waiting is not None:
        waited = max(0.0, (counts.now - counts.oldest_waiting).total_seconds())
    yield _one(
        "mediagen_oldest_waiting_seconds",
        "How long the job that has waited longest without a retry has waited. 0 if none does.",
        waited,
    )
    yield _one("mediagen_workers", "Workers heard of lately.", counts.workers)
    yield _one("mediagen_worker_slots", "Jobs that they can hold.", counts.slots)
    yield _one(
        "mediagen_provider_creates_per_minute_limit",
        "Creates a minute at most while the provider refuses none. 0: no limit.",
        found.rate_limit,
    )
    yield _by(
        "mediagen_webhook_deliveries", "Webhook deliveries that have not ended, by what they wait "
        "for: their time, or their endpoint.", "state",
        {"pending": found.webhooks.pending, "held": found.webhooks.held},
    )  # fmt: skip
    yield _one(
        "mediagen_webhook_endpoints_paused",
        "Webhook endpoints that are paused, by their owner or since they failed.",
        found.webhooks.paused,
    )
    models = {state.lower(): found.kept.models.get(state, 0) for state in ReadState}
    yield _by("mediagen_models", "Models of the catalogue, by what is known.", "state", models)
    yield _one(
        "mediagen_objects_to_delete",
        "Objects in storage that nobody needs and no worker has deleted yet.",
        found.kept.doomed,
    )
    yield from _providers(found)


def _providers(found: Overview) -> Iterator[Metric]:
    accounts = {each.account: each for each in found.providers}
    yield _by(
        "mediagen_provider_open", "1 unless the provider refuses every call of the account.",
        "account", {name: each.shut_until is None for name, each in accounts.items()},
    )  # fmt: skip
    yield _by(
        "mediagen_provider_creates_per_minute",
        "Creates a minute at most now. 0: no limit.",
        "account",
        {name: each.rate for name, each in accounts.items()},
    )
    throttled = CounterMetricFamily(
        "mediagen_provider_throttled",
        "How often the provider said that there were too many creates (429).",
        labels=["account"],
    )
    for name, each in accounts.items():
        throttled.add_metric([name], each.throttled_count)
    yield throttled


def _one(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _by(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family
