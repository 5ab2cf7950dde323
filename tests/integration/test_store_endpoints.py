"""Does a tenant see, change and ping its own webhook endpoints, and nobody else's?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from mediagen.v1 import webhook_endpoint_service_pb2 as eb
from mediagen.v1 import webhook_pb2
from store.domain.errors import (
    DeliveryNotFound,
    EndpointNamedByJobs,
    EndpointNotFound,
    EndpointPaused,
    PageTokenInvalid,
    TooManyEndpoints,
)

from .webhook_bench import HOOK, OURS, THEIRS, Webhooks, body_of, webhook_bench

LAST_THREE = ["job.completed", "job.failed", "job.canceled"]


@pytest.fixture
async def hooks(database_url: str) -> AsyncIterator[Webhooks]:
    async with webhook_bench(database_url) as bench:
        yield bench


async def test_an_endpoint_is_told_of_ends_unless_it_says_otherwise(hooks: Webhooks) -> None:
    """The three ways to end are the default, at its making and at a change of its target."""
    made = await hooks.create()
    assert (made.url, list(made.events), made.of_jobs) == (HOOK, LAST_THREE, False)
    assert made.state == webhook_pb2.WebhookEndpoint.STATE_ENABLED
    assert await hooks.endpoint(made.endpoint_id) == made
    request = eb.UpdateWebhookEndpointRequest(endpoint_id=made.endpoint_id, description="")
    request.target.url = "https://b.example/"
    request.target.events.append("job.started")
    changed = (await hooks.endpoints.UpdateWebhookEndpoint(request, OURS)).endpoint
    assert (changed.url, list(changed.events)) == ("https://b.example/", ["job.started"])
    request.target.ClearField("events")
    changed = (await hooks.endpoints.UpdateWebhookEndpoint(request, OURS)).endpoint
    assert list(changed.events) == LAST_THREE


async def test_an_update_changes_what_it_gives_and_what_waits_goes_to_the_new_url(
    hooks: Webhooks,
) -> None:
    """What is unset stays."""
    made = await hooks.create()
    await hooks.canceled()
    request = eb.UpdateWebhookEndpointRequest(endpoint_id=made.endpoint_id, description="for us")
    changed = (await hooks.endpoints.UpdateWebhookEndpoint(request, OURS)).endpoint
    assert (changed.url, changed.description) == (HOOK, "for us")
    request = eb.UpdateWebhookEndpointRequest(endpoint_id=made.endpoint_id)
    same = (await hooks.endpoints.UpdateWebhookEndpoint(request, OURS)).endpoint
    assert same == changed
    request.target.url = "https://b.example/"
    changed = (await hooks.endpoints.UpdateWebhookEndpoint(request, OURS)).endpoint
    assert (changed.url, changed.description) == ("https://b.example/", "for us")
    (delivery,) = await hooks.deliveries()
    assert (await hooks.claim(delivery.delivery_id)).url == "https://b.example/"


async def test_a_url_that_jobs_named_is_theirs_to_say(hooks: Webhooks) -> None:
    """It can be described, paused and removed, and is not turned into another."""
    await hooks.canceled(webhook=webhook_pb2.WebhookTarget(url=HOOK))
    (delivery,) = await hooks.deliveries()
    request = eb.UpdateWebhookEndpointRequest(
        endpoint_id=delivery.endpoint_id, description="a batch"
    )
    described = (await hooks.endpoints.UpdateWebhookEndpoint(request, OURS)).endpoint
    assert (described.description, described.url) == ("a batch", HOOK)
    request.target.url = "https://b.example/"
    with pytest.raises(EndpointNamedByJobs):
        await hooks.endpoints.UpdateWebhookEndpoint(request, OURS)
    assert await hooks.endpoint(delivery.endpoint_id) == described


async def test_fifty_are_enough_also_for_many_that_ask_at_once(hooks: Webhooks) -> None:
    """Of each tenant, and not counting the URLs that its jobs named."""
    target = webhook_pb2.WebhookTarget(url="https://job.example/")
    await hooks.canceled(webhook=target)
    for number in range(46):
        await hooks.create(f"https://{number}.example/")
    asked = await asyncio.gather(
        *(hooks.create(f"https://more-{n}.example/") for n in range(8)), return_exceptions=True
    )
    refused = [each for each in asked if isinstance(each, BaseException)]
    assert len(refused) == 4
    assert all(isinstance(each, TooManyEndpoints) for each in refused)
    assert isinstance(refused[0], TooManyEndpoints) and refused[0].metadata == {"limit": "50"}
    await hooks.create(caller=THEIRS)


async def test_pages_of_endpoints_and_deliveries_have_each_once(hooks: Webhooks) -> None:
    """Newest first. A token belongs to its filter and its tenant."""
    made = [(await hooks.create(f"https://{n}.example/")).endpoint_id for n in range(5)]
    seen: list[str] = []
    request = eb.ListWebhookEndpointsRequest(page_size=2)
    while True:
        page = await hooks.endpoints.ListWebhookEndpoints(request, OURS)
        seen += [each.endpoint_id for each in page.endpoints]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
        with pytest.raises(PageTokenInvalid):
            await hooks.endpoints.ListWebhookEndpoints(request, THEIRS)
    assert seen == made[::-1]
    job = await hooks.canceled()
    deliveries: list[str] = []
    wanted = eb.ListWebhookDeliveriesRequest(page_size=2)
    while True:
        found = await hooks.endpoints.ListWebhookDeliveries(wanted, OURS)
        deliveries += [each.delivery_id for each in found.deliveries]
        wanted.page_token = found.next_page_token
        if not found.next_page_token:
            break
        other = eb.ListWebhookDeliveriesRequest(job_id=job.job_id, page_token=wanted.page_token)
        with pytest.raises(PageTokenInvalid):
            await hooks.endpoints.ListWebhookDeliveries(other, OURS)
    assert len(set(deliveries)) == len(deliveries) == 5


async def test_deliveries_are_listed_by_endpoint_job_and_state(hooks: Webhooks) -> None:
    """All filters must hold; what can not be an id is nobody's."""
    first, second = await hooks.create(), await hooks.create("https://b.example/")
    one, other = await hooks.canceled(), await hooks.canceled()
    done = (await hooks.deliveries(endpoint_id=first.endpoint_id, job_id=one.job_id))[0]
    await hooks.post(done.delivery_id)
    states = webhook_pb2.WebhookDelivery.State
    assert len(await hooks.deliveries(endpoint_id=second.endpoint_id)) == 2
    assert len(await hooks.deliveries(job_id=other.job_id)) == 2
    assert await hooks.deliveries(job_id="no-id") == []
    delivered = await hooks.deliveries(states=[states.STATE_DELIVERED])
    assert [each.delivery_id for each in delivered] == [done.delivery_id]
    assert len(await hooks.deliveries(states=[states.STATE_PENDING, states.STATE_FAILED])) == 3


