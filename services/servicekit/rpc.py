"""What does every RPC get? A bound log context, one log line, and errors turned into statuses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
import structlog
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from servicekit.statuses import INTERNAL_MESSAGE, abort, of_upstream, packed
from servicekit.validation import InvalidRequest

log = structlog.get_logger()

# What an upstream says about the caller's request is as true for our caller.
_PASSED_THROUGH = frozenset(
    {
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
_UNREACHED = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
_UNREACHED_MESSAGE = "A part of the service can not be reached at the moment. Try again shortly."
_LONGEST_ID = 128


class StatusInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Maps each error in *statuses* (subclasses too) to its code, with an ErrorInfo under *domain*.

    An error must have a `reason` and a `metadata`; its optional `details` (messages such as
    RetryInfo) follow the ErrorInfo. Any other exception is INTERNAL, its text kept from the caller
    and its traceback logged. Calls of grpc.* services (health, reflection) pass untouched.
    """

    def __init__(self, domain: str, statuses: Mapping[type[Exception], grpc.StatusCode]) -> None:
        self._domain = domain
        self._statuses: dict[type, grpc.StatusCode] = {
            InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
            **statuses,
        }

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        method: str = handler_call_details.method
        if handler is None or method.startswith("/grpc."):
            return handler
        metadata = handler_call_details.invocation_metadata
        if handler.request_streaming:
            return self._streamed(handler, method, metadata)
        if handler.response_streaming:
            return self._stream(handler, method, metadata)
        return self._unary(handler, method, metadata)

    def _unary(self, handler: Any, method: str, metadata: Any) -> Any:
        async def unary(request: Any, context: Any) -> Any:
            with _observed(method, metadata) as call:
                try:
                    return await handler.unary_unary(request, context)
                except Exception as error:
                    await self._abort(context, error, call)

        return grpc.unary_unary_rpc_method_handler(
            unary, handler.request_deserializer, handler.response_serializer
        )

    def _streamed(self, handler: Any, method: str, metadata: Any) -> Any:
        """Of a stream of requests that has one answer."""

        async def streamed(requests: Any, context: Any) -> Any:
            with _observed(method, metadata) as call:
                try:
                    return await handler.stream_unary(requests, context)
                except Exception as error:
                    await self._abort(context, error, call)

        return grpc.stream_unary_rpc_method_handler(
            streamed, handler.request_deserializer, handler.response_serializer
        )

    def _stream(self, handler: Any, method: str, metadata: Any) -> Any:
        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            with _observed(method, metadata) as call:
                try:
                    answer = handler.unary_stream(request, context)
                    if not hasattr(answer, "__aiter__"):  # it writes to the context by itself
                        await answer
                        return
                    async with aclosing(answer) as responses:
                        async for response in responses:
                            yield response
                except Exception as error:
                    await self._abort(context, error, call)

        return grpc.unary_stream_rpc_method_handler(
            stream, handler.request_deserializer, handler.response_serializer
        )

    async def _abort(self, context: Any, error: Exception, call: _Call) -> NoReturn:
        if isinstance(error, grpc.aio.AbortError):
            code = context.code()
            call.code = code.name if isinstance(code, grpc.StatusCode) else str(code)
            raise error
        status = self._status(error)
        call.code = _NAMES.get(status.code, "UNKNOWN")
        await abort(context, status)

    def _status(self, error: Exception) -> Status:
        if isinstance(error, grpc.aio.AioRpcError):
            return _relayed(error)
        code = next((self._statuses[t] for t in type(error).__mro__ if t in self._statuses), None)
        if code is None:
            log.exception("rpc.crashed")
            return packed(grpc.StatusCode.INTERNAL, INTERNAL_MESSAGE)
        reason: str = getattr(error, "reason", "")
        metadata: Mapping[str, str] = getattr(error, "metadata", {})
        more: list[Message] = list(getattr(error, "details", None) or ())
        info = ErrorInfo(reason=reason, domain=self._domain, metadata=dict(metadata))
        return packed(code, str(error), [info, *more])


_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


def _relayed(error: grpc.aio.AioRpcError) -> Status:
    code = error.code()
    if code in _PASSED_THROUGH:
        return of_upstream(error)
    if code in _UNREACHED:
        log.warning("rpc.upstream_unreached", code=code.name, error=error.details())
        return packed(grpc.StatusCode.UNAVAILABLE, _UNREACHED_MESSAGE)
    log.error("rpc.upstream_failed", code=code.name, error=error.details(), exc_info=error)
    return packed(grpc.StatusCode.INTERNAL, INTERNAL_MESSAGE)


@dataclass(slots=True)
class _Call:
    code: str = "OK"


@contextmanager
def _observed(method: str, metadata: Any) -> Iterator[_Call]:
    call, begin = _Call(), time.perf_counter()
    # Bound and never unbound: each call runs in a task of its own, and a stream's generator may be
    # closed from another context, where a reset is refused.
    structlog.contextvars.bind_contextvars(rpc=method, **_origin(metadata))
    try:
        yield call
    except (asyncio.CancelledError, GeneratorExit):
        call.code = "CANCELLED"
        raise
    finally:
        log.info("rpc.finished", code=call.code, seconds=round(time.perf_counter() - begin, 4))


def _origin(metadata: Any) -> dict[str, str]:
    """What ties this line to the caller's: its request id and its W3C trace."""
    bound: dict[str, str] = {}
    for key, value in metadata or ():
        if key == "x-request-id" and isinstance(value, str):
            bound["request_id"] = value[:_LONGEST_ID]
        elif key == "traceparent" and isinstance(value, str):
            bound["traceparent"] = value[:_LONGEST_ID]
    return bound
