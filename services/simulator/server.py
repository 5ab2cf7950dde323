"""How does the simulator listen? uvicorn on a socket of its own, and a runner for tests."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from simulator.app import Guard, build
from simulator.clock import Clock
from simulator.faults import FaultRule, rule_from_json
from simulator.parts import Simulator
from simulator.settings import Settings


def protocol_for(simulator: Simulator) -> type[H11Protocol]:
    """HTTP/1.1 that lets the simulator find a request's connection and close it."""

    class Connection(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client:
                simulator.connections[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client:
                simulator.connections.pop(self.client, None)
            super().connection_lost(exc)

    return Connection


def server_for(app: Guard, simulator: Simulator) -> uvicorn.Server:
    """The uvicorn server; it logs problems only, and stops within seconds when told to."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol_for(simulator),
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
    )


async def serve(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until `should_exit`.

    Not `server.serve()`: that takes over the signals of the process, and sends them to it again
    at the end, so that a clean stop would not exit with 0.
    """
    await server._serve(sockets=[listener])


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket; OSError if the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


@dataclass(frozen=True, slots=True)
class RunningSimulator:
    """A simulator that listens in this process. `base_url` has no /v1."""

    base_url: str
    simulator: Simulator

    def ledger(self, match: str = "") -> dict[str, Any]:
        """What GET /_simulator/ledger answers."""
        sim = self.simulator
        return sim.ledger.as_json(sim.archive.all(), sim.clock.now(), match)

    def set_fault(self, name: str, arg: object = None, **more: Any) -> FaultRule:
        """Add a fault; `more`: count, probability, match, on."""
        rule = rule_from_json({"name": name, "arg": arg} | more)
        self.simulator.faults.add(rule)
        return rule

    def clear_faults(self) -> None:
        self.simulator.faults.clear()


@asynccontextmanager
async def running_simulator(
    settings: Settings | None = None,
    clock: Clock | None = None,
    faults: Iterable[FaultRule] = (),
) -> AsyncIterator[RunningSimulator]:
    """Run a simulator on a free port of the loopback for the length of a `with` block."""
    app, simulator = build(settings or Settings(seed="test"), clock, faults)
    listener = listening_socket("127.0.0.1", 0)
    server = server_for(app, simulator)
    serving = asyncio.create_task(serve(server, listener))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    try:
        yield RunningSimulator(f"http://127.0.0.1:{listener.getsockname()[1]}", simulator)
    finally:
        await simulator.webhooks.close()
        server.should_exit = True
        await serving
        listener.close()
