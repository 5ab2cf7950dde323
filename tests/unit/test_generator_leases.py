"""Leases: who is stopped, when, and by what."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from generator.adapters.ledger import LedgerUnreachable
from generator.adapters.provider import Account
from generator.worker.lease import Heard, LeaseEnded
from generator.worker.leases import Leases
from mediagen.generator.v1.messages_pb2 import PredictionNews, WorkerHint
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.job_pb2 import Job
from servicekit.lifecycle import Stop


class Beats:
    """A ledger that only hears heartbeats."""

    def __init__(self) -> None:
        self.heard: list[pb.HeartbeatRequest] = []
        self.answer = pb.HeartbeatResponse()
        self.down = False
        self.meanwhile: Any = None

    async def heartbeat(self, request: pb.HeartbeatRequest) -> pb.HeartbeatResponse:
        self.heard.append(request)
        if self.down:
            raise LedgerUnreachable("down")
        if self.meanwhile:
            self.meanwhile()
        return self.answer


@pytest.fixture
def beats() -> Beats:
    return Beats()


@pytest.fixture
def leases(beats: Beats) -> Leases:
    return Leases(beats, "w", 7)  # type: ignore[arg-type]


async def test_every_lease_is_listed_with_what_it_shows(leases: Leases, beats: Beats) -> None:
    """One call for all jobs; an unknown progress is absent."""
    leases.hold("a", 1).show(Job.STAGE_PROCESSING, 40)
    leases.drop(leases.hold("b", 2))
    leases.hold("c", 3)
    await leases._beat()
    (request,) = beats.heard
    assert request.slots == 7
    assert [(each.job_id, each.lease_epoch) for each in request.leases] == [("a", 1), ("c", 3)]
    assert request.leases[0].progress_percent == 40
    assert not request.leases[1].HasField("progress_percent")


async def test_a_simulator_is_told_of_once_it_is_known(leases: Leases, beats: Beats) -> None:
    """The account may be asked for long after the first heartbeat."""
    await leases._beat()
    leases.tell_of(Account("a@b", simulated=True))
    await leases._beat()
    assert [request.simulated for request in beats.heard] == [False, True]


async def test_a_progress_never_goes_back(leases: Leases) -> None:
    """Two stores of the provider may tell different ages."""
    lease = leases.hold("a", 1)
    lease.show(Job.STAGE_PROCESSING, 40)
    lease.show(Job.STAGE_PROCESSING, 30)
    lease.show(Job.STAGE_PROCESSING)
    assert lease.progress == 40


async def test_a_lost_lease_stops_its_job_and_no_other(leases: Leases, beats: Beats) -> None:
    """At once, wherever it may be interrupted."""
    lost, kept = leases.hold("a", 1), leases.hold("b", 1)
    sleeping = asyncio.create_task(lost.sleep(60))
    other = asyncio.create_task(kept.sleep(60))
    await asyncio.sleep(0)
    beats.answer.lost_job_ids.append("a")
    await leases._beat()
    with pytest.raises(LeaseEnded):
        await sleeping
    assert not other.done()
    with pytest.raises(LeaseEnded):
        async with lost.interruptible():
            raise AssertionError("not reached")
    other.cancel()


async def test_a_loss_of_an_earlier_lease_does_not_touch_the_next(
    leases: Leases, beats: Beats
) -> None:
    """The answer is about what was sent."""
    first = leases.hold("a", 1)
    beats.meanwhile = lambda: leases.hold("a", 2)
    beats.answer.lost_job_ids.append("a")
    await leases._beat()
    assert first.lost
    assert not leases._held["a"].lost


async def test_a_cancel_wakes_the_sleeper_without_ending_it(leases: Leases, beats: Beats) -> None:
    """By heartbeat or by hint."""
    lease = leases.hold("a", 1)
    sleeping = asyncio.create_task(lease.sleep(60))
    await asyncio.sleep(0)
    beats.answer.cancel_job_ids.append("a")
    await leases._beat()
    await asyncio.wait_for(sleeping, 1)
    assert lease.cancel_requested


async def test_a_hint_wakes_and_rubbish_does_nothing(leases: Leases) -> None:
    """Hints for jobs of others neither."""
    lease = leases.hold("a", 1)
    await leases.hint(b"\xff\xff\xff")
    await leases.hint(WorkerHint(job_id="other", cancel_requested=True).SerializeToString())
    sleeping = asyncio.create_task(lease.sleep(60))
    await asyncio.sleep(0)
    news = PredictionNews(prediction_id="p", status="processing")
    await leases.hint(WorkerHint(job_id="a", news=news).SerializeToString())
    await asyncio.wait_for(sleeping, 1)
    assert not lease.cancel_requested


async def test_anothers_cancel_is_not_taken_for_ours(leases: Leases) -> None:
    """A task that the consumer cancels ends by CancelledError, drained or not."""
    lease = leases.hold("a", 1)
    sleeping = asyncio.create_task(lease.sleep(60))
    await asyncio.sleep(0)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping


async def test_what_is_not_interruptible_is_not_interrupted(leases: Leases) -> None:
    """Money in flight: the end is noticed at the next safe point."""
    lease = leases.hold("a", 1)
    reached: list[str] = []

    async def spend() -> None:
        await asyncio.sleep(0.05)
        reached.append("recorded")
        await lease.sleep(60)

    spending = asyncio.create_task(spend())
    await asyncio.sleep(0)
    leases.drain()
    with pytest.raises(LeaseEnded):
        await spending
    assert reached == ["recorded"]


async def test_a_drain_beats_until_the_last_job_has_left(leases: Leases, beats: Beats) -> None:
    """With 0 slots; the leases of jobs that still finish are kept."""
    stop = Stop()
    lease = leases.hold("a", 1)
    beating = asyncio.create_task(leases.run(stop))
    await asyncio.sleep(0.05)
    stop.set()
    leases.drain()
    await asyncio.sleep(1.6)
    assert not beating.done()
    assert beats.heard[-1].slots == 0
    leases.drop(lease)
    await asyncio.wait_for(beating, 2)


async def test_health_follows_the_last_heartbeat(leases: Leases, beats: Beats) -> None:
    """Raises unless it was answered."""
    await leases._beat()
    await leases.check()
    beats.down = True
    await leases._beat()
    with pytest.raises(ConnectionError):
        await leases.check()


async def test_three_beats_go_into_a_lease(leases: Leases, beats: Beats) -> None:
    """However long the setting says; and a longer lease does not make them rarer than it says."""
    stop = Stop()
    leases.hold("a", 1, lasts=0.9)
    beating = asyncio.create_task(leases.run(stop))
    await asyncio.sleep(1.3)
    assert 3 <= len(beats.heard) <= 6
    assert leases._every == pytest.approx(0.3)
    leases.drop(leases.hold("a", 2, lasts=60))
    assert leases._every == 5
    stop.set()
    await asyncio.wait_for(beating, 2)


async def test_a_lease_is_found_under_the_stores_spelling_of_its_id(
    leases: Leases, beats: Beats
) -> None:
    """Answers and hints name a job as the store writes it."""
    name = "0193512E-5F00-7000-8000-00000000ABCD"
    lease = leases.hold(name, 1)
    assert lease.job_id == name.lower()
    beats.answer.lost_job_ids.append(name.lower())
    await leases._beat()
    assert lease.lost


async def test_a_log_is_told_once_until_it_changes(leases: Leases, beats: Beats) -> None:
    """And again after a heartbeat that was not answered."""
    lease = leases.hold("a", 1)
    lease.show(Job.STAGE_PROCESSING, 10, "one")
    beats.down = True
    await leases._beat()
    beats.down = False
    for _ in range(2):
        await leases._beat()
    told = [each.leases[0].log_tail for each in beats.heard]
    assert told == ["one", "one", ""]


async def test_what_the_store_did_not_show_is_reported_again_soon(
    leases: Leases, beats: Beats
) -> None:
    """It shows a job once a second, and has only so much time for a heartbeat."""
    leases.hold("a", 1).show(Job.STAGE_PROCESSING, 10, "one")
    leases.hold("b", 1).show(Job.STAGE_PROCESSING, 10, "two")
    beats.answer.unshown_job_ids.append("a")
    await leases._beat()
    assert leases._changed.is_set()
    beats.answer.ClearField("unshown_job_ids")
    await leases._beat()
    assert not leases._changed.is_set()
    assert {each.job_id: each.log_tail for each in beats.heard[-1].leases} == {"a": "one", "b": ""}


async def test_what_changes_during_a_heartbeat_is_told_with_the_next(
    leases: Leases, beats: Beats
) -> None:
    """And soon: it is no part of what was sent."""
    lease = leases.hold("a", 1)
    beats.meanwhile = lambda: lease.show(Job.STAGE_PROCESSING, 10)
    await leases._beat()
    assert leases._changed.is_set()


async def test_a_log_alone_is_told_every_two_seconds_and_at_once_with_other_news(
    leases: Leases, beats: Beats
) -> None:
    """Models print more than anybody reads."""
    lease = leases.hold("a", 1)
    lease.show(Job.STAGE_PROCESSING, 10, "one")
    await leases._beat()
    lease.show(Job.STAGE_PROCESSING, 10, "two")
    await leases._beat()
    lease.show(Job.STAGE_PROCESSING, 11, "three")
    await leases._beat()
    lease.show(Job.STAGE_PROCESSING, 11, "four")
    lease.log_told_at -= 2
    await leases._beat()
    assert [each.leases[0].log_tail for each in beats.heard] == ["one", "", "three", "four"]


async def test_a_log_makes_the_heartbeat_come_sooner(leases: Leases, beats: Beats) -> None:
    """After two seconds, not five."""
    stop = Stop()
    lease = leases.hold("a", 1)
    beating = asyncio.create_task(leases.run(stop))
    await asyncio.sleep(0.05)
    lease.show(lease.stage, None, "printed")
    await asyncio.sleep(2.4)
    assert [each.leases[0].log_tail for each in beats.heard] == ["", "printed"]
    leases.drop(lease)
    stop.set()
    await asyncio.wait_for(beating, 2)


async def test_every_log_is_told_and_no_heartbeat_is_too_large(beats: Beats) -> None:
    """As many as one process may hold, each with the longest tail of the widest letters."""
    leases = Leases(beats, "w", 5000)  # type: ignore[arg-type]
    for number in range(5000):
        name = f"0193512e-5f00-7000-8000-{number:012d}"
        leases.hold(name, 99).show(Job.STAGE_PROCESSING, 50, "\U0001f600" * 1024)
    told: set[str] = set()
    for _ in range(30):
        await leases._beat()
        assert beats.heard[-1].ByteSize() < 4 * 1024 * 1024
        told |= {each.job_id for each in beats.heard[-1].leases if each.log_tail}
    assert len(told) == 5000


async def test_news_of_another_prediction_are_kept_apart(leases: Leases) -> None:
    """Which one is ours may not be known yet; of many the last few are kept."""
    lease = leases.hold("a", 1)
    for name in ("p1", "p2", "p3", "p4", "p5"):
        hint = WorkerHint(job_id="a", news=PredictionNews(prediction_id=name, status="processing"))
        await leases.hint(hint.SerializeToString())
    assert lease.heard.take("p1") is None
    assert lease.heard.take("p5") is not None
    assert lease.heard.take("p5") is None
    assert lease.heard.take("p2") is not None
    assert not lease.cancel_requested


@pytest.mark.parametrize("order", list(itertools.permutations([0, 1, 2])))
def test_of_what_was_not_asked_for_yet_the_newest_is_kept(order: tuple[int, ...]) -> None:
    """In whatever order it came: the end, else the longest log."""
    told = [("processing", 10), ("processing", 30), ("succeeded", 20)]
    heard = Heard()
    for index in order:
        status, length = told[index]
        heard.put(PredictionNews(prediction_id="p", status=status, log_length=length))
    kept = heard.take("p")
    assert kept is not None
    assert kept.status == "succeeded"


def test_an_overtaken_webhook_of_the_run_is_dropped() -> None:
    """It has less of the log."""
    heard = Heard()
    for length in (30, 10):
        heard.put(PredictionNews(prediction_id="p", status="processing", log_length=length))
    kept = heard.take("p")
    assert kept is not None
    assert kept.log_length == 30
