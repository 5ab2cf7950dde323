"""What a tenant's receivers are told: signed, at least once, under one id, for as long as it takes.

Receivers listen in the test itself. Where a wait is longer than the first rung of the retry queues,
the time of the next post is changed in the database.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from devstack.testing import Stack
from tests.receivers import OK, receiver, says

from .api_calls import FLUX, SMALL, refused_over_http
from .crashing import rewrite
from .hooks import CLAIMS_RUN_OUT, ENDPOINTS, Owner, came, event_of, of

BUSY = says("HTTP/1.1 503 Service Unavailable\nContent-Length: 0\n\n")
GONE = says("HTTP/1.1 410 Gone\nContent-Length: 0\n\n")
CANARY = "canary-of-a-receiver-4711"


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> AsyncIterator[Owner]:
    """It leaves no endpoint behind: the next test's jobs are not for it."""
    found = Owner(http)
    yield found
    query = "?include_of_jobs=true&page_size=200"
    for endpoint in (await found.asked("GET", f"{ENDPOINTS}{query}"))["endpoints"]:
        await found.forget(endpoint["endpoint_id"])


async def test_a_job_s_end_is_posted_to_the_url_that_it_named(stack: Stack, owner: Owner) -> None:
    """Signed as the specification says, with the job as REST shows it but for what was asked."""
    secret = await owner.secret()
    async with receiver() as there:
        named = {"url": f"{there.url}/in?token={CANARY}"}
        job_id, other = await asyncio.gather(
            owner.submit("a fox that is told of", webhook=named, labels={"team": "foxes"}),
            owner.submit("a fox that nobody hears of"),
        )
        [received] = await came(there, 1)
        await owner.http.get(f"/api/v1/jobs/{other}:watch", timeout=60)
    assert received.line == f"POST /in?token={CANARY} HTTP/1.1"
    assert received.headers["content-type"] == "application/json"
    event = event_of(received, secret)
    assert set(event) == {"type", "timestamp", "data"}
    assert event["type"] == "job.completed"
    at = datetime.fromisoformat(event["timestamp"])
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    shown = await owner.asked("GET", f"/api/v1/status/{job_id}")
    told = event["data"]
    assert told["job_id"] == job_id
    for field in ("state", "revision", "artifacts", "end_time", "charge"):
        assert told[field] == shown[field], field
    assert set(told["request"]) == {"model", "labels", "request_id"}
    assert told["request"]["labels"] == {"team": "foxes"}
    assert "a fox" not in received.body.decode()
    [artifact] = told["artifacts"]
    assert artifact["url"].startswith("http://localhost:")
    path = artifact["url"].partition("/api/")[2]
    assert (await owner.http.get(f"/api/{path}")).status_code == 200
    assert len(there.requests) == 1


async def test_a_tenant_s_endpoint_is_told_of_what_it_chose(stack: Stack, owner: Owner) -> None:
    """Of every job, each event once, with the revision that says which is later."""
    chosen = ["job.started", "job.artifact_stored", "job.completed"]
    async with receiver() as all_of_it, receiver() as ends, receiver() as failures:
        await owner.endpoint(all_of_it.url, *chosen)
        ended = await owner.endpoint(ends.url)
        await owner.endpoint(failures.url, "job.failed")
        secret = await owner.secret()
        job_id = await owner.submit("a fox with an audience", input={**SMALL, "num_outputs": 4})
        await came(ends, 1)
        async with asyncio.timeout(30):
            while any(
                log["state"] != "STATE_DELIVERED" for log in await owner.deliveries(job_id=job_id)
            ):
                await asyncio.sleep(0.1)
    received = all_of_it.requests
    events = sorted(
        (event_of(each, secret) for each in received), key=lambda each: each["data"]["revision"]
    )
    # Outputs that were stored at nearly the same time are told of together.
    kinds = [each["type"] for each in events]
    assert (kinds[0], kinds[-1]) == (chosen[0], chosen[-1])
    assert set(kinds[1:-1]) == {chosen[1]} and len(kinds) <= 5
    assert len({each["data"]["revision"] for each in events}) == len(kinds)
    assert {each["data"]["job_id"] for each in events} == {job_id}
    assert len({each.headers["webhook-id"] for each in received}) == len(kinds)
    assert not failures.requests
    [log] = await owner.deliveries(endpoint_id=ended, job_id=job_id)
    assert (log["type"], log["state"], log["url"]) == ("job.completed", "STATE_DELIVERED", ends.url)


