"""What does a caller see of an RPC's errors? Over a real server and channel, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from structlog.testing import capture_logs

from servicekit import channels, server, validation
from servicekit.lifecycle import Stop
from servicekit.rpc import StatusInterceptor

SERVICE = "servicekit.test.Echo"


def _request_type() -> type[Message]:
    """message Ask { string name = 1 [min_len 2]; repeated int32 steps = 2 [items <= 9];
    map<string, string> labels = 3 [values min_len 1]; string broken = 4 }"""
    file = descriptor_pb2.FileDescriptorProto(
        name="servicekit/test/ask.proto",
        package="servicekit.test",
        syntax="proto3",
        dependency=["buf/validate/validate.proto"],
    )
    kinds = descriptor_pb2.FieldDescriptorProto
    ask = file.message_type.add(name="Ask")
    name = ask.field.add(name="name", number=1, type=kinds.TYPE_STRING, label=1)
    name.options.Extensions[validate_pb2.field].string.min_len = 2
    steps = ask.field.add(name="steps", number=2, type=kinds.TYPE_INT32, label=3)
    steps.options.Extensions[validate_pb2.field].repeated.items.int32.lte = 9
    entry = ask.nested_type.add(name="LabelsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=1)
    entry.field.add(name="value", number=2, type=kinds.TYPE_STRING, label=1)
    labels = ask.field.add(
        name="labels",
        number=3,
        type=kinds.TYPE_MESSAGE,
        label=3,
        type_name=".servicekit.test.Ask.LabelsEntry",
    )
    labels.options.Extensions[validate_pb2.field].map.values.string.min_len = 1
    broken = file.message_type.add(name="Broken")
    field = broken.field.add(name="name", number=1, type=kinds.TYPE_STRING, label=1)
    rule = field.options.Extensions[validate_pb2.field].cel.add(id="broken", message="x")
    rule.expression = "this.no_such_thing()"
    descriptor_pool.Default().Add(file)
    return message_factory.GetMessageClass(
        descriptor_pool.Default().FindMessageTypeByName("servicekit.test.Ask")
    )


Ask: Any = _request_type()
Broken: Any = message_factory.GetMessageClass(
    descriptor_pool.Default().FindMessageTypeByName("servicekit.test.Broken")
)
Unary = Callable[[Any, Any], Awaitable[Any]]
Stream = Callable[[Any, Any], AsyncIterator[Any]]


class Refused(Exception):
    reason = "ERROR_REASON_REFUSED"

    def __init__(self, *details: Message) -> None:
        super().__init__("It is refused.")
        self.metadata = {"job_id": "j1"}
        self.details = list(details)


class VeryRefused(Refused):
    pass


async def hello(request: Any, context: Any) -> Any:
    return request


@asynccontextmanager
async def serving(
    unary: Unary = hello,
    stream: Stream | None = None,
    kind: Any = Ask,
    upload: Unary | None = None,
    beside: validation.Beside | None = None,
) -> AsyncIterator[grpc.aio.Channel]:
    """An Echo service behind both interceptors, and a channel to it."""
    grpc_server = server.build(
        [
            StatusInterceptor("test", {Refused: grpc.StatusCode.FAILED_PRECONDITION}),
            validation.ValidationInterceptor("test", "ERROR_REASON_INVALID", beside=beside),
        ]
    )
    codec = {"request_deserializer": kind.FromString, "response_serializer": kind.SerializeToString}
    methods = {"Say": grpc.unary_unary_rpc_method_handler(unary, **codec)}
    if stream is not None:
        methods["Stream"] = grpc.unary_stream_rpc_method_handler(stream, **codec)
    if upload is not None:
        methods["Upload"] = grpc.stream_unary_rpc_method_handler(upload, **codec)
    grpc_server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    stop, port = Stop(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        server.serve(grpc_server, "127.0.0.1:0", stop, grace=1, on_listening=port.set_result)
    )
    async with channels.open(f"127.0.0.1:{await port}", timeout=5) as channel:
        yield channel
    stop.set()
    await task


def method(channel: grpc.aio.Channel, name: str = "Say", kind: Any = Ask) -> Any:
    kinds = {"Say": channel.unary_unary, "Upload": channel.stream_unary}
    return kinds.get(name, channel.unary_stream)(
        f"/{SERVICE}/{name}",
        request_serializer=kind.SerializeToString,
        response_deserializer=kind.FromString,
    )


async def status_of(call: Awaitable[Any]) -> Status:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    status = rpc_status.from_call(failed.value)
    assert status is None or status.code == failed.value.code().value[0]
    return status or Status(code=failed.value.code().value[0], message=failed.value.details() or "")


def unpacked(status: Status, kind: type[Message]) -> Any:
    detail = kind()
    assert any(each.Unpack(detail) for each in status.details), status
    return detail


def raising(error: BaseException) -> Unary:
    async def handler(request: Any, context: Any) -> Any:
        raise error

    return handler


GOOD = Ask(name="ok")


async def test_a_listed_error_has_its_code_reason_and_details() -> None:
    """A subclass has the code of its base; RetryInfo and the like follow the ErrorInfo."""
    retry = RetryInfo(retry_delay=Duration(seconds=3))
    for error in (Refused(), VeryRefused(retry)):
        async with serving(raising(error)) as channel:
            status = await status_of(method(channel)(GOOD))
        assert (status.code, status.message) == (9, "It is refused.")
        info = unpacked(status, ErrorInfo)
        assert (info.reason, info.domain) == ("ERROR_REASON_REFUSED", "test")
        assert dict(info.metadata) == {"job_id": "j1"}
    assert unpacked(status, RetryInfo) == retry


async def test_an_unknown_error_keeps_its_words_to_the_log() -> None:
    """A driver's message is no caller's business."""
    with capture_logs() as logged:
        async with serving(raising(KeyError("secret"))) as channel:
            status = await status_of(method(channel)(GOOD))
    assert (status.code, status.message) == (13, "Internal error.")
    assert [entry["log_level"] for entry in logged if entry["event"] == "rpc.crashed"] == ["error"]


def upstream(code: grpc.StatusCode, status: Status | None = None) -> grpc.aio.AioRpcError:
    trailing = grpc.aio.Metadata()
    if status is not None:
        trailing = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details="their words")


async def test_a_client_error_of_an_upstream_is_passed_through_with_its_details() -> None:
    """The store's ErrorInfo is the gateway's."""
    told = Status(code=5, message="their words")
    told.details.add().Pack(ErrorInfo(reason="THEIRS", domain="test"))
    async with serving(raising(upstream(grpc.StatusCode.NOT_FOUND, told))) as channel:
        assert await status_of(method(channel)(GOOD)) == told
    async with serving(raising(upstream(grpc.StatusCode.RESOURCE_EXHAUSTED))) as channel:
        assert (await status_of(method(channel)(GOOD))).message == "their words"


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("UNAVAILABLE", 14),
        ("DEADLINE_EXCEEDED", 14),
        ("INTERNAL", 13),
        ("UNKNOWN", 13),
        ("PERMISSION_DENIED", 13),
        ("UNAUTHENTICATED", 13),
    ],
)
async def test_a_failing_upstream_is_unavailable_or_internal(code: str, seen: int) -> None:
    """Its address and its words stay inside."""
    async with serving(raising(upstream(grpc.StatusCode[code]))) as channel:
        status = await status_of(method(channel)(GOOD))
    assert status.code == seen
    assert "their words" not in status.message


async def test_every_violation_is_told_at_once() -> None:
    """Field paths with index and key, a description, a reason in capitals."""
    bad = Ask(name="x", steps=[1, 10], labels={"a b": ""})
    async with serving() as channel:
        status = await status_of(method(channel)(bad))
        assert await method(channel)(GOOD) == GOOD
    assert status.code == 3
    assert unpacked(status, ErrorInfo).reason == "ERROR_REASON_INVALID"
    told = {each.field: each for each in unpacked(status, BadRequest).field_violations}
    assert set(told) == {"name", "steps[1]", 'labels["a b"]'}
    assert told["name"].reason == "STRING_MIN_LEN"
    assert "2" in told["name"].description
    assert "name: " in status.message


async def test_a_stream_is_validated_and_mapped_too() -> None:
    """Before its first message, and after some."""

    async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
        yield request
        raise Refused

    async with serving(stream=stream) as channel:
        seen = []

        async def consume(request: Any) -> None:
            async for each in method(channel, "Stream")(request):
                seen.append(each)

        assert (await status_of(consume(Ask(name="x")))).code == 3
        assert seen == []
        assert (await status_of(consume(GOOD))).code == 9
        assert seen == [GOOD]


async def test_a_stream_of_requests_is_validated_as_it_comes() -> None:
    """Each message before the servicer sees it; what the servicer raises is mapped."""
    seen: list[Any] = []

    async def upload(requests: AsyncIterator[Any], context: Any) -> Any:
        async for each in requests:
            seen.append(each)
        if len(seen) > 2:
            raise Refused
        return seen[-1]

    async with serving(upload=upload) as channel:
        call = method(channel, "Upload")
        assert await call(iter([GOOD, GOOD])) == GOOD
        seen.clear()
        status = await status_of(call(iter([GOOD, Ask(name="x"), GOOD])))
        assert (status.code, seen) == (3, [GOOD])
        assert unpacked(status, BadRequest).field_violations[0].field == "name"
        seen.clear()
        status = await status_of(call(iter([GOOD] * 3)))
        assert (status.code, unpacked(status, ErrorInfo).reason) == (9, "ERROR_REASON_REFUSED")


async def test_what_else_is_wrong_is_asked_only_of_what_is_refused() -> None:
    """With the caller's metadata, and told behind what the rules find."""
    asked: list[Any] = []

    async def beside(request: Message, metadata: Any) -> list[BadRequest.FieldViolation]:
        asked.append(dict(metadata)["who"])
        return [validation.violation("labels", "are too few", "FEW")]

    async with serving(beside=beside) as channel:
        assert await method(channel)(GOOD, metadata=(("who", "me"),)) == GOOD
        assert asked == []
        status = await status_of(method(channel)(Ask(name="x"), metadata=(("who", "me"),)))
    told = [each.field for each in unpacked(status, BadRequest).field_violations]
    assert (asked, told) == (["me"], ["name", "labels"])


