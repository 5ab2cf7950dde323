"""Are webhook endpoints made, read, changed and refused as documented, on every road to them?

Over REST and gRPC through the edge, by the command line, and by `buf curl`. What arrives at a
receiver is test_webhooks_out.py's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import grpc
import httpx
import pytest

from devstack.testing import Stack
from mediagen import Client, EndpointNotFound, TooManyEndpoints, TransitionRefused
from mediagen.v1 import webhook_endpoint_service_pb2 as pb2
from mediagen.v1.webhook_endpoint_service_pb2_grpc import WebhookEndpointServiceStub
from mediagen.v1.webhook_pb2 import WebhookEndpoint, WebhookTarget
from tests.e2e.api_calls import FRIEND, Json, Refusal, invalid, refused, refused_over_http
from tests.e2e.test_api_cli import mediagen
from tests.e2e.test_api_peers import buf_curl, documents

if TYPE_CHECKING:
    from mediagen.v1.webhook_endpoint_service_pb2_grpc import WebhookEndpointServiceAsyncStub

# A name that resolves nowhere: what is posted there waits.
HOOK = "https://hooks.example.invalid/a"
ENDPOINTS = "/api/v1/webhook-endpoints"
DELIVERIES = "/api/v1/webhook-deliveries"
ENDS = ["job.completed", "job.failed", "job.canceled"]
NO_ID = "01a20000-0000-7000-8000-000000000000"
NO_ENDPOINT = Refusal("NOT_FOUND", "ERROR_REASON_WEBHOOK_ENDPOINT_NOT_FOUND")
NO_DELIVERY = Refusal("NOT_FOUND", "ERROR_REASON_WEBHOOK_DELIVERY_NOT_FOUND")
PAUSED = Refusal("FAILED_PRECONDITION", "ERROR_REASON_TRANSITION_REFUSED")


@pytest.fixture(autouse=True)
async def _no_endpoint_is_left(http: httpx.AsyncClient) -> AsyncIterator[None]:
    yield
    query = {"include_of_jobs": "true", "page_size": "200"}
    for each in (await http.get(ENDPOINTS, params=query)).json()["endpoints"]:
        await http.delete(f"{ENDPOINTS}/{each['endpoint_id']}")


@pytest.fixture
async def hooks(stack: Stack) -> AsyncIterator[WebhookEndpointServiceAsyncStub]:
    """A gRPC caller of the edge."""
    async with grpc.aio.insecure_channel(stack.edge_url.removeprefix("http://")) as channel:
        stub = WebhookEndpointServiceStub(channel)
        yield cast("WebhookEndpointServiceAsyncStub", stub)


async def told(http: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Json:
    answer = await http.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def test_an_endpoint_lives_over_rest(http: httpx.AsyncClient) -> None:
    """POST, GET, PATCH, the verbs, DELETE; what is not given stays as it was."""
    body = {"target": {"url": HOOK}, "description": "the print shop"}
    made = (await told(http, "POST", ENDPOINTS, body))["endpoint"]
    one = f"{ENDPOINTS}/{made['endpoint_id']}"
    assert (made["url"], made["events"], made["state"]) == (HOOK, ENDS, "STATE_ENABLED")
    assert (await told(http, "GET", one))["endpoint"] == made
    listed = (await told(http, "GET", ENDPOINTS))["endpoints"]
    assert [each["endpoint_id"] for each in listed] == [made["endpoint_id"]]
    change = {"target": {"url": f"{HOOK}/b", "events": ["job.failed", "job.started"]}}
    changed = (await told(http, "PATCH", one, change))["endpoint"]
    assert changed["description"] == "the print shop"
    assert (changed["url"], changed["events"]) == (f"{HOOK}/b", ["job.started", "job.failed"])
    again = (await told(http, "PATCH", one, {"description": ""}))["endpoint"]
    assert (again["url"], again["description"]) == (f"{HOOK}/b", "")
    assert (await told(http, "POST", f"{one}:pause"))["endpoint"]["state"] == "STATE_PAUSED"
    assert refused_over_http(await http.post(f"{one}:ping")) == PAUSED
    assert (await told(http, "POST", f"{one}:resume", {}))["endpoint"]["state"] == "STATE_ENABLED"
    pinged = (await told(http, "POST", f"{one}:ping"))["delivery"]
    assert (pinged["type"], pinged["job_id"]) == ("endpoint.ping", "")
    delivery = f"{DELIVERIES}/{pinged['delivery_id']}"
    assert (await told(http, "GET", delivery))["delivery"]["url"] == f"{HOOK}/b"
    query = f"{DELIVERIES}?endpoint_id={made['endpoint_id']}&states=STATE_PENDING"
    [found] = (await told(http, "GET", query))["deliveries"]
    assert found["delivery_id"] == pinged["delivery_id"]
    redelivered = await told(http, "POST", f"{delivery}:redeliver")
    assert redelivered["delivery"]["delivery_id"] == pinged["delivery_id"]
    assert await told(http, "DELETE", one) == {}
    assert refused_over_http(await http.delete(one)) == NO_ENDPOINT
    assert refused_over_http(await http.get(delivery)) == NO_DELIVERY


async def test_the_python_client_says_the_same(stack: Stack) -> None:
    """Each refusal is an exception of its own."""
    async with Client(stack.gateway_address) as client:
        made = await client.webhooks.create(HOOK, events=["job.failed"], description="x")
        one = made.endpoint_id
        assert await client.webhooks.get(one) == made
        changed = await client.webhooks.update(one, events=["job.started"])
        assert (changed.url, list(changed.events), changed.description) == (
            HOOK, ["job.started"], "x",
        )  # fmt: skip
        assert (await client.webhooks.pause(one)).state == WebhookEndpoint.STATE_PAUSED
        with pytest.raises(TransitionRefused):
            await client.webhooks.ping(one)
        await client.webhooks.resume(one)
        ping = await client.webhooks.ping(one)
        listed = [each async for each in client.webhooks.deliveries(endpoint_id=one)]
        assert [each.delivery_id for each in listed] == [ping.delivery_id]
        secret = await client.webhooks.secret()
        rotated = await client.webhooks.rotate_secret()
        assert rotated.previous_key == secret.key != rotated.key
        assert (await client.webhooks.secret()).key == rotated.key
        await client.webhooks.delete(one)
        with pytest.raises(EndpointNotFound):
            await client.webhooks.get(one)


async def test_there_is_a_most_of_endpoints(stack: Stack) -> None:
    """The 51st is refused, and says how many there may be."""
    async with Client(stack.gateway_address) as client:
        made = await asyncio.gather(*(client.webhooks.create(f"{HOOK}/{n}") for n in range(50)))
        with pytest.raises(TooManyEndpoints) as caught:
            await client.webhooks.create(HOOK)
        assert caught.value.metadata == {"limit": "50"}
        await client.webhooks.delete(made[0].endpoint_id)
        await client.webhooks.create(HOOK)
        listed = [each.endpoint_id async for each in client.webhooks.list(page_size=7)]
        assert len(set(listed)) == len(listed) == 50


BAD = [
    ({}, {"target"}),
    ({"target": {}}, {"target.url"}),
    ({"target": {"url": "http://hooks.example.com"}}, {"target.url"}),
    ({"target": {"url": "https://169.254.169.254/"}}, {"target.url"}),
    ({"target": {"url": HOOK, "events": ["job.done"]}}, {"target.events[0]"}),
    ({"target": {"url": HOOK}, "description": "x" * 501}, {"description"}),
]


@pytest.mark.parametrize(("body", "fields"), BAD)
async def test_bad_endpoints_are_refused_alike(
    http: httpx.AsyncClient,
    hooks: WebhookEndpointServiceAsyncStub,
    body: Json,
    fields: set[str],
) -> None:
    """By their fields, over REST and over gRPC."""
    expected = invalid(*fields)
    assert refused_over_http(await http.post(ENDPOINTS, json=body)) == expected
    target = WebhookTarget(**body["target"]) if "target" in body else None
    request = pb2.CreateWebhookEndpointRequest(
        target=target, description=body.get("description", "")
    )
    assert await refused(hooks.CreateWebhookEndpoint(request)) == expected
    assert (await told(http, "GET", ENDPOINTS))["endpoints"] == []


async def test_queries_are_read_strictly(http: httpx.AsyncClient) -> None:
    """An unknown name, a wrong state, an id that is none, a token of another list."""
    for query in ("?endpoint=x", "?page_sise=3", "?states=STATE_LOST"):
        assert (await http.get(DELIVERIES + query)).status_code == 400
    answer = await http.get(f"{DELIVERIES}?endpoint_id=nonsense")
    assert refused_over_http(answer) == invalid("endpoint_id")
    assert refused_over_http(await http.get(f"{ENDPOINTS}/nonsense")) == invalid("endpoint_id")
    forged = refused_over_http(await http.get(f"{ENDPOINTS}?page_token=forged"))
    assert forged.reason == "ERROR_REASON_PAGE_TOKEN_INVALID"


async def test_a_key_that_is_not_known_is_refused_at_the_edge(http: httpx.AsyncClient) -> None:
    """Whoever answers a path that changes something reads its body strictly."""
    answer = await http.post(ENDPOINTS, json={"target": {"url": HOOK, "event": []}})
    assert refused_over_http(answer) == invalid("target.event")
    for method, path in (
        ("PATCH", f"{ENDPOINTS}/{NO_ID}"),
        ("DELETE", f"{ENDPOINTS}/{NO_ID}"),
        ("POST", f"{ENDPOINTS}/{NO_ID}:pause"),
        ("POST", f"{DELIVERIES}/{NO_ID}:redeliver"),
        ("POST", "/api/v1/webhook-secret:rotate"),
    ):
        answer = await http.request(method, path, json={"force": True})
        assert refused_over_http(answer) == invalid("force"), path
        huge = await http.request(method, path, json={"description": "x" * 3_000_000})
        assert huge.status_code == 413, path


async def test_wrong_methods_are_told_the_right_ones(http: httpx.AsyncClient) -> None:
    """405, and an allow header."""
    answer = await http.put(f"{ENDPOINTS}/{NO_ID}", json={})
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "PATCH", "DELETE"}


async def test_a_page_of_an_allowed_site_may_change_and_remove(http: httpx.AsyncClient) -> None:
    """The preflight names the method; a stranger's page is refused."""
    for method in ("PATCH", "DELETE"):
        asks = {"access-control-request-method": method, "origin": FRIEND}
        answer = await http.options(f"{ENDPOINTS}/{NO_ID}", headers=asks)
        assert method in answer.headers["access-control-allow-methods"]
        stranger = {"origin": "http://stranger.example"}
        no = await http.request(method, f"{ENDPOINTS}/{NO_ID}", json={}, headers=stranger)
        assert no.status_code == 403


