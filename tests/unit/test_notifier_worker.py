"""What becomes of one message, whatever the store, the host or the clock say?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mediagen.notifier.v1.messages_pb2 import DeliveryMessage
from mediagen.store.v1 import delivery_ledger_service_pb2 as pb
from notifier.adapters.ledger import LedgerRefused, LedgerUnreachable
from notifier.domain.outcome import Outcome, answered
from notifier.worker.post_delivery import Worker
from notifier.worker.turns import Turns
from servicekit.lifecycle import Stop
from tests.unit.test_notifier import NOW

BODY = DeliveryMessage(delivery_id="one", dispatch=3).SerializeToString()


class World:
    """The store, the receiver and the broker's message in one: it notes what happens, in order."""

    def __init__(self, body: bytes = BODY) -> None:
        self.body, self.message_id = body, "one/3"
        self.happened = list[str]()
        self.claim_error: Exception | None = None
        self.record_error: Exception | None = None
        self.post_error: Exception | None = None
        self.refused = False
        self.claims = list[pb.ClaimDeliveryRequest]()
        self.records = list[pb.RecordDeliveryRequest]()

    async def claim(self, request: pb.ClaimDeliveryRequest) -> pb.ClaimDeliveryResponse:
        self.happened.append("claim")
        self.claims.append(request)
        if self.claim_error:
            raise self.claim_error
        return pb.ClaimDeliveryResponse(
            refused=self.refused, url="https://hooks.example.com/", body=b"{}"
        )

    async def record(self, request: pb.RecordDeliveryRequest) -> None:
        self.happened.append("record")
        self.records.append(request)
        if self.record_error:
            raise self.record_error

    async def post(self, *_: Any) -> Outcome:
        self.happened.append("post")
        if self.post_error:
            raise self.post_error
        return answered(200, [], NOW)

    async def ack(self) -> bool:
        self.happened.append("ack")
        return True

    async def reject(self) -> bool:
        self.happened.append("reject")
        return True


async def handled(world: World, *, turns: Turns | None = None, stop: Stop | None = None) -> None:
    ours: Any = world
    await Worker(ours, ours, turns or Turns(1), stop or Stop()).handle(ours)


async def test_claim_ack_post_record() -> None:
    """In this order: from the ack on the claim covers a death, not the broker."""
    world = World()
    await handled(world)
    assert world.happened == ["claim", "ack", "post", "record"]
    [claim], [record] = world.claims, world.records
    assert (claim.delivery_id, claim.dispatch) == ("one", 3)
    assert claim.claim_token == record.claim_token != ""
    assert (record.error, record.status_code) == (pb.DELIVERY_ERROR_UNSPECIFIED, 200)


async def test_each_message_is_claimed_anew() -> None:
    """A token that came again would be taken for the same claim."""
    world = World()
    await handled(world)
    await handled(world)
    assert world.claims[0].claim_token != world.claims[1].claim_token


@pytest.mark.parametrize("body", [b"", b"\xff", DeliveryMessage(dispatch=1).SerializeToString()])
async def test_what_names_no_delivery_is_parked(body: bytes) -> None:
    world = World(body)
    await handled(world)
    assert world.happened == ["reject"]


async def test_what_is_not_to_be_posted_is_forgotten() -> None:
    world = World()
    world.refused = True
    await handled(world)
    assert world.happened == ["claim", "ack"]


async def test_without_a_store_the_message_goes_back() -> None:
    """Left unsettled: the consumer puts it back after a pause."""
    world = World()
    world.claim_error = LedgerUnreachable("away")
    await handled(world)
    assert world.happened == ["claim"]


async def test_what_the_store_never_takes_is_parked() -> None:
    world = World()
    world.claim_error = LedgerRefused("no such method")
    await handled(world)
    assert world.happened == ["claim", "reject"]


async def test_a_notifier_that_stops_hands_back_what_it_has_just_taken() -> None:
    """At once, and without counting."""
    world, stop = World(), Stop()
    stop.set()
    await handled(world, stop=stop)
    assert world.happened == ["claim", "ack", "record"]
    assert world.records[0].error == pb.DELIVERY_ERROR_NOT_SENT
    assert not world.records[0].HasField("retry_after")


async def test_a_busy_host_is_posted_to_later() -> None:
    """Not at once, or it would go round and round."""
    world, turns = World(), Turns(1, patience=0)
    async with turns.turn("hooks.example.com"):
        await handled(world, turns=turns)
    assert world.happened == ["claim", "ack", "record"]
    assert world.records[0].error == pb.DELIVERY_ERROR_NOT_SENT
    assert 1 < world.records[0].retry_after.ToTimedelta().total_seconds() < 10


async def test_a_bug_of_ours_backs_off_like_a_failure() -> None:
    """It says nothing of itself, and does not come again every second for three days."""
    world = World()
    world.post_error = RuntimeError("SECRET")
    await handled(world)
    assert world.records[0].error == pb.DELIVERY_ERROR_CONNECTION
    assert "SECRET" not in world.records[0].message


async def test_a_record_that_is_not_taken_is_left_to_the_claim() -> None:
    """It runs out, and the webhook is posted again."""
    world = World()
    world.record_error = LedgerUnreachable("away")
    await handled(world)
    assert world.happened == ["claim", "ack", "post", "record"]


async def test_a_cancelled_post_records_nothing() -> None:
    """Nobody knows what came of it."""
    world, begun = World(), asyncio.Event()

    async def post(*_: Any) -> Outcome:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    world.post = post  # type: ignore[method-assign]
    task = asyncio.create_task(handled(world))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not world.records
