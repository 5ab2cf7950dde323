"""A job that killed its workers runs alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from generator.worker.lease import LeaseEnded
from generator.worker.leases import Leases
from generator.worker.quarantine import Quarantine
from servicekit.lifecycle import Stop


@dataclass
class Others:
    """The default consumer."""

    running: int = 0
    told: list[str] = field(default_factory=list)

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")


@dataclass
class Message:
    """A delivery that notes how it was settled."""

    settled: str = ""

    async def nack(self) -> bool:
        self.settled = "nack"
        return True


class World:
    """A quarantine whose handler runs until it is told to end."""

    def __init__(self, **patience: float) -> None:
        self.others, self.stop = Others(), Stop()
        self.handled: list[Any] = []
        self.beside_it: list[int] = []
        self.end = asyncio.Event()
        self.leases = Leases(None, "w", 7)  # type: ignore[arg-type]
        self.quarantine = Quarantine(self.handle, self.leases, self.stop, **patience)
        self.quarantine.pauses(self.others)

    async def handle(self, delivery: Any) -> None:
        self.handled.append(delivery)
        self.beside_it.append(self.others.running)
        await self.end.wait()

    def alone(self, message: Message) -> asyncio.Task[None]:
        return asyncio.create_task(self.quarantine.alone(message))  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    return World(patience=0.3, last_patience=0.3)


async def test_it_begins_when_the_last_other_has_ended(world: World) -> None:
    """The default consumer is paused meanwhile, and goes on afterwards."""
    world.others.running = 1
    running = world.alone(Message())
    await asyncio.sleep(0.15)
    assert (world.others.told, world.handled) == (["pause"], [])
    world.others.running = 0
    await asyncio.sleep(0.2)
    assert world.beside_it == [0]
    assert world.others.told == ["pause"]
    world.end.set()
    await running
    assert world.others.told == ["pause", "resume"]


async def test_a_delivery_that_was_on_its_way_is_put_back(world: World) -> None:
    """A pause takes a moment to reach the broker."""
    running = world.alone(Message())
    await asyncio.sleep(0.05)
    late = Message()
    await world.quarantine.beside(late)  # type: ignore[arg-type]
    assert late.settled == "nack"
    assert len(world.handled) == 1
    world.end.set()
    await running
    await world.quarantine.beside(Message())  # type: ignore[arg-type]
    assert len(world.handled) == 2


async def test_long_jobs_are_handed_back_to_make_room(world: World) -> None:
    """With their calls running; another worker goes on with them."""
    world.others.running = 1
    world.end.set()
    lease = world.leases.hold("long", 1)

    async def long_job() -> None:
        try:
            await lease.sleep(60)
        finally:
            world.others.running = 0

    other = asyncio.create_task(long_job())
    await world.alone(Message())
    assert world.beside_it == [0]
    with pytest.raises(LeaseEnded):
        await other
    assert not world.leases.hold("next", 1).draining


async def test_a_worker_that_does_not_become_empty_puts_it_back(world: World) -> None:
    """Another worker may be idle."""
    world.others.running = 1
    message = Message()
    await world.alone(message)
    assert (message.settled, world.handled) == ("nack", [])
    assert world.others.told == ["pause", "resume"]


async def test_a_drain_does_not_wait_for_it_to_begin() -> None:
    """Only what has begun is waited for."""
    world = World()
    world.others.running = 1
    message = Message()
    running = world.alone(message)
    await asyncio.sleep(0.05)
    world.stop.set()
    await asyncio.wait_for(running, 1)
    assert message.settled == "nack"


async def test_others_get_as_much_time_between_two_of_them(world: World) -> None:
    """A queue full of them must not starve the rest."""
    first = world.alone(Message())
    await asyncio.sleep(0.4)
    world.end.set()
    await first
    second = world.alone(Message())
    await asyncio.sleep(0.2)
    assert len(world.handled) == 1
    await asyncio.wait_for(second, 2)
    assert len(world.handled) == 2
