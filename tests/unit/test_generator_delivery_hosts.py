"""From where may a result be fetched? And what of an address is a base URL."""

from __future__ import annotations

import pytest

from generator.adapters.delivery_hosts import DEFAULT, DeliveryHosts
from generator.adapters.endpoint import base_url


@pytest.mark.parametrize(
    "url",
    [
        "https://replicate.delivery/xezq/a.webp",
        "https://pbxt.replicate.delivery/a",
        "https://a.b.replicate.delivery:443/a",
        "https://REPLICATE.delivery/a",
        "https://replicate.delivery./a",
    ],
)
def test_the_providers_hosts_are_allowed(url: str) -> None:
    assert DeliveryHosts(DEFAULT).allows(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://replicate.delivery/a",
        "https://replicate.delivery:8443/a",
        "https://evilreplicate.delivery/a",
        "https://replicate.delivery.evil.com/a",
        "https://user@replicate.delivery/a",
        "https://replicate.delivery@evil.com/a",
        "https://evil.com/replicate.delivery",
        "https://127.0.0.1/a",
        "ftp://replicate.delivery/a",
        "file:///etc/passwd",
        "https:///a",
        "https://[::1/a",
        "https://replicate.delivery:99999/a",
        "",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    """Other schemes, ports, look-alike names, user names, broken addresses."""
    assert not DeliveryHosts(DEFAULT).allows(url)


def test_plain_http_is_for_this_machine_only() -> None:
    """Where it is on the list."""
    hosts = DeliveryHosts("127.0.0.1:9900,localhost,example.com:80")
    assert hosts.allows("http://127.0.0.1:9900/x")
    assert not hosts.allows("http://127.0.0.1:9901/x")
    assert hosts.allows("http://localhost:1234/x")
    assert not hosts.allows("http://example.com/x")
    assert not hosts.only_loopback
    assert DeliveryHosts("127.0.0.1:9900").only_loopback


@pytest.mark.parametrize("entry", ["https://x", "x/y", "*", "a*b.com", "x:port", "u@x"])
def test_an_entry_that_can_not_be_read_is_refused(entry: str) -> None:
    """At the start, by its text."""
    with pytest.raises(ValueError):
        DeliveryHosts(entry)


@pytest.mark.parametrize("given", ["https://x", "https://x/", "https://x/v1", "https://x/v1/"])
def test_the_base_url_may_come_with_or_without_its_version(given: str) -> None:
    assert base_url(given) == "https://x/v1"
