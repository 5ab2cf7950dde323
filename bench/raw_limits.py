"""What can the parts do by themselves? The bare operations that a job's way is made of.

Each with the library that the services use, and nothing else: what is missing to them in a job's
figures is ours.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import aio_pika
import asyncpg
import grpc

from bench.figures import Samples
from bench.load import Call, channel, drive, run
from bench.requests import submit_request, submit_response

_ECHO = "bench.Echo"
_TABLE = """
    CREATE TABLE IF NOT EXISTS bench_insert (
        job_id uuid PRIMARY KEY, tenant text NOT NULL, request_id text NOT NULL,
        request bytea NOT NULL, view bytea NOT NULL, prompt text NOT NULL,
        create_time timestamptz NOT NULL
    )
"""
_INSERT = "INSERT INTO bench_insert VALUES ($1, $2, $3, $4, $5, $6, $7)"
_QUEUE = "bench.raw"


def serve_echo(on_port: Callable[[int], None]) -> None:
    """A grpc.aio server that answers every request with the same bytes, until it is terminated."""
    answer = submit_response().SerializeToString()

    async def reply(request: bytes, context: Any) -> bytes:
        return answer

    async def serve() -> None:
        server = grpc.aio.server()
        handlers = {"Echo": grpc.unary_unary_rpc_method_handler(reply)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_ECHO, handlers),))
        on_port(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        await server.wait_for_termination()

    run(serve())


def echo(address: str, clients: int, seconds: float) -> Samples:
    """Calls of `serve_echo`, with a request as long as a submit's."""

    async def load() -> Samples:
        request = submit_request().SerializeToString()
        async with AsyncExitStack() as stack:
            calls = []
            for _ in range(clients):
                opened = await stack.enter_async_context(channel(address))
                calls.append(_echo_call(opened.unary_unary(f"/{_ECHO}/Echo"), request))
            return await drive(calls, seconds)

    return run(load())


def _echo_call(method: Any, request: bytes) -> Call:
    return lambda: method(request)


def insert(url: str, clients: int, seconds: float) -> Samples:
    """One INSERT of a row as long as a job's, committed, on a connection for each client."""

    async def load() -> Samples:
        connections = [await asyncpg.connect(url) for _ in range(clients)]
        try:
            await connections[0].execute(_TABLE)
            await connections[0].execute("TRUNCATE bench_insert")
            statements = [await each.prepare(_INSERT) for each in connections]
            return await drive([_insert_call(each) for each in statements], seconds)
        finally:
            for connection in connections:
                await connection.close()

    return run(load())


def _insert_call(statement: Any) -> Call:
    request = submit_request()
    body, view = request.SerializeToString(), os.urandom(60)

    async def call() -> None:
        job_id = uuid.uuid4()
        now = datetime.now(UTC)
        await statement.fetch(job_id, "default", str(job_id), body, view, request.prompt, now)

    return call


def broker(url: str, clients: int, seconds: float) -> Samples:
    """One message published to a quorum queue, confirmed, consumed and acked, for each client."""

    async def load() -> Samples:
        async with AsyncExitStack() as stack:
            sending = await stack.enter_async_context(await aio_pika.connect(url))
            taking = await stack.enter_async_context(await aio_pika.connect(url))
            sender = await sending.channel(publisher_confirms=True)
            taker = await taking.channel()
            await taker.set_qos(prefetch_count=clients)
            queue = await taker.declare_queue(
                _QUEUE, durable=True, arguments={"x-queue-type": "quorum"}
            )
            arrived: dict[str, asyncio.Future[None]] = {}

            async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
                await message.ack()
                if (waiting := arrived.pop(message.message_id or "", None)) is not None:
                    waiting.set_result(None)

            try:
                consumer = await queue.consume(take)
                call = _publish_call(sender.default_exchange, arrived)
                samples = await drive([call] * clients, seconds)
                await queue.cancel(consumer)
                return samples
            finally:
                await queue.delete(if_unused=False, if_empty=False)

    return run(load())


def _publish_call(
    exchange: aio_pika.abc.AbstractExchange, arrived: dict[str, asyncio.Future[None]]
) -> Call:
    body = os.urandom(48)  # as long as a WorkMessage

    async def call() -> None:
        name = uuid.uuid4().hex
        arrived[name] = taken = asyncio.get_running_loop().create_future()
        mode = aio_pika.DeliveryMode.PERSISTENT
        message = aio_pika.Message(body, message_id=name, delivery_mode=mode)
        await exchange.publish(message, _QUEUE, mandatory=True)
        await taken

    return call
