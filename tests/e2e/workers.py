"""Generators of a test's own, beside a stack that has none: they can be told where to die."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from devstack.testing import Stack

ROOT = Path(__file__).resolve().parent.parent.parent


def generator_env(stack: Stack) -> dict[str, str]:
    """What a generator on *stack* must be told."""
    port = stack.simulator_url.rpartition(":")[2]
    return {
        "STORE_ADDRESS": stack.store_address,
        "AMQP_URL": stack.amqp_url,
        "REPLICATE_API_TOKEN": "no-account-needed",
        "REPLICATE_BASE_URL": f"{stack.simulator_url}/v1",
        "REPLICATE_DELIVERY_HOSTS": f"127.0.0.1:{port}",
        "ARTIFACTS_URL": (stack.state / "artifacts").as_uri(),
        "CREATE_TIMEOUT": "3",
        "LEASE_HEARTBEAT": "1",
    }


class Generator:
    """One `python -m generator` on *stack*. Leaving the block kills it."""

    def __init__(self, stack: Stack, log: Path, env: Mapping[str, str] | None = None) -> None:
        self._log = log
        kept = {k: v for k, v in os.environ.items() if not k.startswith("REPLICATE_")}
        paths = ":".join(map(str, (ROOT / "client", ROOT / "services", ROOT)))
        more = {"PYTHONPATH": paths, "LOG_FORMAT": "console"}
        self._env = {**kept, **more, **generator_env(stack), **(env or {})}

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "generator"],
                env=self._env, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def drain(self) -> None:
        """SIGTERM, as a deploy does."""
        self.process.send_signal(signal.SIGTERM)

    def killed(self, timeout: float) -> bool:
        """It died by SIGKILL within *timeout* seconds."""
        try:
            return self.process.wait(timeout) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False


def set_fault(stack: Stack, name: str, *, match: str, argument: str = "", count: int = 1) -> None:
    """The simulator misbehaves so for the next *count* predictions with *match* in the prompt."""
    rule: dict[str, object] = {"name": name, "match": match, "count": count}
    if argument:
        rule["arg"] = argument
    httpx.post(f"{stack.simulator_url}/_simulator/faults", json=rule).raise_for_status()


def calls(stack: Stack, match: str) -> list[dict[str, object]]:
    """What the provider was asked to make, oldest first, for prompts that contain *match*."""
    answer = httpx.get(f"{stack.simulator_url}/_simulator/ledger", params={"match": match})
    found: list[dict[str, object]] = answer.raise_for_status().json()["predictions"]
    return found


def assert_never_paid_twice(made: list[dict[str, object]]) -> None:
    """Each call began after a definite end of the one before it, and none after a success."""
    for earlier, later in itertools.pairwise(made):
        end = earlier["live"][1]  # type: ignore[index]
        assert end is not None, f"a second live call: {later}"
        assert str(later["created_at"]) >= end, f"made before the last had ended: {later}"
        assert earlier["status"] != "succeeded", f"made after a success: {later}"