async def test_a_ping_is_a_delivery_of_its_own(hooks: Webhooks) -> None:
    """It tells of no job. A paused endpoint gets none, and nothing redelivered either."""
    made = await hooks.create()
    request = eb.PingWebhookEndpointRequest(endpoint_id=made.endpoint_id)
    ping = (await hooks.endpoints.PingWebhookEndpoint(request, OURS)).delivery
    assert (ping.type, ping.job_id, ping.revision) == ("endpoint.ping", "", 0)
    event = body_of(await hooks.claim(ping.delivery_id))
    assert (event["type"], event["data"]) == ("endpoint.ping", {"endpoint_id": made.endpoint_id})
    assert event["timestamp"] == ping.create_time.ToJsonString()
    await hooks.pause(made.endpoint_id)
    with pytest.raises(EndpointPaused):
        await hooks.endpoints.PingWebhookEndpoint(request, OURS)
    with pytest.raises(EndpointPaused):
        await hooks.redeliver(ping.delivery_id)


Call = Callable[[Webhooks, str, str, Any], Awaitable[object]]
OF_ENDPOINTS: dict[str, Call] = {
    "get": lambda hooks, endpoint, _, caller: hooks.endpoints.GetWebhookEndpoint(
        eb.GetWebhookEndpointRequest(endpoint_id=endpoint), caller
    ),
    "update": lambda hooks, endpoint, _, caller: hooks.endpoints.UpdateWebhookEndpoint(
        eb.UpdateWebhookEndpointRequest(endpoint_id=endpoint, description="mine"), caller
    ),
    "pause": lambda hooks, endpoint, _, caller: hooks.endpoints.PauseWebhookEndpoint(
        eb.PauseWebhookEndpointRequest(endpoint_id=endpoint), caller
    ),
    "resume": lambda hooks, endpoint, _, caller: hooks.endpoints.ResumeWebhookEndpoint(
        eb.ResumeWebhookEndpointRequest(endpoint_id=endpoint), caller
    ),
    "delete": lambda hooks, endpoint, _, caller: hooks.endpoints.DeleteWebhookEndpoint(
        eb.DeleteWebhookEndpointRequest(endpoint_id=endpoint), caller
    ),
    "ping": lambda hooks, endpoint, _, caller: hooks.endpoints.PingWebhookEndpoint(
        eb.PingWebhookEndpointRequest(endpoint_id=endpoint), caller
    ),
}
OF_DELIVERIES: dict[str, Call] = {
    "get delivery": lambda hooks, _, delivery, caller: hooks.endpoints.GetWebhookDelivery(
        eb.GetWebhookDeliveryRequest(delivery_id=delivery), caller
    ),
    "redeliver": lambda hooks, _, delivery, caller: hooks.endpoints.RedeliverWebhook(
        eb.RedeliverWebhookRequest(delivery_id=delivery), caller
    ),
}


