"""Does a request keep the rules written in its proto?

All violations at once, as google.rpc.BadRequest, the same from gRPC and from plain HTTP handlers.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import protovalidate
import structlog
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from servicekit.statuses import INTERNAL_MESSAGE, abort, packed

log = structlog.get_logger()

# More would not help a caller and could exceed the header limit (8 KiB) of a status.
_MOST_TOLD = 20
_MOST_BYTES = 4096
_LONGEST_WORDS = 200
_LONGEST_REASON = 63
_NO_WORDS: Mapping[str, str] = {}


Beside = Callable[[Message, Any], Awaitable[Sequence[BadRequest.FieldViolation]]]


class InvalidRequest(Exception):
    """A request breaks rules of its proto; StatusInterceptor makes it INVALID_ARGUMENT."""

    def __init__(self, violations: Sequence[BadRequest.FieldViolation], reason: str) -> None:
        super().__init__(_summary(violations))
        self.violations = list(violations)
        self.reason = reason
        self.metadata: dict[str, str] = {}
        self.details: list[Message] = [BadRequest(field_violations=_fitting(self.violations))]


def violations(
    message: Message, pattern_words: Mapping[str, str] = _NO_WORDS
) -> list[BadRequest.FieldViolation]:
    """Every rule that *message* breaks, in the order of its fields; empty if none.

    *pattern_words*: what is said, by pattern, of a text that does not match it: a regular
    expression tells most people nothing.
    Raises protovalidate's CompilationError or EvaluationError where a rule itself is broken.
    """
    found = protovalidate.collect_violations(message)
    return [_field_violation(each.proto, _words(each, pattern_words)) for each in found]


def bad_request(
    violations: Sequence[BadRequest.FieldViolation], *, reason: str = "INVALID_REQUEST"
) -> InvalidRequest:
    """The exception that tells *violations*; *reason* becomes ErrorInfo.reason."""
    return InvalidRequest(violations, reason)


def violation(field: str, description: str, reason: str) -> BadRequest.FieldViolation:
    """One violation, for a rule that a proto can not state."""
    return BadRequest.FieldViolation(field=field, description=description, reason=reason)


def warm(*messages: Message) -> None:
    """Compiles these types' rules at start: the first use of a type costs about 11 ms."""
    for message in messages:
        protovalidate.collect_violations(message)


class ValidationInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Refuses requests that break their proto's rules, before the servicer sees them.

    Place it after StatusInterceptor, which then logs the refusal. *also* finds what no proto rule
    can state, so that a caller is told everything at once; *beside*, given the caller's metadata
    too, is asked what else is wrong with a request that is refused anyway; what *first* finds makes
    a request too costly to look at further, and is told alone; *pattern_words* are those of
    `violations`. Of a stream of requests each is checked as it comes. A rule that can not be
    compiled or evaluated is our fault: INTERNAL, and logged.
    """

    def __init__(
        self,
        domain: str,
        reason: str,
        *,
        first: Callable[[Message], Sequence[BadRequest.FieldViolation]] = lambda _: (),
        also: Callable[[Message], Sequence[BadRequest.FieldViolation]] = lambda _: (),
        beside: Beside | None = None,
        pattern_words: Mapping[str, str] = _NO_WORDS,
    ) -> None:
        self._domain = domain
        self._reason = reason
        self._first = first
        self._also = also
        self._beside = beside
        self._pattern_words = pattern_words

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        method: str = handler_call_details.method
        if handler is None or method.startswith("/grpc."):
            return handler
        if handler.request_streaming:
            return self._streamed(handler)
        if handler.response_streaming:

            async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
                await self._check(request, context)
                answer = handler.unary_stream(request, context)
                if not hasattr(answer, "__aiter__"):
                    await answer
                    return
                try:
                    async for response in answer:
                        yield response
                finally:
                    await answer.aclose()

            return grpc.unary_stream_rpc_method_handler(
                stream, _tolerant(handler.request_deserializer), handler.response_serializer
            )

        async def unary(request: Any, context: Any) -> Any:
            await self._check(request, context)
            return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            unary, _tolerant(handler.request_deserializer), handler.response_serializer
        )

    def _streamed(self, handler: Any) -> Any:
        """Of a stream of requests that has one answer."""

        async def streamed(requests: AsyncIterator[Any], context: Any) -> Any:
            async def checked() -> AsyncIterator[Any]:
                async for request in requests:
                    await self._check(request, context)
                    yield request

            return await handler.stream_unary(checked(), context)

        return grpc.stream_unary_rpc_method_handler(
            streamed, _tolerant(handler.request_deserializer), handler.response_serializer
        )

    async def _check(self, request: Message | _Unreadable, context: Any) -> None:
        try:
            found = await self._found(request, context)
        except (protovalidate.CompilationError, protovalidate.EvaluationError):
            log.exception("validation.crashed", message=type(request).__name__)
            await abort(context, packed(grpc.StatusCode.INTERNAL, INTERNAL_MESSAGE))
        if found:
            error = bad_request(found, reason=self._reason)
            info = ErrorInfo(reason=self._reason, domain=self._domain)
            await abort(
                context,
                packed(grpc.StatusCode.INVALID_ARGUMENT, str(error), [info, *error.details]),
            )

    async def _found(
        self, request: Message | _Unreadable, context: Any
    ) -> Sequence[BadRequest.FieldViolation]:
        if isinstance(request, _Unreadable):
            return [violation("", request.why, "UNREADABLE")]
        if first := self._first(request):
            return first
        found = [*violations(request, self._pattern_words), *self._also(request)]
        if found and self._beside is not None:
            found += await self._beside(request, context.invocation_metadata() or ())
        return found


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Stands for a request whose bytes are no message."""

    why: str = "the bytes are not the message of this method, or a string in it is not UTF-8"


