"""How do three RabbitMQ nodes make one cluster on one machine?

One port mapper; three nodes with a cookie and a password in common, which find each other by the
list in their configuration. A queue declared while all of them are up has a member on each.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .part import Part
from .ports import free_port
from .rabbitmq import RabbitMQ, full_name
from .servers import Broker
from .settings import software_folder
from .threaded import Supervised

NODES = 3


@dataclass(frozen=True)
class Cluster:
    """Three running nodes: the parts `rabbitmq-1` to `rabbitmq-3` of `supervised`."""

    brokers: Sequence[Broker]
    supervised: Supervised

    @property
    def url(self) -> str:
        """AMQP_URL with every node in it."""
        return ",".join(broker.url for broker in self.brokers)

    def queue(self, name: str, vhost: str = "%2F") -> dict[str, Any]:
        """What the first node that answers says of the queue: `leader`, `members`, `online`."""
        for broker in self.brokers:
            try:
                found: dict[str, Any] = broker.request("GET", f"/queues/{vhost}/{name}")
            except OSError:
                continue
            return found
        raise ConnectionError("no node answers")

    def part_of(self, node: str) -> str:
        """The part that runs the node that RabbitMQ calls so."""
        names = [broker.node.name for broker in self.brokers]
        return f"rabbitmq-{names.index(node) + 1}"


@contextmanager
def rabbitmq_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster of one's own on free ports."""
    nodes = _nodes(folder.resolve() / "rabbitmq-cluster")
    parts = [nodes[0].epmd(), *_parts(nodes)]
    with Supervised(parts, folder.resolve() / "rabbitmq-cluster-run") as supervised:
        yield Cluster([_broker(node, supervised) for node in nodes], supervised)
        for index in range(NODES):  # nobody will read the data again
            supervised.kill(f"rabbitmq-{index + 1}", restart=False)


def _nodes(folder: Path) -> list[RabbitMQ]:
    taken: set[int] = set()
    epmd = free_port(avoid=taken)
    names = [f"mediagen-{index + 1}" for index in range(NODES)]
    settings = {"cluster_formation.peer_discovery_backend": "classic_config"}
    for index, name in enumerate(names):
        settings[f"cluster_formation.classic_config.nodes.{index + 1}"] = full_name(name)
    password, cookie = secrets.token_urlsafe(24), secrets.token_hex(16)
    nodes = []
    for name in names:
        own = folder / name
        own.mkdir(parents=True)
        for file, secret in (("password", password), (".erlang.cookie", cookie)):
            (own / file).write_text(secret)
            (own / file).chmod(0o400)
        amqp, dist, management = (free_port(avoid=taken) for _ in range(3))
        nodes.append(RabbitMQ(own, software_folder(), amqp, epmd, dist, management, name, settings))
    return nodes


def _parts(nodes: Sequence[RabbitMQ]) -> list[Part]:
    return [node.broker(f"rabbitmq-{index + 1}") for index, node in enumerate(nodes)]


def _broker(node: RabbitMQ, supervised: Supervised) -> Broker:
    api = f"http://127.0.0.1:{node.management_port}/api"
    return Broker(node.url, api, node.user, node.password, supervised, node)
