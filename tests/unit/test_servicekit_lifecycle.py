"""How does a process end?"""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from servicekit.connect import GaveUp, Stopped, backoff, retrying
from servicekit.lifecycle import Background, LoopCrashed, Stop, cancel

PROGRAM = """
import asyncio, sys
from servicekit import lifecycle, logs
logs.setup("test", form="json")
async def forever(): await asyncio.sleep(60)
async def crash(): raise ValueError("boom")
async def main(stop):
    print("ready", flush=True)
{body}
lifecycle.run(main)
"""


def start(body: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_clean_stop(number: signal.Signals) -> None:
    """stop is set, main drains and returns, exit 0."""
    process = start("    await stop.wait()\n    print('drained', flush=True)")
    time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "drained\n")
    assert number.name in err
    assert "process.stopped" in err


def test_a_second_signal_ends_at_once() -> None:
    """For whoever does not want to wait for the drain."""
    process = start("    await stop.wait()\n    print('on', flush=True)\n    await forever()")
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=5)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("body", "event"),
    [
        ("    await crash()", "process.crashed"),
        (
            "    async with lifecycle.Background(stop) as background:\n"
            "        background.start('loop', crash())\n"
            "        await stop.wait()",
            "process.failed",
        ),
        ("    raise lifecycle.ProcessFailed('the port is taken')", "process.failed"),
    ],
)
def test_a_crash_is_exit_1_and_one_traceback_at_most(body: str, event: str) -> None:
    """The supervisor restarts on 1; an end that explains itself needs no traceback."""
    process = start(body)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert event in err
    assert err.count("Traceback") == (0 if "port" in body else 1)


async def test_a_crashed_loop_stops_the_others() -> None:
    """Nothing restarts in silence: the rest drains, and leaving raises."""
    stop, ended = Stop(), []

    async def good() -> None:
        await stop.wait()
        ended.append("good")

    async def bad() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("boom")

    async def process() -> None:
        async with Background(stop) as background:
            background.start("good", good())
            background.start("bad", bad())
            await stop.wait()

    with pytest.raises(LoopCrashed, match="bad"):
        await process()
    assert ended == ["good"]


async def test_a_loop_with_an_end_of_its_own_outlives_those_that_need_it() -> None:
    """*stop* ends the others first: what they send to the last still finds its way."""
    stop, quiet, ended = Stop(), Stop(), []

    async def needed() -> None:
        await quiet.wait()
        ended.append("needed")

    async def slow() -> None:
        await stop.wait()
        await asyncio.sleep(0.05)
        ended.append("slow")

    async with Background(stop, end=quiet) as last, Background(stop) as background:
        last.start("needed", needed())
        background.start("slow", slow())
        stop.set()
    assert ended == ["slow", "needed"]


@pytest.mark.parametrize("crashes", [True, False])
async def test_a_crash_of_a_loop_with_an_end_of_its_own_stops_all(crashes: bool) -> None:
    """Or its mere return: also while the others only drain."""
    stop, quiet, ended = Stop(), Stop(), []

    async def needed() -> None:
        if crashes:
            raise ValueError("boom")

    async def other() -> None:
        await stop.wait()
        ended.append("other")

    async def process() -> None:
        async with Background(stop, end=quiet) as last, Background(stop) as background:
            background.start("other", other())
            last.start("needed", needed())
            await stop.wait()

    with pytest.raises(LoopCrashed, match="needed"):
        await process()
    assert ended == ["other"]


async def test_a_loop_that_ends_by_itself_is_a_crash() -> None:
    """Also one ended by a cancellation that nobody sent: aio-pika does that."""

    async def quits() -> None:
        return None

    async def cancelled() -> None:
        raise asyncio.CancelledError

    async def process(loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        stop = Stop()
        async with Background(stop) as background:
            background.start("loop", loop())
            await stop.wait(5)

    for loop in (quits, cancelled):
        with pytest.raises(LoopCrashed):
            await process(loop)


async def test_a_loop_that_ignores_stop_is_cancelled_after_the_grace() -> None:
    """A drain has an end."""
    stop, began = Stop(), time.monotonic()
    async with Background(stop, grace=0.05) as background:
        background.start("deaf", asyncio.sleep(60))
    assert time.monotonic() - began < 2


async def test_cancel_is_repeated_for_whoever_swallowed_it() -> None:
    """wait_for of Python 3.11 does, when cancellation and result meet; a loop would go on."""
    swallowed = []

    async def deaf_once() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed.append(1)
                if len(swallowed) == 2:
                    raise

    task = asyncio.create_task(deaf_once())
    await asyncio.sleep(0)
    await cancel([task])
    assert task.cancelled()
    assert len(swallowed) == 2


async def test_retrying_goes_on_until_it_works() -> None:
    """An expected error is a wait; the result comes out."""
    tries = []

    async def attempt() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionRefusedError("not yet")
        return "connected"

    assert await retrying("it", attempt, give_up_after=5) == "connected"
    assert len(tries) == 3


async def test_retrying_gives_up_with_the_last_error() -> None:
    """Also when an attempt hangs."""

    async def refused() -> None:
        raise ConnectionRefusedError("no")

    with pytest.raises(GaveUp, match=r"the database within 0\.3 s: ConnectionRefusedError: no"):
        await retrying("the database", refused, give_up_after=0.3)
    with pytest.raises(GaveUp, match="TimeoutError"):
        await retrying("it", lambda: asyncio.sleep(60), give_up_after=0.2)


async def test_an_error_that_meets_the_end_of_the_wait_is_told_once() -> None:
    """As having given up, and not by the event loop, with a traceback, as nobody's error."""

    async def refused_as_it_is_stopped() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ConnectionRefusedError from None

    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    with pytest.raises(GaveUp):
        await retrying("it", refused_as_it_is_stopped, give_up_after=0.05, stop=Stop())
    gc.collect()
    assert told == []


async def test_retrying_does_not_hide_a_mistake() -> None:
    """Only what was named is repeated."""

    async def wrong() -> None:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        await retrying("it", wrong, give_up_after=5)


@pytest.mark.parametrize("hangs", [True, False])
async def test_retrying_ends_when_the_process_is_asked_to_stop(hangs: bool) -> None:
    """In the wait and within an attempt."""
    stop = Stop()

    async def attempt() -> None:
        if hangs:
            await asyncio.sleep(60)
        raise ConnectionRefusedError

    asyncio.get_running_loop().call_later(0.2, stop.set)
    began = time.monotonic()
    with pytest.raises(Stopped):
        await retrying("it", attempt, give_up_after=60, stop=stop)
    assert time.monotonic() - began < 2


def test_backoff_grows_to_its_bound() -> None:
    """Doubling, jittered, never beyond the longest by more than the jitter."""
    delays = [delay for delay, _ in zip(backoff(0.1, 2.0), range(12), strict=False)]
    assert 0.07 <= delays[0] <= 0.13
    assert all(delay <= 2.5 for delay in delays)
    assert min(delays[6:]) >= 1.5