@pytest.mark.parametrize("verb", [*OF_ENDPOINTS, *OF_DELIVERIES])
async def test_another_tenant_finds_nothing_not_even_that_there_is_something(
    hooks: Webhooks, verb: str
) -> None:
    """An id of ours and one that nobody has are refused to it in the same words."""
    made = await hooks.create()
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    missing = EndpointNotFound if verb in OF_ENDPOINTS else DeliveryNotFound
    call, nobody = (OF_ENDPOINTS | OF_DELIVERIES)[verb], str(uuid4())
    with pytest.raises(missing) as refused:
        await call(hooks, made.endpoint_id, delivery.delivery_id, THEIRS)
    with pytest.raises(missing) as unknown:
        await call(hooks, nobody, nobody, THEIRS)
    theirs = made.endpoint_id if verb in OF_ENDPOINTS else delivery.delivery_id
    assert str(refused.value).replace(theirs, nobody) == str(unknown.value)
    assert await hooks.endpoint(made.endpoint_id) == made
    assert await hooks.deliveries() == [delivery]


async def test_another_tenant_lists_nothing_and_has_a_secret_of_its_own(hooks: Webhooks) -> None:
    """Its jobs are told to its endpoints alone."""
    made = await hooks.create()
    await hooks.create("https://theirs.example/", caller=THEIRS)
    await hooks.canceled()
    (ours,) = await hooks.deliveries()
    assert ours.url == HOOK
    wanted = eb.ListWebhookDeliveriesRequest(endpoint_id=made.endpoint_id)
    for request in (wanted, eb.ListWebhookDeliveriesRequest()):
        assert not (await hooks.endpoints.ListWebhookDeliveries(request, THEIRS)).deliveries
    listed = await hooks.endpoints.ListWebhookEndpoints(eb.ListWebhookEndpointsRequest(), THEIRS)
    assert [each.url for each in listed.endpoints] == ["https://theirs.example/"]
    theirs = await hooks.endpoints.GetWebhookSecret(eb.GetWebhookSecretRequest(), THEIRS)
    assert theirs.key != (await hooks.secret()).key


async def test_a_secret_asked_for_at_once_is_one(hooks: Webhooks) -> None:
    """Whoever is first makes it."""
    keys = {each.key for each in await asyncio.gather(*(hooks.secret() for _ in range(8)))}
    assert len(keys) == 1


async def test_the_secret_is_in_no_printed_form(hooks: Webhooks) -> None:
    """A traceback or a log line that shows the object does not show the key."""
    from store.adapters.webhook_secrets import Secret

    key = (await hooks.secret()).key
    assert key not in repr(Secret(key, key, None))
