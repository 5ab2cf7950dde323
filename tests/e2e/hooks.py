"""Webhooks to callers, as their owners see them: endpoints, the secret, and what was posted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
from standardwebhooks.webhooks import Webhook

from store.failpoints import WEBHOOKS
from tests.receivers import Received, Receiver

from .api_calls import FLUX, SMALL, Json

#: What the store does for webhooks; it dies over each in test_crash_notifier.py.
WEBHOOK_STEPS = (*WEBHOOKS, "publish_webhook", "publish_webhook_retry")
ENDPOINTS = "/api/v1/webhook-endpoints"
DELIVERIES = "/api/v1/webhook-deliveries"
#: In place of waiting for a dead notifier's claims to run out, and for the next post.
CLAIMS_RUN_OUT = """
UPDATE webhook_deliveries SET claim_until = clock_timestamp(), available_at = clock_timestamp()
WHERE claim_until IS NOT NULL
"""


class Owner:
    """A tenant that has its events posted."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def asked(self, method: str, path: str, body: Json | None = None) -> Json:
        """The answer, which is OK."""
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def endpoint(self, url: str, *events: str) -> str:
        """The id of a new endpoint."""
        body = {"target": {"url": url, "events": list(events)}}
        made: str = (await self.asked("POST", ENDPOINTS, body))["endpoint"]["endpoint_id"]
        return made

    async def verb(self, verb: str, endpoint_id: str) -> Json:
        """pause, resume, ping."""
        return await self.asked("POST", f"{ENDPOINTS}/{endpoint_id}:{verb}", {})

    async def forget(self, endpoint_id: str) -> None:
        """What goes on after a test would be told to nobody."""
        await self.asked("DELETE", f"{ENDPOINTS}/{endpoint_id}")

    async def ping(self, endpoint_id: str) -> str:
        """The id of the delivery."""
        made: str = (await self.verb("ping", endpoint_id))["delivery"]["delivery_id"]
        return made

    async def secret(self) -> str:
        key: str = (await self.asked("GET", "/api/v1/webhook-secret"))["key"]
        return key

    async def delivery(self, delivery_id: str) -> Json:
        found: Json = (await self.asked("GET", f"{DELIVERIES}/{delivery_id}"))["delivery"]
        return found

    async def deliveries(self, **query: str) -> list[Json]:
        answer = await self.http.get(DELIVERIES, params=query)
        found: list[Json] = answer.json()["deliveries"]
        return found

    async def delivered(self, delivery_id: str) -> Json:
        """The delivery, once it was taken."""
        async with asyncio.timeout(60):
            while (found := await self.delivery(delivery_id))["state"] != "STATE_DELIVERED":
                await asyncio.sleep(0.1)
        return found

    async def submit(self, prompt: str, **more: Any) -> str:
        """A small job's id."""
        body = {"prompt": prompt, "model": FLUX, "input": SMALL, **more}
        job_id: str = (await self.asked("POST", "/api/v1/generate", body))["job_id"]
        return job_id


def event_of(received: Received, secret: str) -> Json:
    """What was posted. Raises unless it is signed under *secret*, as any receiver checks it."""
    Webhook(secret).verify(received.body.decode(), received.headers)
    event: Json = json.loads(received.body)
    return event


async def came(
    there: Receiver, count: int, which: Callable[[Received], bool] = lambda _: True
) -> list[Received]:
    """The requests of which so many have come; more of them would be one too many."""
    async with asyncio.timeout(60):
        while len(found := [each for each in there.requests if which(each)]) < count:
            await asyncio.sleep(0.05)
    assert len(found) == count, [each.headers for each in found]
    return found


def of(delivery_id: str) -> Callable[[Received], bool]:
    """The posts of one delivery."""
    return lambda received: received.headers["webhook-id"] == delivery_id
