"""Which failures of the database driver say "not now", so that a call may be repeated?"""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import exc

from store.adapters.database import is_passing


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        exc.TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        # The server was killed as the connection was made; found by the soak.
        asyncpg.InternalClientError("cannot switch to state 11"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_ends_by_itself_is_not_the_statement_s_fault(error: BaseException) -> None:
    """The caller hears UNAVAILABLE and may try again."""
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [asyncpg.UniqueViolationError("duplicate key"), asyncpg.UndefinedTableError(""), KeyError()],
    ids=lambda error: type(error).__name__,
)
def test_what_another_try_would_meet_again_is_not_hidden(error: BaseException) -> None:
    """It is a bug, and is told as one."""
    assert not is_passing(error)
