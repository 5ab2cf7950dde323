"""How is the store's gRPC server put together?"""

from __future__ import annotations

import grpc

from jobqueue.publisher import Publisher
from mediagen.store.v1 import attempt_ledger_service_pb2_grpc as ledger_grpc
from mediagen.store.v1 import job_store_service_pb2_grpc as store_grpc
from mediagen.v1 import operator_service_pb2_grpc as operator_grpc
from servicekit import server
from servicekit.health import Health
from servicekit.rpc import StatusInterceptor
from store.adapters.feed import Feed
from store.adapters.jobs import Jobs
from store.adapters.overview import OverviewReader
from store.adapters.reconciler_lease import ReconcilerLease
from store.adapters.submissions import Submissions
from store.adapters.wakeups import Wakeups
from store.adapters.workers import Workers
from store.domain.rules import Rules
from store.rpc.attempt_ledger import AttemptLedger
from store.rpc.job_store import JobStore
from store.rpc.operator import Operator
from store.rpc.statuses import DOMAIN, STATUSES

SERVICES = (
    "mediagen.store.v1.JobStoreService",
    "mediagen.store.v1.AttemptLedgerService",
    "mediagen.v1.OperatorService",
)
MAX_MESSAGE_BYTES = 64 << 20  # a provider's output may hold its files as data URLs


def build(
    jobs: Jobs, wakeups: Wakeups, feed: Feed, overview: OverviewReader, publisher: Publisher,
    rules: Rules, health: Health,
) -> grpc.aio.Server:  # fmt: skip
    """SERVICES, for gateways and generators, and grpc.health.v1."""
    built = server.build([StatusInterceptor(DOMAIN, STATUSES)], max_message_bytes=MAX_MESSAGE_BYTES)
    health.register(built)
    database = jobs.database
    store = JobStore(database, jobs, Submissions(database, wakeups), feed, publisher)
    store_grpc.add_JobStoreServiceServicer_to_server(store, built)
    workers = Workers(database, rules.lease)
    ledger = AttemptLedger(jobs, workers, ReconcilerLease(database), rules)
    ledger_grpc.add_AttemptLedgerServiceServicer_to_server(ledger, built)
    operator = Operator(jobs, wakeups, overview)
    operator_grpc.add_OperatorServiceServicer_to_server(operator, built)
    return built
