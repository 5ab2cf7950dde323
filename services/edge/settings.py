"""What does the edge read from its environment?"""

from pathlib import Path
from typing import Annotated, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from servicekit.settings import Common


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

    @property
    def folder(self) -> Path:
        """Where the edge keeps its rendered configuration and its admin socket."""
        return self.state_dir.resolve() / "edge"
