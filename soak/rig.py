"""What does a soak run on? A stack of its own, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.testing import Stack
from soak.scale import Scale

# Leases, doubts and scans end within seconds, so that a soak sees many of them through.
SETTINGS = {
    "CREATE_TIMEOUT": "3",
    # Work is admitted for as many slots: what a killed worker left behind waits behind no more.
    "GENERATOR_CONCURRENCY": "60",
    "LEASE_HEARTBEAT": "1",
    "LEASE_SECONDS": "6",
    "LOG_FORMAT": "json",
    "PROVIDER_CREATES_PER_MINUTE": "0",
    "RECONCILE_SCAN_GAP": "1",
    # More than the simulator's listing ever lags here (weather.py): less could pay twice.
    "RECONCILE_SETTLE": "4",
    "SIMULATOR_SPEED": "2",
}


@contextmanager
def rig(folder: Path, scale: Scale, seed: str, log_level: str = "INFO") -> Iterator[Stack]:
    """The stack, running. Leaving the block ends every process of it."""
    settings = {**SETTINGS, "SIMULATOR_SEED": seed, "LOG_LEVEL": log_level}
    stack = Stack(
        folder,
        generators=scale.generators,
        stores=scale.stores,
        gateways=scale.gateways,
        env=settings,
    )
    with stack:
        try:
            yield stack
        finally:
            # They are used to it by now, and a drain of each in turn takes long. What is left,
            # Postgres, stops cleanly: its data may be looked into.
            for name in reversed(stack.names):
                if name != "postgres":
                    stack.kill(name, restart=False)
