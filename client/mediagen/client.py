"""How does a Python program use mediagen?

    async with mediagen.Client("localhost:50051") as client:
        job = await client.submit("a beautiful sunset", model="stability-ai/stable-diffusion-3")
        job = await client.wait(job.job_id)
        await client.download(job.job_id, to="sunset.webp")
        async for event in client.watch_jobs(states=["running"]):
            …

Answers are the messages of `mediagen.v1`; refusals are the exceptions of `mediagen.errors`. What
only the people who run the service need is `client.operator`.
"""

from __future__ import annotations

from typing import Self

import grpc

from mediagen.connection import Connection
from mediagen.files import Files
from mediagen.models import Models
from mediagen.operating import Operator
from mediagen.retries import Backoff
from mediagen.v1 import generation_service_pb2 as messages
from mediagen.webhooks import Webhooks


class Client(Files):
    """A connection to mediagen for one event loop. Use it with `async with`, or `close()` it.

    address: "host:port"; an "https://" prefix turns TLS on.
    tls, credentials: TLS with the system's certificates, or with credentials of your own.
    timeout: seconds for one call with all its retries. Watches and downloads have no end of their
        own; they fail after `silence` seconds without a sign of life.
    api_key: sent as "authorization: Bearer …". Use it with TLS only.
    retries: how often a call is repeated while the server is unavailable. Only what is safe to
        repeat is: a submission is, for it always carries a request_id.
    reconnects: how often in a row a watch may reconnect without news before it gives up.
    """

    def __init__(
        self,
        address: str = "localhost:50051",
        *,
        tls: bool = False,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float = 10.0,
        api_key: str | None = None,
        retries: int = 4,
        reconnects: int = 20,
        backoff: Backoff | None = None,
        silence: float = 45.0,
    ) -> None:
        connection = Connection(
            address,
            tls=tls,
            credentials=credentials,
            timeout=timeout,
            api_key=api_key,
            retries=retries,
            backoff=backoff or Backoff(),
        )
        super().__init__(connection, reconnects=reconnects, silence=silence)
        self.operator = Operator(connection)
        """What only the people who run the service need: the overview and the dead letters."""
        self.models = Models(connection, silence)
        """Which models there are, and what each takes."""
        self.webhooks = Webhooks(connection)
        """Being told of events instead of asking: endpoints, their secret, and every delivery."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; calls and watches that still run are cancelled."""
        await self._connection.close()

    async def health(self) -> messages.GetHealthResponse:
        """Whether jobs can be taken ("SERVING" or "NOT_SERVING"), and how each part is."""
        request = messages.GetHealthRequest()
        answer: messages.GetHealthResponse = await self._connection.call(
            self._stub.GetHealth, request
        )
        return answer
