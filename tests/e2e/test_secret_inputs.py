"""Does a secret input reach the provider and nobody else? Every log, message, answer and row.

One stack, and jobs that end in every way: completed, failed with the model repeating the secret,
completed after the answer to the paid call was lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import asyncpg
import httpx
import pytest

from devstack.testing import Broker, PostgresServer, Stack
from jobqueue.topology import TOPOLOGY
from servicekit.secret_inputs import MASK
from tests.receivers import receiver

from .api_calls import Json, caller, finished, ledger, set_fault, stack_of_its_own
from .hooks import Owner, came

MODEL = "tests/speaker"
CANARY = "canary-2f7d51c08b"  # pragma: allowlist secret
INPUTS = {
    "api_key": {"format": "password", "x-cog-secret": True, "writeOnly": True, "required": True},
    "text": {"required": True},
}


@pytest.fixture(scope="module")
def speaking(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A stack that tells all it does, and may use a model that takes a secret."""
    more = {"MODELS_ALLOWED": "catalogue,tests/*", "LOG_LEVEL": "DEBUG"}
    state = tmp_path_factory.mktemp("secrets")
    with stack_of_its_own(postgres, broker, migrated, state, more) as started:
        made = {"inputs": INPUTS, "version": "ab" * 32}
        url = f"{started.simulator_url}/_simulator/models/{MODEL}"
        httpx.put(url, json=made, trust_env=False).raise_for_status()
        yield started


@asynccontextmanager
async def tapped(url: str) -> AsyncIterator[list[bytes]]:
    """The body of every message that is published from now on."""
    bodies: list[bytes] = []

    async def keep(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        bodies.append(message.body)

    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for each in TOPOLOGY.exchanges:
            await queue.bind(each.name, "#")
        await queue.consume(keep, no_ack=True)
        yield bodies


async def dumped(stack: Stack) -> str:
    """Every row of every table as text; bytes are in hex."""
    connection = await asyncpg.connect(stack.database_url.replace("+asyncpg", ""))
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname='public'")
        found = []
        for each in tables:
            rows = await connection.fetch(f'SELECT t::text AS row FROM "{each["tablename"]}" t')
            found += [row["row"] for row in rows]
        return "\n".join(found)
    finally:
        await connection.close()


def said_by(stack: Stack) -> str:
    """Every part's log."""
    return "\n".join(stack.read_log(name) for name in stack.names)


async def submitted(http: httpx.AsyncClient, text: str, **more: object) -> Json:
    body = {"model": MODEL, "input": {"text": text, "api_key": CANARY}, **more}
    answer = await http.post("/api/v1/generate", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    job: Json = answer.json()
    return job


async def shown(http: httpx.AsyncClient, job_ids: list[str]) -> list[str]:
    """All that the API says of the jobs."""
    paths = ["/api/v1/jobs", "/api/v1/dead-letters", "/api/v1/webhook-deliveries"]
    for job_id in job_ids:
        paths += [f"/api/v1/jobs/{job_id}", f"/api/v1/jobs/{job_id}:watch"]
        paths += [f"/api/v1/jobs/{job_id}:events", f"/api/v1/dead-letters/{job_id}"]
    return [(await http.get(path, timeout=60)).text for path in paths]


async def test_a_secret_is_sent_and_shown_nowhere(speaking: Stack, tmp_path: Path) -> None:
    """The provider gets it; after the end no row has it, and no log or message ever had."""
    stack = speaking
    await set_fault(stack, "that fails", "fail", arg=f"Incorrect API key provided: {CANARY}.")
    await set_fault(stack, "that is lost", "drop_after_create", count=1)
    async with caller(stack) as http, receiver() as there, tapped(stack.amqp_url) as messages:
        await Owner(http).endpoint(f"{there.url}/in")
        checked = await submitted(http, "one that is checked", validate_only=True)
        jobs = [
            await submitted(http, text, request_id=text.replace(" ", "-"))
            for text in ("one that ends", "one that fails", "one that is lost")
        ]
        for each in (checked, *jobs):
            assert each["request"]["input"]["api_key"] == MASK
            assert each["request"]["secret_inputs"] == ["api_key"]
            assert each["request"]["title"].startswith("one that")
        job_ids = [each["job_id"] for each in jobs]
        ended, failed, lost = [await finished(http, each, 120) for each in job_ids]
        assert (ended["state"], lost["state"]) == ("STATE_COMPLETED", "STATE_COMPLETED")
        assert "Incorrect API key" in failed["failure"]["message"]
        assert len(lost["attempts"]) == 1, "the lost call was recognised without its secret"
        await came(there, 3)
        calls = (await ledger(stack, "one that"))["predictions"]
        sent = [each["input"]["api_key"] for each in calls]
        assert sent == [CANARY] * 3
        again = await submitted(http, "one that ends", request_id="one-that-ends")
        assert again["job_id"] == ended["job_id"]
        body = {"job_ids": [failed["job_id"]], "force": True}
        redrive = (await http.post("/api/v1/dead-letters:redrive", json=body)).json()
        told = await shown(http, job_ids)
        places = {
            "answers": "\n".join([str(checked), str(jobs), str(again), str(redrive), *told]),
            "logs": said_by(stack),
            "messages": b"\n".join(messages).decode(errors="replace"),
            "webhooks": "\n".join(each.body.decode() for each in there.requests),
            "database": await dumped(stack),
        }
    for place, text in places.items():
        assert CANARY not in text, place
        assert CANARY.encode().hex() not in text, place
        assert "one that" in text or place in ("logs", "messages", "webhooks"), "it is all there"
    assert job_ids[0] in places["messages"]
    assert len(messages) > 5
    assert job_ids[0] in places["logs"]


async def test_a_mask_is_refused(speaking: Stack) -> None:
    """Who copies what a job shows is told to type the secret again."""
    async with caller(speaking) as http:
        body = {"model": MODEL, "input": {"text": "one", "api_key": MASK}}
        answer = await http.post("/api/v1/generate", json=body, timeout=60)
    assert answer.status_code == 400
    assert "SECRET_HIDDEN" in answer.text
