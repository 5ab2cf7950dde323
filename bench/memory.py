"""How much memory does a running job take in its generator?

The resident memory of a generator that has just warmed up, and again while it holds hundreds of
predictions that run and are polled, as a provider's do for minutes.
"""

from __future__ import annotations

import json
import math
import os
import time
import urllib.request
from pathlib import Path

from bench import database
from bench.finishing import submit
from bench.rig import Rig, Say

_HELD = "held"  # in the prompts of the predictions that do not end
_WARM_UP_JOBS = 40
_DONE = "SELECT count(*) FROM jobs WHERE state = 'COMPLETED'"
_RUNNING = "SELECT count(*) FROM attempts WHERE state = 'SUBMITTED'"
_LONGEST = 180.0


def kib_per_job(rig: Rig, jobs: int, clients: int, settle: float, say: Say) -> float:
    """Of a fresh generator. Its jobs go on running: kill it afterwards."""
    rig.run("database", database.forget_jobs, rig.database_url)
    rig.stack.start(rig.generator)
    rig.run("grpc", submit, rig.gateway, clients, [None] * _WARM_UP_JOBS)
    rig.run("database", database.wait_for, rig.database_url, _DONE, _WARM_UP_JOBS, _LONGEST)
    time.sleep(settle)
    before = resident_kib(rig.generator_pid)
    _hold(rig.stack.simulator_url)
    rig.run("grpc", submit, rig.gateway, clients, [f"{_HELD} {n}" for n in range(jobs)])
    running = rig.run("database", database.wait_for, rig.database_url, _RUNNING, jobs, _LONGEST)
    if running < jobs:
        say(f"only {running} of {jobs} jobs were running after {_LONGEST:.0f} s")
    time.sleep(settle)  # polls and heartbeats go on meanwhile
    return (resident_kib(rig.generator_pid) - before) / running if running else math.nan


def resident_kib(pid: int) -> int:
    """VmRSS of the process, as Linux counts it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "VmRSS":
            return int(rest.split()[0])
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """Of one core, as Linux has counted them for the process so far."""
    _, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    of_user, of_system = rest.split()[11:13]
    return (int(of_user) + int(of_system)) / os.sysconf("SC_CLK_TCK")


def _hold(simulator_url: str) -> None:
    """From now on, predictions with _HELD in their prompt never end."""
    rule = {"name": "processing_forever", "match": _HELD}
    request = urllib.request.Request(
        f"{simulator_url}/_simulator/faults",
        method="POST",
        data=json.dumps(rule).encode(),
        headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        answer.read()
