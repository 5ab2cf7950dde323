"""Which parts make the stack, in which order, and with which settings does each start?

    epmd ── rabbitmq ─┐
    postgres ─────────┼── store ×n ─┬─ gateway ×n ── edge
    simulator ────────┘             ├─ generator ×n
                                    └─ notifier ×n

A part whose address is given (DATABASE_URL, AMQP_URL, REPLICATE_BASE_URL, or a Replicate token) is
used and not started.
"""

import base64
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM

from . import probes
from .child import dies_with_parent
from .part import Command, Part, Port, Prepare, Ready, Say
from .ports import free_port
from .postgres import Postgres
from .rabbitmq import RabbitMQ
from .settings import ROOT, Settings
from .telling import worth_showing

# What the simulator is given in place of an account; it takes any token.
_WEBHOOKS = "REPLICATE_WEBHOOK_URL"
_NO_ACCOUNT = "r8_simulated"
# A drain lets calls in flight end (20 s for a paid POST, ledger 20), so it is not cut short.
_DRAIN = 45.0


@dataclass
class Plan:
    """The parts, and the addresses at which they will be."""

    settings: Settings
    parts: list[Part] = field(default_factory=list)
    postgres: Postgres | None = None
    rabbitmq: RabbitMQ | None = None
    database_url: str = ""
    amqp_url: str = ""
    simulator_url: str = ""
    store_addresses: list[str] = field(default_factory=list)
    metrics_urls: list[str] = field(default_factory=list)
    gateway_addresses: list[str] = field(default_factory=list)
    gateway_http_addresses: list[str] = field(default_factory=list)
    generator_addresses: list[str] = field(default_factory=list)

    @property
    def edge_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.edge_port}"

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.web_port}"


def make_plan(
    settings: Settings, environ: Mapping[str, str], software: Path, *, webhooks: bool = True
) -> Plan:
    """Decide ports and parts. environ: what the services inherit; software: see RabbitMQ;
    webhooks: whether the simulator is given our address where no other is."""
    plan = Plan(settings)
    # Logs and passwords go there; whoever made it before decided who may read it.
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    build = _Builder(plan, environ, software, webhooks)
    build.postgres()
    build.rabbitmq()
    build.simulator()
    build.stores()
    build.gateways()
    build.generators()
    build.notifiers()
    build.edge()
    return plan


