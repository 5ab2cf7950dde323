"""The gateway is killed before and after every change to a tenant's webhooks, and is asked again.

The matrix is gateway.failpoints.TOLD_NAMES. A gateway beside the stack's own dies by SIGKILL while
it serves the call; its caller, who can not know what was done, looks and asks another one. What may
be done twice by that is what the protos say.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.testing import Stack
from gateway.failpoints import TOLD_NAMES

from .dying import die
from .nursery import Nursery

# A name that resolves nowhere: nothing is delivered meanwhile.
HOOK = "https://hooks.example.invalid/a"
ENDPOINTS = "/api/v1/webhook-endpoints"
DELIVERIES = "/api/v1/webhook-deliveries"
SECRET = "/api/v1/webhook-secret"

Json = dict[str, Any]


@pytest.fixture(scope="module")
def nursery() -> Any:
    with Nursery("gateway") as started:
        yield started


@pytest.fixture
async def endpoint_id(http: httpx.AsyncClient) -> AsyncIterator[str]:
    """Of an endpoint that is there before."""
    body = {"target": {"url": HOOK}, "description": "before"}
    answer = await http.post(ENDPOINTS, json=body)
    yield answer.json()["endpoint"]["endpoint_id"]
    for each in (await http.get(ENDPOINTS)).json()["endpoints"]:
        await http.delete(f"{ENDPOINTS}/{each['endpoint_id']}")


@pytest.mark.parametrize("name", TOLD_NAMES)
async def test_a_change_over_which_a_gateway_dies_is_whole_or_not_there(
    stack: Stack,
    http: httpx.AsyncClient,
    nursery: Nursery,
    endpoint_id: str,
    tmp_path: Path,
    name: str,
) -> None:
    """Before the store is asked it is not done, after it is; and asking again leaves what was
    wished for."""
    when, _, step = name.partition("_")
    done = when == "after"
    one = f"{ENDPOINTS}/{endpoint_id}"
    pinged = (await http.post(f"{one}:ping")).json()["delivery"]["delivery_id"]
    if step == "resume_webhook_endpoint":
        await http.post(f"{one}:pause")
    delivery = f"{DELIVERIES}/{pinged}"
    before = {**(await http.get(SECRET)).json(), **(await http.get(delivery)).json()}
    method, path, body = {
        "create_webhook_endpoint": ("POST", ENDPOINTS, {"target": {"url": HOOK}}),
        "update_webhook_endpoint": ("PATCH", one, {"description": "after"}),
        "pause_webhook_endpoint": ("POST", f"{one}:pause", {}),
        "resume_webhook_endpoint": ("POST", f"{one}:resume", {}),
        "delete_webhook_endpoint": ("DELETE", one, {}),
        "ping_webhook_endpoint": ("POST", f"{one}:ping", {}),
        "rotate_webhook_secret": ("POST", f"{SECRET}:rotate", {}),
        "redeliver_webhook": ("POST", f"{delivery}:redeliver", {}),
    }[step]
    await die(stack, nursery, tmp_path, name, method, path, json=body)
    assert await _is_done(http, step, one, before) is done
    again = await http.request(method, path, json=body)
    gone_before = step == "delete_webhook_endpoint" and done
    assert again.status_code == (404 if gone_before else 200), again.text
    assert await _is_done(http, step, one, before)


async def _is_done(http: httpx.AsyncClient, step: str, one: str, before: Json) -> bool:
    """Whether the store has done what *step* asks for."""
    endpoints = (await http.get(ENDPOINTS)).json()["endpoints"]
    endpoint = next((e for e in endpoints if one.endswith(e["endpoint_id"])), {})
    pings = (await http.get(DELIVERIES, params={"endpoint_id": one.rpartition("/")[2]})).json()
    match step:
        case "create_webhook_endpoint":
            return len(endpoints) > 1
        case "update_webhook_endpoint":
            return bool(endpoint["description"] == "after")
        case "pause_webhook_endpoint":
            return bool(endpoint["state"] == "STATE_PAUSED")
        case "resume_webhook_endpoint":
            return bool(endpoint["state"] == "STATE_ENABLED")
        case "delete_webhook_endpoint":
            return not endpoint
        case "ping_webhook_endpoint":
            return len(pings["deliveries"]) > 1
        case "rotate_webhook_secret":
            return bool((await http.get(SECRET)).json()["key"] != before["key"])
        case "redeliver_webhook":
            delivery = (await http.get(f"{DELIVERIES}/{before['delivery']['delivery_id']}")).json()
            # For three days from then on.
            return bool(delivery["delivery"]["expire_time"] > before["delivery"]["expire_time"])
    raise AssertionError(f"{step}: nobody can tell")
