"""How is a generator put together? Settings, then parts, then loops; SIGTERM drains and closes.

Drain: no new deliveries, heartbeats say 0 slots; a permit that was given is used and recorded;
everything else is handed back with its call left running, for another worker to go on with.
"""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack

from generator.adapters.create import CreateClient
from generator.adapters.delivery import Delivery
from generator.adapters.delivery_hosts import DeliveryHosts
from generator.adapters.input_files import InputFiles
from generator.adapters.ledger import Chores, Ledger
from generator.adapters.provider import Provider
from generator.domain.polling import Hearing
from generator.failpoints import NAMES
from generator.media.decoders import Decoders
from generator.media.spool import Spool
from generator.settings import Settings
from generator.worker.account import account_of
from generator.worker.leases import Leases
from generator.worker.loops import GRACE, start_loops
from generator.worker.parts import Parts, Patience
from servicekit import channels, failpoints, lifecycle, logs, server, settings
from servicekit.health import Health
from servicekit.lifecycle import Background, Stop
from servicekit.objects import open_store

MAX_MESSAGE_BYTES = 64 << 20  # an output may hold its files as data URLs


async def main(config: Settings, stop: Stop) -> None:
    worker_id, amqp = f"gen-{secrets.token_hex(8)}", config.amqp_url.get_secret_value()
    url, token = config.replicate_base_url, config.replicate_api_token.get_secret_value()
    hosts = DeliveryHosts(config.replicate_delivery_hosts)
    limit = config.max_artifact_bytes
    health, health_server = Health(["mediagen.generator"]), server.build()
    health.register(health_server)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        channel = channels.open(config.store_address, max_message_bytes=MAX_MESSAGE_BYTES)
        store = await enter(channel)
        ledger = Ledger(store)
        provider = await enter(Provider(url, token))
        webhook_url = config.replicate_webhook_url
        timeout = config.create_timeout
        creates = await enter(CreateClient(url, token, timeout=timeout, webhook_url=webhook_url))
        delivery = await enter(Delivery(hosts, max_bytes=limit))
        input_files = await enter(InputFiles(url, token))
        spool = stack.enter_context(Spool(config.media_spool_bytes))
        decoders = await enter(Decoders(config.media_decoders, memory=config.media_decoder_memory))
        leases = Leases(
            ledger, worker_id, config.generator_concurrency, heartbeat=config.lease_heartbeat
        )
        health.add("store", leases.check)
        # Last in, first out: the loops end before what they work with is closed.
        loops = await enter(Background(stop, grace=GRACE + 2))
        loops.start("health", health.run(stop))
        address = f"127.0.0.1:{config.health_port}"
        loops.start("health server", server.serve(health_server, address, stop, grace=1))
        loops.start("heartbeat", leases.run(stop))
        loops.start("drain", leases.drain_at(stop), may_return=True)
        account = await account_of(provider, stop)
        if account is None:
            return
        leases.tell_of(account)
        objects = open_store(config.artifacts_url)
        health.add("object store", objects.check)
        parts = Parts(
            worker_id=worker_id, account=account.name, ledger=ledger, chores=Chores(store),
            leases=leases, creates=creates, provider=provider, input_files=input_files,
            delivery=delivery, objects=objects, spool=spool, decoders=decoders,
            max_artifact_bytes=limit,
            patience=Patience(missing=config.provider_patience),
            hearing=Hearing(asked=bool(webhook_url)),
        )  # fmt: skip
        start_loops(loops, parts, amqp, config.generator_concurrency, health, stop)
        await stop.wait()


if __name__ == "__main__":
    config = settings.load(Settings)
    logs.setup("generator", config.log_level, config.log_format)
    failpoints.arm(NAMES)
    lifecycle.run(lambda stop: main(config, stop))
