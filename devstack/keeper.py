"""How is one part kept running: started when its needs are, restarted when it ends, stopped?"""

import asyncio
import signal
import time
from pathlib import Path
from typing import Protocol

from .child import BoundedLog, Child
from .part import DevstackError, Part
from .ports import holder, is_free
from .screen import Screen

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 15.0
_SETTLED = 20.0  # seconds of serving after which a crash counts as the first one again
_HOPELESS = 3  # ends before it was ever ready
_PORT_PATIENCE = 5.0  # for the last instance's socket to go
_TAIL = 15


class Watched(Protocol):
    """Who must know which process groups there are (the watchdog)."""

    def add(self, group: int, stop_signal: signal.Signals) -> None: ...

    def remove(self, group: int) -> None: ...


class Keeper:
    """One part and its life."""

    def __init__(self, part: Part, log: Path, screen: Screen, watched: Watched) -> None:
        self.part = part
        self.log = log
        self.starts_after: list[Keeper] = []
        self.last_line = ""
        self.wanted = False
        self.child: Child | None = None
        self.starts = 0
        self._screen = screen
        self._watched = watched
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._was_ready = False
        self._failures = 0
        self._killed = False
        self._file: BoundedLog | None = None

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    @property
    def may_start(self) -> bool:
        return all(need.ready for need in self.starts_after)

    def start(self) -> None:
        """Want it running (no wait)."""
        if self.wanted:
            return
        self.wanted = True
        self._failures = 0
        self._task = asyncio.create_task(self._keep(), name=f"keep-{self.part.name}")

    async def until_ready(self) -> None:
        """Wait until it serves; raises what made it give up."""
        assert self._task is not None
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                self._task.result()
                raise DevstackError(f"{self.part.name} was stopped.")
        finally:
            ready.cancel()

    async def stop(self) -> None:
        """Want it stopped; wait until it is. Its stop signal, its grace, then SIGKILL."""
        self.wanted = False
        child, task = self.child, self._task
        if child is not None:
            child.send(self.part.stop_signal)
            await asyncio.wait({child.ended}, timeout=self.part.grace)
            if not child.ended.done():
                self._screen.say(
                    f"{self.part.name} did not stop within {self.part.grace:.0f} s: killed"
                )
                child.kill_group()
                await asyncio.wait({child.ended})
        if task is not None:
            if child is None:
                task.cancel()  # it was waiting for its needs, or for its next start
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # told already
            self._task = None
        self._ready.clear()

    async def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def kill(self) -> None:
        """SIGKILL to it and its children. It is started again, as after its first crash: however
        often it is killed, its back-off does not grow."""
        if self.child is not None:
            self._killed = True
            self.child.kill_group()

    async def _keep(self) -> None:
        while self.wanted:
            for need in self.starts_after:
                await need._ready.wait()
            if not self.wanted:
                return
            try:
                served = await self._run_once()
            except (DevstackError, OSError) as problem:
                if not self._was_ready:
                    raise DevstackError(f"{self.part.name}: {problem}") from problem
                self._screen.say(f"{self.part.name} could not start again: {problem}")
                served = 0.0
            if not self.wanted:
                return
            innocent = self._killed or served > _SETTLED
            self._killed = False
            self._failures = 1 if innocent else self._failures + 1
            if not self._was_ready and self._failures >= _HOPELESS:
                raise DevstackError(f"{self.part.name} does not start.{self._tail()}")
            delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** (self._failures - 1))
            self._screen.say(f"{self.part.name} starts again in {delay:g} s")
            await asyncio.sleep(delay)

    async def _run_once(self) -> float:
        """Start it, wait for its end; the seconds for which it was ready."""
        name = self.part.name
        command = await self.part.prepare(lambda text: self._screen.line(name, text))
        await self._ports_free()
        if not self.wanted:
            return 0.0
        self._file = self._file or BoundedLog(self.log)
        began = time.monotonic()
        child = Child(command, self._file, self._show)
        self.child = child
        self.starts += 1
        self._watched.add(child.pid, self.part.stop_signal)
        probing = asyncio.create_task(self._probe(began))
        try:
            code = await child.ended
        finally:
            probing.cancel()
            self._ready.clear()
            child.close()
            self._watched.remove(child.pid)
            self.child = None
        if self.wanted:
            self._screen.say(f"{name} ended ({_reason(code)}); its log: {self.log}")
        ready_at = probing.result() if probing.done() and not probing.cancelled() else None
        return time.monotonic() - ready_at if ready_at else 0.0

    async def _probe(self, began: float) -> float:
        """Ask until it is ready; when it was."""
        while not await self.part.ready():
            await asyncio.sleep(0.1)
        now = time.monotonic()
        if self.wanted:
            self._screen.say(f"{self.part.name} is ready ({now - began:.1f} s)")
        self._was_ready = True
        self._ready.set()
        return now

    async def _ports_free(self) -> None:
        deadline = time.monotonic() + _PORT_PATIENCE
        for port in self.part.ports:
            while not is_free(port.number):
                if time.monotonic() > deadline:
                    raise DevstackError(
                        f"Port {port.number} ({self.part.name}) is taken by {holder(port.number)}."
                    )
                await asyncio.sleep(0.1)

    def _show(self, line: str) -> None:
        # Until it has served once, what it says is in the log, and on the screen if it fails or
        # takes long: a part that waits for another says so, and nobody should be alarmed.
        self.last_line = line
        if self._was_ready and self.part.screen(line):
            self._screen.line(self.part.name, line)

    def _tail(self) -> str:
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL:]
        return f" The end of {self.log}:\n  " + "\n  ".join(lines)


def _reason(code: int) -> str:
    return f"exit status {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
