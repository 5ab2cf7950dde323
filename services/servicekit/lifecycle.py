"""How does a process start, run its loops, and stop?

run(main) -> main(stop) -> Background loops -> SIGTERM sets stop -> loops end -> exit 0
A loop that crashes stops the process with exit 1: the supervisor restarts a whole process, whose
start is tested, rather than a loop restarting itself into an unknown state.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Self

import structlog

log = structlog.get_logger()


class ProcessFailed(Exception):
    """An end that its message explains in full: logged as one line, without a traceback."""


class LoopCrashed(ProcessFailed):
    """A background loop ended though nobody asked it to; __cause__ is its error, if it had one."""


class Stop:
    """Set once, when the process is asked to end. Anyone may set it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    async def wait(self, timeout: float | None = None) -> bool:
        """Waits until set (True), or until *timeout* seconds have passed (False)."""
        if timeout is None:
            return await self._event.wait()
        try:
            async with asyncio.timeout(timeout):
                return await self._event.wait()
        except TimeoutError:
            return False


class Background:
    """Named loops, strongly referenced, ended together.

        async with Background(stop) as background:
            background.start("relay", relay.run(stop))
            await stop.wait()

    A loop that raises, or returns before *stop* is set, sets *stop*; leaving the block then raises
    LoopCrashed. On leaving, *stop* is set and loops get *grace* seconds before they are cancelled.

    For loops that others need to their own end, give *end*, which is what they wait for: it is set
    on leaving, so after the blocks within; a crash still sets *stop*.

        async with Background(stop, end=quiet) as last, Background(stop) as background:
            last.start("publisher", publisher.run(quiet))
    """

    def __init__(self, stop: Stop, *, end: Stop | None = None, grace: float = 10.0) -> None:
        self._stop = stop
        self._end = end or stop
        self._grace = grace
        self._tasks: set[asyncio.Task[None]] = set()
        self._crash: LoopCrashed | None = None

    def start(
        self, name: str, loop: Coroutine[Any, Any, None], *, may_return: bool = False
    ) -> asyncio.Task[None]:
        """Runs *loop*; with *may_return* its plain return is no crash."""
        task = asyncio.create_task(self._watched(name, loop, may_return), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _watched(self, name: str, loop: Coroutine[Any, Any, None], may_return: bool) -> None:
        try:
            await loop
        except asyncio.CancelledError as error:
            # aio-pika cancels what nobody cancelled when its broker is stuck; that is a crash.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            self._crashed(name, error)
        except Exception as error:
            self._crashed(name, error)
        else:
            if not (may_return or self._end.is_set()):
                self._crashed(name, None)

    def _crashed(self, name: str, error: BaseException | None) -> None:
        log.error("loop.crashed", loop=name, exc_info=error)
        if self._crash is None:
            self._crash = LoopCrashed(f"The loop {name!r} crashed: {error!r}.")
            self._crash.__cause__ = error
        self._stop.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._end.set()
        if tasks := set(self._tasks):
            _, late = await asyncio.wait(tasks, timeout=self._grace)
            for task in late:
                log.warning("loop.cancelled", loop=task.get_name(), after_seconds=self._grace)
            await cancel(late)
        if self._crash is not None and error is None:
            raise self._crash


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels *tasks* and returns when all have ended; their errors stay in them.

    Cancels again every second: `asyncio.wait_for` of Python 3.11 swallows a cancellation that
    meets its result, and a client library may wait for its peer in a `finally`.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1.0)


def run(main: Callable[[Stop], Awaitable[None]]) -> None:
    """Runs main(stop) to its end; returns after a clean stop, raises SystemExit(1) on a crash.

    SIGTERM and SIGINT set *stop*; a second one ends the process at once.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(_main(main))
        except ProcessFailed as error:
            log.error("process.failed", error=str(error))
            raise SystemExit(1) from None
        except Exception:
            log.exception("process.crashed")
            raise SystemExit(1) from None
    log.info("process.stopped")


async def _main(main: Callable[[Stop], Awaitable[None]]) -> None:
    stop = Stop()

    def asked(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(128 + number)
        log.info("process.stopping", signal=number.name)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)
    await main(stop)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not built for this platform; asyncio's own loop serves as well
        return None
    return uvloop.new_event_loop
