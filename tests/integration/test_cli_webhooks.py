"""`mediagen webhooks` and the client's calls behind it, against a service in memory."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner, Result

import mediagen
from mediagen import Backoff, Client, WebhookDelivery
from mediagen.cli.app import app
from mediagen.v1 import webhook_endpoint_service_pb2 as pb2
from tests.fakes.endpoints import ENDS, FakeEndpoints
from tests.fakes.generation import FakeGeneration, served
from tests.fakes.refusing import refusal

HOOK = "https://hooks.example.com/a"
FAST = Backoff(first=0.01, longest=0.05)


@contextmanager
def serving(fake: FakeEndpoints) -> Iterator[str]:
    """In a thread of its own: a command runs a loop of its own."""
    ready, stop = threading.Event(), asyncio.Event()
    found: list[Any] = []

    async def serve() -> None:
        async with served(FakeGeneration(), endpoints=fake) as address:
            found.extend((address, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        found[1].call_soon_threadsafe(stop.set)
        thread.join(10)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoints]:
    fake = FakeEndpoints()
    with serving(fake) as address:
        monkeypatch.setenv("MEDIAGEN_SERVER", address)
        yield fake


def webhooks(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["webhooks", *arguments], prog_name="mediagen")


def printed(*arguments: str) -> str:
    result = webhooks(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def document(*arguments: str) -> Any:
    return json.loads(printed(*arguments, "--json"))


def test_an_endpoint_is_made_shown_changed_paused_resumed_and_removed(fake: FakeEndpoints) -> None:
    """Each prints the endpoint as it is then."""
    made = document("add", HOOK, "--description", "the print shop")
    endpoint_id = made["endpoint_id"]
    assert (made["url"], made["events"]) == (HOOK, ENDS)
    shown = printed("show", endpoint_id)
    for told in (endpoint_id, HOOK, "enabled", "job.completed, job.failed", "the print shop"):
        assert told in shown
    moved = document("update", endpoint_id, "--url", f"{HOOK}/b")
    assert (moved["url"], moved["events"], moved["description"]) == (
        f"{HOOK}/b",
        ENDS,
        "the print shop",
    )
    told_less = document("update", endpoint_id, "-e", "job.started")
    assert (told_less["url"], told_less["events"]) == (f"{HOOK}/b", ["job.started"])
    assert document("update", endpoint_id, "--description", "")["description"] == ""
    assert "paused" in printed("pause", endpoint_id)
    assert "by its owner" in printed("show", endpoint_id)
    refused = webhooks("ping", endpoint_id)
    assert refused.exit_code == 2 and "Refused" in refused.stderr
    assert "enabled" in printed("resume", endpoint_id)
    assert printed("remove", endpoint_id).strip() == "removed"
    assert webhooks("remove", endpoint_id).exit_code == 3
    assert webhooks("show", endpoint_id).exit_code == 3
    assert fake.endpoints == {}


def test_endpoints_are_listed(fake: FakeEndpoints) -> None:
    """As a table, as lines of JSON, or as ids; those that jobs named only when asked for."""
    assert "No endpoints." in webhooks("list").stderr
    first, second = (document("add", f"{HOOK}/{n}")["endpoint_id"] for n in "12")
    fake.endpoints[first].of_jobs = True
    table = printed("list")
    assert second in table and first not in table
    assert f"{HOOK}/2" in table
    both = [json.loads(line) for line in printed("list", "--of-jobs", "--json").splitlines()]
    assert [each["endpoint_id"] for each in both] == [second, first]
    assert printed("list", "--of-jobs", "-q").split() == [second, first]
    assert "as each job says" in printed("list", "--of-jobs")


def test_the_secret_is_printed_alone(fake: FakeEndpoints) -> None:
    """So that `key=$(mediagen webhooks secret)` works; after a rotation the other is told of."""
    assert printed("secret") == "whsec_Zmlyc3Q=\n"
    rotated = webhooks("rotate")
    assert rotated.stdout == "whsec_c2Vjb25k\n"
    assert "signed under the one before" in rotated.stderr
    assert document("secret")["previous_key"] == "whsec_Zmlyc3Q="


def test_deliveries_are_listed_shown_and_posted_again(fake: FakeEndpoints) -> None:
    """With what became of each post."""
    endpoint = fake.endpoints[document("add", HOOK)["endpoint_id"]]
    taken = fake.note(endpoint, "job.started", state=WebhookDelivery.STATE_DELIVERED)
    failed = fake.note(
        endpoint, "job.completed", state=WebhookDelivery.STATE_FAILED, error="answered 503"
    )
    sent = webhooks("ping", endpoint.endpoint_id)
    pinged = sent.stdout.strip()
    assert f"mediagen webhooks deliveries {pinged}" in sent.stderr
    table = printed("deliveries")
    for told in (taken.delivery_id, failed.delivery_id, pinged, "delivered", "failed", "pending"):
        assert told in table
    listed = printed("deliveries", "--state", "failed", "--endpoint", endpoint.endpoint_id, "-q")
    assert listed.split() == [failed.delivery_id]
    few = webhooks("deliveries", "-n", "2")
    assert "Only the newest 2" in few.stderr
    shown = printed("deliveries", failed.delivery_id)
    for told in ("job.completed", "post 1", "HTTP 503 in 0.1 s: answered 503"):
        assert told in shown
    assert printed("redeliver", failed.delivery_id).strip() == failed.delivery_id
    assert document("deliveries", failed.delivery_id)["state"] == "STATE_PENDING"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("update", "e1"), "nothing to change"),
        (("deliveries", "d1", "--state", "failed"), "either a DELIVERY_ID or filters"),
        (("deliveries", "--state", "lost"), "lost"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_call(
    fake: FakeEndpoints, arguments: tuple[str, ...], told: str
) -> None:
    """Exit code 2."""
    refused = webhooks(*arguments)
    assert refused.exit_code == 2
    assert told in " ".join(refused.stderr.replace("│", " ").split())
    assert fake.requests == []


def test_a_server_that_has_enough_says_so(fake: FakeEndpoints) -> None:
    """As a refusal of the caller's wish, which nothing repeats."""
    status = refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WEBHOOK_ENDPOINTS", limit="50")
    fake.refusals.append(status)
    refused = webhooks("add", HOOK)
    assert refused.exit_code == 2
    assert len(fake.requests) == 1


