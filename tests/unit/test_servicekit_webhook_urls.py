"""Which URLs and addresses may be posted to on a caller's behalf?"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.addresses import is_public, unmapped
from servicekit.hosts import HostList
from servicekit.webhook_urls import ForbiddenUrl, may_call, problem, target

INTERNAL = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    "::/8", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
#: Within ::/8, but an IPv4 address to the kernel or to a translator: judged by that one.
HOLDS_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
NETWORKS = [ip_network(each) for each in INTERNAL]
V4 = [each for each in NETWORKS if isinstance(each, IPv4Network)]


@st.composite
def internal_addresses(draw: st.DrawFn) -> IPv4Address | IPv6Address:
    """Any address of the networks that nobody is called in."""
    network = draw(st.sampled_from(NETWORKS))
    return network[draw(st.integers(0, network.num_addresses - 1))]


@st.composite
def internal_v4(draw: st.DrawFn) -> IPv4Address:
    network = draw(st.sampled_from(V4))
    return network[draw(st.integers(0, network.num_addresses - 1))]


@settings(deadline=None)
@given(internal_addresses())
def test_no_internal_address_is_public(address: IPv4Address | IPv6Address) -> None:
    """Private, link-local, metadata, loopback, multicast, reserved, documentation, relays."""
    holds = isinstance(address, IPv6Address) and any(address in net for net in HOLDS_IPV4)
    assert holds or not is_public(address)


@settings(deadline=None)
@given(internal_v4())
def test_no_internal_address_hides_in_another(address: IPv4Address) -> None:
    """Mapped, compatible, translated (NAT64), 6to4, Teredo, and IPv4-translated."""
    bits = int(address)
    for hidden in (
        0xFFFF << 32 | bits,
        bits,
        0x64FF9B << 96 | bits,
        0x64FF9B0001 << 80 | bits,
        0x2002 << 112 | bits << 80,
        0x20010000 << 96 | (bits ^ 0xFFFFFFFF),
        0xFFFF << 48 | bits,
    ):
        assert not is_public(IPv6Address(hidden)), IPv6Address(hidden)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_an_address_that_holds_another_is_judged_by_it(address: IPv4Address) -> None:
    """In the two ways in which a public server can be called so."""
    mapped = IPv6Address(0xFFFF << 32 | int(address))
    assert unmapped(mapped) == address
    assert is_public(mapped) == is_public(address)
    assert is_public(IPv6Address(0x64FF9B << 96 | int(address))) == is_public(address)


@settings(deadline=None)
@given(st.ip_addresses())
def test_what_python_knows_as_not_global_is_never_public(
    address: IPv4Address | IPv6Address,
) -> None:
    """Our own list only adds to it."""
    holds = isinstance(address, IPv6Address) and any(address in net for net in HOLDS_IPV4)
    if not holds and not address.is_global:
        assert not is_public(address)


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_the_public_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", ["fe80::1%eth0", "2606:4700::1%1"])
def test_an_address_of_one_link_is_not_public(text: str) -> None:
    """A zone is of this machine, whatever address it is put behind."""
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/", "hooks.example.com"),
        ("HTTPS://Hooks.Example.COM./A?b=C", "hooks.example.com", 443, "/A?b=C",
         "hooks.example.com"),
        ("https://a.example:8443?x", "a.example", 8443, "/?x", "a.example:8443"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://[2606:4700:0::1111]:444/", "2606:4700::1111", 444, "/", "[2606:4700::1111]:444"),
        ("https://xn--bcher-kva.example/%C3%BC", "xn--bcher-kva.example", 443, "/%C3%BC",
         "xn--bcher-kva.example"),
    ],
)  # fmt: skip
def test_a_public_https_url_is_taken_apart(
    url: str, host: str, port: int, path: str, authority: str
) -> None:
    found = target(url)
    assert (found.scheme, found.host, found.port, found.path) == ("https", host, port, path)
    assert found.authority == authority
    assert problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "https:hooks.example.com",
        "https:///a",
        "https://",
        "https://user@hooks.example.com/",
        "https://user:word@hooks.example.com/",  # pragma: allowlist secret
        "https://hooks.example.com@127.0.0.1/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com/a\\b",
        "https://hooks.example.com#@127.0.0.1/",
        "https://hooks.example.com/#a",
        "https://hooks.example.com /",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nHost: x",
        "https://hooks.example.com/\n",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:999999/",
        "https://hooks.example.com:/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:25/",
        "https://hooks.example.com:6379/",
        "https://hooks..example.com/",
        "https://-a.example.com/",
        f"https://{'a' * 64}.example/",
        "https://bücher.example/",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://localhost/",
        "https://intranet/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://168.63.129.16/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.0.0.1./",
        "https://8.8.8.256/",
        "https://08.8.8.8/",
        "https://1.2.3.4.5/",
        "https://a.0x/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1/",
        "https://[8.8.8.8]/",
        "https://[]/",
        "https://::1/",
    ],
)
def test_everything_else_is_refused_in_words(url: str) -> None:
    """Other schemes, what two readers read differently, every notation of an internal address."""
    said = problem(url)
    assert said is not None
    assert said.startswith("must ")
    with pytest.raises(ForbiddenUrl):
        target(url)


@settings(deadline=None)
@given(internal_addresses())
def test_no_internal_address_can_be_written_into_a_url(
    address: IPv4Address | IPv6Address,
) -> None:
    """In its usual form, and IPv4 in one number of each base."""
    holds = isinstance(address, IPv6Address) and any(address in net for net in HOLDS_IPV4)
    written = [f"[{address}]", f"[{address.exploded}]"] if address.version == 6 else [
        str(address), str(int(address)), hex(int(address)), f"0{int(address):o}",
    ]  # fmt: skip
    assert holds or all(problem(f"https://{each}/") for each in written)


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=0x2FFF), max_size=60))
def test_any_text_is_judged(text: str) -> None:
    """Nothing but ForbiddenUrl is raised, and what passes has none of what separates the parts."""
    for url in (text, f"https://{text}", f"https://hooks.example.com{text}"):
        if problem(url) is None:
            found = target(url)
            assert url.isascii() and not set(" \\#\r\n\t") & set(url)
            assert not set("@/?#:") & set(found.host) or ":" in found.host


def test_the_operator_opens_hosts_on_purpose() -> None:
    """And plain http with them; a port that is named by number may be any."""
    allowed = HostList("hooks.corp,10.1.0.0/16,127.0.0.1:9000,mail.corp:25,[::1]:8080")
    for url in (
        "http://hooks.corp/",
        "http://hooks.corp:8080/",
        "https://10.1.2.3/",
        "http://10.1.2.3:81/",
        "http://127.0.0.1:9000/",
        "http://mail.corp:25/",
        "http://[::1]:8080/",
        "https://hooks.example.com/",
    ):
        assert problem(url, allowed) is None, url
    for url in (
        "http://hooks.example.com/",
        "https://10.2.0.1/",
        "http://127.0.0.1:9001/",
        "http://hooks.corp:25/",
        "https://[::ffff:10.2.0.1]/",
        "http://[::1]/",
    ):
        assert problem(url, allowed), url


def test_a_name_may_lead_into_a_network_that_is_open() -> None:
    """For a name, plain http needs the name on the list: what it leads to is not known yet."""
    allowed = HostList("10.1.0.0/16,db.corp")
    wanted = target("https://a.corp.example/", allowed)
    assert may_call(ip_address("10.1.0.9"), wanted, allowed)
    assert may_call(ip_address("::ffff:10.1.0.9"), wanted, allowed)
    assert may_call(ip_address("8.8.8.8"), wanted, allowed)
    assert not may_call(ip_address("10.2.0.9"), wanted, allowed)
    assert not may_call(ip_address("169.254.169.254"), wanted, allowed)
    named = target("http://db.corp/", allowed)
    assert may_call(ip_address("192.168.0.9"), named, allowed)
    assert problem("http://a.corp.example/", allowed)