def test_a_refusal_fits_into_a_header() -> None:
    """Not more than 20, and not more than what a header of 8 KiB holds in base64."""
    few = [validation.violation(f"f{n}", "short", "SHORT") for n in range(30)]
    many = [validation.violation(f"input.f{n}", "x" * 300, "LONG") for n in range(30)]
    assert len(validation.bad_request(few).details[0].field_violations) == 20  # type: ignore[attr-defined]
    error = validation.bad_request(many)
    told = error.details[0]
    assert 5 < len(told.field_violations) < 20  # type: ignore[attr-defined]
    # The message stands in a header of its own, and in the status again.
    assert (2 * len(str(error)) + told.ByteSize()) * 4 / 3 < 8000


async def test_a_stream_left_by_its_caller_is_closed_and_logged() -> None:
    """The servicer's finally runs: a watcher gone is a watcher deregistered."""
    closed = asyncio.Event()

    async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            yield request
            await asyncio.sleep(60)
        finally:
            closed.set()

    with capture_logs() as logged:
        async with serving(stream=stream) as channel:
            call = method(channel, "Stream")(GOOD)
            assert await call.read() == GOOD
            call.cancel()
            await asyncio.wait_for(closed.wait(), 5)
            await asyncio.sleep(0.05)
    finished = [entry for entry in logged if entry["event"] == "rpc.finished"]
    assert [entry["code"] for entry in finished] == ["CANCELLED"]


