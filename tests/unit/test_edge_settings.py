"""What the edge reads from its environment."""

import pytest
from pydantic import ValidationError

from edge.settings import Address, EdgeSettings


def test_addresses_are_a_comma_separated_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Host names, IPv4 and bracketed IPv6 addresses, each with a port."""
    monkeypatch.setenv("GATEWAY_ADDRESSES", "gateway:50051, 10.0.0.2:50052,[::1]:50053")
    assert EdgeSettings().gateway_addresses == (
        Address("gateway", 50051),
        Address("10.0.0.2", 50052),
        Address("::1", 50053),
    )


@pytest.mark.parametrize("text", ["gateway", "gateway:", ":50051", "gateway:0", "gateway:65536"])
def test_an_address_without_host_or_port_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is guessed."""
    monkeypatch.setenv("GATEWAY_ADDRESSES", text)
    with pytest.raises(ValidationError, match="is not host:port"):
        EdgeSettings()


@pytest.mark.parametrize("origin", ["*", "example.com", "https://example.com/", "ftp://x"])
def test_only_origins_are_taken_as_origins(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wildcard, a bare host or a path would quietly allow nothing, or everything."""
    monkeypatch.setenv("ALLOWED_ORIGINS", origin)
    with pytest.raises(ValidationError, match="is not an origin"):
        EdgeSettings()


def test_no_other_origin_is_allowed_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """CORS is opened by name only."""
    monkeypatch.delenv("ALLOWED_ORIGINS", raising=False)
    assert EdgeSettings().allowed_origins == ()


@pytest.mark.parametrize("host", ["http://media.example", "media.example:8000", "a b", "*.*"])
def test_only_names_are_taken_as_hosts(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a scheme or a port it would quietly match nothing."""
    monkeypatch.setenv("EDGE_HOSTS", host)
    with pytest.raises(ValidationError, match="is not a host name"):
        EdgeSettings()


def test_the_edge_s_names_are_each_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Envoy refuses a name that stands twice; the address it listens on is one of them."""
    monkeypatch.setenv("EDGE_HOST", "fd00::1")
    monkeypatch.setenv("EDGE_HOSTS", "Media.example,localhost,*.media.example")
    monkeypatch.setenv("PUBLIC_URL", "https://media.example:8443")
    own = ("localhost", "127.0.0.1", "[::1]", "[fd00::1]", "media.example", "*.media.example")
    assert EdgeSettings().names == own
    monkeypatch.setenv("EDGE_HOSTS", "*")
    assert EdgeSettings().names == ("*",)
