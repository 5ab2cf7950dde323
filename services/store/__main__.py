"""The store's process: settings, schema, servicers, loops; then drain and close."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from jobqueue.publisher import Publisher
from mediagen.store.v1 import attempt_ledger_service_pb2_grpc as ledger_grpc
from mediagen.store.v1 import job_store_service_pb2_grpc as store_grpc
from servicekit import lifecycle, logs, server
from servicekit.connect import retrying
from servicekit.health import Health
from servicekit.lifecycle import Background, Stop
from servicekit.rpc import StatusInterceptor
from servicekit.settings import load
from store.adapters.database import Database, Unavailable
from store.adapters.feed import Feed
from store.adapters.jobs import Jobs
from store.adapters.migrate import upgrade
from store.adapters.reconciler_lease import ReconcilerLease
from store.adapters.submissions import Submissions
from store.adapters.wakeups import Wakeups
from store.adapters.workers import Workers
from store.loops.admitter import Admitter
from store.loops.numberer import Numberer
from store.loops.relay import Relay
from store.loops.sweeper import Sweeper
from store.rpc.attempt_ledger import AttemptLedger
from store.rpc.job_store import JobStore
from store.rpc.statuses import DOMAIN, STATUSES
from store.settings import Settings

SERVICES = ["mediagen.store.v1.JobStoreService", "mediagen.store.v1.AttemptLedgerService"]
MAX_MESSAGE_BYTES = 64 << 20  # a provider's output may hold its files as data URLs
AWAY = (OSError, DBAPIError, Unavailable)


async def main(settings: Settings, stop: Stop) -> None:
    """Serves until *stop*."""
    url = settings.database_url.get_secret_value()
    wait = settings.connect_timeout
    await retrying("Postgres", lambda: upgrade(url), give_up_after=wait, stop=stop, retry_on=AWAY)
    database, wakeups, rules = Database(url, settings.pool()), Wakeups(), settings.rules()
    await retrying("Postgres", database.read_clock, give_up_after=wait, stop=stop, retry_on=AWAY)
    jobs, feed = Jobs(database, wakeups), Feed(database)
    publisher = Publisher(settings.amqp_url.get_secret_value(), name="store")
    health = Health(SERVICES)
    health.add("database", database.read_clock)
    health.add("broker", publisher.check, required=False)
    grpc_server = server.build(
        [StatusInterceptor(DOMAIN, STATUSES)], max_message_bytes=MAX_MESSAGE_BYTES
    )
    health.register(grpc_server)
    submissions = Submissions(database, wakeups)
    store = JobStore(database, jobs, submissions, feed, publisher)
    store_grpc.add_JobStoreServiceServicer_to_server(store, grpc_server)
    workers = Workers(database, rules.lease)
    ledger = AttemptLedger(jobs, workers, ReconcilerLease(database), rules)
    ledger_grpc.add_AttemptLedgerServiceServicer_to_server(ledger, grpc_server)
    quiet = Stop()  # set when loops and calls, which publish to the last, have ended
    async with Background(stop, end=quiet) as last, Background(stop) as background:
        last.start("publisher", publisher.run(quiet))
        background.start("health", health.run(stop))
        background.start("admitter", Admitter(database, wakeups).run(stop))
        background.start("relay", Relay(database, publisher, wakeups).run(stop))
        background.start("numberer", Numberer(feed, publisher, wakeups).run(stop))
        background.start("sweeper", Sweeper(database, jobs, settings.settle()).run(stop))
        address = f"{settings.store_host}:{settings.store_port}"
        await server.serve(
            grpc_server, address, stop, grace=settings.drain_seconds, on_drain=health.drain
        )
    await database.close()


if __name__ == "__main__":
    read = load(Settings)
    logs.setup("store", read.log_level, read.log_format)
    lifecycle.run(lambda stop: main(read, stop))
