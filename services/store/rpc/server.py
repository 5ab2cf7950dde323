"""How is the store's gRPC server put together?"""

from __future__ import annotations

import grpc

from jobqueue.publisher import Publisher
from mediagen.store.v1 import attempt_ledger_service_pb2_grpc as ledger_grpc
from mediagen.store.v1 import catalogue_service_pb2_grpc as catalogue_grpc
from mediagen.store.v1 import delivery_ledger_service_pb2_grpc as delivery_grpc
from mediagen.store.v1 import file_service_pb2_grpc as file_grpc
from mediagen.store.v1 import job_store_service_pb2_grpc as store_grpc
from mediagen.v1 import operator_service_pb2_grpc as operator_grpc
from mediagen.v1 import webhook_endpoint_service_pb2_grpc as endpoints_grpc
from servicekit import server
from servicekit.health import Health
from servicekit.rpc import StatusInterceptor
from store.adapters.catalogue import Catalogue
from store.adapters.catalogue_records import CatalogueRecords
from store.adapters.catalogue_writes import CatalogueWrites
from store.adapters.deliveries import Deliveries
from store.adapters.delivery_log import DeliveryLog
from store.adapters.doomed import DoomedObjects
from store.adapters.endpoints import WebhookEndpoints
from store.adapters.feed import Feed
from store.adapters.forecasts import Forecasts
from store.adapters.jobs import Jobs
from store.adapters.metrics import PostCounter
from store.adapters.overview import OverviewReader
from store.adapters.recent_runs import RecentRuns
from store.adapters.reconciler_lease import ReconcilerLease
from store.adapters.statistics import Statistics
from store.adapters.submissions import Submissions
from store.adapters.uploads import InputFiles, Uploads
from store.adapters.wakeups import Wakeups
from store.adapters.webhook_secrets import WebhookSecrets
from store.adapters.workers import Workers
from store.domain.rules import Keeping, Rules
from store.rpc.attempt_ledger import AttemptLedger
from store.rpc.catalogue import CatalogueService
from store.rpc.delivery_ledger import DeliveryLedger
from store.rpc.files import FileService
from store.rpc.job_store import JobStore
from store.rpc.operator import Operator
from store.rpc.statuses import DOMAIN, STATUSES
from store.rpc.webhook_endpoints import WebhookEndpointsService

SERVICES = (
    "mediagen.store.v1.JobStoreService",
    "mediagen.store.v1.AttemptLedgerService",
    "mediagen.v1.OperatorService",
    "mediagen.v1.WebhookEndpointService",
    "mediagen.store.v1.DeliveryLedgerService",
    "mediagen.store.v1.CatalogueService",
    "mediagen.store.v1.FileService",
)
MAX_MESSAGE_BYTES = 64 << 20  # a provider's output may hold its files as data URLs


def build(
    jobs: Jobs, wakeups: Wakeups, feed: Feed, overview: OverviewReader, publisher: Publisher,
    rules: Rules, keeping: Keeping, health: Health, public_url: str, posts: PostCounter,
) -> grpc.aio.Server:  # fmt: skip
    """SERVICES, for gateways, generators and notifiers, and grpc.health.v1."""
    built = server.build([StatusInterceptor(DOMAIN, STATUSES)], max_message_bytes=MAX_MESSAGE_BYTES)
    health.register(built)
    database = jobs.database
    runs = RecentRuns()
    forecasts = Forecasts(database, rules.creates_per_minute, runs)
    store = JobStore(database, jobs, Submissions(database, wakeups), feed, publisher, forecasts)
    store_grpc.add_JobStoreServiceServicer_to_server(store, built)
    workers = Workers(database, rules.lease)
    ledger = AttemptLedger(jobs, workers, ReconcilerLease(database), rules, publisher)
    ledger_grpc.add_AttemptLedgerServiceServicer_to_server(ledger, built)
    writes = CatalogueWrites(database, keeping.allowed)
    catalogue = CatalogueService(
        Catalogue(database, keeping.allowed, runs),
        writes,
        CatalogueRecords(database, keeping.refresh),
    )
    catalogue_grpc.add_CatalogueServiceServicer_to_server(catalogue, built)
    uploads = Uploads(database, keeping.uploads, keeping.most_uploads, keeping.most_upload_bytes)
    files = FileService(uploads, InputFiles(database), DoomedObjects(database))
    file_grpc.add_FileServiceServicer_to_server(files, built)
    operator = Operator(jobs, wakeups, overview, writes, Statistics(database))
    operator_grpc.add_OperatorServiceServicer_to_server(operator, built)
    endpoints = WebhookEndpointsService(
        WebhookEndpoints(database, wakeups),
        DeliveryLog(database, wakeups),
        WebhookSecrets(database),
    )
    endpoints_grpc.add_WebhookEndpointServiceServicer_to_server(endpoints, built)
    told = DeliveryLedger(Deliveries(database, wakeups, public_url), posts)
    delivery_grpc.add_DeliveryLedgerServiceServicer_to_server(told, built)
    return built