def _tolerant(deserializer: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """*deserializer*, whose failure gRPC would answer with UNKNOWN and the library's own words."""
    if deserializer is None:
        return None

    def read(raw: bytes) -> Any:
        try:
            return deserializer(raw)
        except DecodeError:
            return _Unreadable()

    return read


def _words(violation: Any, pattern_words: Mapping[str, str]) -> str:
    if violation.proto.rule_id != "string.pattern":
        return ""
    return pattern_words.get(str(violation.rule_value), "")


def _field_violation(proto: Any, words: str) -> BadRequest.FieldViolation:
    return BadRequest.FieldViolation(
        field=_path(proto.field),
        description=_cut(words or proto.message or proto.rule_id or "is not valid"),
        reason=_reason(proto.rule_id),
    )


def _path(field: Any) -> str:
    """`labels["a b"]`, `steps[2].name`; empty for a rule over the whole message."""
    if field is None:
        return ""
    path = ""
    for element in field.elements:
        path += f".{element.field_name}" if path else element.field_name
        subscript = element.subscript
        if subscript is None:
            continue
        value = subscript.value
        path += f'["{_cut(value)}"]' if subscript.field == "string_key" else f"[{value}]"
    return path


def _reason(rule_id: str | None) -> str:
    """string.min_len → STRING_MIN_LEN: google.rpc asks for at most 63 characters of A-Z, 0-9, _."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", rule_id or "invalid").strip("_").upper()
    return words[:_LONGEST_REASON].rstrip("_")


def _fitting(
    violations: Sequence[BadRequest.FieldViolation],
) -> Sequence[BadRequest.FieldViolation]:
    """The first of them, as many as a header holds in base64 beside what else is said."""
    size = 0
    for count, each in enumerate(violations[:_MOST_TOLD]):
        size += each.ByteSize()
        if size > _MOST_BYTES:
            return violations[:count]
    return violations[:_MOST_TOLD]


def _summary(violations: Sequence[BadRequest.FieldViolation]) -> str:
    told = "; ".join(
        _cut(f"{each.field}: {each.description}" if each.field else each.description)
        for each in violations[:3]
    )
    more = f"; and {len(violations) - 3} more" if len(violations) > 3 else ""
    return f"Invalid request: {told}{more}."


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST_WORDS else f"{words[: _LONGEST_WORDS - 1]}…"
