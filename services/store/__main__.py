"""The store's process: settings, schema, servicers, loops; then drain and close."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from jobqueue.publisher import Publisher
from servicekit import failpoints, lifecycle, logs, metrics, server
from servicekit.connect import retrying
from servicekit.health import Health
from servicekit.lifecycle import Background, Stop
from servicekit.settings import load
from store.adapters.catalogue_writes import CatalogueWrites
from store.adapters.database import Database, Unavailable
from store.adapters.feed import Feed
from store.adapters.jobs import Jobs
from store.adapters.metrics import PostCounter, registry
from store.adapters.migrate import upgrade
from store.adapters.overview import OverviewReader
from store.adapters.wakeups import Wakeups
from store.failpoints import NAMES
from store.loops.admitter import Admitter
from store.loops.numberer import Numberer
from store.loops.relay import Relay
from store.loops.retention import Retention
from store.loops.sweeper import Sweeper
from store.loops.webhook_relay import WebhookRelay
from store.loops.webhook_sweeper import WebhookSweeper
from store.rpc.server import SERVICES, build
from store.settings import Settings

AWAY = (OSError, DBAPIError, Unavailable)


async def main(settings: Settings, stop: Stop) -> None:
    """Serves until *stop*."""
    url = settings.database_url.get_secret_value()
    wait = settings.connect_timeout
    await retrying("Postgres", lambda: upgrade(url), give_up_after=wait, stop=stop, retry_on=AWAY)
    database, wakeups, rules = Database(url, settings.pool()), Wakeups(), settings.rules()
    await retrying("Postgres", database.read_clock, give_up_after=wait, stop=stop, retry_on=AWAY)
    keeping = settings.keeping()
    await retrying(
        "Postgres", CatalogueWrites(database, keeping.allowed).begin,
        give_up_after=wait, stop=stop, retry_on=AWAY,
    )  # fmt: skip
    jobs, feed = Jobs(database, wakeups), Feed(database, wakeups)
    publisher = Publisher(settings.amqp_url.get_secret_value(), name="store")
    health = Health(SERVICES)
    health.add("database", database.read_clock)
    health.add("broker", publisher.check, required=False)
    overview, posts = OverviewReader(database, rules.creates_per_minute), PostCounter()
    grpc_server = build(
        jobs, wakeups, feed, overview, publisher, rules, keeping, health, settings.public_url, posts
    )
    quiet = Stop()  # set when loops and calls, which publish to the last, have ended
    async with Background(stop, end=quiet) as last, Background(stop) as background:
        last.start("publisher", publisher.run(quiet))
        background.start("health", health.run(stop))
        background.start("admitter", Admitter(database, wakeups).run(stop))
        background.start("relay", Relay(database, publisher, wakeups).run(stop))
        webhooks = WebhookRelay(database, publisher, wakeups)
        background.start("webhook relay", webhooks.run(stop))
        background.start("webhook sweeper", WebhookSweeper(database).run(stop))
        background.start("numberer", Numberer(feed, publisher, wakeups).run(stop))
        sweeper = Sweeper(database, jobs, settings.settle(), rules.lease)
        background.start("sweeper", sweeper.run(stop))
        retention = Retention(database, jobs, keeping.artifacts)
        background.start("retention", retention.run(stop))
        if settings.metrics_port is not None:
            shown = metrics.serve(
                registry(overview, posts), settings.metrics_host, settings.metrics_port, stop
            )
            background.start("metrics", shown)
        address = f"{settings.store_host}:{settings.store_port}"
        await server.serve(
            grpc_server, address, stop, grace=settings.drain_seconds, on_drain=health.drain
        )
    await database.close()


if __name__ == "__main__":
    read = load(Settings)
    logs.setup("store", read.log_level, read.log_format)
    failpoints.arm(NAMES)
    lifecycle.run(lambda stop: main(read, stop))
