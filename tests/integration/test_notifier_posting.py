"""What does a post do with each receiver, and which addresses does it never call?"""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mediagen.store.v1 import delivery_ledger_service_pb2 as pb
from notifier.adapters.dialing import Dialer
from notifier.adapters.posting import MOST_BODY_BYTES, MOST_HEAD_BYTES, Poster
from notifier.adapters.resolving import Resolver, look_up
from notifier.adapters.undelivered import Undelivered
from notifier.domain.outcome import Outcome
from servicekit.hosts import HostList
from servicekit.webhook_urls import target
from tests.receivers import OK, Answer, Certificates, receiver, says

LOOPBACK = "127.0.0.1,localhost,[::1]"
BODY = b'{"type":"job.completed"}'
HEADERS = {
    "webhook-id": "msg_1",
    "webhook-signature": "v1,c2ln",
    "content-type": "application/json",
}
Lookup = Callable[[str, int], Sequence[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


@asynccontextmanager
async def poster(
    allowed: str = LOOPBACK,
    *,
    tls: ssl.SSLContext | None = None,
    lookup: Lookup = look_up,
    connect: float = 1.0,
    threads: int = 4,
) -> AsyncIterator[Poster]:
    hosts = HostList(allowed)
    resolver = Resolver(hosts, threads=threads, lookup=lookup, patience=0.5)
    yield Poster(Dialer(resolver, tls, patience=connect), hosts)
    resolver.close()


async def post(answer: Answer, timeout: float = 5.0) -> Outcome:
    """What a post to a receiver that answers so comes to."""
    async with receiver(answer) as there, poster() as ours:
        found = await ours.post(f"http://127.0.0.1:{there.port}/", HEADERS, BODY, timeout)
    assert len(there.requests) == 1
    return found


def leads_to(*addresses: str) -> Lookup:
    """A resolver that knows every name; each time it is asked, the next of *addresses* (several in
    one, separated by spaces) is the answer."""
    answers = list(addresses)

    def lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in said.split()]

    return lookup


async def test_the_body_and_headers_arrive_as_they_were_signed() -> None:
    """Byte for byte, with the host as the URL has it; nothing else of ours is told."""
    async with receiver(says("HTTP/1.1 204 No Content\n\n")) as there, poster() as ours:
        url = f"http://localhost:{there.port}/in?key=a%20b"
        found = await ours.post(url, HEADERS, BODY, 5)
    assert found == Outcome(pb.DELIVERY_ERROR_UNSPECIFIED, status=204)
    (came,) = there.requests
    assert (came.line, came.body) == ("POST /in?key=a%20b HTTP/1.1", BODY)
    assert came.headers == {
        **HEADERS,
        "host": f"localhost:{there.port}",
        "user-agent": "mediagen/0.1",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
        "content-length": str(len(BODY)),
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    """It would lead away from what the owner named, and from the address that was checked."""
    async with receiver() as inside:
        redirect = f"HTTP/1.1 {status} Moved\nLocation: http://127.0.0.1:{inside.port}/\n\n"
        found = await post(says(redirect))
    assert (found.error, found.status) == (pb.DELIVERY_ERROR_STATUS, status)
    assert "not followed" in found.message
    assert not inside.connections


async def test_gone_and_busy_are_told_apart() -> None:
    """With what the receiver says of when to come back."""
    found = await post(says("HTTP/1.1 410 Gone\nContent-Length: 4\n\nbye!"))
    assert (found.error, found.status, found.retry_after) == (pb.DELIVERY_ERROR_STATUS, 410, None)
    found = await post(says("HTTP/1.1 429 Too Many Requests\nRetry-After: 120\n\n"))
    assert (found.status, found.retry_after) == (429, 120)


async def test_nothing_of_an_answer_is_told_on() -> None:
    """A post to somebody else's server must not be a way to read it."""
    canary = "CANARY"
    found = await post(
        says(f"HTTP/1.1 500 {canary}\nX-A: {canary}\nLocation: {canary}\n\n{canary}")
    )
    assert found.status == 500
    assert canary not in found.message


def endless(first: bytes, more: bytes, pause: float = 0.0) -> tuple[Answer, list[int]]:
    """Says *first*, then *more* for as long as somebody listens, and how much it could say."""
    sent = [0]

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        for _ in range(200_000):
            writer.write(more)
            await writer.drain()
            sent[0] += len(more)
            await asyncio.sleep(pause)

    return answer, sent


async def test_an_endless_body_is_left() -> None:
    """The status has said what matters; little of the rest is read."""
    answer, sent = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536)
    found = await post(answer)
    assert found.taken and found.status == 200
    assert sent[0] < 32 << 20  # what the sockets' buffers hold, not what there is


async def test_a_slow_body_is_left() -> None:
    """It comes in drops, for longer than this test may take."""
    answer, _ = endless(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x", 0.05)
    assert (await post(answer, timeout=20)).taken


async def test_a_body_that_breaks_off_was_an_answer() -> None:
    assert (await post(says("HTTP/1.1 200 OK\nContent-Length: 100\n\nx"))).taken


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"y" * 100 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"y" * 1000),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
        (b"HTTP/1.1 200 ", b"O" * 1000),
    ],
    ids=["headers", "header", "hints", "reason"],
)
async def test_endless_headers_are_cut_off(first: bytes, more: bytes) -> None:
    """Before they fill our memory, or the time of the post."""
    answer, sent = endless(first, more)
    found = await post(answer, timeout=60)
    assert found.error == pb.DELIVERY_ERROR_CONNECTION
    assert sent[0] > MOST_HEAD_BYTES // 2


