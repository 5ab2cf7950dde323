"""How does a service call another? With a deadline on every call, over several replicas."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import Annotated, Any

import grpc
import structlog
from pydantic import AfterValidator


def open(
    address: str,
    *,
    timeout: float = 10.0,
    idempotent: Sequence[str] = (),
    max_message_bytes: int = 4 * 1024 * 1024,
) -> grpc.aio.Channel:
    """A channel to "host:port[,host:port…]": round robin, keepalive, reconnects within 2 s.

    A unary call without a timeout gets *timeout* seconds; streams get none. Methods in *idempotent*
    ("package.Service/Method") are repeated on UNAVAILABLE within their deadline. The request id
    and trace of the call being served go along as metadata. Several hosts must be IP addresses or
    localhost: a name's own addresses are balanced already, by DNS.
    """
    channel = grpc.aio.insecure_channel(
        target(address),
        options=[
            ("grpc.service_config", _service_config(idempotent)),
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 5_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 1_000),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            # Internal calls never leave through an http_proxy of the environment.
            ("grpc.enable_http_proxy", 0),
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
        ],
    )
    return _Channel(channel, timeout)


def target(address: str) -> str:
    """gRPC's name for *address*: ipv4:a:1,b:2 for several, dns:///host:port for one host."""
    hosts = [_split(each) for each in address.split(",") if each.strip()]
    if not hosts:
        raise ValueError(f"expected host:port, got {address!r}")
    if len(hosts) == 1 and _version(hosts[0][0]) is None:
        return f"dns:///{hosts[0][0]}:{hosts[0][1]}"
    resolved = [("127.0.0.1" if host == "localhost" else host, port) for host, port in hosts]
    versions = {_version(host) for host, _ in resolved}
    if len(versions) != 1 or None in versions:
        raise ValueError(f"several addresses must all be IPv4 or all be IPv6: {address!r}")
    if versions == {6}:
        return "ipv6:" + ",".join(f"[{host}]:{port}" for host, port in resolved)
    return "ipv4:" + ",".join(f"{host}:{port}" for host, port in resolved)


def _is_address(address: str) -> str:
    target(address)
    return address


#: For a setting that says where a service is: "host:port[,host:port…]".
Address = Annotated[str, AfterValidator(_is_address)]


def _split(each: str) -> tuple[str, int]:
    host, separator, port = each.strip().rpartition(":")
    if not separator or not host or not port.isdigit():
        raise ValueError(f"expected host:port, got {each.strip()!r}")
    return host.strip("[]"), int(port)


def _version(host: str) -> int | None:
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None


def _service_config(idempotent: Sequence[str]) -> str:
    names = []
    for method in idempotent:
        service, _, name = method.strip("/").rpartition("/")
        names.append({"service": service, "method": name})
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if names:
        policy = {
            "maxAttempts": 4,
            "initialBackoff": "0.1s",
            "maxBackoff": "1s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        config["methodConfig"] = [{"name": names, "retryPolicy": policy}]
    return json.dumps(config)


class _Channel(grpc.aio.Channel):  # type: ignore[misc]
    """Adds deadline and origin to each call. grpc.aio's interceptors would do the same at the cost
    of a task per call."""

    def __init__(self, channel: grpc.aio.Channel, timeout: float) -> None:
        self._channel = channel
        self._timeout = timeout

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        return _called(self._channel.unary_unary(*args, **kwargs), self._timeout)

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        return _called(self._channel.unary_stream(*args, **kwargs), None)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        return self._channel.stream_unary(*args, **kwargs)

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._channel.stream_stream(*args, **kwargs)

    async def close(self, grace: float | None = None) -> None:
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channel.channel_ready()

    async def __aenter__(self) -> _Channel:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


def _called(call: Any, default: float | None) -> Any:
    def begin(
        request: Any, *, timeout: float | None = None, metadata: Any = None, **more: Any
    ) -> Any:
        origin = _origin()
        if origin:
            metadata = (*(metadata or ()), *origin)
        return call(
            request, timeout=default if timeout is None else timeout, metadata=metadata, **more
        )

    return begin


def _origin() -> tuple[tuple[str, str], ...]:
    bound = structlog.contextvars.get_contextvars()
    pairs = (("x-request-id", bound.get("request_id")), ("traceparent", bound.get("traceparent")))
    return tuple((key, value) for key, value in pairs if value)
