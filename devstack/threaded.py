"""How is a supervisor used from code that blocks, or that has another event loop?

On an event loop in a thread of its own, so that output is read and dead parts are restarted
whatever the caller does. The methods block; from a coroutine use `asyncio.to_thread`.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from signal import Signals
from typing import Any, Self, TypeVar

from .part import Part
from .screen import Screen
from .supervisor import Supervisor

Result = TypeVar("Result")


class Supervised:
    """A supervisor on an event loop of its own thread."""

    def __init__(self, parts: Sequence[Part], state: Path) -> None:
        self._parts = parts
        self._state = state
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="devstack", daemon=True)
        self.log = state / "logs" / "devstack.log"

    def __enter__(self) -> Self:
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        self._out = self.log.open("a")
        self._thread.start()
        try:
            self.call(self._open())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.call(self.supervisor.__aexit__(None, None, None))
        finally:
            self._end()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *error: object) -> None:
        await asyncio.to_thread(self.__exit__, *error)

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run it on the supervisor's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def kill(self, name: str, *, restart: bool = True) -> None:
        """kill -9 to the part and its children; returns when it is dead.

        restart: whether the supervisor starts it again, half a second later however often.
        """
        self.call(self._kill(name, restart))

    def stop(self, name: str) -> None:
        """Stop it in its own manner (drain) and keep it stopped until `start`."""
        self.call(self.supervisor.keepers[name].stop())

    def start(self, name: str) -> None:
        """Start a stopped part; returns when it is ready."""
        self.call(self._start(name))

    def restart(self, name: str) -> None:
        """stop and start."""
        self.stop(name)
        self.start(name)

    def send(self, name: str, number: Signals) -> None:
        """Any signal to the part's process: SIGSTOP and SIGCONT make it hang and go on."""
        self.call(self._signal(name, number))

    def wait_ready(self, name: str) -> None:
        """Wait until a part that was killed serves again."""
        self.call(self.supervisor.keepers[name].until_ready())

    def is_ready(self, name: str) -> bool:
        return self.supervisor.keepers[name].ready

    def starts(self, name: str) -> int:
        """How often the part has been started."""
        return self.supervisor.keepers[name].starts

    def pid(self, name: str) -> int | None:
        child = self.supervisor.keepers[name].child
        return child.pid if child else None

    @property
    def names(self) -> list[str]:
        return [part.name for part in self._parts]

    def read_log(self, name: str) -> str:
        """All that the part has printed so far (`devstack`: the supervisor itself)."""
        path = self._state / "logs" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_log(self, name: str, text: str, timeout: float = 10.0) -> None:
        """Wait until the part has printed the text."""
        deadline = time.monotonic() + timeout
        while text not in self.read_log(name):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} did not print {text!r} within {timeout} s")
            time.sleep(0.05)

    async def _open(self) -> None:
        self.supervisor = Supervisor(self._parts, self._state, Screen(self._out))
        await self.supervisor.__aenter__()
        try:
            await self.supervisor.start()
        except BaseException:
            await self.supervisor.__aexit__(None, None, None)
            raise

    async def _kill(self, name: str, restart: bool) -> None:
        keeper = self.supervisor.keepers[name]
        child = keeper.child
        if not restart:
            keeper.wanted = False
        keeper.kill()
        if child is not None:
            await asyncio.wait({child.ended})
        if not restart:
            await keeper.stop()

    async def _start(self, name: str) -> None:
        keeper = self.supervisor.keepers[name]
        keeper.start()
        await keeper.until_ready()

    async def _signal(self, name: str, number: Signals) -> None:
        child = self.supervisor.keepers[name].child
        if child is not None:
            child.send(number)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._out.close()


def blocking(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a coroutine to its end from code that may stand inside a running event loop."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(work()))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="blocking")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
