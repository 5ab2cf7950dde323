"""How do callers submit? Paced, by three roads, and again until they are answered.

Each submission has a request_id, so that one which is repeated after UNAVAILABLE is still one job.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import httpx

from devstack.testing import Stack
from mediagen import Client, errors
from mediagen.retries import Backoff
from soak.orders import Order, Road
from soak.scale import Scale

_CLIENTS = 4
# How many submit at once: an outage must not make this process the busiest of all.
_CALLERS = 32
_PAUSE = 0.5
_CALL = 10.0
# Beside 503, what the edge says of a gateway that died with a request in its hands.
_AGAIN = frozenset({429, 502, 503, 504})


@dataclass
class Book:
    """What the callers know: which orders were acknowledged as which jobs, and how often it took
    another try."""

    job_ids: dict[int, str] = field(default_factory=dict)
    repeats: int = 0
    odd_answers: Counter[str] = field(default_factory=Counter)


class Callers:
    """The clients of every road. Use with `async with`."""

    def __init__(self, stack: Stack, scale: Scale, book: Book) -> None:
        self._book = book
        self._scale = scale
        edge = stack.edge_url.removeprefix("http://")
        # Both gateways in one address: a client goes on with the other when one dies.
        gateways = "ipv4:" + ",".join(stack.plan.gateway_addresses)
        self._clients = {
            Road.EDGE_GRPC: itertools.cycle([_client(edge) for _ in range(_CLIENTS)]),
            Road.GATEWAY_GRPC: itertools.cycle([_client(gateways) for _ in range(_CLIENTS)]),
        }
        self._http = httpx.AsyncClient(base_url=stack.edge_url, timeout=_CALL, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for clients in self._clients.values():
            for client in itertools.islice(clients, _CLIENTS):
                await client.close()
        await self._http.aclose()

    def client(self, road: Road = Road.GATEWAY_GRPC) -> Client:
        """One of the Python clients of a gRPC road."""
        return next(self._clients[road])

    async def submit_all(
        self, orders: Sequence[Order], submitted: Callable[[Order, str], None]
    ) -> None:
        """All of them, evenly over the scale's time; *submitted* is told of each once it is
        acknowledged, with its job's id."""
        clock = asyncio.get_running_loop().time
        begin, every = clock(), self._scale.submitting / max(1, len(orders))
        waiting = iter(orders)

        async def caller() -> None:
            for order in waiting:
                await asyncio.sleep(begin + order.number * every - clock())
                job_id = await self.submit(order)
                self._book.job_ids[order.number] = job_id
                submitted(order, job_id)

        async with asyncio.TaskGroup() as group:
            for _ in range(_CALLERS):
                group.create_task(caller())

    async def submit(self, order: Order) -> str:
        """The job's id. It never gives up: who calls bounds the time."""
        while True:
            job_id = await (
                self._over_rest(order) if order.road is Road.REST else self._over_grpc(order)
            )
            if job_id is not None:
                return job_id
            self._book.repeats += 1
            await asyncio.sleep(_PAUSE)

    async def _over_grpc(self, order: Order) -> str | None:
        client = self.client(order.road)
        try:
            job = await client.submit(
                order.prompt,
                model=order.model,
                input=order.input,
                timeout=self._scale.timeout,
                request_id=order.request_id,
                labels={"soak": str(order.number)},
            )
        except (errors.Unavailable, errors.DeadlineExceeded):
            return None
        except errors.MediagenError as error:
            self._odd(order, f"{error.code} {error.message}")
            return None
        return job.job_id

    async def _over_rest(self, order: Order) -> str | None:
        body = {
            "prompt": order.prompt,
            "model": order.model,
            "input": order.input,
            "timeout": f"{self._scale.timeout:g}s",
            "request_id": order.request_id,
            "labels": {"soak": str(order.number)},
        }
        try:
            answer = await self._http.post("/api/v1/generate", json=body)
        except httpx.TransportError:
            return None
        if answer.status_code == 200:
            return str(answer.json()["job_id"])
        if answer.status_code not in _AGAIN:
            self._odd(order, f"HTTP {answer.status_code} {answer.text[:200]}")
        return None

    def _odd(self, order: Order, words: str) -> None:
        """An answer that does not say "try again", for a request that has nothing wrong."""
        self._book.odd_answers[f"{order.road}: {words}"] += 1


def _client(address: str) -> Client:
    return Client(address, timeout=_CALL, retries=50, backoff=Backoff(0.2, 2.0), silence=20.0)