@pytest.mark.parametrize("verb", ["create", "ping"])
async def test_what_would_be_done_twice_is_not_repeated_by_itself(verb: str) -> None:
    """Its answer is lost: the caller is told, and has to look."""
    fake = FakeEndpoints()
    async with (
        served(FakeGeneration(), endpoints=fake) as address,
        Client(address, backoff=FAST) as client,
    ):
        endpoint = await client.webhooks.create(HOOK)
        fake.answers_lost = 1
        given = HOOK if verb == "create" else endpoint.endpoint_id
        with pytest.raises(mediagen.Unavailable):
            await getattr(client.webhooks, verb)(given)
    assert len(fake.requests) == 2


async def test_what_may_be_repeated_is() -> None:
    """Every method that its proto declares so."""
    fake = FakeEndpoints()
    async with (
        served(FakeGeneration(), endpoints=fake) as address,
        Client(address, backoff=FAST) as client,
    ):
        endpoint = await client.webhooks.create(HOOK)
        delivery = await client.webhooks.ping(endpoint.endpoint_id)
        one = endpoint.endpoint_id
        hooks = client.webhooks
        calls = [
            lambda: hooks.get(one),
            lambda: hooks.update(one, description="x"),
            lambda: hooks.pause(one),
            lambda: hooks.resume(one),
            hooks.secret,
            lambda: hooks.delivery(delivery.delivery_id),
            lambda: anext(hooks.list()),
            lambda: anext(hooks.deliveries()),
        ]
        for call in calls:
            fake.refusals.append(refusal(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"))
            assert await call() is not None
            assert not fake.refusals
    methods = pb2.DESCRIPTOR.services_by_name["WebhookEndpointService"].methods
    assert len(calls) == len([m for m in methods if m.GetOptions().idempotency_level])


async def test_pages_are_fetched_one_by_one() -> None:
    """All that there are, in their order."""
    fake = FakeEndpoints()
    async with served(FakeGeneration(), endpoints=fake) as address, Client(address) as client:
        made = [await client.webhooks.create(f"{HOOK}/{n}") for n in range(5)]
        for each in made:
            fake.note(each, "job.failed")
        listed = [each.endpoint_id async for each in client.webhooks.list(page_size=2)]
        found = [each.endpoint_id async for each in client.webhooks.deliveries(page_size=2)]
    newest_first = [each.endpoint_id for each in reversed(made)]
    assert listed == found == newest_first
