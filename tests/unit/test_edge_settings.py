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
