"""How does each test get a database and a broker of its own, at the price of milliseconds?

One server of each a session; one database and one virtual host a test.
"""

import base64
import json
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from .ports import free_port
from .postgres import Postgres
from .rabbitmq import RabbitMQ
from .settings import software_folder
from .threaded import Supervised, blocking


@dataclass(frozen=True)
class PostgresServer:
    """A running Postgres: `url` is its database `mediagen`, `admin_url` the same as superuser."""

    url: str
    admin_url: str
    supervised: Supervised

    def create_database(self, template: str | None = None) -> str:
        """The URL of a new database; template: the URL of one to copy (nobody connected to it)."""
        return blocking(lambda: create_database(self.admin_url, self.url, template))

    def drop_database(self, url: str) -> None:
        """Drop it, whoever is connected."""
        blocking(lambda: drop_database(self.admin_url, url))


@dataclass(frozen=True)
class Broker:
    """A running RabbitMQ with its HTTP API: `url` is its virtual host `/`."""

    url: str
    api: str
    user: str
    password: str
    supervised: Supervised
    node: RabbitMQ

    def wipe(self) -> None:
        """Stop it, take its data folder away, start it: no queue, no message, no virtual host."""
        self.supervised.kill("rabbitmq", restart=False)
        self.node.wipe()
        self.supervised.start("rabbitmq")

    def create_vhost(self, name: str | None = None) -> str:
        """The AMQP URL of a new virtual host: no queue or exchange of another test in it."""
        name = name or f"test-{uuid.uuid4().hex[:12]}"
        self.request("PUT", f"/vhosts/{quote(name, safe='')}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.request("PUT", f"/permissions/{quote(name, safe='')}/{self.user}", everything)
        return self.url + quote(name, safe="")

    def delete_vhost(self, url: str) -> None:
        self.request("DELETE", f"/vhosts/{url.rpartition('/')[2]}")

    def request(self, method: str, path: str, body: object = None) -> Any:
        """RabbitMQ's HTTP API (`/queues/<vhost>`, `/connections`, …); its answer, parsed."""
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request = urllib.request.Request(
            self.api + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as reply:
            text = reply.read()
        return json.loads(text) if text else None


@contextmanager
def postgres_server(
    folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """A Postgres of one's own on a free port; fsync stays on unless the settings say otherwise."""
    folder = folder.resolve()
    postgres = Postgres(folder / "postgres", free_port(), settings or {})
    with Supervised([postgres.part()], folder / "postgres-run") as supervised:
        yield PostgresServer(postgres.url, postgres.admin_url, supervised)


@contextmanager
def rabbitmq_server(folder: Path) -> Iterator[Broker]:
    """A RabbitMQ of one's own on free ports, with its HTTP API."""
    folder = folder.resolve()  # the broker runs in a folder of its own
    taken: set[int] = set()
    amqp, epmd, dist, api_port = (free_port(avoid=taken) for _ in range(4))
    rabbitmq = RabbitMQ(folder / "rabbitmq", software_folder(), amqp, epmd, dist, api_port)
    with Supervised(rabbitmq.parts(), folder / "rabbitmq-run") as supervised:
        api = f"http://127.0.0.1:{rabbitmq.management_port}/api"
        yield Broker(rabbitmq.url, api, rabbitmq.user, rabbitmq.password, supervised, rabbitmq)
        # With the HTTP API a clean stop takes 5 s more, for data that nobody will read again.
        supervised.kill("rabbitmq", restart=False)


async def create_database(admin_url: str, url: str, template: str | None = None) -> str:
    """A new database with the owner of `url`; its URL. template: the URL of one to copy."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    copied = f" TEMPLATE {template.rpartition('/')[2]}" if template else ""
    await _execute(admin_url, f"CREATE DATABASE {name}{copied} OWNER mediagen")
    return f"{url.rpartition('/')[0]}/{name}"


async def drop_database(admin_url: str, url: str) -> None:
    """Drop it, whoever is connected."""
    await _execute(admin_url, f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


async def _execute(admin_url: str, statement: str) -> None:
    connection = await asyncpg.connect(admin_url.replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
