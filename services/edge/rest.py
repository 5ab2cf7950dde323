"""Which REST paths do the public protos declare?"""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodDescriptorProto

PUBLIC_PACKAGE = "mediagen.v1"


@dataclass(frozen=True)
class RestPath:
    """One (HTTP method, path template) of one RPC."""

    rpc: str
    http_method: str
    template: str
    streams: bool
    # It takes a stream: over HTTP the body is the file itself, of any length.
    uploads: bool
    # The RPC answers with google.api.HttpBody: its bytes are the body as they are.
    raw: bool
    # The field of the response that is the body, where it is not the whole message.
    response_body: str = ""

    @property
    def regex(self) -> str:
        """The template as RE2: a variable is one path segment that has no verb behind it, or two
        where it says `=*/*`."""
        parts = re.split(r"(\{[^}]+\})", self.template)
        return "".join(_variable(part) if part[:1] == "{" else re.escape(part) for part in parts)


def _variable(part: str) -> str:
    return "[^/:]+/[^/:]+" if part.endswith("=*/*}") else "[^/:]+"


@dataclass(frozen=True)
class PublicApi:
    """The public services: their full names, their REST paths and their streaming RPCs."""

    services: tuple[str, ...]
    paths: tuple[RestPath, ...]
    streaming_rpcs: tuple[str, ...]


def read_api(descriptor: Path) -> PublicApi:
    """The public API as the compiled protos have it."""
    files = FileDescriptorSet.FromString(descriptor.read_bytes()).file
    services = [
        (f"{file.package}.{service.name}", service)
        for file in files
        if file.package == PUBLIC_PACKAGE
        for service in file.service
    ]
    return PublicApi(
        services=tuple(name for name, _ in services),
        paths=tuple(path for _, service in services for m in service.method for path in _paths(m)),
        streaming_rpcs=tuple(
            f"/{name}/{method.name}"
            for name, service in services
            for method in service.method
            if method.server_streaming or method.client_streaming
        ),
    )


def without_rest(descriptor: Path, rpcs: Set[str]) -> bytes:
    """The compiled protos without the REST paths of these RPCs."""
    files = FileDescriptorSet.FromString(descriptor.read_bytes())
    for file in files.file:
        for service in file.service:
            for method in service.method:
                if file.package == PUBLIC_PACKAGE and method.name in rpcs:
                    method.options.ClearExtension(annotations_pb2.http)
    return files.SerializeToString(deterministic=True)


def _paths(method: MethodDescriptorProto) -> Iterator[RestPath]:
    if not method.options.HasExtension(annotations_pb2.http):
        return
    first: http_pb2.HttpRule = method.options.Extensions[annotations_pb2.http]
    for rule in (first, *first.additional_bindings):
        verb = rule.WhichOneof("pattern")
        if verb is None or verb == "custom":
            raise ValueError(f"{method.name}: the edge knows only the plain HTTP methods")
        yield RestPath(
            rpc=method.name,
            http_method=verb.upper(),
            template=getattr(rule, verb),
            streams=method.server_streaming,
            uploads=method.client_streaming,
            raw=method.output_type == ".google.api.HttpBody",
            response_body=rule.response_body,
        )
