"""Webhooks are signed, and only the terminal one is sent again."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from simulator.clock import ManualClock, WallClock
from simulator.fault_kinds import KINDS
from simulator.server import RunningSimulator, running_simulator
from simulator.settings import Settings

MODEL = "black-forest-labs/flux-schnell"


@dataclass
class Receiver:
    """A bare HTTP server that answers with `answers` in turn, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            name.lower(): value
            for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:] if line)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        self.raw.append(body)
        self.bodies.append(json.loads(body))
        self.headers.append(headers)
        status = self.answers.pop(0) if self.answers else 200
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.bodies) < count:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?job=1"
    async with server:
        yield receiver


async def create(sim: RunningSimulator, receiver: Receiver, *events: str) -> dict[str, Any]:
    body: dict[str, Any] = {"version": MODEL, "input": {"prompt": "x"}, "webhook": receiver.url}
    if events:
        body["webhook_events_filter"] = list(events)
    async with httpx.AsyncClient(base_url=sim.base_url, verify=False) as http:
        headers = {"authorization": "Bearer x"}
        response = await http.post("/v1/predictions", json=body, headers=headers)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


def statuses(receiver: Receiver) -> list[str]:
    return [body["status"] for body in receiver.bodies]


async def test_start_and_completed_arrive_signed(receiver: Receiver) -> None:
    """The body is the whole object; the signature is over its raw bytes."""
    async with running_simulator(Settings(seed="hooks", speed=5), WallClock()) as sim:
        created = await create(sim, receiver, "start", "completed")
        assert created["webhook"] == receiver.url
        await receiver.until(2)
        assert statuses(receiver) == ["processing", "succeeded"]
        assert {body["id"] for body in receiver.bodies} == {created["id"]}
        verifier = Webhook(sim.simulator.webhooks.secret)
        for raw, headers in zip(receiver.raw, receiver.headers, strict=True):
            verifier.verify(raw, headers)
        assert receiver.headers[0]["webhook-id"] != receiver.headers[1]["webhook-id"]


async def test_a_refused_terminal_webhook_comes_again_for_a_minute(receiver: Receiver) -> None:
    """Same message id, growing pauses, the last one 60 s after the end, then never again."""
    clock = ManualClock()
    receiver.answers = [404] * 50
    async with running_simulator(Settings(seed="hooks"), clock) as sim:
        await create(sim, receiver, "completed")
        await clock.advance(10)
        for count, pause in enumerate((1, 2, 4, 8, 16, 29, 600), start=1):
            await receiver.until(min(count, 7))
            await clock.advance(pause)
        await asyncio.sleep(0.1)
        assert len(receiver.bodies) == 7
        assert len({headers["webhook-id"] for headers in receiver.headers}) == 1


async def test_a_refused_start_is_not_repeated(receiver: Receiver) -> None:
    """Intermediate events are sent once."""
    receiver.answers = [500]
    async with running_simulator(Settings(seed="hooks", speed=5)) as sim:
        await create(sim, receiver, "start", "completed")
        await receiver.until(2)
        assert statuses(receiver) == ["processing", "succeeded"]


async def test_without_a_filter_only_output_and_end_are_told(receiver: Receiver) -> None:
    """The documented default."""
    async with running_simulator(Settings(seed="hooks", speed=10)) as sim:
        await create(sim, receiver)
        await receiver.until(1)
        assert statuses(receiver) == ["succeeded"]


async def test_a_cancel_is_told_at_once(receiver: Receiver) -> None:
    """A sleeping sender is woken."""
    async with running_simulator(Settings(seed="hooks")) as sim:
        sim.set_fault("processing_forever")
        created = await create(sim, receiver, "completed")
        async with httpx.AsyncClient(headers={"authorization": "Bearer x"}, verify=False) as http:
            await http.post(created["urls"]["cancel"])
        await receiver.until(1)
        assert statuses(receiver) == ["canceled"]


async def test_duplicates_carry_the_same_message_id(receiver: Receiver) -> None:
    """webhook_duplicates=3"""
    async with running_simulator(Settings(seed="hooks", speed=10)) as sim:
        sim.set_fault("webhook_duplicates", 3)
        await create(sim, receiver, "completed")
        await receiver.until(3)
        assert len({headers["webhook-id"] for headers in receiver.headers}) == 1


