"""Does the soak's judge find what it is there to find? Each rule is broken here once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from mediagen.v1.generation_service_pb2 import Heartbeat, RevisionGap, WatchJobResponse
from mediagen.v1.job_pb2 import Job
from soak import judging, scale
from soak.judging import Evidence, Row
from soak.orders import number_in, orders
from soak.payments import Call, by_job, paid_twice
from soak.sightings import Kind, Sighting, Watch, count

GOOD = Evidence(
    ordered=100,
    unacknowledged=0,
    states={"COMPLETED": 99, "FAILED": 1},
    failures={"MODEL_FAILED": 1},
)


def call(begin: int, end: int | None, status: str = "failed", number: int = 7) -> Call:
    """A prediction for one order, between two seconds of a minute."""
    ended = None if end is None else f"2026-11-22T20:00:{end:02}.000000Z"
    began = f"2026-11-22T20:00:{begin:02}.000000Z"
    return Call(f"id-{begin}", f"soak {number:06}: a fox", status, began, ended, 0.04)


def test_one_call_after_the_definite_end_of_another_is_paid_once() -> None:
    """That is what a retry is."""
    assert paid_twice([call(0, 3, "failed"), call(3, 5, "canceled"), call(8, 9, "succeeded")]) == []


def test_a_call_beside_a_live_one_is_a_double_payment() -> None:
    """Also where the first one still runs, and whatever becomes of it."""
    assert len(paid_twice([call(0, 5), call(4, 6)])) == 1
    assert len(paid_twice([call(0, None, "processing"), call(4, 6)])) == 1


def test_a_call_after_a_success_is_a_double_payment() -> None:
    """Even long after it."""
    assert len(paid_twice([call(0, 5, "succeeded"), call(30, 35, "succeeded")])) == 1


def test_calls_are_told_apart_by_the_order_in_their_prompt() -> None:
    """Oldest first; calls that are of no order are left out."""
    other = replace(call(0, 1), prompt="a later call, the 3rd")
    found = by_job([call(9, 10), call(1, 2), call(1, 2, number=8), other])
    assert {number: [each.id for each in made] for number, made in found.items()} == {
        7: ["id-1", "id-9"],
        8: ["id-1"],
    }


def test_an_entry_of_the_provider_s_ledger_becomes_a_call() -> None:
    """The interval in which it could cost money is `live`."""
    entry: Mapping[str, Any] = {
        "id": "p1",
        "input": {"prompt": "soak 000012: a fox", "seed": 3},
        "status": "processing",
        "billed": 0,
        "live": ["2026-11-22T20:00:00.000000Z", None],
    }
    made = Call.of(entry)
    assert made.ended is None
    assert by_job([made]) == {12: [made]}


def snapshot(revision: int, stream: int = 0) -> Sighting:
    return Sighting(stream, Kind.SNAPSHOT, revision)


def update(revision: int, stream: int = 0) -> Sighting:
    return Sighting(stream, Kind.UPDATE, revision)


def gap(first: int, last: int, stream: int = 0) -> Sighting:
    return Sighting(stream, Kind.GAP, first, last)


def test_every_revision_in_order_over_two_streams_misses_nothing() -> None:
    """A watch begins with a snapshot of the job as it is, and resumes behind the last revision."""
    seen = count([snapshot(2), update(3), update(4, 1), update(5, 1)], 5)
    assert (seen.missed, seen.repeated, seen.gaps) == (0, 0, 0)


def test_a_revision_that_was_skipped_in_silence_is_missed() -> None:
    """Each one counts."""
    assert count([snapshot(1), update(4)], 4).missed == 2


def test_a_watch_that_never_heard_of_the_end_missed_it() -> None:
    """What came after the last sighting counts, and so does a watch that saw nothing at all."""
    assert count([snapshot(1), update(2)], 5).missed == 3
    assert count([], 5).missed == 5


def test_a_gap_with_its_snapshot_is_accepted_and_counted() -> None:
    """It names exactly what is left out."""
    seen = count([snapshot(1), gap(2, 4), snapshot(5), update(6)], 6)
    assert (seen.missed, seen.gaps) == (0, 1)


@pytest.mark.parametrize(
    "told",
    [
        [gap(2, 3), snapshot(5)],  # names less than is left out
        [gap(2, 4), update(5)],  # no whole job behind it
        [gap(2, 4, 0), snapshot(5, 1)],  # its stream was cut off before the snapshot
        [snapshot(5)],  # no word of a gap
    ],
)
def test_a_gap_that_is_not_told_as_it_should_be_covers_nothing(told: list[Sighting]) -> None:
    """A gap names all that is left out, and the whole job follows on the same stream."""
    assert count([snapshot(1), *told], 5).missed == 3


def test_a_gap_told_again_on_the_next_stream_is_one_gap() -> None:
    """The first stream was cut between the gap and its snapshot."""
    seen = count([snapshot(1), gap(2, 4), gap(2, 4, 1), snapshot(5, 1)], 5)
    assert (seen.missed, seen.gaps) == (0, 1)


def test_a_revision_that_comes_again_is_repeated() -> None:
    """Once and in order: neither the same again nor an older one."""
    assert count([snapshot(1), update(2), update(2), update(1), update(3)], 3).repeated == 2


def row(rows: list[Row], name: str) -> Row:
    return next(each for each in rows if each.name == name)


def test_a_soak_in_which_all_went_well_passes() -> None:
    """A few jobs may fail for a reason, and a few calls may be parked."""
    rows = judging.judge(replace(GOOD, parked=1))
    assert judging.passed(rows)
    assert row(rows, "COMPLETED").value == "99 (99.0%)"
    assert row(rows, "  FAILED MODEL_FAILED").value == "1"


LISTS = [each.name for each in fields(Evidence) if each.type == "Sequence[str]"]


@pytest.mark.parametrize("name", LISTS)
def test_anything_that_is_wrong_fails_the_soak_and_is_told(name: str) -> None:
    """Lost, paid twice, stuck, missed, and whatever else may only be none."""
    broken: dict[str, Any] = {name: ["this one"]}
    rows = judging.judge(replace(GOOD, **broken))
    assert not judging.passed(rows)
    assert [each.details for each in rows if not each.kept] == [("this one",)]


@pytest.mark.parametrize(
    "broken",
    [
        {"states": {"COMPLETED": 96, "FAILED": 4}},
        {"states": {}},
        {"parked": 2},
        {"unacknowledged": 1},
    ],
    ids=str,
)
def test_a_figure_beyond_its_bound_fails_the_soak(broken: dict[str, Any]) -> None:
    """97 % COMPLETED at least, 1 % parked at most, every submission acknowledged."""
    assert not judging.passed(judging.judge(replace(GOOD, **broken)))


def test_a_lost_job_counts_as_submitted() -> None:
    """Or a service that forgets everything would have completed all of it."""
    rows = judging.judge(replace(GOOD, states={"COMPLETED": 99}, lost=["job 1"]))
    assert row(rows, "submitted").value == "100"


def test_kills_and_restarts_are_told_by_part() -> None:
    """All generators in one row."""
    rows = judging.judge(
        replace(
            GOOD,
            kills={"generator-1": 2, "generator-2": 1, "edge": 1},
            restarts={"generator-1": 2, "generator-2": 1, "edge": 2, "epmd": 0},
        )
    )
    assert row(rows, "killed").value == "4"
    assert row(rows, "  generator").value == "3, started again 3"
    assert row(rows, "  edge").value == "1, started again 2"
    assert not [each for each in rows if "epmd" in each.name]


def test_the_same_seed_asks_for_the_same_jobs() -> None:
    """Each with its number in the prompt, and as many watched as there should be."""
    size = scale.of(300)
    asked = orders(size, "a seed")
    assert asked == orders(size, "a seed")
    assert asked != orders(size, "another")
    assert [number_in(order.prompt) for order in asked] == list(range(300))
    assert sum(order.watched for order in asked) == size.watchers
    assert len({order.request_id for order in asked}) == 300


def frame(event: str, **data: Any) -> dict[str, str]:
    return {"event": event, "data": json.dumps(data)}


def test_both_roads_of_a_watch_are_written_down_alike() -> None:
    """A gRPC watch and an SSE watch of the same job give the same sightings."""
    over_grpc, over_sse = Watch(1, "id", False, streams=1), Watch(1, "id", True, streams=1)
    over_grpc.take(WatchJobResponse(snapshot=Job(revision=1, state=Job.STATE_PENDING)))
    over_grpc.take(WatchJobResponse(heartbeat=Heartbeat(revision=1)))
    over_grpc.take(WatchJobResponse(gap=RevisionGap(from_revision=2, to_revision=3)))
    over_grpc.take(WatchJobResponse(snapshot=Job(revision=4, state=Job.STATE_RUNNING)))
    over_grpc.take(WatchJobResponse(update=Job(revision=5, state=Job.STATE_COMPLETED)))
    over_sse.take_frame(frame("snapshot", revision=1))
    over_sse.take_frame(frame("gap", revision=1, from_revision=2, to_revision=3))
    over_sse.take_frame(frame("snapshot", revision=4))
    over_sse.take_frame(frame("end", revision=5))
    assert over_grpc.sightings == over_sse.sightings
    assert over_grpc.ended and over_sse.ended
    assert (over_sse.last, count(over_sse.sightings, 5).missed) == (5, 0)


def test_an_end_that_skips_revisions_is_not_taken_for_a_whole_job() -> None:
    """Only at the start of a watch, or behind a gap, may the final job come without the others."""
    watch = Watch(1, "id", True, streams=1)
    watch.take_frame(frame("snapshot", revision=1))
    watch.take_frame(frame("end", revision=4))
    assert count(watch.sightings, 4).missed == 2


def test_a_stream_that_resumes_behind_the_end_adds_nothing() -> None:
    """It is told of the end again, which is no revision."""
    watch = Watch(1, "id", True, streams=2, last=4)
    watch.take_frame(frame("end", revision=4))
    assert watch.ended and not watch.sightings


def test_an_error_frame_counts_unless_it_says_unavailable() -> None:
    """UNAVAILABLE is what a caller is to be told while parts are being killed."""
    watch = Watch(1, "id", True, streams=1)
    watch.take_frame(frame("error", revision=1, code=14))
    assert not watch.odd
    watch.take_frame(frame("error", revision=1, code=13))
    assert len(watch.odd) == 1
