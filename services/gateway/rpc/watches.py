"""How is a watch sent? As bytes that were made once for all who get them.

The methods here write to their call by themselves: a message that went through the interceptors'
generators would cost each of thousands of streams a turn in each of them.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody

from gateway.domain.errors import CursorInvalid, TooManyWatchers, Unavailable
from gateway.rpc import sse
from gateway.rpc.checks import job_id_of
from gateway.rpc.job_view import JobView
from gateway.rpc.tenants import tenant_of
from gateway.watch.cursor import Cursor
from gateway.watch.filters import JobFilter
from gateway.watch.hub import Hub
from mediagen.v1 import generation_service_pb2 as pb2

_SERVICE = pb2.DESCRIPTOR.services_by_name["GenerationService"].full_name
_METHODS = frozenset(
    f"/{_SERVICE}/{name}" for name in ("WatchJob", "WatchJobEvents", "WatchJobs", "WatchJobsEvents")
)
_EVENTS_METADATA = (("cache-control", "no-store"), ("x-accel-buffering", "no"))


class BytesInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Lets the methods of watches write bytes. Place it last."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method not in _METHODS:
            return handler
        return grpc.unary_stream_rpc_method_handler(
            handler.unary_stream, handler.request_deserializer, None
        )


class Watches:
    """Watches of the hub, as gRPC messages and as server-sent events."""

    def __init__(self, hub: Hub, view: JobView) -> None:
        self._hub = hub
        self._view = view

    async def job(self, request: pb2.WatchJobRequest, context: Any) -> None:
        """WatchJob."""
        tenant, job_id = tenant_of(context.invocation_metadata()), job_id_of(request.job_id)
        form = self._message
        async with self._hub.watch_job(tenant, job_id, request.after_revision) as watch:
            # At once, so that a caller who resumes a quiet job knows that it is heard.
            await context.send_initial_metadata(())
            async with aclosing(watch.events()) as events:
                async for told in events:
                    await context.write(told.form(form))
                    del told  # others may have it too; a silent stream is not to keep it

    async def jobs(self, request: pb2.WatchJobsRequest, context: Any) -> None:
        """WatchJobs."""
        tenant = tenant_of(context.invocation_metadata())
        cursor = Cursor.parsed(request.cursor, tenant) if request.cursor else None
        form = self._message
        async with self._hub.watch_jobs(tenant, filter_of(request), cursor) as watch:
            await context.send_initial_metadata(())
            async with aclosing(watch.events()) as events:
                async for told in events:
                    await context.write(told.form(form))
                    del told

    async def job_events(self, request: pb2.WatchJobEventsRequest, context: Any) -> None:
        """WatchJobEvents."""
        tenant, job_id = tenant_of(context.invocation_metadata()), job_id_of(request.job_id)
        seen = sse.last_revision(context.invocation_metadata())
        last = request.after_revision if seen is None else seen
        form, stream, ended = self._job_event, _EventStream(context), False
        try:
            async with self._hub.watch_job(tenant, job_id, last) as watch:
                await stream.open()
                async with aclosing(watch.events()) as events:
                    async for told in events:
                        event, last = told.message, watch.revision
                        if event.WhichOneof("event") in ("snapshot", "update"):
                            await context.write(told.form(form))
                            ended = sse.is_final(event)
                        else:
                            await stream.write(sse.of_job(event, self._view, last))
                        del told, event
                if not ended:
                    await stream.write(sse.end(await watch.whole(), self._view))
        except Exception as error:
            await stream.fail(error, revision=last)

    async def jobs_events(self, request: pb2.WatchJobsEventsRequest, context: Any) -> None:
        """WatchJobsEvents."""
        metadata = context.invocation_metadata()
        tenant = tenant_of(metadata)
        cursor = _last_cursor(metadata, tenant)
        if cursor is None and request.cursor:
            cursor = Cursor.parsed(request.cursor, tenant)
        form, stream = self._jobs_event, _EventStream(context)
        try:
            async with self._hub.watch_jobs(tenant, filter_of(request), cursor) as watch:
                await stream.open()
                async with aclosing(watch.events()) as events:
                    async for told in events:
                        await context.write(told.form(form))
                        del told
        except Exception as error:
            await stream.fail(error)

    def _message(self, event: pb2.WatchJobResponse | pb2.WatchJobsResponse) -> bytes:
        match event.WhichOneof("event"):
            case "snapshot":
                self._view.show(event.snapshot)
            case "update":
                self._view.show(event.update)
        return event.SerializeToString()

    def _job_event(self, event: pb2.WatchJobResponse) -> bytes:
        return _body(sse.of_job(event, self._view, 0))

    def _jobs_event(self, event: pb2.WatchJobsResponse) -> bytes:
        return _body(sse.of_jobs(event, self._view))


class _EventStream:
    """The call as a stream of server-sent events."""

    __slots__ = ("_context", "_opened")

    def __init__(self, context: Any) -> None:
        self._context = context
        self._opened = False

    async def open(self) -> None:
        """Lets the browser see the stream at once."""
        self._opened = True
        await self._context.send_initial_metadata(_EVENTS_METADATA)
        await self.write(sse.OPENING)

    async def write(self, frame: bytes) -> None:
        await self._context.write(_body(frame))

    async def fail(self, error: Exception, **beside: object) -> None:
        """Tells *error* as the last event. Raises it where no event was sent and it will not pass:
        at any status but 200 a browser gives up for ever."""
        if not self._opened:
            if not isinstance(error, Unavailable | TooManyWatchers):
                raise error
            await self.open()
        await self.write(sse.of_error(error, **beside))


def filter_of(request: pb2.WatchJobsRequest | pb2.WatchJobsEventsRequest) -> JobFilter:
    """The filter that *request* names."""
    return JobFilter.of(request.states, request.model, request.labels)


def _last_cursor(metadata: Any, tenant: str) -> Cursor | None:
    """The cursor in Last-Event-ID; None if it is none of ours, as in sse.last_revision."""
    try:
        return Cursor.parsed(sse.last_event_id(metadata), tenant)
    except CursorInvalid:
        return None


def _body(frame: bytes) -> bytes:
    body: bytes = HttpBody(content_type=sse.CONTENT_TYPE, data=frame).SerializeToString()
    return body