async def test_a_packed_flood_is_not_unpacked() -> None:
    """None is asked for; a few bytes that unpack to many stay a few bytes."""
    bomb = gzip.compress(b"\0" * (64 << 20))
    assert len(bomb) > MOST_BODY_BYTES
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    assert (await post(says(head.encode() + bomb))).taken


async def test_silence_ends_with_the_time() -> None:
    """Also where a drop comes now and then: the clock is over the whole post."""

    async def silent(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    found = await post(silent, timeout=0.3)
    assert found.error == pb.DELIVERY_ERROR_TIMEOUT and "0.3 s" in found.message
    dripping, _ = endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"y", 0.02)
    assert (await post(dripping, timeout=0.5)).error == pb.DELIVERY_ERROR_TIMEOUT


async def test_a_late_answer_with_a_slow_body_is_an_answer() -> None:
    """What came in time came in time, however long the rest takes."""

    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(60)

    assert (await post(late, timeout=1.5)).taken


async def test_a_broken_connection_is_one() -> None:
    """Reset, closed without a word, and no HTTP at all."""

    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    for answer in (reset, says(b""), says("SSH-2.0-OpenSSH\n"), says("HTTP/1.1 200")):
        found = await post(answer)
        assert (found.error, found.status) == (pb.DELIVERY_ERROR_CONNECTION, 0)
    async with poster() as ours:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        found = await ours.post(f"http://127.0.0.1:{port}/", HEADERS, BODY, 5)
    assert found.error == pb.DELIVERY_ERROR_CONNECTION


async def test_the_environment_s_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would resolve the name a second time, where nobody checks."""
    async with receiver() as proxy, receiver() as there, poster() as ours:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        found = await ours.post(f"http://127.0.0.1:{there.port}/", HEADERS, BODY, 5)
    assert found.taken and not proxy.connections


class TestTls:
    """The certificate is that of the name in the URL, under an authority that is trusted."""

    async def _post(
        self, certificates: Certificates, names: str, host: str, *, days: int = 2
    ) -> Outcome:
        server, trusted = certificates.server(names, days=days), certificates.trusted()
        async with (
            receiver(OK, tls=server) as there,
            poster("*.example,127.0.0.1", tls=trusted, lookup=leads_to("127.0.0.1")) as ours,
        ):
            return await ours.post(f"https://{host}:{there.port}/", HEADERS, BODY, 5)

    async def test_a_good_one_is_accepted(self, certificates: Certificates) -> None:
        """Though it is connected to by its address, it is the name that is checked."""
        assert (await self._post(certificates, "a.example", "a.example")).taken
        assert (await self._post(certificates, "127.0.0.1", "127.0.0.1")).taken

    @pytest.mark.parametrize(
        ("names", "days"), [("b.example", 2), ("127.0.0.1", 2), ("a.example", -1)]
    )
    async def test_another_s_or_an_old_one_is_not(
        self, certificates: Certificates, names: str, days: int
    ) -> None:
        found = await self._post(certificates, names, "a.example", days=days)
        assert found.error == pb.DELIVERY_ERROR_TLS
        assert "certificate" in found.message.lower()

    async def test_an_authority_that_nobody_knows_is_not(self, certificates: Certificates) -> None:
        """By default those of the machine and of the library are known."""
        async with receiver(OK, tls=certificates.server("127.0.0.1")) as there, poster() as ours:
            found = await ours.post(f"https://127.0.0.1:{there.port}/", HEADERS, BODY, 5)
        assert found.error == pb.DELIVERY_ERROR_TLS
        assert not there.requests

    async def test_a_server_without_tls_is_not(self, certificates: Certificates) -> None:
        """The handshake is no request to it; it says something else, or nothing."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, poster() as ours:
            found = await ours.post(f"https://127.0.0.1:{port}/", HEADERS, BODY, 5)
        assert found.error in (pb.DELIVERY_ERROR_TLS, pb.DELIVERY_ERROR_CONNECTION)
        assert not found.taken