async def test_what_is_another_tenants_is_not_there(
    stack: Stack, http: httpx.AsyncClient, hooks: WebhookEndpointServiceAsyncStub
) -> None:
    """Every method answers as for an id that never was, and its list is not ours."""
    connection = await asyncpg.connect(stack.database_url.replace("+asyncpg", ""))
    try:
        endpoint_id = str(await connection.fetchval(OTHERS_ENDPOINT))
        delivery_id = str(await connection.fetchval(OTHERS_DELIVERY, endpoint_id))
        one, delivery = f"{ENDPOINTS}/{endpoint_id}", f"{DELIVERIES}/{delivery_id}"
        for method, path, body in (
            ("GET", one, None),
            ("PATCH", one, {"description": "mine"}),
            ("POST", f"{one}:pause", {}),
            ("POST", f"{one}:resume", {}),
            ("POST", f"{one}:ping", {}),
            ("DELETE", one, None),
        ):
            refusal = refused_over_http(await http.request(method, path, json=body))
            assert refusal == NO_ENDPOINT, path
            assert refusal.metadata == {"endpoint_id": endpoint_id}
        for method, path in (("GET", delivery), ("POST", f"{delivery}:redeliver")):
            assert refused_over_http(await http.request(method, path)) == NO_DELIVERY, path
        request = pb2.GetWebhookEndpointRequest(endpoint_id=endpoint_id)
        forged = (("mediagen-tenant", "another"),)
        assert await refused(hooks.GetWebhookEndpoint(request, metadata=forged)) == NO_ENDPOINT
        listed = await told(http, "GET", f"{ENDPOINTS}?include_of_jobs=true")
        assert endpoint_id not in json.dumps(listed)
        found = await told(http, "GET", f"{DELIVERIES}?endpoint_id={endpoint_id}")
        assert found["deliveries"] == []
        state = "SELECT state FROM webhook_endpoints WHERE endpoint_id = $1"
        assert await connection.fetchval(state, endpoint_id) == "PAUSED"
    finally:
        await connection.execute("DELETE FROM webhook_deliveries WHERE tenant = 'another'")
        await connection.execute("DELETE FROM webhook_endpoints WHERE tenant = 'another'")
        await connection.close()


