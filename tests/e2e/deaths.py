"""How do notifiers and stores die over webhooks, and what must be true of each webhook afterwards?

A `Death` is one failpoint and an endpoint of its own. `Matrix` leads somebody there, has others
take over, and looks at what the receiver got.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from devstack.ports import free_port
from devstack.testing import Stack
from tests.integration.publishing import publishing
from tests.receivers import OK, Answer, Received, Receiver, receiver, says

from .crashing import MODEL, Caller, Json, killed, rewrite
from .hooks import CLAIMS_RUN_OUT, DELIVERIES, ENDPOINTS
from .nursery import Newborn, Nursery

HEARD = {"during_post_webhook", "after_post_webhook", "before_record_delivery"}
SECRET = "/api/v1/webhook-secret"
BUSY = says("HTTP/1.1 503 Service Unavailable\nContent-Length: 0\n\n")
#: A delivery that was made in the instant in which its endpoint was paused.
LATE = """
WITH paused AS (UPDATE webhook_endpoints SET state = 'PAUSED', pause_reason = 'a test'
                WHERE endpoint_id = $1)
UPDATE webhook_deliveries SET state = 'PENDING', end_time = NULL, dispatch = dispatch + 1,
       due = clock_timestamp(), available_at = clock_timestamp()
WHERE endpoint_id = $1
"""
OVERDUE = """
UPDATE webhook_deliveries SET state = 'PENDING', end_time = NULL,
       expire_time = clock_timestamp() - interval '1 second' WHERE endpoint_id = $1
