"""Does a backlog drain at the account's limit, and how often do the workers ask for it?

On a stack of its own: three generators share the rate through one store, whose log says how often
it was asked. Submits are so much faster than the limit that all jobs wait almost from the start.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import database, finishing
from bench.rig import SETTINGS, Rig
from devstack.testing import Stack

LIMIT = 600  #: creates a minute
GENERATORS = 3
_CREATES = "SELECT count(*) FROM attempts WHERE submit_time IS NOT NULL"
_RATE = """
    SELECT (count(*) - 1) * 60 / extract(epoch FROM max(submit_time) - min(submit_time))::float8
    FROM attempts WHERE submit_time IS NOT NULL
"""
_LIMITED = {
    "PROVIDER_CREATES_PER_MINUTE": str(LIMIT),
    "SIMULATOR_ENFORCE_LIMITS": "1",
    "SIMULATOR_CREATES_PER_MINUTE": str(LIMIT),
    "SIMULATOR_CREATES_BURST": "30",
    "LOG_LEVEL": "INFO",
}


class Drain(NamedTuple):
    """How a backlog went."""

    of_limit: float  #: creates a minute, as a share of the limit, from the first to the last
    asked: float  #: BeginSubmit calls for each create


def drain(rig: Rig, jobs: int, clients: int, say: Callable[[str], None]) -> Drain:
    """*jobs* from submit to create. Loads run in the *rig*'s processes."""
    with tempfile.TemporaryDirectory(prefix="mediagen-bench-") as folder:
        settings = {**SETTINGS, **_LIMITED}
        with Stack(Path(folder), generators=GENERATORS, without=["edge"], env=settings) as stack:
            url = stack.database_url.replace("+asyncpg", "")
            rig.run("grpc", finishing.submit, stack.gateway_address, clients, [None] * jobs)
            longest = 60 + 4 * 60 * jobs / LIMIT
            made = rig.run("database", database.wait_for, url, _CREATES, jobs, longest)
            if made < jobs:
                say(f"only {made} of {jobs} jobs were created in {longest:.0f} s")
            rate: float = rig.run("database", database.value, url, _RATE)
            asked = (Path(folder) / "logs" / "store-1.log").read_text().count("/BeginSubmit")
    return Drain(rate / LIMIT, asked / made)
