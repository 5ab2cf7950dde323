"""How do tests get real servers, and a real stack whose parts they can kill?

    with postgres_server(folder) as server:      # one a session; free ports, nothing shared
        url = server.create_database()           # one a test: postgresql+asyncpg://…
    with rabbitmq_server(folder) as broker:
        url = broker.create_vhost()              # one a test: amqp://…/name
    with Stack(folder, generators=2) as stack:   # or `async with`
        stack.kill("generator-1"); stack.wait_ready("generator-1")

Everything runs under the supervisor of `make run`, on an event loop in a thread of its own, so that
output is read and dead parts are restarted whatever the test's loop does. Methods block; from a
coroutine call them through `asyncio.to_thread`.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from .isolation import REAL, scrub_environment
from .ports import free_port
from .servers import (
    Broker,
    PostgresServer,
    create_database,
    drop_database,
    postgres_server,
    rabbitmq_server,
)
from .settings import read_settings, software_folder
from .stack import make_plan
from .threaded import Supervised

__all__ = [
    "REAL",
    "Broker",
    "PostgresServer",
    "Stack",
    "create_database",
    "drop_database",
    "postgres_server",
    "rabbitmq_server",
    "scrub_environment",
]


class Stack(Supervised):
    """The whole stack on free ports, with a simulator and without the edge's fixed numbers.

    state: the folder for everything; without: parts that are not to start ("edge", "generator-1",
    …); env: variables for all parts, which win over the scrubbed environment: DATABASE_URL and
    AMQP_URL there make it use servers of the session. The simulator sends no webhooks unless env
    has REPLICATE_WEBHOOK_URL: lost answers are looked up in the list, and runs are polled.
    """

    def __init__(
        self,
        state: Path,
        *,
        generators: int = 1,
        stores: int = 1,
        gateways: int = 1,
        notifiers: int = 1,
        without: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        inherited = {name: text for name, text in os.environ.items() if name not in REAL}
        taken: set[int] = set()
        ports = ("EDGE_PORT", "WEB_PORT", "GATEWAY_PORT", "STORE_PORT", "SIMULATOR_PORT")
        given = {
            **inherited,
            **{name: str(free_port(avoid=taken)) for name in ports},
            "GENERATORS": str(generators),
            "STORES": str(stores),
            "GATEWAYS": str(gateways),
            "NOTIFIERS": str(notifiers),
            "STATE_DIR": str(state),
            **(env or {}),
        }
        settings = read_settings(given)
        self.plan = make_plan(settings, given, software_folder(), webhooks=False)
        self.state = state
        super().__init__([part for part in self.plan.parts if part.name not in without], state)

    @property
    def edge_url(self) -> str:
        return self.plan.edge_url

    @property
    def simulator_url(self) -> str:
        return self.plan.simulator_url

    @property
    def gateway_address(self) -> str:
        """host:port of the first gateway's gRPC; the others are in `plan.gateway_addresses`."""
        return self.plan.gateway_addresses[0]

    @property
    def store_address(self) -> str:
        """host:port of the first store."""
        return self.plan.store_addresses[0]

    @property
    def database_url(self) -> str:
        return self.plan.database_url

    @property
    def amqp_url(self) -> str:
        return self.plan.amqp_url