async def test_a_broken_rule_is_our_fault() -> None:
    """A rule that does not compile is INTERNAL, never a request let through."""
    called = []

    async def handler(request: Any, context: Any) -> Any:
        called.append(request)
        return request

    with capture_logs() as logged:
        async with serving(handler, kind=Broken) as channel:
            status = await status_of(method(channel, kind=Broken)(Broken(name="x")))
    assert (status.code, called) == (13, [])
    assert "validation.crashed" in [entry["event"] for entry in logged]


async def test_a_servicer_may_abort_by_itself() -> None:
    """The interceptor leaves its status as it is."""

    async def handler(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.NOT_FOUND, "not here")

    async with serving(handler) as channel:
        status = await status_of(method(channel)(GOOD))
    assert (status.code, status.message) == (5, "not here")


async def test_the_request_id_is_bound_and_goes_along_to_the_next_call() -> None:
    """gateway → store: one id finds both lines."""
    import structlog

    bound: list[Any] = []

    async def last(request: Any, context: Any) -> Any:
        bound.append(structlog.contextvars.get_contextvars())
        return request

    async with serving(last) as behind:

        async def relay(request: Any, context: Any) -> Any:
            return await method(behind)(request)

        async with serving(relay) as channel:
            await method(channel)(GOOD, metadata=(("x-request-id", "r" * 500),))
    assert bound[0]["request_id"] == "r" * 128
    assert bound[0]["rpc"] == f"/{SERVICE}/Say"
    assert "request_id" not in structlog.contextvars.get_contextvars()


def test_violations_serve_plain_http_handlers_too() -> None:
    """The same exception, without gRPC; StatusInterceptor knows it without being told."""
    found = validation.violations(Ask(name="x"))
    error = validation.bad_request(
        [*found, validation.violation("prompt", "is given twice", "GIVEN_TWICE")], reason="BAD"
    )
    assert error.reason == "BAD"
    assert [each.field for each in error.violations] == ["name", "prompt"]
    assert isinstance(error.details[0], BadRequest)
    validation.warm(Ask())
