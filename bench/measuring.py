"""In which order is everything measured, and what is put beside what?

What shares a round is measured one after the other, several times over, so that a slow minute of
the machine meets all of it; ratios are taken round by round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench import (
    draining,
    edge_cost,
    finishing,
    memory,
    raw_limits,
    streaming,
    submitting,
    watching,
)
from bench.figures import Figure, Record, percentile, ratios, slowest
from bench.rig import Rig, Say

MS = 1000.0
FEW, MANY = 1, 16  # jobs under watch at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured."""

    rounds: int = 5
    seconds: float = 2.0
    clients: int = 32
    jobs: int = 400  #: in each round of jobs/s
    edge_calls: int = 200  #: each way, in each round
    running_jobs: int = 500
    settle: float = 8.0
    drained_jobs: int = 600  #: a minute
    stream_rounds: int = 3
    streams: tuple[int, ...] = (100, 1000, 5000)  #: that hear one event
    events: int = 5  #: for each number of streams, in each round
    watched_jobs: int = 1000
    watched_rate: float = 200.0  #: events a second
    watched_seconds: float = 5.0


QUICK = Effort(
    rounds=2, seconds=1.0, jobs=150, edge_calls=80, settle=4.0, drained_jobs=100,
    stream_rounds=1, streams=(100, 1000), events=3, watched_jobs=200, watched_seconds=3.0,
)  # fmt: skip


def measure(rig: Rig, effort: Effort, say: Say) -> Mapping[str, Figure]:
    """Everything, in six parts."""
    record = Record()
    _with_generator(rig, effort, record, say)
    say("the generator is stopped: submits are measured without the work on them")
    rig.stack.kill(rig.generator, restart=False)
    _submits(rig, effort, record, say)
    say(f"memory: a fresh generator, then {effort.running_jobs} running jobs")
    kib = memory.kib_per_job(rig, effort.running_jobs, effort.clients, effort.settle, say)
    record.note("memory per running job", "KiB", kib)
    rig.stack.kill(rig.generator, restart=False)
    say(f"a backlog of {effort.drained_jobs} jobs, {draining.LIMIT} creates a minute")
    drained = draining.drain(rig, effort.drained_jobs, effort.clients, say)
    record.note("creates per minute / limit", "", drained.of_limit)
    record.note("permits asked for / create", "", drained.asked)
    streaming.measure(
        rig, record, say, rounds=effort.stream_rounds, streams=effort.streams,
        events=effort.events, jobs=effort.watched_jobs, rate=effort.watched_rate,
        seconds=effort.watched_seconds,
    )  # fmt: skip
    _ratios(record)
    return record.figures()


def _with_generator(rig: Rig, effort: Effort, record: Record, say: Say) -> None:
    for number in _rounds(effort, "jobs end to end, watching, the edge", say):
        if number == 1:  # the first jobs of a stack load what later ones find loaded
            finishing.jobs_per_second(rig, effort.clients, effort.clients)
        raw = rig.run("raw", raw_limits.broker, rig.stack.amqp_url, effort.clients, effort.seconds)
        record.note_samples("raw broker", raw)
        rate = finishing.jobs_per_second(rig, effort.jobs, effort.clients)
        record.note("jobs end to end", "/s", rate)
        for watchers, name in ((FEW, "watch, 1 job"), (MANY, "watch, 16 jobs")):
            delays = rig.run(
                "grpc", watching.commit_to_message, rig.gateway, watchers, effort.seconds
            )
            record.note(f"{name}: p50", "ms", percentile(delays, 50) * MS)
            record.note(f"{name}: p99", "ms", percentile(delays, 99) * MS)
        _edge(rig, effort, record)


def _edge(rig: Rig, effort: Effort, record: Record) -> None:
    (job_id,) = rig.run("grpc", finishing.submit, rig.gateway, 1, [None])
    grpc_ways = {edge_cost.DIRECT_GRPC: rig.gateway, edge_cost.EDGE_GRPC: rig.edge}
    http_ways = {edge_cost.DIRECT_REST: rig.gateway_http, edge_cost.EDGE_REST: rig.stack.edge_url}
    took = rig.run("grpc", edge_cost.get_job, grpc_ways, http_ways, job_id, effort.edge_calls)
    p50 = {way: percentile(each, 50) * MS for way, each in took.items()}
    for way, each in took.items():
        record.note(f"GetJob, {way}: p50", "ms", p50[way])
        record.note(f"GetJob, {way}: p99", "ms", percentile(each, 99) * MS)
    added = p50[edge_cost.EDGE_GRPC] - p50[edge_cost.DIRECT_GRPC]
    record.note("edge adds to gRPC", "ms", added)
    added = p50[edge_cost.EDGE_REST] - p50[edge_cost.DIRECT_REST]
    record.note("edge adds to REST", "ms", added)


def _submits(rig: Rig, effort: Effort, record: Record, say: Say) -> None:
    clients, seconds = effort.clients, effort.seconds
    for _ in _rounds(effort, "submits and their raw limits", say):
        raw = rig.run("raw", raw_limits.echo, rig.echo, clients, seconds)
        record.note_samples("raw echo", raw)
        submits = rig.run("grpc", submitting.over_grpc, rig.gateway, clients, seconds)
        record.note_samples("submit over gRPC", submits)
        raw = rig.run("raw", raw_limits.insert, rig.database_url, clients, seconds)
        record.note_samples("raw insert", raw)
        submits = rig.run("rest", submitting.over_rest, rig.stack.edge_url, clients, seconds)
        record.note_samples("submit over REST", submits)
        raw = rig.run("raw", raw_limits.insert, rig.database_url, 1, seconds)
        record.note_samples("raw insert, 1 client", raw)


def _ratios(record: Record) -> None:
    echo, insert = record.rounds("raw echo: rate"), record.rounds("raw insert: rate")
    for way in ("submit over gRPC", "submit over REST"):
        of = record.rounds(f"{way}: rate")
        for limit, rates in (("echo", echo), ("insert", insert)):
            for each in ratios(of, rates):
                record.note(f"{way} / raw {limit}", "", each)
        for each in ratios(of, slowest(echo, insert)):
            record.note(f"{way} / slowest raw limit", "", each)
    jobs, broker = record.rounds("jobs end to end"), record.rounds("raw broker: rate")
    for each in ratios(jobs, broker):
        record.note("jobs end to end / raw broker", "", each)


def _rounds(effort: Effort, what: str, say: Say) -> Iterator[int]:
    for number in range(1, effort.rounds + 1):
        say(f"round {number} of {effort.rounds}: {what}")
        yield number