async def test_what_is_not_taken_is_posted_again_under_the_same_id(
    stack: Stack, owner: Owner
) -> None:
    """Through the real retry queue, with the same body, each time signed anew; the log shows both.
    An owner may have it posted once more."""
    async with receiver(BUSY) as there:
        endpoint = await owner.endpoint(there.url)
        delivery_id = await owner.ping(endpoint)
        [first] = await came(there, 1)
        there.answer = OK
        first, second = await came(there, 2)
        log = await owner.delivered(delivery_id)
        again = await owner.asked("POST", f"/api/v1/webhook-deliveries/{delivery_id}:redeliver", {})
        assert again["delivery"]["delivery_id"] == delivery_id
        *_, third = await came(there, 3)
        await owner.delivered(delivery_id)
    secret = await owner.secret()
    for each in (first, second, third):
        assert event_of(each, secret)["type"] == "endpoint.ping"
        assert each.headers["webhook-id"] == delivery_id
        assert each.body == first.body
    waited = int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
    assert waited >= 5  # the first wait of the schedule
    assert [attempt["status_code"] for attempt in log["attempts"]] == [503, 200]
    assert "503" in log["attempts"][0]["error"] and not log["attempts"][1]["error"]


async def test_a_receiver_that_was_down_hears_of_it_later(stack: Stack, owner: Owner) -> None:
    """Nothing listened; then something does, and nobody had to ask."""
    async with receiver() as there:
        port = there.port
    endpoint = await owner.endpoint(f"http://127.0.0.1:{port}")
    delivery_id = await owner.ping(endpoint)
    async with asyncio.timeout(30):
        while not (await owner.delivery(delivery_id)).get("attempt_count"):
            await asyncio.sleep(0.1)
    shown = (await owner.asked("GET", f"{ENDPOINTS}/{endpoint}"))["endpoint"]
    assert "failing_since" in shown
    async with receiver(port=port) as there:
        await came(there, 1, of(delivery_id))
        log = await owner.delivered(delivery_id)
    assert [attempt["status_code"] for attempt in log["attempts"]] == [0, 200]
    assert "127.0.0.1" not in log["attempts"][0]["error"]
    shown = (await owner.asked("GET", f"{ENDPOINTS}/{endpoint}"))["endpoint"]
    assert "failing_since" not in shown


async def test_an_endpoint_that_is_gone_is_paused_until_it_is_resumed(
    stack: Stack, owner: Owner
) -> None:
    """410 says so at once. What happens meanwhile waits, and is posted then."""
    async with receiver(GONE) as there:
        endpoint = await owner.endpoint(there.url)
        first = await owner.ping(endpoint)
        async with asyncio.timeout(30):
            while True:
                shown = (await owner.asked("GET", f"{ENDPOINTS}/{endpoint}"))["endpoint"]
                if shown["state"] == "STATE_PAUSED":
                    break
                await asyncio.sleep(0.1)
        assert shown["pause_reason"]
        ping = await owner.http.post(f"{ENDPOINTS}/{endpoint}:ping", json={})
        assert refused_over_http(ping).reason == "ERROR_REASON_TRANSITION_REFUSED"
        job_id = await owner.submit("a fox that finds nobody at home")
        await owner.http.get(f"/api/v1/jobs/{job_id}:watch", timeout=60)
        async with asyncio.timeout(30):
            while not (held := await owner.deliveries(endpoint_id=endpoint, job_id=job_id)):
                await asyncio.sleep(0.1)
        assert "next_attempt_time" not in held[0]
        assert len(there.requests) == 1
        there.answer = OK
        await owner.verb("resume", endpoint)
        await came(there, 3)
        await owner.delivered(first)
        await owner.delivered(held[0]["delivery_id"])


