"""How does a refusal look on the wire? One place packs `google.rpc.Status`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

INTERNAL_MESSAGE = "Internal error."


def packed(code: grpc.StatusCode, message: str, details: Iterable[Message] = ()) -> Status:
    """A Status whose details can be unpacked by every gRPC library."""
    status = Status(code=code.value[0], message=message)
    for detail in details:
        wrapped = AnyMessage()
        wrapped.Pack(detail)
        status.details.append(wrapped)
    return status


async def abort(context: Any, status: Status) -> NoReturn:
    """Ends the call with *status*, by grpc.aio's AbortError, which no interceptor may swallow."""
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("unreachable: abort raises")


def of_upstream(error: grpc.aio.AioRpcError) -> Status:
    """The Status that a peer answered with, its details included where it sent any."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # a peer's details contradict its code: trust the code
        status = None
    return status or packed(error.code(), error.details() or "")
