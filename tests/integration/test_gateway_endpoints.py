"""What does the gateway make of a caller's words about webhooks? Against a store in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from gateway.domain.webhook_targets import DEFAULT_EVENTS, EVENTS
from mediagen.v1 import generation_service_pb2 as generation_pb2
from mediagen.v1 import webhook_endpoint_service_pb2 as pb2
from mediagen.v1.webhook_endpoint_service_pb2_grpc import WebhookEndpointServiceStub
from mediagen.v1.webhook_pb2 import WebhookTarget
from tests.fakes.endpoints import refusal as status_of
from tests.integration.gateway_bench import Gateway, details, refusal, running_gateway

HOOK = "https://hooks.example.com/a"
ENDPOINTS = "/api/v1/webhook-endpoints"
NO_ID = "01a20000-0000-7000-8000-000000000000"
INNER = "hooks.corp"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, webhook_allowed_hosts=INNER) as running:
        yield running


@pytest.fixture
def stub(gateway: Gateway) -> Any:
    return WebhookEndpointServiceStub(gateway.channel)


def fields_of(body: dict[str, Any]) -> set[str]:
    """The fields that a refusal over HTTP names."""
    found = [each for each in body["details"] if each["@type"].endswith("BadRequest")]
    return {each.get("field", "") for bad in found for each in bad["field_violations"]}


async def test_the_tenant_goes_beside_every_call_and_is_not_the_callers_word(
    gateway: Gateway, stub: Any
) -> None:
    """It is looked up from who calls; a header of the same name is not handed on."""
    forged = (("mediagen-tenant", "another"),)
    created = await stub.CreateWebhookEndpoint(
        pb2.CreateWebhookEndpointRequest(target=WebhookTarget(url=HOOK)), metadata=forged
    )
    one = created.endpoint.endpoint_id
    pinged = await stub.PingWebhookEndpoint(pb2.PingWebhookEndpointRequest(endpoint_id=one))
    delivery_id = pinged.delivery.delivery_id
    for method, request in (
        (stub.GetWebhookEndpoint, pb2.GetWebhookEndpointRequest(endpoint_id=one)),
        (stub.ListWebhookEndpoints, pb2.ListWebhookEndpointsRequest()),
        (stub.UpdateWebhookEndpoint, pb2.UpdateWebhookEndpointRequest(endpoint_id=one)),
        (stub.PauseWebhookEndpoint, pb2.PauseWebhookEndpointRequest(endpoint_id=one)),
        (stub.ResumeWebhookEndpoint, pb2.ResumeWebhookEndpointRequest(endpoint_id=one)),
        (stub.GetWebhookSecret, pb2.GetWebhookSecretRequest()),
        (stub.RotateWebhookSecret, pb2.RotateWebhookSecretRequest()),
        (stub.ListWebhookDeliveries, pb2.ListWebhookDeliveriesRequest()),
        (stub.GetWebhookDelivery, pb2.GetWebhookDeliveryRequest(delivery_id=delivery_id)),
        (stub.RedeliverWebhook, pb2.RedeliverWebhookRequest(delivery_id=delivery_id)),
        (stub.DeleteWebhookEndpoint, pb2.DeleteWebhookEndpointRequest(endpoint_id=one)),
    ):
        await method(request, metadata=forged)
    answer = await gateway.http.post(
        ENDPOINTS, json={"target": {"url": HOOK}}, headers=dict(forged)
    )
    assert answer.status_code == 200
    methods = pb2.DESCRIPTOR.services_by_name["WebhookEndpointService"].methods
    assert len(gateway.endpoints.metadata) == len(methods) + 1
    assert {each["mediagen-tenant"] for each in gateway.endpoints.metadata} == {"default"}


async def test_equal_targets_are_equal_messages(gateway: Gateway, stub: Any) -> None:
    """The events that are meant, in one order: a repeated submit must compare equal."""
    given = list(reversed(EVENTS))
    for events, meant in ((given, list(EVENTS)), ([], list(DEFAULT_EVENTS))):
        target = WebhookTarget(url=HOOK, events=events)
        await stub.CreateWebhookEndpoint(pb2.CreateWebhookEndpointRequest(target=target))
        made = gateway.endpoints.requests[-1]
        assert isinstance(made, pb2.CreateWebhookEndpointRequest)
        await gateway.stub.SubmitJob(
            generation_pb2.SubmitJobRequest(model="a/b", prompt="x", webhook=target)
        )
        kept = gateway.store.seen[-1].request.webhook
        assert list(made.target.events) == list(kept.events) == meant
        assert made.target.url == kept.url == HOOK
    await gateway.stub.SubmitJob(generation_pb2.SubmitJobRequest(model="a/b", prompt="x"))
    assert not gateway.store.seen[-1].request.HasField("webhook")


FORBIDDEN = [
    "http://hooks.example.com/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/",
    "https://[::ffff:10.0.0.1]/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://localhost/",
    "https://user:password@example.com/",  # pragma: allowlist secret
    "https://example.com/#x",
    "https://example.com:25/",
    "https://example.com\\@10.0.0.1/",
    "https://exa mple.com/",
    "ftp://example.com/",
    "//example.com",
    "example.com",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_a_url_that_is_never_posted_to_is_refused_by_its_field(
    gateway: Gateway, stub: Any, url: str
) -> None:
    """On every road by which one can be given, and the store hears nothing of it."""
    target = WebhookTarget(url=url)
    calls = [
        ("target.url", stub.CreateWebhookEndpoint(pb2.CreateWebhookEndpointRequest(target=target))),
        (
            "target.url",
            stub.UpdateWebhookEndpoint(
                pb2.UpdateWebhookEndpointRequest(endpoint_id=NO_ID, target=target)
            ),
        ),
        (
            "webhook.url",
            gateway.stub.SubmitJob(
                generation_pb2.SubmitJobRequest(model="a/b", prompt="x", webhook=target)
            ),
        ),
    ]
    for field, call in calls:
        error = await refusal(call)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert {each.field for each in details(error, BadRequest).field_violations} == {field}
        assert details(error, ErrorInfo).reason == "ERROR_REASON_INVALID_REQUEST"
    body = {"model": "a/b", "prompt": "x", "webhook": {"url": url}}
    answers = [
        await gateway.http.post("/api/v1/generate", json=body),
        await gateway.http.post(ENDPOINTS, json={"target": {"url": url}}),
        await gateway.http.patch(f"{ENDPOINTS}/{NO_ID}", json={"target": {"url": url}}),
    ]
    assert [each.status_code for each in answers] == [400, 400, 400]
    named = [fields_of(each.json()) for each in answers]
    assert named == [{"webhook.url"}, {"target.url"}, {"target.url"}]
    assert gateway.endpoints.requests == []
    assert gateway.store.kept == {}


async def test_a_host_that_the_operator_opened_may_be_told(gateway: Gateway, stub: Any) -> None:
    """Also by plain http: WEBHOOK_ALLOWED_HOSTS, as the notifier has it."""
    for url in (f"https://{INNER}/x", f"http://{INNER}:8080/x"):
        target = WebhookTarget(url=url)
        answer = await stub.CreateWebhookEndpoint(pb2.CreateWebhookEndpointRequest(target=target))
        assert answer.endpoint.url == url


async def test_everything_wrong_is_told_at_once(gateway: Gateway, stub: Any) -> None:
    """The protos' rules and the gateway's own, over gRPC and over HTTP alike."""
    events = ["job.started", "job.started", "job.exploded"]
    target = WebhookTarget(url="https://10.0.0.1/", events=events)
    error = await refusal(
        stub.CreateWebhookEndpoint(
            pb2.CreateWebhookEndpointRequest(target=target, description="x" * 501)
        )
    )
    told = {each.field for each in details(error, BadRequest).field_violations}
    assert told == {"target.url", "target.events", "target.events[2]", "description"}
    body = {
        "target": {"url": "https://10.0.0.1/", "events": events},
        "description": "x" * 501,
    }
    answer = await gateway.http.post(ENDPOINTS, json=body)
    assert (answer.status_code, fields_of(answer.json())) == (400, told)


STRICT = [
    ({"target": {"url": HOOK}, "events": ["job.failed"]}, {"events"}),
    ({"target": {"url": HOOK, "event": ["job.failed"]}}, {"target.event"}),
    ({"target": {"url": HOOK, "events": "job.failed"}}, {"target.events"}),
    ({"target": {"url": HOOK, "events": [1, None]}}, {"target.events[0]", "target.events[1]"}),
    ({"target": HOOK}, {"target"}),
    ({"target": {"url": HOOK}, "description": 5}, {"description"}),
    ({"url": HOOK}, {"url"}),
    ([], {""}),
]


@pytest.mark.parametrize(("body", "fields"), STRICT)
async def test_a_body_is_read_strictly(
    gateway: Gateway, body: dict[str, Any], fields: set[str]
) -> None:
    """A key that was dropped in silence would tell of all events, or nobody."""
    for method, path in (("POST", ENDPOINTS), ("PATCH", f"{ENDPOINTS}/{NO_ID}")):
        answer = await gateway.http.request(method, path, json=body)
        assert answer.status_code == 400, answer.text
        assert fields_of(answer.json()) == fields | (
            {"target"} if method == "POST" and body and "url" in body else set()
        )
    assert gateway.endpoints.requests == []


async def test_a_submits_webhook_is_read_strictly_too(gateway: Gateway) -> None:
    """With a guess at what was meant."""
    body = {"model": "a/b", "prompt": "x", "webhook": {"url": HOOK, "event": ["job.failed"]}}
    answer = await gateway.http.post("/api/v1/generate", json=body)
    assert (answer.status_code, fields_of(answer.json())) == (400, {"webhook.event"})
    assert "did you mean 'events'" in answer.text
    body["webhook"] = {"url": HOOK, "events": ["job.failed"]}
    answer = await gateway.http.post("/api/v1/generate", json=body)
    assert answer.json()["request"]["webhook"] == body["webhook"]


VERBS = [
    ("POST", f"{ENDPOINTS}/{NO_ID}:pause"),
    ("POST", f"{ENDPOINTS}/{NO_ID}:resume"),
    ("POST", f"{ENDPOINTS}/{NO_ID}:ping"),
    ("POST", f"/api/v1/webhook-deliveries/{NO_ID}:redeliver"),
    ("POST", "/api/v1/webhook-secret:rotate"),
    ("DELETE", f"{ENDPOINTS}/{NO_ID}"),
]


@pytest.mark.parametrize(("method", "path"), VERBS)
async def test_where_there_is_nothing_to_say_anything_said_is_refused(
    gateway: Gateway, method: str, path: str
) -> None:
    """In the body or in the URL; an empty body, or {}, is fine."""
    for wrong in ({"force": True}, {"endpoint_id": NO_ID}):
        answer = await gateway.http.request(method, path, json=wrong)
        assert (answer.status_code, fields_of(answer.json())) == (400, set(wrong)), path
    answer = await gateway.http.request(method, path, params={"force": "true"})
    assert (answer.status_code, fields_of(answer.json())) == (400, {"force"})
    form = await gateway.http.request(method, path, data={"a": "b"})
    assert form.status_code == 415
    assert gateway.endpoints.requests == []
    for sound in ({"json": {}}, {}):
        answer = await gateway.http.request(method, path, **sound)  # type: ignore[arg-type]
        assert answer.status_code == (200 if "secret" in path else 404), answer.text


@pytest.mark.parametrize("endpoint_id", ["nonsense", "0", "%00", "a b", NO_ID.upper() + "x"])
async def test_what_is_no_id_is_refused_by_its_field(gateway: Gateway, endpoint_id: str) -> None:
    """And asked of no store."""
    for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", ":pause")):
        answer = await gateway.http.request(method, f"{ENDPOINTS}/{endpoint_id}{path}", json={})
        assert (answer.status_code, fields_of(answer.json())) == (400, {"endpoint_id"})
    assert gateway.endpoints.requests == []


async def test_a_huge_list_of_events_is_refused_soon(gateway: Gateway, stub: Any) -> None:
    """Alone: a rule over each of them would hold up every other caller."""
    target = WebhookTarget(url=HOOK, events=["job.failed"] * 100_000)
    request = pb2.CreateWebhookEndpointRequest(target=target, description="x" * 501)
    error = await refusal(stub.CreateWebhookEndpoint(request))
    assert [e.field for e in details(error, BadRequest).field_violations] == ["target.events"]
    too_large = json.dumps({"target": {"url": HOOK}, "description": "x" * 3 * 1024 * 1024})
    answer = await gateway.http.post(
        ENDPOINTS, content=too_large, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


async def test_what_the_store_says_is_said(gateway: Gateway, stub: Any) -> None:
    """Its reason and its metadata, under its code."""
    error = await refusal(stub.GetWebhookEndpoint(pb2.GetWebhookEndpointRequest(endpoint_id=NO_ID)))
    info = details(error, ErrorInfo)
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert info.reason == "ERROR_REASON_WEBHOOK_ENDPOINT_NOT_FOUND"
    assert dict(info.metadata) == {"endpoint_id": NO_ID}
    answer = await gateway.http.delete(f"{ENDPOINTS}/{NO_ID}")
    assert answer.status_code == 404


async def test_only_what_is_declared_repeatable_is_repeated_towards_the_store(
    gateway: Gateway, stub: Any
) -> None:
    """A second create would be a second endpoint."""
    away = status_of(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    gateway.endpoints.refusals.append(away)
    assert await stub.GetWebhookSecret(pb2.GetWebhookSecretRequest())
    assert len(gateway.endpoints.requests) == 2
    gateway.endpoints.refusals.append(away)
    request = pb2.CreateWebhookEndpointRequest(target=WebhookTarget(url=HOOK))
    error = await refusal(stub.CreateWebhookEndpoint(request))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert details(error, ErrorInfo).reason == "ERROR_REASON_UNAVAILABLE"
    assert len(gateway.endpoints.requests) == 3


async def test_filters_of_a_watch_of_all_jobs_keep_the_rules(gateway: Gateway) -> None:
    """As those of a list do, on both of its methods."""
    wrong = {"labels": ["a=b", "a=c", "nonsense"], "states": [0], "cursor": "x" * 201}
    told = {"labels[1]", "labels[2]", "states[0]", "cursor"}
    for call in (
        gateway.stub.WatchJobs(generation_pb2.WatchJobsRequest(**wrong)),  # type: ignore[arg-type]
        gateway.stub.WatchJobsEvents(generation_pb2.WatchJobsEventsRequest(**wrong)),  # type: ignore[arg-type]
    ):
        error = await refusal(call)
        assert {each.field for each in details(error, BadRequest).field_violations} == told
    many = generation_pb2.WatchJobsRequest(labels=["a=b"] * 5000)
    error = await refusal(gateway.stub.WatchJobs(many))
    assert [each.field for each in details(error, BadRequest).field_violations] == ["labels"]