OTHERS_ENDPOINT = """
INSERT INTO webhook_endpoints
    (endpoint_id, tenant, url, events, of_jobs, state, create_time, update_time)
VALUES (gen_random_uuid(), 'another', 'https://hooks.example.invalid/b', '["job.failed"]', false,
        'PAUSED', now(), now())
RETURNING endpoint_id
"""
# Held, as those of a paused endpoint are: nobody posts it meanwhile.
OTHERS_DELIVERY = """
INSERT INTO webhook_deliveries (tenant, endpoint_id, type, create_time, expire_time)
VALUES ('another', $1, 'endpoint.ping', now(), now() + interval '1 day')
RETURNING delivery_id
"""


async def test_buf_curl_reaches_the_service_by_reflection(stack: Stack, tmp_path: Path) -> None:
    """Through the edge, with no proto file; what is wrong is told."""
    service = f"{stack.edge_url}/mediagen.v1.WebhookEndpointService"
    body = {"target": {"url": HOOK, "events": ["job.failed"]}}
    [made] = documents(await buf_curl(tmp_path, f"{service}/CreateWebhookEndpoint", body))
    one = {"endpointId": made["endpoint"]["endpointId"]}
    [found] = documents(await buf_curl(tmp_path, f"{service}/GetWebhookEndpoint", one))
    assert found["endpoint"]["url"] == HOOK
    wrong = {"target": {"url": "https://10.0.0.1/"}}
    url = f"{service}/CreateWebhookEndpoint"
    refusal = json.loads(await buf_curl(tmp_path, url, wrong, ok=False))
    assert refusal["code"] == "invalid_argument"
    assert "target.url" in refusal["message"]


async def test_the_command_line_says_the_same(stack: Stack, tmp_path: Path) -> None:
    """add, list, ping, deliveries, remove; and a URL that is refused, by its field."""
    added = await mediagen(stack, tmp_path, "webhooks", "add", HOOK, "-e", "job.failed", "--json")
    one = added.document["endpoint_id"]
    listed = await mediagen(stack, tmp_path, "webhooks", "list")
    assert one in listed.out and HOOK in listed.out
    pinged = await mediagen(stack, tmp_path, "webhooks", "ping", one)
    shown = await mediagen(stack, tmp_path, "webhooks", "deliveries", pinged.out.strip())
    assert "endpoint.ping" in shown.out and HOOK in shown.out
    assert (await mediagen(stack, tmp_path, "webhooks", "remove", one)).code == 0
    assert (await mediagen(stack, tmp_path, "webhooks", "show", one)).code == 3
    no = await mediagen(stack, tmp_path, "webhooks", "add", "https://10.0.0.1/")
    assert no.code == 2
    assert "target.url" in no.err
