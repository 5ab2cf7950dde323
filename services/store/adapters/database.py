"""The connection to Postgres, and its clock.

Every transaction is short and bounded: by a statement timeout, a lock timeout, and the time that it
may wait for a connection. What runs into one of them is `Unavailable` for the caller: nothing was
changed, and the call may be repeated.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from servicekit import failpoints

_READS: Final = nullcontext()

#: SQLSTATE classes that mean "not now": connection, resources, operator intervention, lock not
#: available, deadlock, serialization, read-only (a standby after a failover).
_NOT_NOW: Final = ("08", "53", "57", "55P03", "40P01", "40001", "25006")


class Unavailable(Exception):
    """The database can not answer now; nothing was changed."""

    reason = "ERROR_REASON_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("The job database can not answer now. Nothing was changed; try again.")
        self.metadata: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """How many connections, and how long anything may take."""

    size: int = 20
    overflow: int = 0
    wait: float = 5.0
    statement_timeout: float = 10.0
    lock_timeout: float = 5.0


class Database:
    """An engine whose failures are told apart, and Postgres's idea of the time."""

    def __init__(self, url: str, pool: PoolSettings, *, name: str = "mediagen-store") -> None:
        self._engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool.size,
            max_overflow=pool.overflow,
            pool_timeout=pool.wait,
            pool_recycle=1800,
            hide_parameters=True,  # a statement in a log must not hold prompts or tokens
            connect_args={
                "timeout": pool.wait,
                "command_timeout": pool.statement_timeout + pool.lock_timeout,
                "server_settings": {
                    "application_name": name,
                    "statement_timeout": str(round(pool.statement_timeout * 1000)),
                    "lock_timeout": str(round(pool.lock_timeout * 1000)),
                    # A frozen store must not hold a job for as long as a lease lasts.
                    "idle_in_transaction_session_timeout": "8000",
                    "synchronous_commit": "on",
                    "timezone": "UTC",
                },
            },
        )
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._offset = timedelta()

    @asynccontextmanager
    async def transaction(self, step: str | None = None) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed unless the block raises. *step* names the commit: one of
        store/failpoints.py, or None where the block itself says when it wrote something."""
        with _told_apart():
            async with self._engine.begin() as connection:
                yield connection
                if step is not None:
                    failpoints.before(step)
        if step is not None:
            failpoints.after(step)

    @asynccontextmanager
    async def single(self, step: str | None = None) -> AsyncIterator[AsyncConnection]:
        """A connection for one statement, which is a transaction of its own. *step* names what it
        writes: one of store/failpoints.py, or None if it only reads."""
        with failpoints.around(step) if step is not None else _READS, _told_apart():
            async with self._autocommit.connect() as connection:
                yield connection

    async def rows(
        self, statement: sa.Executable, parameters: Mapping[str, Any], step: str | None = None
    ) -> Sequence[sa.Row[Any]]:
        """All rows of one statement, which is a transaction of its own; *step* as for `single`.

        As `single`, but with one switch to SQLAlchemy's side instead of four, which takes two
        thirds of the time: for what every call does.
        """

        def run() -> Sequence[sa.Row[Any]]:
            with self._autocommit.sync_engine.connect() as connection:
                return connection.execute(statement, parameters).all()

        with failpoints.around(step) if step is not None else _READS, _told_apart():
            return await greenlet_spawn(run)

    async def read_clock(self) -> datetime:
        """Asks Postgres for the time, and remembers how far our own clock is off."""
        async with self.single() as connection:
            begin = time.time()
            now: datetime = (await connection.execute(sa.select(CLOCK))).scalar_one()
            middle = (begin + time.time()) / 2
        self._offset = now - datetime.fromtimestamp(middle, UTC)
        return now

    def now(self) -> datetime:
        """Postgres's time, without asking it. Good to a few milliseconds after `read_clock`."""
        return datetime.now(UTC) + self._offset

    async def close(self) -> None:
        """Closes every connection."""
        await self._engine.dispose()


CLOCK = sa.func.clock_timestamp()
#: The time at which the statement began, which an index can be searched by: for what is looked for
#: among many rows, each of which would be compared with CLOCK.
BEGUN = sa.func.statement_timestamp()


class _told_apart:
    """Turns "not now" failures of the driver into Unavailable; lets the others through."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None or isinstance(error, Unavailable):
            return
        if is_passing(error):
            raise Unavailable from error


def is_passing(error: BaseException) -> bool:
    """The failure is of the moment, not of the statement."""
    if isinstance(error, exc.TimeoutError | OSError | TimeoutError | asyncpg.InterfaceError):
        return True
    # What asyncpg says when the server dies as it is connected to; SQLAlchemy does not know it.
    if isinstance(error, asyncpg.InternalClientError):
        return True
    if isinstance(error, exc.InterfaceError):
        return True
    if isinstance(error, exc.DBAPIError):
        if error.connection_invalidated:
            return True
        state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
        return bool(state) and str(state).startswith(_NOT_NOW)
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate or "").startswith(_NOT_NOW)
    return isinstance(error, asyncpg.PostgresConnectionError)
