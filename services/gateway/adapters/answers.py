"""Was the store reached? What it says is as true for our caller; that it is away is ours to say."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import grpc
import structlog

from gateway.domain.errors import StoreUnavailable

log = structlog.get_logger()

T = TypeVar("T")

_UNREACHED = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,  # the store was stopped under the call
    }
)


async def answered(call: Awaitable[T]) -> T:
    """The answer. Raises StoreUnavailable where there is none, and else what the store said."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() not in _UNREACHED:
            raise
        log.warning("store.unreached", code=error.code().name, error=error.details())
        raise StoreUnavailable from error