"""


@dataclass
class Death:
    """One failpoint, whether a process died there, and what was posted for it."""

    name: str
    mark: Path
    endpoint_id: str = ""
    died: bool = False
    posts: list[Received] = field(default_factory=list)
    states: set[str] = field(default_factory=set)

    @property
    def module(self) -> str:
        return self.name.partition(": ")[0]

    @property
    def failpoint(self) -> str:
        return self.name.partition(": ")[2]

    @property
    def step(self) -> str:
        return self.failpoint.partition("_")[2]

    @property
    def path(self) -> str:
        """Where its webhooks go."""
        return f"/{self.name.replace(': ', '/')}"

    @property
    def setting(self) -> dict[str, str]:
        return {"MEDIAGEN_FAILPOINT": self.failpoint, "MEDIAGEN_FAILPOINT_MARK": str(self.mark)}

    def check(self) -> None:
        """Somebody died there; all that was to be posted was, under one id with one body."""
        assert self.died, f"nobody came past {self.name}"
        bodies = defaultdict(set)
        for post in self.posts:
            bodies[post.headers["webhook-id"]].add(post.body)
        assert bodies and all(len(each) == 1 for each in bodies.values()), self.posts
        if self.module == "notifier":
            assert len(bodies) == 1
            assert len(self.posts) == 1 + (self.failpoint in HEARD)
        expected = "STATE_FAILED" if self.step == "expire_deliveries" else "STATE_DELIVERED"
        assert self.states == ({expected} if self.step != "delete_webhook_endpoint" else set())
        if self.step == "number_events":
            assert len(bodies) == 1  # one job, one end


class Matrix:
    """Notifiers die first, beside a store that lives; then stores, beside a notifier that does."""

    def __init__(self, stack: Stack, env: dict[str, str], deaths: list[Death]) -> None:
        self._stack = stack
        self._deaths = deaths
        self._nursery = Nursery("store", "notifier")
        own = {"STORE_PORT": stack.store_address.rpartition(":")[2], "PUBLIC_URL": stack.edge_url}
        self._envs = {
            "store": {**env, **own},
            "notifier": {
                "STORE_ADDRESS": stack.store_address,
                "AMQP_URL": stack.amqp_url,
                "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
            },
        }

    def __enter__(self) -> None:
        self._nursery.__enter__()
        self._store = self._born("store")

    def __exit__(self, *error: object) -> None:
        self._nursery.__exit__(None, None, None)

    def _born(self, module: str, **more: str) -> Newborn:
        log = self._stack.state / f"{module}s.log"
        return self._nursery.start(module, {**self._envs[module], **more}, log)

    async def run(self) -> None:
        self._caller = Caller(self._stack)
        async with receiver() as self._there:
            self._there.answer = _busy_once(self._there)
            deaths = [death for death in self._deaths if death.module == "notifier"]
            await self._create_all(deaths)
            for death in deaths:
                await self._notifier_dies(death)
            await self._look_back(deaths)
            deaths = [death for death in self._deaths if death.module == "store"]
            with self._born("notifier"):
                await self._create_all(deaths)
                await self._taken(deaths)
                await self._stores_die(deaths)
                await self._look_back(deaths)

    async def _create_all(self, deaths: list[Death]) -> None:
        """An endpoint for each. Those of some stores have a delivery that is over already."""
        for death in deaths:
            if death.step not in ("create_webhook_endpoint", "number_events"):
                await self._create(death)

    async def _look_back(self, deaths: list[Death]) -> None:
        """What has become of each. A tenant has room for so many endpoints and no more."""
        for death in deaths:
            line = f"POST {death.path} HTTP/1.1"
            death.posts = [post for post in self._there.requests if post.line == line]
            death.states = {log["state"] for log in await self._log(death)}
            await self._deleted(death)

    async def _create(self, death: Death) -> None:
        body = {"target": {"url": f"{self._there.url}{death.path}", "events": ["job.failed"]}}
        made = await self._answered("POST", ENDPOINTS, body)
        death.endpoint_id = made["endpoint"]["endpoint_id"]
        if death.step in ("redeliver_webhook", "hold_delivery", "expire_deliveries"):
            await self._verb("ping", death)

    async def _notifier_dies(self, death: Death) -> None:
        more = dict(death.setting)
        if death.step == "nack":
            more["STORE_ADDRESS"] = f"127.0.0.1:{free_port()}"
        if death.step == "reject":
            async with publishing(self._stack.amqp_url) as publisher:
                await publisher.publish_webhook(b"\xff", "unreadable")
        else:
            await self._verb("ping", death)
        with self._born("notifier", **more) as victim:
            await killed(victim, death)
        if death.step == "reject":
            await self._verb("ping", death)
        await rewrite(self._stack, CLAIMS_RUN_OUT)
        with self._born("notifier"):
            await self._taken([death])

    async def _stores_die(self, deaths: list[Death]) -> None:
        tasks = []
        for death in deaths:
            self._store.end()
            self._store = self._born("store", **death.setting)
            tasks.append(asyncio.create_task(self._act(death)))
            await killed(self._store, death)
        self._store.end()
        self._store = self._born("store")
        await asyncio.gather(*tasks)
        await self._taken(deaths)

    async def _act(self, death: Death) -> None:
        match death.step:
            case "create_webhook_endpoint":
                await self._create(death)
            case "update_webhook_endpoint":
                change = {"description": "of a test"}
                await self._answered("PATCH", f"{ENDPOINTS}/{death.endpoint_id}", change)
            case "pause_webhook_endpoint" | "resume_webhook_endpoint":
                await self._verb("pause", death)
                await self._verb("resume", death)
            case "delete_webhook_endpoint":
                await self._verb("ping", death)
                await self._taken([death])
                await self._deleted(death)
                return
            case "keep_webhook_secret":
                await rewrite(self._stack, "DELETE FROM webhook_secrets")
                await self._answered("GET", SECRET)
            case "rotate_webhook_secret":
                await self._answered("POST", f"{SECRET}:rotate", {})
            case "redeliver_webhook":
                [log] = await self._log(death)
                await self._answered("POST", f"{DELIVERIES}/{log['delivery_id']}:redeliver", {})
            case "hold_delivery":
                await rewrite(self._stack, LATE, death.endpoint_id)
                await self._until_dead(death)
                await self._verb("resume", death)
            case "expire_deliveries":
                await rewrite(self._stack, OVERDUE, death.endpoint_id)
            case "number_events":
                await self._job(death)
        if death.step not in ("hold_delivery", "expire_deliveries", "number_events"):
            await self._verb("ping", death)

    async def _job(self, death: Death) -> None:
        named = {"url": f"{self._there.url}{death.path}"}
        body = {
            "model": MODEL, "prompt": f"a fox at {death.name}", "webhook": named,
            "request_id": str(uuid.uuid4()), "input": {"megapixels": "0.25"},
        }  # fmt: skip
        job = await self._answered("POST", "/api/v1/generate", body)
        async with asyncio.timeout(90):
            while not (logs := await self._logs(f"?job_id={job['job_id']}")):
                await asyncio.sleep(0.2)
        death.endpoint_id = logs[0]["endpoint_id"]

    async def _deleted(self, death: Death) -> None:
        """Removing it again is NOT_FOUND: it was removed by whoever died over the answer."""
        path = f"{ENDPOINTS}/{death.endpoint_id}"
        async with asyncio.timeout(90):
            while True:
                answer = await self._caller.http.delete(path)
                if answer.status_code in (200, 404):
                    return
                await asyncio.sleep(0.2)

    async def _until_dead(self, death: Death) -> None:
        async with asyncio.timeout(60):
            while not death.mark.exists():
                await asyncio.sleep(0.05)

    async def _taken(self, deaths: list[Death]) -> None:
        """Waits until nothing that is for them is left to be posted."""
        async with asyncio.timeout(120):
            for death in deaths:
                while any(log["state"] == "STATE_PENDING" for log in await self._log(death)):
                    await asyncio.sleep(0.1)

    async def _log(self, death: Death) -> list[Json]:
        return await self._logs(f"?endpoint_id={death.endpoint_id}") if death.endpoint_id else []

    async def _logs(self, query: str) -> list[Json]:
        found: list[Json] = (await self._answered("GET", f"{DELIVERIES}{query}"))["deliveries"]
        return found

    async def _verb(self, verb: str, death: Death) -> None:
        await self._answered("POST", f"{ENDPOINTS}/{death.endpoint_id}:{verb}", {})

    async def _answered(self, method: str, path: str, body: Json | None = None) -> Json:
        return await self._caller.answered(method, path, body)


def _busy_once(there: Receiver) -> Answer:
    """What leads through the retry queue: the first post to some is not taken."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        line = there.requests[-1].line
        first = sum(each.line == line for each in there.requests) == 1
        await (BUSY if first and "publish_webhook_retry" in line else OK)(writer)

    return answer