async def test_the_end_can_overtake_the_start(receiver: Receiver) -> None:
    """webhook_out_of_order"""
    async with running_simulator(Settings(seed="hooks", speed=5)) as sim:
        sim.set_fault("webhook_out_of_order")
        await create(sim, receiver, "start", "completed")
        await receiver.until(2)
        assert statuses(receiver) == ["succeeded", "processing"]


async def test_an_accepted_terminal_webhook_can_come_again(receiver: Receiver) -> None:
    """webhook_terminal_4xx=2: two answers are not believed, so three deliveries."""
    clock = ManualClock()
    async with running_simulator(Settings(seed="hooks"), clock) as sim:
        sim.set_fault("webhook_terminal_4xx", 2)
        await create(sim, receiver, "completed")
        await clock.advance(10)
        for count in (1, 2, 3):
            await receiver.until(count)
            await clock.advance(20)
        await clock.advance(600)
        await asyncio.sleep(0.1)
        assert len(receiver.bodies) == 3
        assert [entry["answer"] for entry in sim.ledger()["webhooks"]] == [200, 200, 200]


async def test_webhooks_can_be_lost(receiver: Receiver) -> None:
    """webhook_lost: only polling tells."""
    clock = ManualClock()
    async with running_simulator(Settings(seed="hooks"), clock) as sim:
        sim.set_fault("webhook_lost")
        await create(sim, receiver, "completed")
        await clock.advance(100)
        await asyncio.sleep(0.1)
        assert receiver.bodies == []


async def test_the_terminal_one_alone_can_be_lost(receiver: Receiver) -> None:
    """webhook_terminal_lost: not even its repeats come."""
    clock = ManualClock()
    async with running_simulator(Settings(seed="hooks"), clock) as sim:
        sim.set_fault("webhook_terminal_lost")
        sim.set_fault("queue", 0)
        await create(sim, receiver, "start", "completed")
        await receiver.until(1)
        await clock.advance(100)
        await asyncio.sleep(0.1)
        assert statuses(receiver) == ["processing"]


async def test_webhooks_can_come_late(receiver: Receiver) -> None:
    """webhook_late=30: with the state that they were made of."""
    clock = ManualClock()
    async with running_simulator(Settings(seed="hooks"), clock) as sim:
        sim.set_fault("webhook_late", 30)
        sim.set_fault("queue", 0)
        sim.set_fault("run", 10)
        await create(sim, receiver, "start", "completed")
        await asyncio.sleep(0.1)
        await clock.advance(20)
        await asyncio.sleep(0.1)
        assert receiver.bodies == []
        await clock.advance(11)
        await receiver.until(1)
        await clock.advance(30)
        await receiver.until(2)
        assert statuses(receiver) == ["processing", "succeeded"]


async def test_logs_come_as_they_grow_at_most_twice_a_second(receiver: Receiver) -> None:
    """With the progress bar; what has not changed is not told."""
    clock = ManualClock()
    async with running_simulator(Settings(seed="hooks"), clock) as sim:
        sim.set_fault("queue", 0)
        sim.set_fault("run", 8)
        await create(sim, receiver, "logs")
        for count in (1, 2, 3, 4):  # its four steps take 2 s each
            await receiver.until(count)
            await asyncio.sleep(0.05)
            for _ in range(4):
                await clock.advance(0.5)
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        assert len(receiver.bodies) == 4
        shown = [
            body["logs"].splitlines()[-1].partition("%")[0].strip() for body in receiver.bodies
        ]
        assert shown == ["0", "25", "50", "75"]


async def test_outputs_that_come_early_are_told(receiver: Receiver) -> None:
    """Once, as long as they do not change."""
    async with running_simulator(Settings(seed="hooks", speed=1)) as sim:
        sim.set_fault("queue", 0)
        sim.set_fault("run", 1.5)
        sim.set_fault("output_early")
        await create(sim, receiver, "output", "completed")
        await receiver.until(2)
        assert statuses(receiver) == ["processing", "succeeded"]
        assert receiver.bodies[0]["output"]


def test_every_fault_of_webhooks_is_tested_here() -> None:
    """A new row of the table needs a test above."""
    tested = {"duplicates", "out_of_order", "terminal_4xx", "lost", "terminal_lost", "late"}
    named = {kind.name.removeprefix("webhook_") for kind in KINDS if "webhook" in kind.name}
    assert named == tested
