"""Who starts the parts in order, keeps them alive, and leaves nothing behind?"""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from . import watchdog
from .keeper import Keeper
from .part import DevstackError, Part
from .ports import holder, is_free
from .screen import Screen

_PROGRESS = 3.0
_SLOW = 20.0  # seconds after which one wants to know what a part is doing


class Supervisor:
    """Runs parts. Use as an async context manager: leaving it stops everything.

    state: the folder with the lock file and `logs/`; only one supervisor uses it at a time.
    """

    def __init__(self, parts: Sequence[Part], state: Path, screen: Screen) -> None:
        names = [part.name for part in parts]
        screen.introduce(names)
        self._screen = screen
        self._state = state
        self._leash = Leash()
        self._reported = 0.0
        self.keepers = {
            part.name: Keeper(part, state / "logs" / f"{part.name}.log", screen, self._leash)
            for part in parts
        }
        for keeper in self.keepers.values():
            part = keeper.part
            first = part.needs if part.starts_after is None else part.starts_after
            keeper.starts_after = [self.keepers[name] for name in first if name in names]

    async def __aenter__(self) -> Self:
        self._lock()
        self._check_ports()
        self._leash.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        self._leash.close()
        os.close(self._lock_fd)

    async def start(self, limit: float = 180.0) -> None:
        """Start everything; return when all are ready.

        Raises DevstackError, with the end of its log, for a part that does not come up.
        """
        began = time.monotonic()
        for keeper in self.keepers.values():
            keeper.start()
        waiting = {
            asyncio.ensure_future(keeper.until_ready()): keeper for keeper in self.keepers.values()
        }
        pending = set(waiting)
        try:
            while pending:
                done, pending = await asyncio.wait(
                    pending, timeout=_PROGRESS, return_when=asyncio.FIRST_EXCEPTION
                )
                for future in done:
                    future.result()
                self._report([waiting[future] for future in pending], began)
                if pending and time.monotonic() - began > limit:
                    names = ", ".join(waiting[future].part.name for future in pending)
                    raise DevstackError(f"Not ready after {limit:.0f} s: {names}. See {self.logs}.")
        finally:
            for future in pending:
                future.cancel()

    @property
    def logs(self) -> Path:
        return self._state / "logs"

    async def stop(self) -> None:
        """Stop in waves: a part after all that need it."""
        left = {name: keeper for name, keeper in self.keepers.items() if keeper.wanted}
        while left:
            needed = {need for keeper in left.values() for need in keeper.part.needs}
            wave = [name for name in left if name not in needed] or list(left)
            await asyncio.gather(*(left.pop(name).stop() for name in wave))
        await asyncio.gather(*(keeper.close() for keeper in self.keepers.values()))

    def kill(self) -> None:
        """At once, everything, with SIGKILL."""
        for keeper in self.keepers.values():
            keeper.wanted = False
            keeper.kill()

    def _report(self, waiting: list[Keeper], began: float) -> None:
        # Only those that have started, or nobody would see which one the others wait for.
        started = [keeper for keeper in waiting if keeper.may_start] or waiting
        seconds = time.monotonic() - began
        if not started or seconds - self._reported < _PROGRESS:
            return
        self._reported = seconds
        names = ", ".join(keeper.part.name for keeper in started)
        self._screen.say(f"{seconds:4.0f} s  waiting for {names}")
        for keeper in started if seconds > _SLOW else ():
            if keeper.last_line:
                self._screen.line(keeper.part.name, keeper.last_line)

    def _lock(self) -> None:
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)  # logs and passwords
        path = self._state / "lock"
        self._lock_fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = path.read_text().strip() or "unknown"
            os.close(self._lock_fd)
            raise DevstackError(
                f"Another stack (pid {owner}) is running on {self._state}. Stop it first, or set "
                "STATE_DIR to another folder (and other ports)."
            ) from None
        os.ftruncate(self._lock_fd, 0)
        os.write(self._lock_fd, str(os.getpid()).encode())

    def _check_ports(self) -> None:
        taken = [
            f"Port {port.number} ({keeper.part.name}) is taken by {holder(port.number)}."
            + (f" Stop it, or set {port.variable} to a free port." if port.variable else "")
            for keeper in self.keepers.values()
            for port in keeper.part.ports
            if not is_free(port.number)
        ]
        if taken:
            os.close(self._lock_fd)
            raise DevstackError("\n".join(taken))


class Leash:
    """The pipe to the watchdog, which ends the parts if this process is killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def add(self, group: int, stop_signal: signal.Signals) -> None:
        self._tell(f"start {group} {stop_signal.value}\n")

    def remove(self, group: int) -> None:
        self._tell(f"end {group}\n")

    def close(self) -> None:
        if self._process and self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()
            self._process.wait()

    def _tell(self, line: str) -> None:
        if self._process and self._process.stdin:
            with suppress(OSError):  # a dead watchdog is no reason to stop working
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()
