"""What is one running simulator made of? The object that every route is given."""

import asyncio
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from simulator.archive import Archive, Prediction
from simulator.clock import Clock
from simulator.faults import Faults
from simulator.ledger import Ledger
from simulator.limits import Limits
from simulator.pictures import Gallery
from simulator.settings import Settings
from simulator.shelf import Shelf
from simulator.uploads import Uploads
from simulator.webhooks import Webhooks


@dataclass(slots=True)
class Simulator:
    """All state, in memory. `connections`: open sockets by the peer's address;
    `making`: files that are made before anybody asks for them."""

    settings: Settings
    clock: Clock
    shelf: Shelf
    archive: Archive
    faults: Faults
    ledger: Ledger
    limits: Limits
    gallery: Gallery
    uploads: Uploads
    webhooks: Webhooks
    connections: dict[tuple[str, int], asyncio.Transport]
    created: int = 0
    making: set[asyncio.Task[None]] = field(default_factory=set)

    async def hang_up(self, request: Request) -> Response:
        """Close the connection without (the rest of) an answer.

        What is already written is still flushed; the response returned here is never sent.
        """
        client = request.client
        transport = self.connections.get((client.host, client.port)) if client else None
        if transport is None:
            raise RuntimeError("hanging up needs the simulator's own server, see server.py")
        transport.close()
        while not await request.is_disconnected():
            await asyncio.sleep(0.002)
        return Response()

    def find(self, prediction_id: str) -> Prediction | None:
        return self.archive.get(prediction_id)


def simulator_of(request: Request) -> Simulator:
    """The simulator that serves this request."""
    found: Simulator = request.app.state.simulator
    return found
