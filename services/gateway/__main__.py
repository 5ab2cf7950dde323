"""How is the gateway put together? Top to bottom, once."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from gateway.adapters.artifacts import Artifacts
from gateway.adapters.endpoints import EndpointClient
from gateway.adapters.operating import OperatorClient
from gateway.adapters.store import StoreClient, open_channel
from gateway.adapters.webhooks import CallLedger, Signatures
from gateway.failpoints import HEARD_NAMES, NAMES, TOLD_NAMES
from gateway.http import app
from gateway.http import server as http_server
from gateway.http.artifacts import Downloads
from gateway.http.endpoints import Endpoints
from gateway.http.jobs import Jobs
from gateway.http.operating import Operating
from gateway.http.reading import Bodies
from gateway.http.webhooks import Webhooks
from gateway.rpc import server as rpc_server
from gateway.rpc.checks import Further
from gateway.rpc.generation_service import GenerationService
from gateway.rpc.health_view import HealthView
from gateway.rpc.job_view import JobView
from gateway.rpc.operator_service import OperatorService
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
        artifacts = Artifacts(store, objects.open_store(settings.artifacts))
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
            store, watches, artifacts, view, parts, settings.default_timeout
        )
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
            bodies = Bodies(further)
            built = rpc_server.build(service, operator, endpoints, webhooks, health, further)
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
                            Downloads(artifacts),
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
    failpoints.arm(NAMES + TOLD_NAMES + HEARD_NAMES)
    lifecycle.run(lambda stop: main(read, stop))
