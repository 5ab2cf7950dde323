"""How is a notifier put together? Settings, then parts, then loops; SIGTERM drains and closes.

Drain: no new deliveries; what is being posted is posted and recorded, the rest is handed back.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from jobqueue.consumer import Slots, WorkConsumer
from jobqueue.topology import WEBHOOK_QUEUE
from notifier.adapters.dialing import Dialer
from notifier.adapters.ledger import Ledger
from notifier.adapters.posting import Poster
from notifier.adapters.resolving import Resolver
from notifier.failpoints import NAMES
from notifier.settings import Settings
from notifier.worker.post_delivery import Worker
from notifier.worker.turns import Turns
from servicekit import channels, failpoints, lifecycle, logs, server, settings
from servicekit.health import Health
from servicekit.hosts import HostList
from servicekit.lifecycle import Background, Stop

# From SIGTERM until handlers are cancelled: a turn (2 s), a post (17 s), and its record (15 s).
GRACE = 36.0
MAX_MESSAGE_BYTES = 64 << 20  # a job's output may hold its files as data URLs


async def main(config: Settings, stop: Stop) -> None:
    amqp, slots = config.amqp_url.get_secret_value(), config.notifier_concurrency
    allowed = HostList(config.webhook_allowed_hosts)
    health, health_server = Health(["mediagen.notifier"]), server.build()
    health.register(health_server)
    async with AsyncExitStack() as stack:
        store = channels.open(config.store_address, max_message_bytes=MAX_MESSAGE_BYTES)
        ledger = Ledger(await stack.enter_async_context(store))
        resolver = Resolver(allowed, threads=slots)
        stack.callback(resolver.close)
        poster = Poster(Dialer(resolver), allowed)
        worker = Worker(ledger, poster, Turns(max(1, slots // 8)), stop)
        consumer = WorkConsumer(amqp, WEBHOOK_QUEUE, worker.handle, Slots(slots))
        health.add("store", ledger.check)
        health.add("broker", consumer.check)
        # Last in, first out: the loops end before what they work with is closed.
        loops = await stack.enter_async_context(Background(stop, grace=GRACE + 2))
        loops.start("health", health.run(stop))
        address = f"127.0.0.1:{config.health_port}"
        loops.start("health server", server.serve(health_server, address, stop, grace=1))
        loops.start("consumer", consumer.run(stop, grace=GRACE))
        await stop.wait()


if __name__ == "__main__":
    config = settings.load(Settings)
    logs.setup("notifier", config.log_level, config.log_format)
    failpoints.arm(NAMES)
    lifecycle.run(lambda stop: main(config, stop))
