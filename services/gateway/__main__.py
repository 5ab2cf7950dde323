"""How is the gateway put together? Top to bottom, once."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from gateway.adapters.catalogue import CatalogueClient
from gateway.adapters.endpoints import EndpointClient
from gateway.adapters.files import FileClient
from gateway.adapters.models import Models
from gateway.adapters.operating import OperatorClient
from gateway.adapters.store import StoreClient, open_channel
from gateway.adapters.stored_files import StoredFiles
from gateway.adapters.uploads import Uploads
from gateway.adapters.webhooks import CallLedger, Signatures
from gateway.failpoints import GIVEN_NAMES, HEARD_NAMES, NAMES, TOLD_NAMES
from gateway.http import app
from gateway.http import server as http_server
from gateway.http.downloads import Downloads
from gateway.http.endpoints import Endpoints
from gateway.http.jobs import Jobs
from gateway.http.models import ModelPages
from gateway.http.operating import Operating
from gateway.http.reading import Bodies
from gateway.http.uploads import InputFiles
from gateway.http.webhooks import Webhooks
from gateway.rpc import server as rpc_server
from gateway.rpc.checks import Further
from gateway.rpc.generation_service import GenerationService
from gateway.rpc.health_view import HealthView
from gateway.rpc.input_service import InputService
from gateway.rpc.job_view import JobView
from gateway.rpc.model_service import ModelService
from gateway.rpc.operator_service import OperatorService
from gateway.rpc.submitting import Settling
from gateway.rpc.watches import Watches
from gateway.rpc.webhook_endpoint_service import WebhookEndpointService
from gateway.rpc.webhook_service import WebhookService
from gateway.settings import Settings
from gateway.watch.hub import HINT_KEYS, Hub
from jobqueue.events import EventSubscriber
from servicekit import channels, failpoints, lifecycle, logs, objects
from servicekit import settings as environment
from servicekit.health import Health
from servicekit.hosts import HostList
from servicekit.lifecycle import Background, Stop

OnReady = Callable[[int, int], object]


async def main(settings: Settings, stop: Stop, on_ready: OnReady = lambda *_: None) -> None:
    """Serves until *stop*. *on_ready* is given the real gRPC and HTTP ports."""
    async with open_channel(settings.store_address) as channel:
        store = StoreClient(channel)
        catalogue, files = CatalogueClient(channel), FileClient(channel)
        models = Models(catalogue)
        bytes_of = objects.open_store(settings.artifacts)
        stored = StoredFiles(store, files, models, bytes_of)
        uploads = Uploads(
            files, bytes_of, most_bytes=settings.max_upload_bytes, types=settings.taken_types
        )
        settling = Settling(models, files)
        view = JobView(settings.public_url)
        hub = Hub(store, most_watchers=settings.max_watchers)
        events = EventSubscriber(
            settings.amqp_url.get_secret_value(),
            f"{socket.gethostname()}-{os.getpid()}",
            on_event=hub.hear,
            on_resync=hub.resync,
            keys=HINT_KEYS,
        )
        watches = Watches(hub, view)
        parts = HealthView(store, stop.is_set, lambda: events.connected)
        service = GenerationService(
            store, settling, watches, stored, view, parts, settings.default_timeout
        )
        model_service = ModelService(catalogue, models, stored, settings.public_url)
        input_service = InputService(uploads, files, stored)
        operator = OperatorService(OperatorClient(channel), view)
        endpoints = WebhookEndpointService(EndpointClient(channel))
        webhooks = WebhookService(CallLedger(channel), Signatures(settings.webhook_secrets))
        health = Health(rpc_server.SERVICES)
        health.add("store", store.check)
        # Without the broker watches go on by polling, so it is told and not required.
        health.add("broker", events.check, required=False)
        await store.wait(settings.store_wait, stop)
        await health.refresh()
        grace = settings.gateway_drain_seconds
        async with Background(stop, grace=2 * grace + 5) as background:
            background.start("events", events.run(stop))
            background.start("health", health.run(stop))
            further = Further(HostList(settings.webhook_allowed_hosts))
            bodies = Bodies(further, settling.beside)
            built = rpc_server.build(
                service, model_service, input_service, operator, endpoints, webhooks,
                health, further, settling,
            )  # fmt: skip
            rpc = rpc_server.Serving(built, settings.rpc_address)
            background.start("rpc", rpc.run(grace))
            background.start("feeds", hub.run(rpc.closed))
            try:
                if (rpc_port := await rpc.listening(stop)) is None:
                    return
                async with channels.open(settings.loopback(rpc_port)) as loopback:
                    await http_server.serve(
                        app.build(
                            Jobs(loopback, bodies),
                            Downloads(stored, redirects=settings.artifact_redirects),
                            ModelPages(loopback),
                            InputFiles(loopback, uploads),
                            Operating(loopback, bodies),
                            Endpoints(loopback, bodies),
                            Webhooks(loopback),
                        ),
                        settings.gateway_host,
                        settings.gateway_http_port,
                        stop,
                        grace=grace,
                        on_listening=lambda port: on_ready(rpc_port, port),
                    )
            finally:
                # After HTTP, whose open requests still call it.
                rpc.stop()


if __name__ == "__main__":
    read = environment.load(Settings)
    logs.setup("gateway", read.log_level, read.log_format)
    failpoints.arm(NAMES + TOLD_NAMES + HEARD_NAMES + GIVEN_NAMES)
    lifecycle.run(lambda stop: main(read, stop))
