"""What does the edge read from its environment?"""

import re
from pathlib import Path
from typing import Annotated, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from servicekit.settings import Common

# Whoever can point these names elsewhere has this machine anyway.
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
EVERY_INTERFACE = ("0.0.0.0", "::")
HOST_NAME = re.compile(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")


class Address(NamedTuple):
    """A host name or IP address, and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `host:port`; an IPv6 host stands in brackets."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{text!r} is not host:port")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))


def _split(value: object) -> object:
    """`a, b` from the environment as a tuple; anything else is left to pydantic."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _addresses(value: object) -> object:
    parts = _split(value)
    if not isinstance(parts, tuple | list):
        return parts
    return tuple(Address.parse(part) if isinstance(part, str) else part for part in parts)


Addresses = Annotated[
    tuple[Address, ...], NoDecode, BeforeValidator(_addresses), Field(min_length=1)
]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Port = Annotated[int, Field(ge=1, le=65535)]


class EdgeSettings(Common):
    """The edge's environment. Names are the variables' own, in lower case."""

    edge_host: str = "127.0.0.1"
    edge_port: Port = 8000
    # The same routes on a second port, where the web page is expected.
    web_port: Port = 3000
    gateway_addresses: Addresses = (Address("127.0.0.1", 50051),)
    # The gateway's plain HTTP side: artifact bytes, health, and strictly parsed JSON.
    gateway_http_addresses: Addresses = (Address("127.0.0.1", 50080),)
    # Other sites whose pages may call this API. The edge's own pages always may.
    allowed_origins: Origins = ()
    # Names beside those of this machine by which the edge may be called; * for all.
    edge_hosts: Hosts = ()
    # Where callers reach the gateways' artifacts, which is here.
    public_url: str | None = None
    state_dir: Path = Path(".run")
    # How long calls under way may take to end after SIGTERM.
    edge_drain_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            url = urlsplit(origin)
            if url.scheme not in ("http", "https") or origin != f"{url.scheme}://{url.netloc}":
                raise ValueError(f"{origin!r} is not an origin such as https://media.example.com")
        return origins

    @field_validator("edge_hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not HOST_NAME.fullmatch(host.lower()):
                raise ValueError(f"{host!r} is not a host name such as media.example.com")
        return tuple(host.lower() for host in hosts)

    @field_validator("public_url")
    @classmethod
    def _has_a_host(cls, url: str | None) -> str | None:
        if url is not None and not urlsplit(url).hostname:
            raise ValueError(f"{url!r} is not an address such as https://media.example.com")
        return url

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts by which the edge may be called, in lower case and each one once."""
        bound = () if self.edge_host in EVERY_INTERFACE else (_bracketed(self.edge_host),)
        public = urlsplit(self.public_url or "").hostname
        named = (_bracketed(public),) if public else ()
        names = (*LOOPBACK, *bound, *named, *self.edge_hosts)
        return ("*",) if "*" in names else tuple(dict.fromkeys(names))

    @property
    def folder(self) -> Path:
        """Where the edge keeps its rendered configuration and its admin socket."""
        return self.state_dir.resolve() / "edge"


def _bracketed(host: str) -> str:
    """As it stands in a Host header: an IPv6 address in brackets."""
    return f"[{host.lower()}]" if ":" in host else host.lower()
