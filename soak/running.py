"""How does a soak go? Submit, watch, kill; wait until every job has ended; then ask what is there.

submits ─────────────────────▶ ┐
watches ────────────────────────────────▶ each to its job's end
kills ─────────────────────────────▶      a little longer than the submits
progress, later calls ──────────────────▶ until nothing is open, or time is up
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from devstack.testing import Stack
from soak import orders as ordering
from soak import weather
from soak.chaos import Chaos
from soak.evidence import Afterwards, gather
from soak.judging import Evidence
from soak.orders import Order
from soak.scale import Scale
from soak.sightings import Watch
from soak.submitting import Book, Callers
from soak.watching import Watchers

Say = Callable[[str], None]

_LOOK = 1.0
_LATER_CALL = 4.0
_CALM = 60.0  # until everything serves again
_LAST_SIGHTINGS = 45.0  # for watchers to hear of the last end: a silent stream is dead after 30 s
_CLIENT_ERRORS = (asyncpg.InterfaceError, asyncpg.InternalClientError)
_STATES = "SELECT state, count(*) FROM jobs WHERE prompt LIKE 'soak %' GROUP BY state"


@dataclass
class Soak:
    """One soak on a running stack."""

    stack: Stack
    scale: Scale
    seed: str
    say: Say

    def __post_init__(self) -> None:
        self.book = Book()
        self.chaos = Chaos(self.stack, self.scale, self.seed)
        self.watches: list[Watch] = []
        self.states: Counter[str] = Counter()
        self._began = time.monotonic()

    async def run(self) -> Evidence:
        """All of it, within the scale's limit and a little for the end."""
        weather.set_weather(self.stack.simulator_url)
        self._began = time.monotonic()
        async with Callers(self.stack, self.scale, self.book) as callers:
            async with Watchers(self.stack) as watchers:
                await self._until_ended(callers, watchers)
            seconds = self._elapsed
            self.say("asking API, provider, broker and database what is there")
            after = Afterwards(
                self.stack, self.scale, self.seed, self.book, self.watches, self.chaos, seconds
            )
            return await gather(after, callers)

    async def _until_ended(self, callers: Callers, watchers: Watchers) -> None:
        following: list[asyncio.Task[None]] = []

        def submitted(order: Order, job_id: str) -> None:
            if order.watched:
                watch = Watch(order.number, job_id, over_sse=len(following) % 2 == 0)
                self.watches.append(watch)
                following.append(asyncio.create_task(watchers.follow(watch)))

        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.scale.limit):
                    await self._load(callers, submitted)
            await self.chaos.calm(_CALM)
            if following:
                await asyncio.wait(following, timeout=_LAST_SIGHTINGS)
        finally:
            for task in following:
                task.cancel()
            for ended in await asyncio.gather(*following, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended

    async def _load(self, callers: Callers, submitted: Callable[[Order, str], None]) -> None:
        every = ordering.orders(self.scale, self.seed)
        async with (
            _beside(self._progress()),
            _beside(self._later_calls(callers)),
            _beside(self._kill()),
            _beside(self._shut_account()),
        ):
            await callers.submit_all(every, submitted)
            await self._all_ended()

    async def _kill(self) -> None:
        """For a fixed time, however long the submits take."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.scale.submitting + self.scale.chaos_after):
                await self.chaos.run()
        self.say("no more kills: what is in doubt settles")

    async def _all_ended(self) -> None:
        """Until every acknowledged job has."""
        while self._open or sum(self.states.values()) < len(self.book.job_ids):
            await asyncio.sleep(_LOOK)

    async def _shut_account(self) -> None:
        if self.scale.account_shut:
            await asyncio.sleep(self.scale.submitting * 0.4)
            await asyncio.to_thread(weather.shut_account, self.stack.simulator_url)

    async def _later_calls(self, callers: Callers) -> None:
        """That nothing was created is believed only once the listing shows a later call of ours:
        here the account stays as busy at the end as it was before."""
        await asyncio.sleep(self.scale.submitting)
        number = 0
        while True:
            number += 1
            await callers.submit(ordering.later_call(number))
            await asyncio.sleep(_LATER_CALL)

    async def _progress(self) -> None:
        """Keeps `states` up to date, and says how it goes."""
        while True:
            # Postgres is killed too, and some moments later is back.
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, *_CLIENT_ERRORS):
                self.states = await _states(self.stack.database_url)
            self.say(self._line())
            await asyncio.sleep(_LOOK)

    @property
    def _open(self) -> int:
        return self.states["PENDING"] + self.states["RUNNING"]

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _line(self) -> str:
        states = self.states
        return (
            f"{self._elapsed:4.0f} s  {len(self.book.job_ids)}/{self.scale.jobs} submitted, "
            f"{states['PENDING']} waiting, {states['RUNNING']} running, "
            f"{states['COMPLETED']} completed, {states['FAILED']} failed; "
            f"{self.chaos.kills.total()} kills"
        )


async def _states(url: str) -> Counter[str]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=5, command_timeout=10)
    try:
        return Counter({row["state"]: row["count"] for row in await connection.fetch(_STATES)})
    finally:
        await connection.close(timeout=5)


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """It goes on for the length of the block; its failure is the block's."""
    task = asyncio.create_task(work)
    inside = asyncio.current_task()
    assert inside is not None
    failed = False

    def fell(ended: asyncio.Task[None]) -> None:
        nonlocal failed
        if not ended.cancelled() and ended.exception() is not None:
            failed = True
            inside.cancel()

    task.add_done_callback(fell)
    try:
        yield
    except asyncio.CancelledError:
        if not failed:
            raise
        inside.uncancel()
    finally:
        task.cancel()
        await asyncio.wait({task})
    if failed:
        task.result()