async def test_a_new_secret_signs_beside_the_old_one(stack: Stack, owner: Owner) -> None:
    """Receivers change over one by one, within a day; a third secret verifies nothing."""
    old = await owner.secret()
    turned = await owner.asked("POST", "/api/v1/webhook-secret:rotate", {})
    assert turned["previous_key"] == old != turned["key"]
    async with receiver() as there:
        await owner.ping(await owner.endpoint(there.url))
        [received] = await came(there, 1)
    for secret in (old, turned["key"]):
        assert event_of(received, secret)["type"] == "endpoint.ping"
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "QUJD" * 8).verify(received.body.decode(), received.headers)


async def test_a_notifier_that_dies_posts_again_under_the_same_id(
    stack: Stack, owner: Owner
) -> None:
    """Between the post and its record nobody knows if it was heard: twice rather than never."""
    release = asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await OK(writer)

    async with receiver(held) as there:
        delivery_id = await owner.ping(await owner.endpoint(there.url))
        await came(there, 1)
        await asyncio.to_thread(stack.kill, "notifier-1")
        release.set()
        await asyncio.to_thread(stack.wait_ready, "notifier-1")
        await rewrite(stack, CLAIMS_RUN_OUT)
        first, second = await came(there, 2)
        log = await owner.delivered(delivery_id)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery_id
    assert first.body == second.body
    assert [attempt["status_code"] for attempt in log["attempts"]] == [200]


async def test_one_slow_host_does_not_hold_up_the_others(stack: Stack, owner: Owner) -> None:
    """More posts than there are slots go to a host that says nothing; another hears at once."""
    release = asyncio.Event()

    async def silent(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await OK(writer)

    async with receiver(silent) as slow, receiver() as quick:
        # Another name of the same machine: hosts are told apart by name.
        stuck = await owner.endpoint(f"http://localhost:{slow.port}")
        fine = await owner.endpoint(quick.url)
        pings = await asyncio.gather(*(owner.ping(stuck) for _ in range(36)))
        await came(slow, 4)
        delivery_id = await owner.ping(fine)
        await came(quick, 1, of(delivery_id))
        assert len(slow.requests) == 4
        release.set()
        await asyncio.gather(*(owner.delivered(each) for each in pings))
    logs = await asyncio.gather(*(owner.delivery(each) for each in pings))
    # Who waited for a turn was not posted, and that is not held against the endpoint.
    assert {len(log["attempts"]) for log in logs} == {1}


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/", "https://169.254.169.254/", "https://2130706433/"]
)
async def test_a_url_that_is_not_called_is_refused_at_once(owner: Owner, url: str) -> None:
    """Where it can be told without asking the DNS."""
    body = {"prompt": "a fox", "model": FLUX, "webhook": {"url": url}}
    told = refused_over_http(await owner.http.post("/api/v1/generate", json=body))
    assert told.fields == {"webhook.url"}
    made = await owner.http.post(ENDPOINTS, json={"target": {"url": url}})
    assert refused_over_http(made).fields == {"target.url"}


async def test_no_secret_and_no_url_is_in_a_log(stack: Stack, owner: Owner) -> None:
    """A URL's path and query are secrets of its owner, and the keys are everybody's."""
    turned = await owner.asked("POST", "/api/v1/webhook-secret:rotate", {})
    secrets = [turned[name].removeprefix("whsec_") for name in ("key", "previous_key")]
    async with receiver() as there, receiver(BUSY) as busy:
        for port in (there.port, busy.port):
            await owner.ping(await owner.endpoint(f"http://127.0.0.1:{port}/{CANARY}"))
        [received] = await came(there, 1)
        await came(busy, 1)
    signature = received.headers["webhook-signature"].split()[0].removeprefix("v1,")
    logs = {path.name: path.read_text() for path in (stack.state / "logs").glob("*.log")}
    assert re.search(r"webhook\.posted", logs["notifier-1.log"])
    for name, text in logs.items():
        for secret in (*secrets, CANARY, signature):
            assert secret not in text, name