class _Builder:
    """Adds the parts one by one; each sees the addresses of those before it."""

    def __init__(
        self, plan: Plan, environ: Mapping[str, str], software: Path, webhooks: bool
    ) -> None:
        self.webhooks = webhooks
        self.plan = plan
        self.settings = plan.settings
        self.environ = environ
        self.software = software
        fixed = self.settings
        self.taken = {fixed.edge_port, fixed.web_port, fixed.gateway_port, fixed.store_port}
        self.taken |= {fixed.simulator_port, fixed.metrics_port}
        # The simulator signs its webhooks with it, and the gateways know them by it.
        new = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
        self.webhook_secret = environ.get("REPLICATE_WEBHOOK_SECRET") or new

    def postgres(self) -> None:
        self.plan.database_url = self.settings.database_url
        if self.plan.database_url:
            return
        postgres = Postgres(self.settings.state_dir / "postgres", self._free())
        self.plan.postgres = postgres
        self.plan.database_url = postgres.url
        self.plan.parts.append(postgres.part())

    def rabbitmq(self) -> None:
        self.plan.amqp_url = self.settings.amqp_url
        if self.plan.amqp_url:
            return
        folder = self.settings.state_dir / "rabbitmq"
        ports = self._free(), self._free(), self._free()
        rabbitmq = RabbitMQ(folder, self.software, *ports)
        self.plan.rabbitmq = rabbitmq
        self.plan.amqp_url = rabbitmq.url
        self.plan.parts += rabbitmq.parts()

    def simulator(self) -> None:
        if not self.settings.simulated:
            return
        port = self.settings.simulator_port
        self.plan.simulator_url = f"http://127.0.0.1:{port}"
        url = f"{self.plan.simulator_url}/readyz"
        self._add(
            name="simulator",
            prepare=self._run(
                "simulator",
                {"SIMULATOR_PORT": str(port), "SIMULATOR_WEBHOOK_SECRET": self.webhook_secret},
            ),
            ready=lambda: probes.http(url),
            ports=(Port(port, "SIMULATOR_PORT"),),
            grace=5,
        )

    def stores(self) -> None:
        for index in range(self.settings.stores):
            port = self.settings.store_port if index == 0 else self._free()
            own = {"STORE_PORT": str(port), "DATABASE_URL": self.plan.database_url}
            own["AMQP_URL"] = self.plan.amqp_url
            own["PUBLIC_URL"] = self.settings.origin
            wanted = self.settings.metrics_port if index == 0 else 0
            metrics_port = wanted or self._free()
            own["METRICS_PORT"] = str(metrics_port)
            self.plan.metrics_urls.append(f"http://127.0.0.1:{metrics_port}/metrics")
            self.plan.store_addresses.append(f"127.0.0.1:{port}")
            self._add(
                name=_numbered("store", index),
                prepare=self._run("store", own),
                ready=_serving(port),
                needs=("postgres", "rabbitmq"),
                # It waits for the broker itself, and much of its start is loading the ORM.
                starts_after=("postgres", "epmd"),
                ports=(
                    Port(port, "STORE_PORT" if index == 0 else ""),
                    Port(metrics_port, "METRICS_PORT" if wanted else ""),
                ),
            )

    def gateways(self) -> None:
        for index in range(self.settings.gateways):
            port = self.settings.gateway_port if index == 0 else self._free()
            http_port = self._free()
            own = self._replicate() | {
                "GATEWAY_PORT": str(port),
                "GATEWAY_HTTP_PORT": str(http_port),
                "STORE_ADDRESS": ",".join(self.plan.store_addresses),
                "AMQP_URL": self.plan.amqp_url,
                "ARTIFACTS_URL": self._artifacts(),
                "PUBLIC_URL": self.settings.origin,
                "WEBHOOK_ALLOWED_HOSTS": self._receivers(),
            }
            if self.settings.simulated:
                own["REPLICATE_WEBHOOK_SECRET"] = self.webhook_secret
            self.plan.gateway_addresses.append(f"127.0.0.1:{port}")
            self.plan.gateway_http_addresses.append(f"127.0.0.1:{http_port}")
            self._add(
                name=_numbered("gateway", index),
                prepare=self._run("gateway", own),
                ready=_serving(port),
                needs=(*self._stores(), "rabbitmq", "simulator"),
                ports=(Port(port, "GATEWAY_PORT" if index == 0 else ""), Port(http_port, "")),
            )

    def generators(self) -> None:
        for index in range(self.settings.generators):
            port = self._free()
            own = self._replicate() | {
                "STORE_ADDRESS": ",".join(self.plan.store_addresses),
                "AMQP_URL": self.plan.amqp_url,
                "ARTIFACTS_URL": self._artifacts(),
                "HEALTH_PORT": str(port),
            }
            if self.settings.simulated and self.webhooks and not self.environ.get(_WEBHOOKS):
                # As with a public address: progress is seen at once, and little is polled.
                own[_WEBHOOKS] = f"http://127.0.0.1:{self.settings.edge_port}"
            self.plan.generator_addresses.append(f"127.0.0.1:{port}")
            self._add(
                name=_numbered("generator", index),
                prepare=self._run("generator", own),
                ready=_serving(port),
                needs=(*self._stores(), "rabbitmq", "simulator"),
                ports=(Port(port, ""),),
                grace=_DRAIN,
            )

    def notifiers(self) -> None:
        for index in range(self.settings.notifiers):
            port = self._free()
            own = {
                "STORE_ADDRESS": ",".join(self.plan.store_addresses),
                "AMQP_URL": self.plan.amqp_url,
                "WEBHOOK_ALLOWED_HOSTS": self._receivers(),
                "HEALTH_PORT": str(port),
            }
            self._add(
                name=_numbered("notifier", index),
                prepare=self._run("notifier", own),
                ready=_serving(port),
                needs=(*self._stores(), "rabbitmq"),
                ports=(Port(port, ""),),
                grace=_DRAIN,
            )

    def edge(self) -> None:
        settings = self.settings
        own = {
            "EDGE_PORT": str(settings.edge_port),
            "WEB_PORT": str(settings.web_port),
            "GATEWAY_ADDRESSES": ",".join(self.plan.gateway_addresses),
            "GATEWAY_HTTP_ADDRESSES": ",".join(self.plan.gateway_http_addresses),
            "PUBLIC_URL": settings.origin,
        }
        if not self.environ.get("ALLOWED_ORIGINS"):
            pages = (f"http://{host}:{settings.web_port}" for host in ("localhost", "127.0.0.1"))
            own["ALLOWED_ORIGINS"] = ",".join(pages)
        url = f"{self.plan.edge_url}/readyz"
        self._add(
            name="edge",
            prepare=self._run("edge", own),
            ready=lambda: probes.http(url),
            needs=tuple(_numbered("gateway", index) for index in range(settings.gateways)),
            starts_after=(),  # it looks for the gateways itself
            ports=(Port(settings.edge_port, "EDGE_PORT"), Port(settings.web_port, "WEB_PORT")),
        )

    def _add(
        self,
        *,
        name: str,
        prepare: Prepare,
        ready: Ready,
        needs: tuple[str, ...] = (),
        starts_after: tuple[str, ...] | None = None,
        ports: tuple[Port, ...] = (),
        grace: float = 10.0,
    ) -> None:
        """A service: one of our own Python processes."""
        part = Part(
            name=name,
            prepare=prepare,
            ready=ready,
            needs=needs,
            starts_after=starts_after,
            ports=ports,
            grace=grace,
            screen=worth_showing,
        )
        self.plan.parts.append(part)

    def _run(self, module: str, own: Mapping[str, str]) -> Prepare:
        """`python -m module` with what it inherits and what is its own."""
        environ = {**self.environ, **self._everywhere(), **own}
        # Compiled modules are kept: every process of every start would compile them anew.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        argv = dies_with_parent((sys.executable, "-m", module), SIGTERM)

        async def prepare(say: Say) -> Command:
            return Command(argv, environ, cwd=ROOT)

        return prepare

    def _everywhere(self) -> dict[str, str]:
        paths = (ROOT / "client", ROOT / "services", ROOT)
        return {
            "STATE_DIR": str(self.settings.state_dir),
            "PYTHONPATH": ":".join(map(str, paths)),
            "PYTHONUNBUFFERED": "1",
        }

    def _replicate(self) -> dict[str, str]:
        """Where generations are made; with an account, the services' own defaults hold."""
        settings = self.settings
        if not settings.simulated:
            token = settings.replicate_api_token or _NO_ACCOUNT
            return {"REPLICATE_API_TOKEN": token}
        port = settings.simulator_port
        return {
            "REPLICATE_API_TOKEN": _NO_ACCOUNT,
            "REPLICATE_BASE_URL": f"{self.plan.simulator_url}/v1",
            "REPLICATE_DELIVERY_HOSTS": settings.replicate_delivery_hosts
            or f"127.0.0.1:{port},localhost:{port}",
        }

    def _artifacts(self) -> str:
        return self.settings.artifacts_url or (self.settings.state_dir / "artifacts").as_uri()

    def _receivers(self) -> str:
        """Who is called by webhooks though not public: on a developer's machine, that machine."""
        return self.settings.webhook_allowed_hosts or "localhost,127.0.0.1,[::1]"

    def _stores(self) -> tuple[str, ...]:
        return tuple(_numbered("store", index) for index in range(self.settings.stores))

    def _free(self) -> int:
        return free_port(avoid=self.taken)


def _numbered(name: str, index: int) -> str:
    return f"{name}-{index + 1}"


def _serving(port: int) -> Ready:
    return lambda: probes.grpc_health(f"127.0.0.1:{port}")
