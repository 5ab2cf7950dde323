"""Which hosts does a list name?"""

from __future__ import annotations

import pytest

from servicekit.hosts import HostList

LISTED = HostList("hooks.corp, 10.1.0.0/16,*.lan:8080,[fd00::1]:9000,192.0.2.7, fd00:1::/32")


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("hooks.corp", 443),
        ("HOOKS.corp.", 8443),
        ("10.1.2.3", 80),
        ("a.lan", 8080),
        ("a.b.lan", 8080),
        ("fd00::1", 9000),
        ("192.0.2.7", 1),
        ("fd00:1:2::3", 443),
    ],
)
def test_what_is_named_is_on_the_list(host: str, port: int) -> None:
    """By its name, by a suffix, by its address, or by a network; without a port: every port."""
    assert LISTED.has(host, port)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("corp", 443),
        ("a.hooks.corp", 443),
        ("xhooks.corp", 443),
        ("10.2.0.0", 80),
        ("lan", 8080),
        ("a.lan", 8081),
        ("fd00::1", 443),
        ("::ffff:10.1.2.3", 80),
        ("10.1", 80),
        ("", 80),
    ],
)
def test_nothing_else_is(host: str, port: int) -> None:
    """Neighbours of a name, other ports, other notations."""
    assert not LISTED.has(host, port)


def test_an_empty_list_names_nobody() -> None:
    assert not HostList("").has("localhost", 80)
    assert HostList(" , ").hosts == ()


@pytest.mark.parametrize(
    "entry",
    ["https://x", "x/y", "*", "a*b.com", "x:port", "u@x", "10.0.0.1/8", "10.0.0.0/33", "x:70000"],
)
def test_an_entry_that_can_not_be_read_is_refused(entry: str) -> None:
    """At the start, by its text: half a network opens more than was meant, or nothing."""
    with pytest.raises(ValueError, match="got"):
        HostList(f"fine.example, {entry}")
