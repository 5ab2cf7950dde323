"""In which order is everything about streams measured, and on what?

On a stack of its own, without generators: nothing changes there but what is changed on purpose. It
writes a line in its log for each call, by which the store's part in an event is counted.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from signal import Signals

from bench import database, fan_out, following, raw_fan_out, storm
from bench.fan_out import WATCH_JOB, WATCH_JOBS, Addresses, Reached
from bench.figures import Record, percentile, ratios
from bench.memory import resident_kib
from bench.rig import SETTINGS, Rig, Say, serving
from devstack.testing import Stack

MS = 1000.0
BARE = "bare grpc.aio"
KINDS = {"WatchJob": WATCH_JOB, "WatchJobs": WATCH_JOBS}
RESTARTS = (Signals.SIGTERM, Signals.SIGKILL)
RESTART_FIGURES = (
    "seconds in which none is live",
    "seconds from the first to the last",
    "errors but UNAVAILABLE",
    "ends and refusals a stream",
    "store calls a stream",
)
GATEWAY, STORE = "gateway-1", "store-1"
_CALLS = "/mediagen.store.v1.JobStoreService/"
_HEALTH = f"{_CALLS}GetHealth"
_UNASKED = ("edge", "generator-1", "notifier-1", "simulator")
_ENV = {"LEASE_SECONDS": "600", "LOG_LEVEL": "INFO"}
_WARM = 20  # streams


def measure(
    rig: Rig, record: Record, say: Say, *,
    rounds: int, streams: tuple[int, ...], events: int, jobs: int, rate: float, seconds: float,
) -> None:  # fmt: skip
    """One event to many *streams*; *jobs* with one each; a gateway that is started anew."""
    with _stack() as stack:
        to = Addresses(
            stack.gateway_address,
            stack.store_address,
            stack.database_url.replace("+asyncpg", ""),
            stack.amqp_url,
        )
        for turn in range(1, rounds + 1):
            for many in streams:
                say(f"round {turn} of {rounds}: one event to {many:,} streams")
                _bare(rig, record, many, events)
                for kind in KINDS:
                    _ours(rig, stack, to, record, kind, many, events)
        _compared(record, streams)
        say(f"{jobs:,} jobs with one watcher each, {rate:g} events a second")
        for window in rig.run("streams", following.follow, to, jobs, rate, seconds, rounds):
            _follow(record, window)
        for number in RESTARTS:
            say(f"{max(streams):,} streams, and the gateway is started anew by {number.name}")
            # Each stream of all jobs begins with all that are there.
            rig.run("database", database.forget_jobs, to.database)
            _storm(rig, stack, to, record, number, max(streams))


@contextmanager
def _stack() -> Iterator[Stack]:
    with (
        tempfile.TemporaryDirectory(prefix="mediagen-bench-") as folder,
        Stack(Path(folder), without=_UNASKED, env={**SETTINGS, **_ENV}) as stack,
    ):
        yield stack


def _bare(rig: Rig, record: Record, many: int, events: int) -> None:
    with serving(raw_fan_out.serve) as (address, pid):
        rig.run("streams", fan_out.of_bare_server, address, pid, _WARM, 1)
        before = resident_kib(pid)
        reached = rig.run("streams", fan_out.of_bare_server, address, pid, many, events)
        _note(record, BARE, many, reached, reached.resident_kib - before)


def _ours(
    rig: Rig, stack: Stack, to: Addresses, record: Record, kind: str, many: int, events: int
) -> None:
    # A fresh process: what it has grown by is of these streams.
    stack.restart(GATEWAY)
    pid = _pid(stack)
    rig.run("streams", fan_out.of_gateway, to, pid, KINDS[kind], _WARM, 1)
    before = resident_kib(pid)
    reached = rig.run("streams", fan_out.of_gateway, to, pid, KINDS[kind], many, events)
    _note(record, kind, many, reached, reached.resident_kib - before)
    calls = _store_calls(stack, reached.begin, reached.end)
    # The feed and the forecasts are read as time goes by, whatever happens.
    record.note(f"{kind}, {many}: store calls", "/s", calls / (reached.end - reached.begin))


def _note(record: Record, kind: str, many: int, reached: Reached, grown: int) -> None:
    name = f"{kind}, {many}"
    record.note(f"{name}: p50", "ms", reached.percentile(50) * MS)
    record.note(f"{name}: p99", "ms", reached.percentile(99) * MS)
    record.note(f"{name}: CPU a message", "us", reached.cpu_per_message * 1e6)
    record.note(f"{name}: memory a stream", "KiB", grown / many)


def _compared(record: Record, streams: tuple[int, ...]) -> None:
    few, most = min(streams), max(streams)
    for kind in KINDS:
        for many in streams:
            for part in ("p50", "p99", "CPU a message", "memory a stream"):
                of, to = (record.rounds(f"{each}, {many}: {part}") for each in (kind, BARE))
                for each in ratios(of, to):
                    record.note(f"{kind}, {many}: {part} / bare", "", each)
        of, to = (record.rounds(f"{kind}, {many}: store calls") for many in (most, few))
        for each in ratios(of, to):
            record.note(f"{kind}: store calls, most streams / fewest", "", each)


def _follow(record: Record, window: following.Window) -> None:
    record.note("a watcher each: events", "/s", window.rate)
    for name, delays in (("hint", window.to_hint), ("watcher", window.to_watcher)):
        record.note(f"commit to {name}: p50", "ms", percentile(delays, 50) * MS)
        record.note(f"commit to {name}: p99", "ms", percentile(delays, 99) * MS)


def _storm(
    rig: Rig, stack: Stack, to: Addresses, record: Record, number: Signals, many: int
) -> None:
    seen = rig.run("storm", storm.ride, to, many, _pid(stack), number)
    calls = _store_calls(stack, seen.begin, seen.end) / many
    ends = sum(seen.ends.values()) / many
    values = (seen.away, seen.settled, seen.unexpected, ends, calls)
    for words, value in zip(RESTART_FIGURES, values, strict=True):
        record.note(f"{number.name}: {words}", "", value)


def _pid(stack: Stack) -> int:
    stack.wait_ready(GATEWAY)
    pid = stack.pid(GATEWAY)
    assert pid is not None
    return pid


def _store_calls(stack: Stack, begin: float, end: float) -> int:
    """How often the gateway asked the store, between two moments by time.time()."""
    found = 0
    for line in stack.read_log(STORE).splitlines():
        if _CALLS in line and _HEALTH not in line:
            found += begin <= _time_of(line) <= end
    return found


def _time_of(line: str) -> float:
    said = json.loads(line)["time"]
    return datetime.fromisoformat(said).timestamp()