class TestForbidden:
    """What is not public is called only where the operator says so."""

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example.com/",
            "https://127.0.0.1:{port}/",
            "https://[::ffff:127.0.0.1]:{port}/",
            "https://2130706433:{port}/",
            "https://localhost:{port}/",
        ],
    )
    async def test_an_internal_url_is_not_called(self, url: str) -> None:
        """However it is written, and though it once passed the gateway."""
        async with receiver() as inside, poster("") as ours:
            found = await ours.post(url.format(port=inside.port), HEADERS, BODY, 5)
        assert found.error == pb.DELIVERY_ERROR_FORBIDDEN
        assert not inside.connections

    @pytest.mark.parametrize("addresses", ["127.0.0.1", "127.0.0.2 127.0.0.1", "::ffff:127.0.0.1"])
    async def test_a_name_that_leads_inside_is_not_called(self, addresses: str) -> None:
        """One of several addresses is enough; the owner is not told which."""
        lookup = leads_to(addresses)
        async with receiver() as inside, poster("127.0.0.2", lookup=lookup) as ours:
            url = f"https://inside.example.com:{inside.port}/"
            found = await ours.post(url, HEADERS, BODY, 5)
        assert found.error == pb.DELIVERY_ERROR_FORBIDDEN
        assert not inside.connections
        assert not any(each in found.message for each in addresses.split())

    async def test_a_name_that_changes_its_mind_is_not_asked_again(self) -> None:
        """DNS rebinding: one that may be called when it is checked, another when it is connected
        to. The address that was checked is the one that is dialed, and nobody is there."""
        asked = list[str]()
        answers = leads_to("127.0.0.2", "127.0.0.1")

        def lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
            asked.append(host)
            return answers(host, port)

        # An address of this machine that is opened stands for a public one.
        async with receiver() as inside, poster("127.0.0.2", lookup=lookup) as ours:
            url = f"https://rebind.example.com:{inside.port}/"
            found = await ours.post(url, HEADERS, BODY, 5)
            again = await ours.post(url, HEADERS, BODY, 5)
        assert found.error == pb.DELIVERY_ERROR_CONNECTION
        assert again.error == pb.DELIVERY_ERROR_FORBIDDEN
        assert asked == ["rebind.example.com."] * 2
        assert not inside.connections

    async def test_a_network_that_is_open_is_called(self, certificates: Certificates) -> None:
        """By any name that leads there, over https; and by IPv6."""
        tls = certificates.server("in.example.com")
        trusted, lookup = certificates.trusted(), leads_to("127.0.0.1")
        async with (
            receiver(OK, tls=tls) as there,
            poster("127.0.0.0/8", tls=trusted, lookup=lookup) as ours,
        ):
            url = f"https://in.example.com:{there.port}/"
            assert (await ours.post(url, HEADERS, BODY, 5)).taken
        async with receiver(host="::1") as there, poster("[::1]") as ours:
            found = await ours.post(f"http://[0:0::1]:{there.port}/", HEADERS, BODY, 5)
        assert found.taken
        assert there.requests[0].headers["host"] == f"[::1]:{there.port}"


class TestLookups:
    """Where a name leads is known before anything is dialed, and nobody waits for another's."""

    @pytest.mark.parametrize(
        "addresses",
        ["8.8.8.8 127.0.0.1", "8.8.8.8 169.254.169.254", "::1", "::ffff:127.0.0.1",
         "fd00:ec2::254", "fe80::1%2", "64:ff9b::7f00:1", "10.0.0.1 10.0.0.2"],
    )  # fmt: skip
    async def test_a_name_that_leads_inside_has_no_addresses(self, addresses: str) -> None:
        """Not even the public one among them."""
        resolver = Resolver(HostList(""), threads=1, lookup=leads_to(addresses))
        with pytest.raises(Undelivered) as ended:
            await resolver.addresses(target("https://inside.example.com/"))
        resolver.close()
        assert ended.value.outcome.error == pb.DELIVERY_ERROR_FORBIDDEN

    async def test_a_public_name_has_its_addresses(self) -> None:
        """Each once, in the resolver's order."""
        lookup = leads_to("2606:4700::1111 8.8.8.8 2606:4700::1111")
        resolver = Resolver(HostList(""), threads=1, lookup=lookup)
        found = await resolver.addresses(target("https://public.example.com/"))
        resolver.close()
        assert [str(each) for each in found] == ["2606:4700::1111", "8.8.8.8"]

    async def test_a_name_that_is_not_there(self) -> None:
        def lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")

        async with poster(lookup=lookup) as ours:
            found = await ours.post("https://nobody.example.com/", HEADERS, BODY, 5)
        assert found.error == pb.DELIVERY_ERROR_CONNECTION

    async def test_one_that_hangs_is_given_up(self) -> None:
        """And one that could not even be asked for all those that hang does not count."""
        hangs = asyncio.Event()
        loop = asyncio.get_running_loop()

        def lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
            asyncio.run_coroutine_threadsafe(hangs.wait(), loop).result(20)
            return []

        async with poster(lookup=lookup, threads=1) as ours:
            url = "https://slow.example.com/"
            found = await asyncio.gather(*(ours.post(url, HEADERS, BODY, 5) for _ in range(2)))
            hangs.set()
        assert [each.error for each in found] == [
            pb.DELIVERY_ERROR_CONNECTION, pb.DELIVERY_ERROR_NOT_SENT,
        ]  # fmt: skip
