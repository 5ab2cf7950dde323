"""What does the bench run on? A whole stack of its own, and a process for each load.

Loads have processes of their own so that neither they nor the printing here share an interpreter
with anything else. All of them end with this process, whatever ends it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from bench import raw_limits
from devstack.testing import Stack

P = ParamSpec("P")
T = TypeVar("T")

Say = Callable[[str], None]  #: one line of progress

_SPAWN: Final = multiprocessing.get_context("spawn")  # gRPC does not survive a fork
_START_SECONDS = 30.0

SETTINGS: Mapping[str, str] = {
    "GENERATOR_CONCURRENCY": "600",
    "LOG_LEVEL": "WARNING",
    "PROVIDER_CREATES_PER_MINUTE": "0",  # as many as can be
    "SIMULATOR_INSTANT": "1",
}


@dataclass
class Rig:
    """The stack's addresses, and `run` for what is to run beside it."""

    stack: Stack
    echo: str
    _loads: dict[str, ProcessPoolExecutor] = field(default_factory=dict)

    generator: str = "generator-1"

    @property
    def database_url(self) -> str:
        """As asyncpg takes it."""
        return self.stack.database_url.replace("+asyncpg", "")

    @property
    def gateway(self) -> str:
        return self.stack.gateway_address

    @property
    def edge(self) -> str:
        """host:port for gRPC."""
        return self.stack.edge_url.removeprefix("http://")

    @property
    def gateway_http(self) -> str:
        return f"http://{self.stack.plan.gateway_http_addresses[0]}"

    @property
    def generator_pid(self) -> int:
        pid = self.stack.pid(self.generator)
        if pid is None:
            raise ProcessLookupError(self.generator)
        return pid

    def run(self, load: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of *work* in the process named *load*, which lives as long as the rig."""
        if load not in self._loads:
            self._loads[load] = ProcessPoolExecutor(
                1, mp_context=_SPAWN, initializer=_end_with_parent
            )
        return self._loads[load].submit(work, *args, **kwargs).result()

    def close(self) -> None:
        for pool in self._loads.values():
            pool.shutdown(cancel_futures=True)


@contextmanager
def rig(log_level: str = "") -> Iterator[Rig]:
    """A rig in a folder that is deleted with it. *log_level*: the services', WARNING if empty."""
    settings = {**SETTINGS, **({"LOG_LEVEL": log_level} if log_level else {})}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mediagen-bench-"))
        running = stack.enter_context(Stack(Path(folder), env=settings))
        echo, _ = stack.enter_context(serving(raw_limits.serve_echo))
        made = Rig(running, echo)
        stack.callback(made.close)
        yield made


@contextmanager
def serving(serve: Callable[[Callable[[int], None]], None]) -> Iterator[tuple[str, int]]:
    """The address and the pid of a bare server: *serve* gives its port out and never returns."""
    ours, theirs = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_serve, args=(serve, theirs), daemon=True)
    process.start()
    assert process.pid is not None
    try:
        if not ours.poll(_START_SECONDS):
            raise TimeoutError("the bare server did not start")
        yield f"127.0.0.1:{ours.recv()}", process.pid
    finally:
        process.terminate()
        process.join()


def _serve(serve: Callable[[Callable[[int], None]], None], port: Connection) -> None:
    _end_with_parent()
    serve(port.send)


def _end_with_parent() -> None:
    """Ctrl-C is the parent's to handle; its death, by whatever, is ours too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, name="end-with-parent", daemon=True).start()
