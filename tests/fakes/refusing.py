"""How do the fakes refuse a call? As the service does: a google.rpc.Status with its details."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status


def refusal(
    code: grpc.StatusCode,
    reason: str,
    *details: Message,
    domain: str = "mediagen.dev",
    **metadata: str,
) -> Status:
    """The google.rpc.Status of a refusal, as the service packs it."""
    status = Status(code=code.value[0], message=f"Refused: {reason}.")
    for detail in (ErrorInfo(reason=reason, domain=domain, metadata=metadata), *details):
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return status


async def abort(context: Any, status: Status) -> None:
    await context.abort_with_status(rpc_status.to_status(status))
